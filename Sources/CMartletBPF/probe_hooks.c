/* SPDX-License-Identifier: Apache-2.0 */
/* Which program serves which hook, best first. A new variant is a line here and a program in bpf/. */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "probe_internal.h"

#define CALL(name) (1ull << MARTLET_CALL_##name)
#define RING_OPENS (CALL(OPENAT) | CALL(OPENAT2))
#define SENDS (CALL(SENDTO) | CALL(SENDMSG) | CALL(SENDMMSG))
#define RECEIVES (CALL(RECVFROM) | CALL(RECVMSG) | CALL(RECVMMSG))

#define UNASKED                                                                                              \
  "datagram connects through io_uring; of connects that fail before their first packet, the address that the " \
  "kernel saw: it is read from the program's memory"

#define NAMES "the names that addresses were resolved from"

const struct hook martlet_hooks[HOOKS_MAX] = {
    {"exec", "programs that are run", PLACE_KERNEL, false, 0, {{"handle_exec", "tp_btf/sched_process_exec"}}},
    {"fork", "new processes", PLACE_KERNEL, false, 0, {{"handle_fork", "tp_btf/sched_process_fork"}}},
    {"exit",
     "ends of processes",
     PLACE_KERNEL,
     false,
     0,
     {{"handle_exit", "tp_btf/sched_process_exit, told of the last thread"},
      {"handle_exit_by_count", "tp_btf/sched_process_exit, counting live threads"}}},
    {"system calls",
     "opens, Unix sockets, results of connects, calls of other kinds",
     PLACE_KERNEL,
     false,
     0,
     {{"handle_sys_exit", "tp_btf/sys_exit"}}},
    {"connect",
     "TCP connections",
     PLACE_KERNEL,
     true,
     CALL(CONNECT),
     {{"handle_connect", "tp_btf/inet_sock_set_state"}}},
    [SEED_HOOK] = {"seed", "nothing: /proc takes over", PLACE_ITERATOR, true, 0, {{"seed_processes", "iter/task"}}},
    [CONNECT4_HOOK] =
        {"connect4", UNASKED, PLACE_CGROUP, true, CALL(CONNECT), {{"handle_connect4", "cgroup/connect4"}}},
    [CONNECT6_HOOK] =
        {"connect6", UNASKED, PLACE_CGROUP, true, CALL(CONNECT), {{"handle_connect6", "cgroup/connect6"}}},
    {"sendmsg4", "datagrams sent without connect", PLACE_CGROUP, true, SENDS, {{"handle_sendmsg4", "cgroup/sendmsg4"}}},
    {"sendmsg6", "datagrams sent without connect", PLACE_CGROUP, true, SENDS, {{"handle_sendmsg6", "cgroup/sendmsg6"}}},
    {"recvmsg4", "senders of datagrams", PLACE_CGROUP, true, RECEIVES, {{"handle_recvmsg4", "cgroup/recvmsg4"}}},
    {"recvmsg6", "senders of datagrams", PLACE_CGROUP, true, RECEIVES, {{"handle_recvmsg6", "cgroup/recvmsg6"}}},
    [SUBMISSION_HOOK] =
    {"ring submission",
     "opens through io_uring, unless there is a completion with a descriptor",
     PLACE_RING,
     true,
     RING_OPENS,
     {{"handle_ring_submit", "tp_btf/io_uring_submit_req"}}},
    [COMPLETION_HOOK] =
    {"ring completion",
     "opens through io_uring",
     PLACE_RING,
     true,
     RING_OPENS | CALL(CONNECT),
     {{"handle_ring_complete", "tp_btf/io_uring_complete"}}},
    {"questions", NAMES, PLACE_PACKETS, true, 0, {{"handle_question", "cgroup_skb/egress"}}},
    {"answers", NAMES, PLACE_PACKETS, true, 0, {{"handle_answer", "cgroup_skb/ingress"}}},
    {"signals", "signals to the agent", PLACE_KERNEL, true, 0, {{"handle_signal", "tp_btf/signal_generate"}}},
    {"changes",
     "changes of watched files",
     PLACE_WATCHED,
     true,
     0,
     {{"handle_change", "tp_btf/ctime_ns_xchg"}, {"handle_change_dirty", "tp_btf/writeback_mark_inode_dirty"}}},
    {"changes within a tick",
     "changes of watched files that move no time, as one has within the same tick of the clock",
     PLACE_WATCHED,
     true,
     0,
     {{"handle_change_within_tick", "tp_btf/ctime_xchg_skip"}}},
    {"changes in coarse time",
     "changes of watched files on overlays and where file systems keep no fine times; before kernel 6.13 also changes "
     "of their names",
     PLACE_WATCHED,
     true,
     0,
     {{"handle_change_coarse", "tp_btf/inode_set_ctime_to_ts"}}},
};

