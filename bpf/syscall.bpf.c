/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls, when they return: one program for all families.
 *
 * A watched system call makes every system call of every task pass here, so what is not ours has to leave within a
 * few instructions: one look into a table of numbers, where the loader has left out what no rule asks for. Entry is
 * not watched: it would cost as much again, and arguments are still in the registers on return.
 */

/* What the kernel dispatches on: the lower 32 bits, whatever a program leaves in the others. */
static __always_inline __u32 read__call_number(struct pt_regs *regs) {
#if defined(__TARGET_ARCH_x86)
  return regs->orig_ax;
#elif defined(__TARGET_ARCH_arm64)
  return regs->syscallno;
#endif
}

/* Whether the call came by the 32-bit table, whose numbers mean something else: of a 32-bit program, or of any through
 * its gate. */
static __always_inline bool is_compat_call(struct task_struct *task) {
#if defined(__TARGET_ARCH_x86)
  return LOAD(task, thread_info.status) & 2; /* TS_COMPAT */
#elif defined(__TARGET_ARCH_arm64)
  return LOAD(task, thread_info.flags) >> 22 & 1; /* TIF_32BIT */
#endif
}

/* The argument with this index, which has to be a constant. */
static __always_inline __u64 read__argument(struct pt_regs *regs, bool is_compat, __u32 index) {
#if defined(__TARGET_ARCH_x86)
  switch (index) {
    case 0: return is_compat ? (__u32)regs->bx : regs->di;
    case 1: return is_compat ? (__u32)regs->cx : regs->si;
    case 2: return is_compat ? (__u32)regs->dx : regs->dx;
    case 3: return is_compat ? (__u32)regs->si : regs->r10;
    case 4: return is_compat ? (__u32)regs->di : regs->r8;
    default: return is_compat ? (__u32)regs->bp : regs->r9;
  }
#elif defined(__TARGET_ARCH_arm64)
  return index == 0 ? regs->orig_x0 : regs->regs[index];
#endif
}

static __always_inline struct call_scratch *call_scratch(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&call_scratches, &zero);
}

static __always_inline void read__arguments(struct pt_regs *regs, bool is_compat, __u64 *arguments) {
  for (int index = 0; index < 6; index++) arguments[index] = read__argument(regs, is_compat, index);
}

/* The call that socketcall(2) stands for, whose arguments lie in memory. */
static __always_inline __u32 unpack_socketcall(struct call_arguments *passed) {
  __u64 *arguments = passed->values;
  __u32 *words = (__u32 *)&passed->values[3], call;
  switch (arguments[0]) {
    case 1: call = MARTLET_CALL_SOCKET; break;
    case 2: call = MARTLET_CALL_BIND; break;
    case 3: call = MARTLET_CALL_CONNECT; break;
    case 4: call = MARTLET_CALL_LISTEN; break;
    case 5: call = MARTLET_CALL_ACCEPT; break;
    case 11: call = MARTLET_CALL_SENDTO; break;
    case 12: call = MARTLET_CALL_RECVFROM; break;
    case 16: call = MARTLET_CALL_SENDMSG; break;
    case 17: call = MARTLET_CALL_RECVMSG; break;
    case 18: call = MARTLET_CALL_ACCEPT4; break;
    case 19: call = MARTLET_CALL_RECVMMSG; break;
    case 20: call = MARTLET_CALL_SENDMMSG; break;
    default: return MARTLET_CALL_NONE;
  }
  if (!is_wanted(call)) return MARTLET_CALL_NONE;
  if (bpf_probe_read_user(words, 3 * sizeof(*words), (const void *)arguments[1])) words[0] = words[1] = words[2] = 0;
  for (int index = 0; index < 3; index++) arguments[index] = words[index];
  return call;
}

#define O_CREATE_ONLY 01101 /* O_CREAT | O_WRONLY | O_TRUNC: what creat() stands for */

static __always_inline int open_call_returned(struct pt_regs *regs, struct task_struct *task, __u32 call,
                                              bool is_compat, long result) {
  struct slot *slot = emit__call_slot();
  struct open_call *open = &slot->open;
  struct call_scratch *scratch;
  if (!slot) return 0;
  *open = (struct open_call){.result = result, .directory_fd = AT_FDCWD, .call = call, .has_flags = true};
#define ARGUMENT(index) read__argument(regs, is_compat, index)
  switch (call) {
    case MARTLET_CALL_OPEN:
      open->name = (const void *)ARGUMENT(0);
      open->flags = ARGUMENT(1);
      open->mode = ARGUMENT(2);
      break;
    case MARTLET_CALL_CREAT:
      open->name = (const void *)ARGUMENT(0);
      open->flags = O_CREATE_ONLY;
      open->mode = ARGUMENT(1);
      break;
    case MARTLET_CALL_OPENAT:
      open->directory_fd = ARGUMENT(0);
      open->name = (const void *)ARGUMENT(1);
      open->flags = ARGUMENT(2);
      open->mode = ARGUMENT(3);
      break;
    case MARTLET_CALL_OPENAT2:
      open->directory_fd = ARGUMENT(0);
      open->name = (const void *)ARGUMENT(1);
      scratch = call_scratch();
      open->has_flags = scratch && !bpf_probe_read_user(&scratch->how, sizeof(scratch->how), (const void *)ARGUMENT(2));
      if (!open->has_flags) break;
      open->flags = scratch->how.flags;
      open->mode = scratch->how.mode;
      break;
    case MARTLET_CALL_OPEN_BY_HANDLE_AT:
      open->directory_fd = ARGUMENT(0);
      open->flags = ARGUMENT(2);
      break;
  }
#undef ARGUMENT
  return open_returned(slot, task);
}

