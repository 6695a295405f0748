/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* The probe, and beside it a program that asks its filter when it is called. Of the hooks, none is loaded. */
#include "../../bpf/martlet.bpf.c"

#include "include/trial.h"

/* Makes the calling task one of the host's, or of a container's. */
static __always_inline void place(bool is_container) {
  struct kernfs_node *node = read__cgroup_node(read__current(), 0);
  __u64 key = martlet_cgroup_key(node ? LOAD(node, id) : 0, 0), none = 0;
  __u32 place = martlet_cgroup_place(key);
  bpf_map_update_elem(&host_cgroups, &place, is_container ? &none : &key, BPF_ANY);
}

static __always_inline bool try_open(struct trial *trial) {
  struct task_struct *task = read__current();
  struct open_call open = {.name = (const void *)trial->name,
                           .result = trial->result,
                           .directory_fd = trial->directory_fd,
                           .flags = trial->flags,
                           .call = trial->call,
                           .has_flags = true};
  struct slot *slot;
  bool passes;
  if (open_is_unwanted_class(&open, task)) return false;
  slot = emit__take(MARTLET_HOOK_OPEN);
  if (!slot) return false;
  slot->spelled_bytes = 0;
  passes = !open_is_unwanted(slot, task, &open, trial->result >= 0 ? read__file(task, trial->result) : NULL);
  emit__release(slot);
  return passes;
}

SEC("syscall")
int try_filter(struct trial *trial) {
  struct far_end end = {.port = trial->port};
  place(trial->is_container);
  if (trial->subject == TRIAL_OPEN) {
    trial->passes = try_open(trial);
  } else {
    __builtin_memcpy(end.address, trial->address, sizeof(end.address));
    trial->passes = !is_unwanted_end(trial->kind, trial->family, &end);
  }
  return 0;
}