static bool is_wanted(const struct martlet_probe *probe, const struct hook *hook) {
  if (hook->place == PLACE_ITERATOR) return probe->options.seeds;
  if (hook->place == PLACE_PACKETS) return probe->options.names;
  if (hook->place == PLACE_WATCHED) return probe->options.watches_models;
  return hook->calls == 0 || hook->calls & probe->options.wanted_calls[0];
}

bool martlet_hook_is_of_cgroup(size_t hook) {
  return martlet_hooks[hook].place == PLACE_CGROUP || martlet_hooks[hook].place == PLACE_PACKETS;
}

const struct hook_variant *martlet_probe_variant(const struct martlet_probe *probe, size_t hook) {
  const struct hook_variant *variant = &martlet_hooks[hook].variants[probe->choices[hook]];
  if (!is_wanted(probe, &martlet_hooks[hook])) return NULL;
  if (martlet_hook_is_of_cgroup(hook) && probe->options.cgroup_fd < 0) return NULL;
  if (martlet_hooks[hook].place == PLACE_RING && !probe->options.rings) return NULL;
  return variant->program ? variant : NULL;
}

bool martlet_probe_misses_rings(const struct martlet_probe *probe) {
  return is_wanted(probe, &martlet_hooks[COMPLETION_HOOK]) && !martlet_probe_variant(probe, COMPLETION_HOOK);
}

static struct martlet_entry_name entry_name(const struct hook_variant *variant, const char *prefix) {
  struct martlet_entry_name name;
  const char *rest = strchr(variant->program, '_');
  snprintf(name.text, sizeof(name.text), "%s%s", prefix, rest ? rest : variant->program);
  return name;
}

struct martlet_entry_name martlet_entry_program(const struct hook_variant *variant) {
  return entry_name(variant, "enter");
}

struct martlet_entry_name martlet_entry_table(const struct hook_variant *variant) { return entry_name(variant, "on"); }

int martlet_hook_of_program(const char *program) {
  for (int hook = 0; martlet_hooks[hook].name; hook++)
    for (const struct hook_variant *variant = martlet_hooks[hook].variants; variant->program; variant++)
      if (strcmp(variant->program, program) == 0 || strcmp(martlet_entry_program(variant).text, program) == 0)
        return hook;
  return -1;
}

struct martlet_probe_hook martlet_probe_hook_at(const struct martlet_probe *probe, size_t index) {
  struct martlet_probe_hook found = {};
  const struct hook_variant *variant;
  if (index >= HOOKS_MAX || !martlet_hooks[index].name) return found;
  found.name = martlet_hooks[index].name;
  found.unseen = martlet_hooks[index].unseen;
  found.is_optional = martlet_hooks[index].is_optional;
  found.is_iterator = martlet_hooks[index].place == PLACE_ITERATOR;
  found.is_wanted = is_wanted(probe, &martlet_hooks[index]);
  variant = martlet_probe_variant(probe, index);
  if (variant && probe->maps) {
    found.variant = variant->name;
    found.program = variant->program;
  } else {
    found.refusal = probe->refusals[index];
  }
  return found;
}

uint64_t martlet_entry_misses(const struct martlet_probe *probe, size_t hook) {
  struct bpf_prog_info info = {};
  __u32 length = sizeof(info);
  if (probe->entries[hook] < 0 || bpf_obj_get_info_by_fd(probe->entries[hook], &info, &length)) return 0;
  return info.recursion_misses;
}

uint64_t martlet_probe_recursion_misses(const struct martlet_probe *probe) {
  uint64_t sum = probe->recursion_misses;
  for (size_t hook = 0; hook < HOOKS_MAX; hook++) sum += martlet_entry_misses(probe, hook);
  return sum;
}