/* One that succeeded has its own hook, and by now the registers of the new program. */
static __always_inline int exec_returned(__u32 call, const struct call_arguments *arguments, long result) {
  if (result >= 0 || (result == -ENOENT && !settings.missing_programs)) return 0;
  return call_returned(call, arguments, result);
}

#define PR_SET_NAME 15

/* Of numbers below 64, as `wanted_calls[0]` has them. What none of a group asks for, the verifier deletes. */
#define CALL_BIT(call) (1ull << (call))
#define OPEN_CALLS                                                                                             \
  (CALL_BIT(MARTLET_CALL_OPEN) | CALL_BIT(MARTLET_CALL_OPENAT) | CALL_BIT(MARTLET_CALL_OPENAT2) |              \
   CALL_BIT(MARTLET_CALL_CREAT) | CALL_BIT(MARTLET_CALL_OPEN_BY_HANDLE_AT))
#define SOCKET_CALLS                                                                                           \
  (CALL_BIT(MARTLET_CALL_CONNECT) | CALL_BIT(MARTLET_CALL_ACCEPT) | CALL_BIT(MARTLET_CALL_ACCEPT4) |           \
   CALL_BIT(MARTLET_CALL_LISTEN) | CALL_BIT(MARTLET_CALL_BIND))
#define DATAGRAM_CALLS                                                                                         \
  (CALL_BIT(MARTLET_CALL_SENDTO) | CALL_BIT(MARTLET_CALL_SENDMSG) | CALL_BIT(MARTLET_CALL_SENDMMSG) |          \
   CALL_BIT(MARTLET_CALL_RECVFROM) | CALL_BIT(MARTLET_CALL_RECVMSG) | CALL_BIT(MARTLET_CALL_RECVMMSG))

static __always_inline bool is_any_wanted(__u64 group) {
  return settings.wanted_calls[0] & group;
}

/* Any but the family of open. */
static __always_inline int other_call_returned(struct pt_regs *regs, __u32 call, bool is_compat, long result) {
  struct call_scratch *scratch = call_scratch();
  struct call_arguments *arguments = &scratch->arguments;
  if (!scratch) return 0;
  read__arguments(regs, is_compat, arguments->values);
  if (call == MARTLET_CALL_SOCKETCALL) call = unpack_socketcall(arguments);
  switch (call) {
    case MARTLET_CALL_NONE: return 0;
    case MARTLET_CALL_CONNECT:
    case MARTLET_CALL_ACCEPT:
    case MARTLET_CALL_ACCEPT4:
    case MARTLET_CALL_LISTEN:
    case MARTLET_CALL_BIND:
      if (!is_any_wanted(SOCKET_CALLS)) return 0;
      return socket_returned(call, arguments->values[0], arguments->values[1], result);
    case MARTLET_CALL_SENDTO:
    case MARTLET_CALL_SENDMSG:
    case MARTLET_CALL_SENDMMSG:
    case MARTLET_CALL_RECVFROM:
    case MARTLET_CALL_RECVMSG:
    case MARTLET_CALL_RECVMMSG:
      if (!is_any_wanted(DATAGRAM_CALLS)) return 0;
      return datagram_returned(call, arguments->values[0], result);
    case MARTLET_CALL_EXECVE:
    case MARTLET_CALL_EXECVEAT: return exec_returned(call, arguments, result);
    case MARTLET_CALL_PRCTL:
      /* The one that changes what is known of the process. */
      if (arguments->values[0] != PR_SET_NAME && !is_wanted(call)) return 0;
      break;
  }
  return call_returned(call, arguments, result);
}

/* One that is looked for, by either of its numbers. */
SHARED int watched_call_returned(struct pt_regs *regs, __u32 calls, long result) {
  struct task_struct *task = read__current();
  bool is_compat = is_compat_call(task);
  __u32 call = is_compat ? calls >> 8 : calls & 0xff;
  if (call == MARTLET_CALL_NONE) return 0;
  /* Interrupted: the kernel repeats the call, or makes it fail with EINTR after it has done nothing. */
  if (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK) return 0;
  switch (call) {
    case MARTLET_CALL_OPEN:
    case MARTLET_CALL_OPENAT:
    case MARTLET_CALL_OPENAT2:
    case MARTLET_CALL_CREAT:
    case MARTLET_CALL_OPEN_BY_HANDLE_AT:
      if (!is_any_wanted(OPEN_CALLS)) return 0;
      return open_call_returned(regs, task, call, is_compat, result);
  }
  return other_call_returned(regs, call, is_compat, result);
}

PROGRAM(1, "tp_btf/sys_exit")
int BPF_PROG(handle_sys_exit, struct pt_regs *regs, long result) {
  __u32 number = read__call_number(regs), calls;
  if (number >= MARTLET_CALL_NUMBERS) return 0;
  calls = settings.calls[number];
  return calls ? watched_call_returned(regs, calls, result) : 0;
}
