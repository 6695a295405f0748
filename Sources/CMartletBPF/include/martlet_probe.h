/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe as a whole: load it, attach it, drain its rings a batch at a time.
 *
 * In: the compiled object and a few settings. Out: spans of memory that hold records, merged over the CPUs. What is in
 * a record is not looked at, but for its time. All functions but martlet_probe_wake are for one thread at a time.
 * Functions that return int return 0, or -1 after they have filled `error`.
 */
#ifndef MARTLET_PROBE_H
#define MARTLET_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARTLET_RING_BYTES_MIN (256u << 10)
#define MARTLET_RING_BYTES_MAX (256u << 20)

struct martlet_probe;

struct martlet_filter;
struct martlet_loss;
struct martlet_loss_key;
struct martlet_model_names;

struct martlet_probe_options {
  uint32_t ring_bytes;      /* per CPU; a power of two of at least MARTLET_RING_BYTES_MIN */
  uint32_t wake_bytes;      /* unread bytes that wake a consumer that naps; 0 for a quarter of the ring */
  uint32_t self_process_id;
  uint32_t cgroup_v1;       /* enum martlet_cgroup_v1 */
  bool seeds;               /* whether the iterator over processes is wanted */
  uint8_t filtering;        /* enum martlet_filtering */
  const struct martlet_filter *filter; /* for martlet_probe_start; NULL only without filtering */
  const struct martlet_model_names *models; /* for martlet_probe_start; NULL without models */
  bool watches_models;      /* models are told, and what becomes of watched files */
  bool environment;         /* exec records carry the environment */
  bool missing_programs;    /* execs that fail because there is no such file are told */
  bool names;               /* answers of resolvers are told */
  bool rings;               /* opens through io_uring are watched, where the kernel tells of them */
  int32_t cgroup_fd;        /* the cgroup below which connections are watched; -1 for none; stays the caller's */
  bool is_in_cgroup;        /* this process is in it, or below, and can act there */
  uint64_t wanted_calls[2]; /* a bit for each enum martlet_call; exec, fork and exit are always told */
};

/* What went wrong: which step, on what, with which errno, and the line of the library's or verifier's log that says
 * the most. */
struct martlet_probe_error {
  int32_t code;
  char operation[48];
  char subject[64];
  char line[256];
};

/* The compiled probe: an object that has its maps and nothing else, and its programs in parts, whose objects have the same
 * maps. */
#define MARTLET_PARTS 2
struct martlet_object_file {
  const void *start;
  size_t length;
};
struct martlet_probe_image {
  struct martlet_object_file maps;
  struct martlet_object_file parts[MARTLET_PARTS];
};

struct martlet_span {
  const void *start;
  size_t length;
};

/* A hook and the program chosen for it. */
struct martlet_probe_hook {
  const char *name;
  const char *variant; /* NULL while none is chosen, or where none could be */
  const char *program;
  const char *unseen;  /* what is not seen without it */
  bool is_optional;    /* the probe starts without it */
  bool is_iterator;
  bool is_wanted;      /* false where the options ask for nothing that it sees */
  int32_t refusal;     /* the errno that the kernel refused its last variant with; 0 when it did not */
};

int martlet_probe_create(const struct martlet_probe_options *options, struct martlet_probe **probe,
                         struct martlet_probe_error *error);

/* Loads and attaches, for each hook the first variant that the kernel takes. `image` is needed for this call only. May be
 * called again, with another image, when it fails. */
int martlet_probe_start(struct martlet_probe *probe, const struct martlet_probe_image *image,
                        struct martlet_probe_error *error);

/* Detaches and frees everything; spans handed out are gone. A successor is destroyed before its probe, from any thread:
 * only what it has alone goes. */
void martlet_probe_destroy(struct martlet_probe *probe);

/*
 * Other options for a probe that works. Nothing that happens is told twice or not at all: what happens before the
 * switch is told by the old options, what happens after by the new ones, and all else goes on: rings, counters, what
 * waits for its result, what is known of cgroups. From any thread, beside the one that uses the probe.
 *
 * martlet_probe_prepare loads a successor, which has to be taken over or destroyed before the next one. The kernel's
 * processes cannot be read through it, and the sizes of the rings and the cgroup stay as they are.
 * martlet_probe_switch, on the thread that uses the probe, makes the probe go by the successor's options, in one word; the
 * successor then is what the probe was, and still to be destroyed.
 */
