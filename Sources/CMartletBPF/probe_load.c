/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading and attaching, with a retry for every variant that this kernel refuses.
 *
 * Whether a kernel takes a program is found out by loading and attaching it: versions and feature queries are wrong
 * where kernels are patched, locked down or configured without a part. libbpf unloads an object as a whole when one
 * program fails, so each refusal costs one more load; on a kernel like those we know, there is none.
 *
 * The limit on locked memory is left to libbpf, which raises it on kernels that still charge BPF memory to it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "probe_internal.h"

/* A ring for each CPU, the maps once more for each part, and all of these twice while rules are exchanged: on a machine of
 * many CPUs more than the usual 1024. */
#define DESCRIPTORS_MAX 16384
static void allow_descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= DESCRIPTORS_MAX) return;
  limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int martlet_probe_create(const struct martlet_probe_options *options, struct martlet_probe **created,
                         struct martlet_probe_error *error) {
  struct martlet_probe *probe = calloc(1, sizeof(*probe));
  if (!probe) return martlet_fail(error, ENOMEM, "allocate", "probe", NULL);
  probe->options = *options;
  allow_descriptors();
  probe->epoll_fd = probe->wake_fd = probe->counters_fd = probe->full_tables_fd = probe->losses_fd = -1;
  for (size_t hook = 0; hook < HOOKS_MAX; hook++) probe->entries[hook] = -1;
  if (probe->options.wake_bytes == 0) probe->options.wake_bytes = options->ring_bytes / 4;
  if (martlet_rings_create(probe, error)) {
    martlet_probe_destroy(probe);
    return -1;
  }
  *created = probe;
  return 0;
}

void martlet_probe_unload(struct martlet_probe *probe) {
  if (probe->maps) martlet_unguard(probe);
  for (size_t hook = 0; hook < HOOKS_MAX; hook++) {
    bpf_link__destroy(probe->links[hook]);
    probe->links[hook] = NULL;
    if (probe->entries[hook] >= 0) close(probe->entries[hook]);
    probe->entries[hook] = -1;
  }
  /* The tables of a probe that is no successor go with it. */
  if (probe->maps && probe->predecessor) martlet_generation_leave(probe);
  martlet_rings_disconnect(probe);
  martlet_parts_unload(probe);
  bpf_object__close(probe->maps);
  probe->maps = NULL;
}

void martlet_probe_destroy(struct martlet_probe *probe) {
  bool is_generation;
  if (!probe) return;
  is_generation = probe->predecessor != NULL;
  martlet_probe_unload(probe);
  if (is_generation)
    probe->predecessor->has_successor = false;
  else
    martlet_rings_destroy(probe);
  free(probe->log.text);
  free(probe);
  /* Loading took much memory for a moment, which would stay with the process. */
  if (is_generation) malloc_trim(0);
}

bool martlet_is_entered(const struct martlet_probe *probe, size_t hook) {
  const struct martlet_probe *before = probe->predecessor;
  return before && before->links[hook] &&
         martlet_probe_variant(before, hook) == martlet_probe_variant(probe, hook);
}

/* Sizes and settings into the maps. */
static int configure(struct martlet_probe *probe, uint64_t seed_time_ns, struct martlet_probe_error *error) {
  struct martlet_probe_settings settings = {
      .self_process_id = probe->options.self_process_id,
      .ring_count = probe->ring_count,
      .ring_bytes = probe->options.ring_bytes,
      .wake_bytes = probe->options.wake_bytes,
      .cgroup_v1 = probe->options.cgroup_v1,
      .generation = probe->generation,
      .seed_time_ns = seed_time_ns,
      .filters = probe->options.filtering,
      .environment = probe->options.environment,
      .missing_programs = probe->options.missing_programs,
      .asked_by_cgroup = martlet_probe_variant(probe, CONNECT4_HOOK) && martlet_probe_variant(probe, CONNECT6_HOOK),
      .ring_setups = martlet_probe_misses_rings(probe),
      .wanted_calls = {probe->options.wanted_calls[0], probe->options.wanted_calls[1]},
  };
  struct bpf_map *map = bpf_object__find_map_by_name(probe->maps, "rings");
  int cpus = libbpf_num_possible_cpus();
  bool is_set = false;
  if (!map || bpf_map__set_max_entries(map, probe->ring_count))
    return martlet_fail(error, EINVAL, "size the table of rings", "rings", &probe->log);
  map = bpf_object__find_map_by_name(probe->maps, "exec_slots");
  if (!map || cpus <= 0 || bpf_map__set_max_entries(map, (uint32_t)cpus))
    return martlet_fail(error, EINVAL, "size the room for execs", "exec_slots", &probe->log);
  if (probe->predecessor &&
      martlet_share_maps(probe->maps, probe->predecessor->maps, martlet_is_of_one_generation, error))
    return -1;
  martlet_calls_configure(&settings);
  if (probe->options.watches_models) {
    settings.watches_files = true;
    settings.models = *probe->options.models;
    martlet_changes_configure(&settings);
  }
  bpf_object__for_each_map(map, probe->maps) {
    if (strstr(bpf_map__name(map), ".rodata"))
      is_set = bpf_map__set_initial_value(map, &settings, sizeof(settings)) == 0;
  }
  if (!is_set) return martlet_fail(error, EINVAL, "set the settings", "read-only data", &probe->log);
  return 0;
}

