/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the kernel enters the probe: a program in front of each of the others, which stays attached while what it leads
 * to changes.
 *
 * An event goes to the generation that is in force when it happens: that is read once, so one generation tells it,
 * never two and never none, however many are loaded. Were each of them attached by itself, both or neither could find
 * itself in force at the moment of the switch. A hook that the generation has no program for is left as it was
 * entered.
 *
 * The number of the slot is a constant in each call, which makes it a jump that the kernel patches: it costs some two
 * nanoseconds, where one that is looked up would cost fifteen.
 */

/* For the program `handle_NAME`; see Sources/CMartletBPF/probe_hooks.c. */
#define ENTRY(part, name, place, otherwise)                                                                 \
  struct {                                                                                                  \
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);                                                                  \
    __uint(max_entries, MARTLET_GENERATION_SLOTS);                                                          \
    __type(key, __u32);                                                                                     \
    __type(value, __u32);                                                                                   \
  } on_##name SEC(".maps");                                                                                 \
  PROGRAM(part, place)                                                                                      \
  int enter_##name(void *context) {                                                                         \
    if (martlet_generation_slot(in_force.generation))                                                       \
      bpf_tail_call_static(context, &on_##name, 1);                                                         \
    else                                                                                                    \
      bpf_tail_call_static(context, &on_##name, 0);                                                         \
    return otherwise;                                                                                       \
  }

ENTRY(1, exec, "tp_btf/sched_process_exec", 0)
ENTRY(1, fork, "tp_btf/sched_process_fork", 0)
ENTRY(1, exit, "tp_btf/sched_process_exit", 0)
ENTRY(1, exit_by_count, "tp_btf/sched_process_exit", 0)
ENTRY(1, sys_exit, "tp_btf/sys_exit", 0)
ENTRY(1, connect, "tp_btf/inet_sock_set_state", 0)
ENTRY(2, ring_submit, "tp_btf/io_uring_submit_req", 0)
ENTRY(2, ring_complete, "tp_btf/io_uring_complete", 0)
ENTRY(1, signal, "tp_btf/signal_generate", 0)
ENTRY(2, change, "tp_btf/ctime_ns_xchg", 0)
ENTRY(2, change_within_tick, "tp_btf/ctime_xchg_skip", 0)
ENTRY(2, change_coarse, "tp_btf/inode_set_ctime_to_ts", 0)
ENTRY(2, change_dirty, "tp_btf/writeback_mark_inode_dirty", 0)

/* The kernel takes what these return as its verdict on the call: 1 lets it go on. */
ENTRY(1, connect4, "cgroup/connect4", 1)
ENTRY(1, connect6, "cgroup/connect6", 1)
ENTRY(1, sendmsg4, "cgroup/sendmsg4", 1)
ENTRY(1, sendmsg6, "cgroup/sendmsg6", 1)
ENTRY(1, recvmsg4, "cgroup/recvmsg4", 1)
ENTRY(1, recvmsg6, "cgroup/recvmsg6", 1)
ENTRY(1, question, "cgroup_skb/egress", 1)
ENTRY(1, answer, "cgroup_skb/ingress", 1)