int martlet_probe_prepare(struct martlet_probe *probe, const struct martlet_probe_options *options,
                          const struct martlet_probe_image *image, struct martlet_probe **successor,
                          struct martlet_probe_error *error);
void martlet_probe_switch(struct martlet_probe *probe, struct martlet_probe *successor);

/* Another filter for the same options, likewise: what one of the two lets through before, and the other after, is told.
 * In the microseconds between, all is. On the thread that uses the probe. */
int martlet_probe_switch_filter(struct martlet_probe *probe, const struct martlet_filter *filter,
                                struct martlet_probe_error *error);

/* The hooks by index, until the name is NULL. */
struct martlet_probe_hook martlet_probe_hook_at(const struct martlet_probe *probe, size_t index);

/* A descriptor that yields one record after the other for each process there is; reads take at least 32 KiB. -1 and
 * code ENOTSUP where the iterator could not be loaded. */
int martlet_probe_open_seed(struct martlet_probe *probe, struct martlet_probe_error *error);

/* Up to `capacity` records in stream order, which stay where they are until the release. `until_ns` is the time that the
 * stream has come to; it moves on to one such that whatever comes later is later than it, as far as order is promised. */
size_t martlet_probe_drain(struct martlet_probe *probe, struct martlet_span *spans, size_t capacity,
                           uint64_t *until_ns);
void martlet_probe_release(struct martlet_probe *probe);

/* Records that were drained with an earlier time than the stream had come to by then. */
uint64_t martlet_probe_late(const struct martlet_probe *probe);

/* Waits for records. With `asks`, the first record wakes it; without, only much unread data does, and producers pay
 * nothing. Either ends early on martlet_probe_wake. Releases first. Returns true when woken by martlet_probe_wake. */
bool martlet_probe_wait(struct martlet_probe *probe, int timeout_ms, bool asks);

/* From any thread. */
void martlet_probe_wake(struct martlet_probe *probe);

/* The counters of a hook (enum martlet_hook), summed over the CPUs; `sums` takes a struct martlet_hook_counters. */
int martlet_probe_counters(struct martlet_probe *probe, uint32_t hook, uint64_t *sums, size_t count);

/* How often a table of the probe (enum martlet_table) was full, summed over the CPUs. */
uint64_t martlet_probe_full_table(const struct martlet_probe *probe, uint32_t table);

/* Whether events were lost since this was last asked. Costs no system call. */
bool martlet_probe_has_losses(struct martlet_probe *probe);

/* Whose events were lost since the start: fills up to `capacity` places of both, and returns how many there are, or -1
 * with errno. With room for MARTLET_LOSSES_MAX it misses none. */
int martlet_probe_losses(const struct martlet_probe *probe, struct martlet_loss_key *keys, struct martlet_loss *losses,
                         uint32_t capacity);

/* Makes room in the table of losses. What is lost under this key in the same moment is not counted there. */
void martlet_probe_forget_loss(const struct martlet_probe *probe, const struct martlet_loss_key *key);

/* Puts a file (device in the kernel's encoding) on the list of those whose changes are told, each change once; or, when
 * it is there, lets all be told once more. Fails with E2BIG when the list is full. */
int martlet_probe_watch_file(struct martlet_probe *probe, uint32_t device, uint64_t inode,
                             struct martlet_probe_error *error);
void martlet_probe_unwatch_file(struct martlet_probe *probe, uint32_t device, uint64_t inode);

/* Says that a cgroup (of the hierarchy 0, v2, or 1, v1) is no container's. */
int martlet_probe_note_host_cgroup(struct martlet_probe *probe, uint64_t id, uint32_t hierarchy);

/* The places (a bit for each enum martlet_canary_place) that a hook's program answers from; 0 for a hook that has none,
 * or is not attached. */
uint32_t martlet_probe_canaries_of_hook(const struct martlet_probe *probe, size_t hook);

/* Acts once for each attached program. Returns the places that should answer now, by records in the rings. `program` is
 * run with `argument` and should end by itself; its id, or 0, goes to `child`, and the caller waits for it. */
uint32_t martlet_probe_canaries_begin(struct martlet_probe *probe, const char *program, const char *argument,
                                      int32_t *child);

/* Opens through io_uring are wanted and no program sees them. */
bool martlet_probe_misses_rings(const struct martlet_probe *probe);

/* How often the kernel skipped one of the programs because it was running on that CPU, since the start. */
uint64_t martlet_probe_recursion_misses(const struct martlet_probe *probe);

uint32_t martlet_probe_ring_count(const struct martlet_probe *probe);

#endif
