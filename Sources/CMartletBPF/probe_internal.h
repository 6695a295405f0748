/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this target share. */
#ifndef MARTLET_PROBE_INTERNAL_H
#define MARTLET_PROBE_INTERNAL_H

#include <bpf/libbpf.h>
#include <pthread.h>

#include "martlet_probe.h"
#include "martlet_filter.h"
#include "martlet_probe_shared.h"

#define LOG_BYTES_MAX (1u << 20)
#define RINGS_MAX 512
#define MARTLET_IN_FORCE_MAP ".data.in_force"
#define HOOKS_MAX 32

struct martlet_log {
  char *text;
  size_t length;
};

/* One CPU's ring as user space maps it: a page that we write, a page that the kernel writes, the data twice in a row so
 * that a record that wraps still lies in one piece. */
struct ring {
  int fd;
  uint64_t *consumer_position;
  const uint64_t *producer_position;
  const char *data;
  uint64_t taken;  /* read up to here, released or not */
  uint64_t end;    /* the producer's position at this drain */
  const char *head; /* the next record, NULL when there is none for this drain */
  uint32_t head_length;
  uint64_t head_time;
  bool is_blocked; /* a record that is being written hides finished ones behind it */
};

/* A probe, or the successor of one while it has not taken over: then it has objects of its own, with the predecessor's
 * maps, and borrows the rings. */
struct martlet_probe {
  struct martlet_probe_options options;
  struct martlet_probe *predecessor; /* NULL for a probe that works */
  bool has_successor;
  uint32_t generation;
  struct bpf_object *maps; /* without programs; NULL while nothing is loaded */
  struct bpf_object *parts[MARTLET_PARTS]; /* with the programs; see probe_parts.c */
  struct bpf_link *links[HOOKS_MAX]; /* of the entries; a successor has those that the predecessor has not */
  int entries[HOOKS_MAX];            /* the attached programs, -1 for none */
  uint64_t recursion_misses;         /* of entries that are attached no more */
  uint8_t choices[HOOKS_MAX]; /* index of the variant; past the last one for none */
  int refusals[HOOKS_MAX];    /* the last errno that a variant was refused with */
  struct martlet_log log;

  struct ring *rings;
  uint32_t ring_count;
  volatile struct martlet_consumer *consumer;
  volatile struct martlet_in_force *in_force;
  int counters_fd;
  int full_tables_fd;
  int losses_fd;
  uint64_t late_count;
  int epoll_fd;
  int wake_fd;
};

/* A part that is being loaded, and how that went. */
struct martlet_part {
  struct martlet_probe *probe;
  const struct martlet_object_file *file;
  struct bpf_object **object;
  pthread_t thread;
  bool has_thread;
  int result;
  int failed_hook;
  struct martlet_probe_error error;
  struct martlet_log log;
};

/* A program that can serve a hook. */
struct hook_variant {
  const char *program;
  const char *name;
};

/* PLACE_PACKETS: those of a cgroup's sockets. PLACE_RING: in the kernel, unless the options leave it out. PLACE_WATCHED: in
 * the kernel, but only when files are watched. */
enum hook_place { PLACE_KERNEL, PLACE_ITERATOR, PLACE_CGROUP, PLACE_PACKETS, PLACE_RING, PLACE_WATCHED };

struct hook {
  const char *name;
  const char *unseen; /* what is not seen without it */
  enum hook_place place;
  bool is_optional;
  uint64_t calls; /* wanted when one of these is, a bit for each of the first 64; 0 for always */
  struct hook_variant variants[4]; /* in order of preference, up to one without a program */
};

extern const struct hook martlet_hooks[HOOKS_MAX]; /* up to one without a name */
#define SEED_HOOK 5
#define CONNECT4_HOOK 6
#define CONNECT6_HOOK 7
#define SUBMISSION_HOOK 12
#define COMPLETION_HOOK 13

