/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generations: other programs and other filters under a probe that works.
 *
 * A successor is loaded beside its predecessor, from the same image with other settings and the same maps. Its programs
 * stand in the other slot of the tables that the entries lead through (bpf/entry.bpf.c), and hooks that only it wants
 * are attached: nothing happens yet. Then one word in shared memory changes. Each entry reads it once for an event, so
 * each event is told by one generation.
 *
 * A filter alone needs no programs: it is written in place, and a word tells programs that it was (bpf/lib/filter.h).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe_internal.h"

bool martlet_is_of_one_generation(const char *map) {
  return strstr(map, ".rodata") || strcmp(map, "kernel_filter") == 0;
}

int martlet_share_maps(struct bpf_object *object, const struct bpf_object *owner, bool (*is_left_out)(const char *map),
                       struct martlet_probe_error *error) {
  struct bpf_map *map, *known;
  bpf_object__for_each_map(map, object) {
    const char *name = bpf_map__name(map);
    if (is_left_out && is_left_out(name)) continue;
    known = bpf_object__find_map_by_name(owner, name);
    if (!known) return martlet_fail(error, ENOENT, "share a map", name, NULL);
    if (bpf_map__reuse_fd(map, bpf_map__fd(known))) return martlet_fail(error, errno, "share a map", name, NULL);
  }
  return 0;
}

static int entry_table(const struct martlet_probe *probe, size_t hook) {
  const struct hook_variant *variant = martlet_probe_variant(probe, hook);
  if (!variant || martlet_hooks[hook].place == PLACE_ITERATOR) return -1;
  return bpf_object__find_map_fd_by_name(probe->maps, martlet_entry_table(variant).text);
}

int martlet_generation_enter(struct martlet_probe *probe, int *failed_hook, struct martlet_probe_error *error) {
  const uint32_t slot = martlet_generation_slot(probe->generation);
  for (size_t hook = 0; martlet_hooks[hook].name; hook++) {
    const struct hook_variant *variant = martlet_probe_variant(probe, hook);
    struct bpf_program *program;
    int table, fd;
    if (!variant || martlet_hooks[hook].place == PLACE_ITERATOR) continue;
    program = martlet_probe_program(probe, variant->program);
    table = entry_table(probe, hook);
    fd = program ? bpf_program__fd(program) : -1;
    if (table < 0 || fd < 0 || bpf_map_update_elem(table, &slot, &fd, BPF_ANY)) {
      *failed_hook = (int)hook;
      return martlet_fail(error, table < 0 || fd < 0 ? ENOENT : errno, "enter", variant->program, &probe->log);
    }
  }
  return 0;
}

/* An entry that read the generation before the switch has jumped when this returns: a change of a table of maps waits for
 * all programs that run. The same ring takes its place again. */
static void wait_for_entries(const struct martlet_probe *probe) {
  const uint32_t first = 0;
  int table = bpf_object__find_map_fd_by_name(probe->maps, "rings");
  if (table >= 0 && probe->ring_count > 0) bpf_map_update_elem(table, &first, &probe->rings[0].fd, BPF_ANY);
}

void martlet_generation_leave(struct martlet_probe *probe) {
  const uint32_t slot = martlet_generation_slot(probe->generation);
  wait_for_entries(probe);
  for (size_t hook = 0; martlet_hooks[hook].name; hook++) {
    int table = entry_table(probe, hook);
    /* Where there is nothing in it, there is nothing to take out. */
    if (table >= 0) bpf_map_delete_elem(table, &slot);
  }
}