/* A link to a cgroup lets programs of others stay beside ours. */
static struct bpf_link *attach_program(const struct martlet_probe *probe, size_t hook, struct bpf_program *program) {
  if (martlet_hook_is_of_cgroup(hook)) return bpf_program__attach_cgroup(program, probe->options.cgroup_fd);
  return bpf_program__attach(program);
}

/* Live hooks before the seed's iterator is of use; the iterator is attached where it is read. */
static int attach(struct martlet_probe *probe, int *failed_hook, struct martlet_probe_error *error) {
  for (size_t hook = 0; martlet_hooks[hook].name; hook++) {
    const struct hook_variant *variant = martlet_probe_variant(probe, hook);
    bool is_iterator = martlet_hooks[hook].place == PLACE_ITERATOR;
    struct bpf_program *program;
    if (!variant || martlet_is_entered(probe, hook)) continue;
    program = martlet_probe_program(probe, is_iterator ? variant->program : martlet_entry_program(variant).text);
    probe->links[hook] = program ? attach_program(probe, hook, program) : NULL;
    if (!probe->links[hook]) {
      *failed_hook = (int)hook;
      return martlet_fail(error, program ? errno : ENOENT, "attach", variant->program, &probe->log);
    }
    if (!is_iterator) probe->entries[hook] = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0);
  }
  return 0;
}

int martlet_probe_note_host_cgroup(struct martlet_probe *probe, uint64_t id, uint32_t hierarchy) {
  const uint64_t key = martlet_cgroup_key(id, hierarchy);
  const uint32_t place = martlet_cgroup_place(key);
  int map = probe->maps ? bpf_object__find_map_fd_by_name(probe->maps, "host_cgroups") : -1;
  return map < 0 ? -1 : bpf_map_update_elem(map, &place, &key, BPF_ANY);
}

/* The maps, and what they have to hold before anything is attached: an empty filter would drop all. */
static int load(struct martlet_probe *probe, const struct martlet_probe_image *image, int *failed_hook,
                struct martlet_probe_error *error) {
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "martlet");
  struct martlet_part parts[MARTLET_PARTS];
  int result;
  probe->maps = bpf_object__open_mem(image->maps.start, image->maps.length, &options);
  if (!probe->maps) return martlet_fail(error, errno, "open", "probe object", &probe->log);
  if (configure(probe, martlet_boot_time_ns(), error)) return -1;
  if (bpf_object__load(probe->maps)) return martlet_fail(error, errno, "load", "probe object", &probe->log);
  martlet_parts_begin(probe, image, parts);
  result = martlet_rings_connect(probe, error) || martlet_filter_install(probe, error) ? -1 : 0;
  return martlet_parts_end(parts, failed_hook, error) ? -1 : result;
}

/* One attempt with the present choices. On failure `failed_hook` is the hook to blame, or -1. */
static int try_start(struct martlet_probe *probe, const struct martlet_probe_image *image, int *failed_hook,
                     struct martlet_probe_error *error) {
  *failed_hook = -1;
  if (load(probe, image, failed_hook, error)) return -1;
  if (martlet_generation_enter(probe, failed_hook, error)) return -1;
  if (attach(probe, failed_hook, error)) return -1;
  martlet_guard(probe);
  return 0;
}

/* Chooses what to try after `failed_hook` was refused; false when nothing is left. */
static bool choose_next(struct martlet_probe *probe, int failed_hook, int code) {
  if (failed_hook >= 0 && martlet_probe_variant(probe, (size_t)failed_hook)) {
    /* What is refused to one of a cgroup's hooks is refused to all of its place. */
    for (size_t hook = 0; martlet_hooks[hook].name; hook++) {
      bool is_alike = martlet_hook_is_of_cgroup(hook) && martlet_hooks[hook].place == martlet_hooks[failed_hook].place;
      if ((int)hook != failed_hook && !is_alike) continue;
      probe->choices[hook]++;
      probe->refusals[hook] = code;
    }
    if (martlet_probe_variant(probe, (size_t)failed_hook) || martlet_hooks[failed_hook].is_optional) return true;
  }
  return false;
}

int martlet_probe_try(struct martlet_probe *probe, const struct martlet_probe_image *image,
                      struct martlet_probe_error *error) {
  int failed_hook, result;
  do {
    struct martlet_log *before = martlet_log_begin(&probe->log);
    result = try_start(probe, image, &failed_hook, error);
    martlet_log_end(before);
    if (result == 0) {
      free(probe->log.text);
      probe->log.text = NULL;
      return 0;
    }
    martlet_probe_unload(probe);
    /* Also after EPERM: a locked-down kernel says it of single kinds of programs. */
  } while (choose_next(probe, failed_hook, error->code));
  return -1;
}

int martlet_probe_start(struct martlet_probe *probe, const struct martlet_probe_image *image,
                        struct martlet_probe_error *error) {
  memset(probe->choices, 0, sizeof(probe->choices));
  memset(probe->refusals, 0, sizeof(probe->refusals));
  probe->generation = 1;
  return martlet_probe_try(probe, image, error);
}

int martlet_probe_open_seed(struct martlet_probe *probe, struct martlet_probe_error *error) {
  struct bpf_link *link = probe->links[SEED_HOOK];
  int fd;
  if (!link) return martlet_fail(error, ENOTSUP, "read the processes", "seed_processes", NULL);
  fd = bpf_iter_create(bpf_link__fd(link));
  return fd >= 0 ? fd : martlet_fail(error, errno, "read the processes", "seed_processes", NULL);
}
