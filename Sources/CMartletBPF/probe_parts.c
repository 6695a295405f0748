/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs, in parts that are loaded side by side: nearly all of a start is the verifier's work and the search for
 * kernel types, and a second CPU takes half of it.
 *
 * All parts use the maps of an object that has nothing else, which has to be loaded before them. While they are being
 * loaded, the thread that began it may prepare the maps.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe_internal.h"

struct bpf_program *martlet_probe_program(const struct martlet_probe *probe, const char *name) {
  struct bpf_program *program = NULL;
  for (size_t part = 0; part < MARTLET_PARTS && !program; part++)
    if (probe->parts[part]) program = bpf_object__find_program_by_name(probe->parts[part], name);
  return program;
}

static bool is_needed(const struct martlet_probe *probe, const char *program) {
  int hook = martlet_hook_of_program(program);
  const struct hook_variant *chosen = hook < 0 ? NULL : martlet_probe_variant(probe, (size_t)hook);
  if (!chosen) return false;
  if (strcmp(chosen->program, program) == 0) return true;
  return strcmp(martlet_entry_program(chosen).text, program) == 0 && !martlet_is_entered(probe, (size_t)hook);
}

static int load_part(struct martlet_part *part) {
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "martlet");
  struct bpf_object *object = bpf_object__open_mem(part->file->start, part->file->length, &options);
  struct bpf_program *program;
  bool has_needed = false;
  char failed[sizeof(part->error.subject)];
  int code;
  *part->object = object;
  if (!object) return martlet_fail(&part->error, errno, "open", "probe object", &part->log);
  if (martlet_share_maps(object, part->probe->maps, NULL, &part->error)) return -1;
  bpf_object__for_each_program(program, object) {
    bool is_one = is_needed(part->probe, bpf_program__name(program));
    bpf_program__set_autoload(program, is_one);
    has_needed |= is_one;
  }
  if (!has_needed || bpf_object__load(object) == 0) return 0;
  code = errno;
  martlet_log_failed_program(&part->log, failed, sizeof(failed));
  part->failed_hook = martlet_hook_of_program(failed);
  return martlet_fail(&part->error, code, "load", *failed ? failed : "probe object", &part->log);
}

static void *run_part(void *argument) {
  struct martlet_part *part = argument;
  struct martlet_log *before = martlet_log_begin(&part->log);
  part->result = load_part(part);
  martlet_log_end(before);
  free(part->log.text);
  return NULL;
}

void martlet_parts_begin(struct martlet_probe *probe, const struct martlet_probe_image *image,
                         struct martlet_part parts[MARTLET_PARTS]) {
  for (size_t index = 0; index < MARTLET_PARTS; index++) {
    parts[index] = (struct martlet_part){
        .probe = probe, .file = &image->parts[index], .object = &probe->parts[index], .failed_hook = -1};
    parts[index].has_thread = pthread_create(&parts[index].thread, NULL, run_part, &parts[index]) == 0;
  }
}

int martlet_parts_end(struct martlet_part parts[MARTLET_PARTS], int *failed_hook,
                      struct martlet_probe_error *error) {
  const struct martlet_part *failed = NULL;
  for (size_t index = 0; index < MARTLET_PARTS; index++) {
    struct martlet_part *part = &parts[index];
    if (part->has_thread)
      pthread_join(part->thread, NULL);
    else
      run_part(part);
    if (part->result && !failed) failed = part;
  }
  if (!failed) return 0;
  *failed_hook = failed->failed_hook;
  *error = failed->error;
  return -1;
}

void martlet_parts_unload(struct martlet_probe *probe) {
  for (size_t index = 0; index < MARTLET_PARTS; index++) {
    bpf_object__close(probe->parts[index]);
    probe->parts[index] = NULL;
  }
}
