/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls, when they return: one program for all families.
 *
 * A watched system call makes every system call of every task pass here, so what is not ours has to leave within a
 * few instructions: a constant switch, which the compiler turns into compares, before anything is looked up. Entry
 * is not watched: it would cost as much again, and arguments are still in the registers on return.
 */

#if defined(__TARGET_ARCH_x86)
#define NUMBER_OPEN 2
#define NUMBER_CONNECT 42
#define NUMBER_ACCEPT 43
#define NUMBER_SENDTO 44
#define NUMBER_RECVFROM 45
#define NUMBER_SENDMSG 46
#define NUMBER_RECVMSG 47
#define NUMBER_BIND 49
#define NUMBER_LISTEN 50
#define NUMBER_CREAT 85
#define NUMBER_OPENAT 257
#define NUMBER_ACCEPT4 288
#define NUMBER_RECVMMSG 299
#define NUMBER_OPEN_BY_HANDLE_AT 304
#define NUMBER_SENDMMSG 307
#define NUMBER_OPENAT2 437
#define TASK_IS_COMPAT 2 /* TS_COMPAT: the number is of the 32-bit table */
#define ARGUMENT_0 di
#define ARGUMENT_1 si
#define ARGUMENT_2 dx
#define ARGUMENT_3 r10
#elif defined(__TARGET_ARCH_arm64)
#define NUMBER_OPENAT 56
#define NUMBER_BIND 200
#define NUMBER_LISTEN 201
#define NUMBER_ACCEPT 202
#define NUMBER_CONNECT 203
#define NUMBER_SENDTO 206
#define NUMBER_RECVFROM 207
#define NUMBER_SENDMSG 211
#define NUMBER_RECVMSG 212
#define NUMBER_ACCEPT4 242
#define NUMBER_RECVMMSG 243
#define NUMBER_OPEN_BY_HANDLE_AT 265
#define NUMBER_SENDMMSG 269
#define NUMBER_OPENAT2 437
#define TASK_IS_COMPAT 0 /* 32-bit calls come with their own register layout */
#define ARGUMENT_0 orig_x0
#define ARGUMENT_1 regs[1]
#define ARGUMENT_2 regs[2]
#define ARGUMENT_3 regs[3]
#endif

/* What the kernel dispatches on: the lower 32 bits, whatever a program leaves in the others. */
static __always_inline __s32 read__call_number(struct pt_regs *regs) {
#if defined(__TARGET_ARCH_x86)
  return (__s32)regs->orig_ax;
#elif defined(__TARGET_ARCH_arm64)
  return regs->syscallno;
#endif
}

#define O_CREATE_ONLY 01101 /* O_CREAT | O_WRONLY | O_TRUNC: what creat() stands for */

/* The call, if a rule needs it: what none does, the verifier takes out of the programs. */
#define IF_WANTED(call) (settings.socket_calls & 1u << (call) ? (call) : MARTLET_CALL_NONE)

static __always_inline __u16 call_of(__s32 number) {
  switch (number) {
#ifdef NUMBER_OPEN
    case NUMBER_OPEN: return MARTLET_CALL_OPEN;
    case NUMBER_CREAT: return MARTLET_CALL_CREAT;
#endif
    case NUMBER_OPENAT: return MARTLET_CALL_OPENAT;
    case NUMBER_OPENAT2: return MARTLET_CALL_OPENAT2;
    case NUMBER_OPEN_BY_HANDLE_AT: return MARTLET_CALL_OPEN_BY_HANDLE_AT;
    case NUMBER_CONNECT: return IF_WANTED(MARTLET_CALL_CONNECT);
    case NUMBER_ACCEPT: return IF_WANTED(MARTLET_CALL_ACCEPT);
    case NUMBER_ACCEPT4: return IF_WANTED(MARTLET_CALL_ACCEPT4);
    case NUMBER_LISTEN: return IF_WANTED(MARTLET_CALL_LISTEN);
    case NUMBER_BIND: return IF_WANTED(MARTLET_CALL_BIND);
    case NUMBER_SENDTO: return IF_WANTED(MARTLET_CALL_SENDTO);
    case NUMBER_SENDMSG: return IF_WANTED(MARTLET_CALL_SENDMSG);
    case NUMBER_SENDMMSG: return IF_WANTED(MARTLET_CALL_SENDMMSG);
    case NUMBER_RECVFROM: return IF_WANTED(MARTLET_CALL_RECVFROM);
    case NUMBER_RECVMSG: return IF_WANTED(MARTLET_CALL_RECVMSG);
    case NUMBER_RECVMMSG: return IF_WANTED(MARTLET_CALL_RECVMMSG);
    default: return MARTLET_CALL_NONE;
  }
}

/* Calls by the 32-bit table, whose numbers mean something else. They are not reported. */
static __always_inline bool task_is_compat(void) {
  struct task_struct *task = read__current();
  return TASK_IS_COMPAT && LOAD(task, thread_info.status) & TASK_IS_COMPAT;
}

static __always_inline void read__open_call(struct open_call *open, __u16 call, struct pt_regs *regs) {
  struct user_open_how how = {};
  open->call = call;
  open->directory_fd = AT_FDCWD;
  open->has_flags = true;
  switch (call) {
    case MARTLET_CALL_OPEN:
      open->name = (const void *)regs->ARGUMENT_0;
      open->flags = regs->ARGUMENT_1;
      open->mode = regs->ARGUMENT_2;
      break;
    case MARTLET_CALL_CREAT:
      open->name = (const void *)regs->ARGUMENT_0;
      open->flags = O_CREATE_ONLY;
      open->mode = regs->ARGUMENT_1;
      break;
    case MARTLET_CALL_OPENAT:
      open->directory_fd = regs->ARGUMENT_0;
      open->name = (const void *)regs->ARGUMENT_1;
      open->flags = regs->ARGUMENT_2;
      open->mode = regs->ARGUMENT_3;
      break;
    case MARTLET_CALL_OPENAT2:
      open->directory_fd = regs->ARGUMENT_0;
      open->name = (const void *)regs->ARGUMENT_1;
      open->has_flags = !bpf_probe_read_user(&how, sizeof(how), (const void *)regs->ARGUMENT_2);
      open->flags = how.flags;
      open->mode = how.mode;
      break;
    case MARTLET_CALL_OPEN_BY_HANDLE_AT:
      open->directory_fd = regs->ARGUMENT_0;
      open->flags = regs->ARGUMENT_2;
      break;
  }
}

SEC("tp_btf/sys_exit")
int BPF_PROG(handle_sys_exit, struct pt_regs *regs, long result) {
  struct open_call open = {};
  __u16 call = call_of(read__call_number(regs));
  if (call == MARTLET_CALL_NONE || task_is_compat()) return 0;
  if (call >= MARTLET_CALL_SENDTO && call <= MARTLET_CALL_RECVMMSG)
    return datagram_returned(call, regs->ARGUMENT_0, result);
  if (call >= MARTLET_CALL_CONNECT && call <= MARTLET_CALL_BIND)
    return socket_returned(call, regs->ARGUMENT_0, (const void *)regs->ARGUMENT_1, result);
  read__open_call(&open, call, regs);
  return open_returned(&open, result);
}
