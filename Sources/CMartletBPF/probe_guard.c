/* SPDX-License-Identifier: Apache-2.0 */
/* The probe's own objects on the list of those that others had better leave alone: see bpf/guard.bpf.c. */
#include <bpf/bpf.h>
#include <string.h>

#include "probe_internal.h"

typedef void list_change(int guarded, uint32_t act, uint32_t id);

/* Best effort: what finds no room is not guarded. */
static void add(int guarded, uint32_t act, uint32_t id) {
  const uint64_t key = martlet_guarded_key(act, id);
  const uint8_t yes = 1;
  if (id) bpf_map_update_elem(guarded, &key, &yes, BPF_ANY);
}

static void take_out(int guarded, uint32_t act, uint32_t id) {
  const uint64_t key = martlet_guarded_key(act, id);
  if (id) bpf_map_delete_elem(guarded, &key);
}

static uint32_t map_id(int fd) {
  struct bpf_map_info info = {};
  __u32 length = sizeof(info);
  return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0 ? info.id : 0;
}

static uint32_t program_id(int fd) {
  struct bpf_prog_info info = {};
  __u32 length = sizeof(info);
  return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0 ? info.id : 0;
}

/* What comes and goes with the probe, or with a generation of it. An entry is of whoever has its link. */
static void change_own(struct martlet_probe *probe, int guarded, list_change *change) {
  struct bpf_map *map;
  bpf_object__for_each_map(map, probe->maps)
    if (martlet_is_of_one_generation(bpf_map__name(map))) change(guarded, MARTLET_TAMPER_MAP, map_id(bpf_map__fd(map)));
  for (size_t hook = 0; martlet_hooks[hook].name; hook++) {
    const struct hook_variant *variant = martlet_probe_variant(probe, hook);
    struct bpf_program *program = variant ? martlet_probe_program(probe, variant->program) : NULL;
    struct bpf_link_info link = {};
    __u32 length = sizeof(link);
    if (program) change(guarded, MARTLET_TAMPER_PROGRAM, program_id(bpf_program__fd(program)));
    if (!probe->links[hook] || bpf_obj_get_info_by_fd(bpf_link__fd(probe->links[hook]), &link, &length)) continue;
    change(guarded, MARTLET_TAMPER_LINK, link.id);
    change(guarded, MARTLET_TAMPER_PROGRAM, link.prog_id);
  }
}

void martlet_guard(struct martlet_probe *probe) {
  int guarded = bpf_object__find_map_fd_by_name(probe->maps, "guarded");
  struct bpf_map *map;
  change_own(probe, guarded, add);
  if (probe->predecessor) return;
  bpf_object__for_each_map(map, probe->maps) add(guarded, MARTLET_TAMPER_MAP, map_id(bpf_map__fd(map)));
  for (uint32_t index = 0; index < probe->ring_count; index++)
    add(guarded, MARTLET_TAMPER_MAP, map_id(probe->rings[index].fd));
}

void martlet_unguard(struct martlet_probe *probe) {
  change_own(probe, bpf_object__find_map_fd_by_name(probe->maps, "guarded"), take_out);
}