int martlet_probe_prepare(struct martlet_probe *probe, const struct martlet_probe_options *options,
                          const struct martlet_probe_image *image, struct martlet_probe **prepared,
                          struct martlet_probe_error *error) {
  struct martlet_probe *successor;
  if (!probe->maps) return martlet_fail(error, EINVAL, "prepare", "a successor of nothing", NULL);
  if (probe->has_successor) return martlet_fail(error, EBUSY, "prepare", "a second successor", NULL);
  successor = calloc(1, sizeof(*successor));
  if (!successor) return martlet_fail(error, ENOMEM, "allocate", "probe", NULL);
  successor->options = *options;
  successor->options.ring_bytes = probe->options.ring_bytes;
  successor->options.wake_bytes = probe->options.wake_bytes;
  successor->options.cgroup_fd = probe->options.cgroup_fd;
  successor->options.seeds = false;
  successor->predecessor = probe;
  successor->generation = probe->generation + 1;
  successor->rings = probe->rings;
  successor->ring_count = probe->ring_count;
  successor->epoll_fd = successor->wake_fd = -1;
  successor->counters_fd = successor->full_tables_fd = successor->losses_fd = -1;
  for (size_t hook = 0; hook < HOOKS_MAX; hook++) successor->entries[hook] = -1;
  /* What the kernel refused before it refuses again. */
  memcpy(successor->choices, probe->choices, sizeof(successor->choices));
  memcpy(successor->refusals, probe->refusals, sizeof(successor->refusals));
  probe->has_successor = true;
  if (martlet_probe_try(successor, image, error)) {
    martlet_probe_destroy(successor);
    return -1;
  }
  *prepared = successor;
  return 0;
}

#define SWAP_BYTES_MAX 256
#define SWAP(member)                                                                                        \
  do {                                                                                                      \
    _Static_assert(sizeof(probe->member) <= SWAP_BYTES_MAX, "room to swap");                                \
    swap(&probe->member, &successor->member, sizeof(probe->member));                                        \
  } while (0)

static void swap(void *one, void *other, size_t size) {
  char before[SWAP_BYTES_MAX];
  memcpy(before, one, size);
  memcpy(one, other, size);
  memcpy(other, before, size);
}

/* Hooks that both want keep their entries; what only the old options wanted goes with them. */
static void hand_over_entries(struct martlet_probe *probe, struct martlet_probe *successor) {
  for (size_t hook = 0; martlet_hooks[hook].name; hook++) {
    bool is_kept = probe->links[hook] && martlet_probe_variant(successor, hook) == martlet_probe_variant(probe, hook);
    if (is_kept) continue;
    probe->recursion_misses += martlet_entry_misses(probe, hook);
    SWAP(links[hook]);
    SWAP(entries[hook]);
  }
}

void martlet_probe_switch(struct martlet_probe *probe, struct martlet_probe *successor) {
  probe->in_force->generation = successor->generation;
  hand_over_entries(probe, successor);
  SWAP(options);
  SWAP(generation);
  SWAP(maps);
  SWAP(parts);
  SWAP(choices);
  SWAP(refusals);
  SWAP(consumer);
  SWAP(in_force);
  SWAP(counters_fd);
  SWAP(full_tables_fd);
  SWAP(losses_fd);
}

static int write_filter(struct martlet_probe *probe, const struct martlet_filter *filter,
                        struct martlet_probe_error *error) {
  const uint32_t zero = 0;
  int map = probe->maps ? bpf_object__find_map_fd_by_name(probe->maps, "kernel_filter") : -1;
  if (map < 0 || bpf_map_update_elem(map, &zero, filter, BPF_ANY))
    return martlet_fail(error, map < 0 ? ENOENT : errno, "install the filter", "kernel_filter", NULL);
  return 0;
}

int martlet_filter_install(struct martlet_probe *probe, struct martlet_probe_error *error) {
  if (probe->options.filtering == MARTLET_FILTERING_OFF) return 0;
  return write_filter(probe, probe->options.filter, error);
}

int martlet_probe_switch_filter(struct martlet_probe *probe, const struct martlet_filter *filter,
                                struct martlet_probe_error *error) {
  int result;
  probe->in_force->filter_version++;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  result = write_filter(probe, filter, error);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  probe->in_force->filter_version++;
  return result;
}
