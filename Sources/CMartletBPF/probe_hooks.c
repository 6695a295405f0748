/* SPDX-License-Identifier: Apache-2.0 */
/* Which program serves which hook, best first. A new variant is a line here and a program in bpf/. */
#include <bpf/bpf.h>
#include <string.h>

#include "probe_internal.h"

const struct hook martlet_hooks[HOOKS_MAX] = {
    {"exec", false, {{"handle_exec", "tp_btf/sched_process_exec"}}},
    {"fork", false, {{"handle_fork", "tp_btf/sched_process_fork"}}},
    {"exit",
     false,
     {{"handle_exit", "tp_btf/sched_process_exit, told of the last thread"},
      {"handle_exit_by_count", "tp_btf/sched_process_exit, counting live threads"}}},
    {"system calls", false, {{"handle_sys_exit", "tp_btf/sys_exit"}}},
    {"connect", false, {{"handle_connect", "tp_btf/inet_sock_set_state"}}},
    [SEED_HOOK] = {"seed", true, {{"seed_processes", "iter/task"}}},
};

const struct hook_variant *martlet_probe_variant(const struct martlet_probe *probe, size_t hook) {
  const struct hook_variant *variant = &martlet_hooks[hook].variants[probe->choices[hook]];
  if (hook == SEED_HOOK && !probe->options.seeds) return NULL;
  return variant->program ? variant : NULL;
}

int martlet_hook_of_program(const char *program) {
  for (int hook = 0; martlet_hooks[hook].name; hook++)
    for (const struct hook_variant *variant = martlet_hooks[hook].variants; variant->program; variant++)
      if (strcmp(variant->program, program) == 0) return hook;
  return -1;
}

struct martlet_probe_hook martlet_probe_hook_at(const struct martlet_probe *probe, size_t index) {
  struct martlet_probe_hook found = {};
  const struct hook_variant *variant;
  if (index >= HOOKS_MAX || !martlet_hooks[index].name) return found;
  found.name = martlet_hooks[index].name;
  variant = martlet_probe_variant(probe, index);
  if (variant && probe->object) {
    found.variant = variant->name;
    found.program = variant->program;
  }
  return found;
}

uint64_t martlet_probe_recursion_misses(const struct martlet_probe *probe) {
  uint64_t sum = 0;
  for (size_t hook = 0; martlet_hooks[hook].name; hook++) {
    const struct hook_variant *variant = martlet_probe_variant(probe, hook);
    struct bpf_prog_info info = {};
    __u32 length = sizeof(info);
    struct bpf_program *program;
    if (!variant || !probe->links[hook]) continue;
    program = bpf_object__find_program_by_name(probe->object, variant->program);
    if (program && bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) == 0) sum += info.recursion_misses;
  }
  return sum;
}

bool martlet_probe_has_typed_loads(const struct martlet_probe *probe) {
  return probe->typed_loads;
}