bool martlet_hook_is_of_cgroup(size_t hook);
/* The program chosen for a hook; NULL where none is wanted or could be had. */
const struct hook_variant *martlet_probe_variant(const struct martlet_probe *probe, size_t hook);
/* The hook a program or an entry belongs to, or -1. */
int martlet_hook_of_program(const char *program);

/* What is derived from a program's name, `handle_NAME`: the name of the program that is attached in its place,
 * `enter_NAME`, and of the table that leads on from it, `on_NAME`. */
struct martlet_entry_name {
  char text[48];
};
struct martlet_entry_name martlet_entry_program(const struct hook_variant *variant);
struct martlet_entry_name martlet_entry_table(const struct hook_variant *variant);

/* How often the kernel skipped the hook's entry because it was running on that CPU. */
uint64_t martlet_entry_misses(const struct martlet_probe *probe, size_t hook);

void martlet_probe_unload(struct martlet_probe *probe);
/* Puts the numbers of the probe's objects on the list of those that are guarded; takes out those of what goes with it. */
void martlet_guard(struct martlet_probe *probe);
void martlet_unguard(struct martlet_probe *probe);
/* Depends on what rules ask for; all other maps are what the probe knows, and shared by its generations. */
bool martlet_is_of_one_generation(const char *map);
/* Makes the maps of an object that is not loaded yet those of another one, but for those that `is_left_out` is true of. */
int martlet_share_maps(struct bpf_object *object, const struct bpf_object *owner, bool (*is_left_out)(const char *map),
                       struct martlet_probe_error *error);
/* Entered by the predecessor's program already. */
bool martlet_is_entered(const struct martlet_probe *probe, size_t hook);
/* Loads the programs of a probe whose maps are loaded. Between the two, the maps may be used. */
void martlet_parts_begin(struct martlet_probe *probe, const struct martlet_probe_image *image,
                         struct martlet_part parts[MARTLET_PARTS]);
int martlet_parts_end(struct martlet_part parts[MARTLET_PARTS], int *failed_hook,
                      struct martlet_probe_error *error);
void martlet_parts_unload(struct martlet_probe *probe);
/* NULL while the programs are not there. */
struct bpf_program *martlet_probe_program(const struct martlet_probe *probe, const char *name);
/* Puts the programs into the tables of their entries, in the slot of the generation; takes them out. */
int martlet_generation_enter(struct martlet_probe *probe, int *failed_hook, struct martlet_probe_error *error);
void martlet_generation_leave(struct martlet_probe *probe);
int martlet_filter_install(struct martlet_probe *probe, struct martlet_probe_error *error);
/* Tries one choice after the other until the kernel takes it. */
int martlet_probe_try(struct martlet_probe *probe, const struct martlet_probe_image *image,
                      struct martlet_probe_error *error);

int martlet_fail(struct martlet_probe_error *error, int code, const char *operation, const char *subject,
                 const struct martlet_log *log);
/* Until martlet_log_end, which takes what this returns, what libbpf prints on this thread goes to `log`. Elsewhere and
 * otherwise it is dropped. */
struct martlet_log *martlet_log_begin(struct martlet_log *log);
void martlet_log_end(struct martlet_log *before);
/* The last program that the log names as the one that failed; empty when none. */
void martlet_log_failed_program(const struct martlet_log *log, char *name, size_t size);

int martlet_rings_create(struct martlet_probe *probe, struct martlet_probe_error *error);
/* Puts the rings into the loaded object's table and maps the words it shares with us. */
int martlet_rings_connect(struct martlet_probe *probe, struct martlet_probe_error *error);
void martlet_rings_disconnect(struct martlet_probe *probe);
void martlet_rings_destroy(struct martlet_probe *probe);

/* Fills in which numbers are watched and what their arguments are, by `wanted_calls`. */
void martlet_calls_configure(struct martlet_probe_settings *settings);
/* Fills in what calls do to files. */
void martlet_changes_configure(struct martlet_probe_settings *settings);

uint64_t martlet_boot_time_ns(void);

#endif
