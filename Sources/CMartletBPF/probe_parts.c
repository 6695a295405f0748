/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs, in two parts that are loaded side by side: nearly all of a start is the verifier's work and the search
 * for kernel types, and a second CPU takes half of it.
 *
 * The parts are the same object twice, each with some of its programs. Both use the maps of an object that has nothing
 * else, which has to be loaded before them. While they are being loaded, the thread that began it may prepare the maps.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe_internal.h"

/* The two that the verifier spends most time on are system calls and completions: one in each part. */
static size_t part_of_hook(const struct martlet_probe *probe, size_t hook) {
  enum hook_place place = martlet_hooks[hook].place;
  return probe->part_count > 1 && (place == PLACE_RING || place == PLACE_WATCHED);
}

struct bpf_program *martlet_probe_program(const struct martlet_probe *probe, size_t hook, const char *name) {
  struct bpf_object *object = probe->parts[part_of_hook(probe, hook)];
  return object ? bpf_object__find_program_by_name(object, name) : NULL;
}

static bool is_needed(const struct martlet_part *part, const char *program) {
  const struct martlet_probe *probe = part->probe;
  int hook = martlet_hook_of_program(program);
  const struct hook_variant *chosen = hook < 0 ? NULL : martlet_probe_variant(probe, (size_t)hook);
  if (!chosen || part_of_hook(probe, (size_t)hook) != part->index) return false;
  if (strcmp(chosen->program, program) == 0) return true;
  return strcmp(martlet_entry_program(chosen).text, program) == 0 && !martlet_is_entered(probe, (size_t)hook);
}

static int load(struct martlet_part *part) {
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "martlet");
  struct bpf_object *object = bpf_object__open_mem(part->image->programs, part->image->programs_length, &options);
  struct bpf_program *program;
  char failed[sizeof(part->error.subject)];
  int code;
  part->probe->parts[part->index] = object;
  if (!object) return martlet_fail(&part->error, errno, "open", "probe object", &part->log);
  if (martlet_share_maps(object, part->probe->maps, NULL, &part->error)) return -1;
  bpf_object__for_each_program(program, object)
      bpf_program__set_autoload(program, is_needed(part, bpf_program__name(program)));
  if (bpf_object__load(object) == 0) return 0;
  code = errno;
  martlet_log_failed_program(&part->log, failed, sizeof(failed));
  part->failed_hook = martlet_hook_of_program(failed);
  return martlet_fail(&part->error, code, "load", *failed ? failed : "probe object", &part->log);
}

static void *run(void *argument) {
  struct martlet_part *part = argument;
  martlet_log_begin(&part->log);
  part->result = load(part);
  martlet_log_end();
  free(part->log.text);
  return NULL;
}

void martlet_parts_begin(struct martlet_probe *probe, const struct martlet_probe_image *image,
                         struct martlet_part parts[PARTS_MAX]) {
  probe->part_count = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? PARTS_MAX : 1;
  for (size_t index = 0; index < probe->part_count; index++) {
    parts[index] = (struct martlet_part){.probe = probe, .image = image, .index = index, .failed_hook = -1};
    parts[index].has_thread = pthread_create(&parts[index].thread, NULL, run, &parts[index]) == 0;
  }
}

int martlet_parts_end(struct martlet_probe *probe, struct martlet_part parts[PARTS_MAX], int *failed_hook,
                      struct martlet_probe_error *error) {
  const struct martlet_part *failed = NULL;
  for (size_t index = 0; index < probe->part_count; index++) {
    struct martlet_part *part = &parts[index];
    if (part->has_thread)
      pthread_join(part->thread, NULL);
    else
      run(part);
    if (part->result && !failed) failed = part;
  }
  if (!failed) return 0;
  *failed_hook = failed->failed_hook;
  *error = failed->error;
  return -1;
}

void martlet_parts_unload(struct martlet_probe *probe) {
  for (size_t index = 0; index < PARTS_MAX; index++) {
    bpf_object__close(probe->parts[index]);
    probe->parts[index] = NULL;
  }
}
