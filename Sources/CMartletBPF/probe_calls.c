/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which system calls are watched: their numbers, and what their arguments are. A new call is a line here, a number in
 * martlet_event.h and a case of EventType.
 */
#include <string.h>
#include <sys/syscall.h>

#include "probe_internal.h"

/* Calls that one architecture has and another has not. */
#define NO_NUMBER (-1)
#ifndef SYS_open
#define SYS_open NO_NUMBER
#endif
#ifndef SYS_creat
#define SYS_creat NO_NUMBER
#endif
#ifndef SYS_dup2
#define SYS_dup2 NO_NUMBER
#endif
#ifndef SYS_symlink
#define SYS_symlink NO_NUMBER
#endif
#ifndef SYS_link
#define SYS_link NO_NUMBER
#endif
#ifndef SYS_rename
#define SYS_rename NO_NUMBER
#endif
#ifndef SYS_renameat
#define SYS_renameat NO_NUMBER
#endif
#ifndef SYS_unlink
#define SYS_unlink NO_NUMBER
#endif
#ifndef SYS_rmdir
#define SYS_rmdir NO_NUMBER
#endif
#ifndef SYS_mkdir
#define SYS_mkdir NO_NUMBER
#endif
#ifndef SYS_chmod
#define SYS_chmod NO_NUMBER
#endif
#ifndef SYS_chown
#define SYS_chown NO_NUMBER
#endif
#ifndef SYS_lchown
#define SYS_lchown NO_NUMBER
#endif
#ifndef SYS_mknod
#define SYS_mknod NO_NUMBER
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* younger than some headers */
#endif

/* The 32-bit table of x86; on other processors 32-bit calls are not told. */
#if defined(__x86_64__)
#define COMPAT(...) {__VA_ARGS__}
#else
#define COMPAT(...) {0}
#endif

struct watched_call {
  uint8_t call; /* enum martlet_call */
  int16_t number;
  int16_t compat_numbers[2]; /* 0 for none */
  struct martlet_call_shape shape;
};

static const struct watched_call watched_calls[] = {
    {MARTLET_CALL_EXECVE, SYS_execve, COMPAT(11), {.names = {1}}},
    {MARTLET_CALL_EXECVEAT, SYS_execveat, COMPAT(358), {.names = {2}, .directories = {1}, .fd = 1}},
    {MARTLET_CALL_OPEN, SYS_open, COMPAT(5), {}},
    {MARTLET_CALL_OPENAT, SYS_openat, COMPAT(295), {}},
    {MARTLET_CALL_OPENAT2, SYS_openat2, COMPAT(437), {}},
    {MARTLET_CALL_CREAT, SYS_creat, COMPAT(8), {}},
    {MARTLET_CALL_OPEN_BY_HANDLE_AT, SYS_open_by_handle_at, COMPAT(342), {}},
    {MARTLET_CALL_CONNECT, SYS_connect, COMPAT(362), {}},
    {MARTLET_CALL_ACCEPT, SYS_accept, COMPAT(0), {}},
    {MARTLET_CALL_ACCEPT4, SYS_accept4, COMPAT(364), {}},
    {MARTLET_CALL_LISTEN, SYS_listen, COMPAT(363), {}},
    {MARTLET_CALL_BIND, SYS_bind, COMPAT(361), {}},
    {MARTLET_CALL_SENDTO, SYS_sendto, COMPAT(369), {}},
    {MARTLET_CALL_SENDMSG, SYS_sendmsg, COMPAT(370), {}},
    {MARTLET_CALL_SENDMMSG, SYS_sendmmsg, COMPAT(345), {}},
    {MARTLET_CALL_RECVFROM, SYS_recvfrom, COMPAT(371), {}},
    {MARTLET_CALL_RECVMSG, SYS_recvmsg, COMPAT(372), {}},
    {MARTLET_CALL_RECVMMSG, SYS_recvmmsg, COMPAT(337, 417), {}},
    {MARTLET_CALL_DUP, SYS_dup, COMPAT(41), {.fd = MARTLET_FD_RESULT}},
    {MARTLET_CALL_DUP2, SYS_dup2, COMPAT(63), {.fd = MARTLET_FD_RESULT}},
    {MARTLET_CALL_DUP3, SYS_dup3, COMPAT(330), {.fd = MARTLET_FD_RESULT}},
    {MARTLET_CALL_SYMLINK, SYS_symlink, COMPAT(83), {.names = {1, 2}, .directories = {MARTLET_NO_DIRECTORY}}},
    {MARTLET_CALL_SYMLINKAT, SYS_symlinkat, COMPAT(304), {.names = {1, 3}, .directories = {MARTLET_NO_DIRECTORY, 2}}},
    {MARTLET_CALL_LINK, SYS_link, COMPAT(9), {.names = {1, 2}}},
    {MARTLET_CALL_LINKAT, SYS_linkat, COMPAT(303), {.names = {2, 4}, .directories = {1, 3}}},
    {MARTLET_CALL_RENAME, SYS_rename, COMPAT(38), {.names = {1, 2}}},
    {MARTLET_CALL_RENAMEAT, SYS_renameat, COMPAT(302), {.names = {2, 4}, .directories = {1, 3}}},
    {MARTLET_CALL_RENAMEAT2, SYS_renameat2, COMPAT(353), {.names = {2, 4}, .directories = {1, 3}}},
    {MARTLET_CALL_UNLINK, SYS_unlink, COMPAT(10), {.names = {1}}},
    {MARTLET_CALL_UNLINKAT, SYS_unlinkat, COMPAT(301), {.names = {2}, .directories = {1}}},
    {MARTLET_CALL_RMDIR, SYS_rmdir, COMPAT(40), {.names = {1}}},
    {MARTLET_CALL_MKDIR, SYS_mkdir, COMPAT(39), {.names = {1}}},
    {MARTLET_CALL_MKDIRAT, SYS_mkdirat, COMPAT(296), {.names = {2}, .directories = {1}}},
    {MARTLET_CALL_CHMOD, SYS_chmod, COMPAT(15), {.names = {1}}},
    {MARTLET_CALL_FCHMOD, SYS_fchmod, COMPAT(94), {.fd = 1}},
    {MARTLET_CALL_FCHMODAT, SYS_fchmodat, COMPAT(306), {.names = {2}, .directories = {1}}},
    {MARTLET_CALL_FCHMODAT2, SYS_fchmodat2, COMPAT(452), {.names = {2}, .directories = {1}}},
    {MARTLET_CALL_PTRACE, SYS_ptrace, COMPAT(26), {.flags = MARTLET_SHAPE_GUARD}},
    {MARTLET_CALL_SOCKET, SYS_socket, COMPAT(359), {.fd = MARTLET_FD_RESULT}},
    {MARTLET_CALL_SETNS, SYS_setns, COMPAT(346), {.fd = 1, .flags = MARTLET_SHAPE_STATE}},
    {MARTLET_CALL_UNSHARE, SYS_unshare, COMPAT(310), {.flags = MARTLET_SHAPE_STATE}},
    {MARTLET_CALL_SETUID, SYS_setuid, COMPAT(23, 213), {.flags = MARTLET_SHAPE_STATE}},
    {MARTLET_CALL_SETGID, SYS_setgid, COMPAT(46, 214), {.flags = MARTLET_SHAPE_STATE}},
    {MARTLET_CALL_SETREUID, SYS_setreuid, COMPAT(70, 203), {.flags = MARTLET_SHAPE_STATE}},
    {MARTLET_CALL_SETREGID, SYS_setregid, COMPAT(71, 204), {.flags = MARTLET_SHAPE_STATE}},
    {MARTLET_CALL_SETRESUID, SYS_setresuid, COMPAT(164, 208), {.flags = MARTLET_SHAPE_STATE}},
    {MARTLET_CALL_SETRESGID, SYS_setresgid, COMPAT(170, 210), {.flags = MARTLET_SHAPE_STATE}},
    {MARTLET_CALL_BPF, SYS_bpf, COMPAT(357), {.fd = MARTLET_FD_RESULT, .flags = MARTLET_SHAPE_GUARD}},
    {MARTLET_CALL_USERFAULTFD, SYS_userfaultfd, COMPAT(374), {.fd = MARTLET_FD_RESULT}},
    {MARTLET_CALL_INIT_MODULE, SYS_init_module, COMPAT(128), {.names = {3}, .directories = {MARTLET_NO_DIRECTORY}}},
    {MARTLET_CALL_FINIT_MODULE, SYS_finit_module, COMPAT(350),
     {.names = {2}, .directories = {MARTLET_NO_DIRECTORY}, .fd = 1}},
    {MARTLET_CALL_DELETE_MODULE, SYS_delete_module, COMPAT(129), {.names = {1}, .directories = {MARTLET_NO_DIRECTORY}}},
    {MARTLET_CALL_MOUNT, SYS_mount, COMPAT(21), {.names = {1, 2, 3}, .directories = {MARTLET_NO_DIRECTORY}}},
    {MARTLET_CALL_UMOUNT, NO_NUMBER, COMPAT(22), {.names = {1}}},
    {MARTLET_CALL_UMOUNT2, SYS_umount2, COMPAT(52), {.names = {1}}},
    {MARTLET_CALL_MEMFD_CREATE, SYS_memfd_create, COMPAT(356),
     {.names = {1}, .directories = {MARTLET_NO_DIRECTORY}, .fd = MARTLET_FD_RESULT}},
    {MARTLET_CALL_PROCESS_VM_READV, SYS_process_vm_readv, COMPAT(347), {.flags = MARTLET_SHAPE_GUARD}},
    {MARTLET_CALL_PROCESS_VM_WRITEV, SYS_process_vm_writev, COMPAT(348), {.flags = MARTLET_SHAPE_GUARD}},
    {MARTLET_CALL_KILL, SYS_kill, COMPAT(37), {}},
    {MARTLET_CALL_TKILL, SYS_tkill, COMPAT(238), {}},
    {MARTLET_CALL_TGKILL, SYS_tgkill, COMPAT(270), {}},
    {MARTLET_CALL_TRUNCATE, SYS_truncate, COMPAT(92, 193), {.names = {1}}},
    {MARTLET_CALL_FTRUNCATE, SYS_ftruncate, COMPAT(93, 194), {.fd = 1}},
    {MARTLET_CALL_IO_URING_SETUP, SYS_io_uring_setup, COMPAT(425), {.fd = MARTLET_FD_RESULT}},
    {MARTLET_CALL_CAPSET, SYS_capset, COMPAT(185), {.flags = MARTLET_SHAPE_STATE}},
    {MARTLET_CALL_CHROOT, SYS_chroot, COMPAT(61), {.names = {1}}},
    {MARTLET_CALL_PRCTL, SYS_prctl, COMPAT(172), {.flags = MARTLET_SHAPE_STATE}},
    {MARTLET_CALL_CHDIR, SYS_chdir, COMPAT(12),
     {.names = {1}, .flags = MARTLET_SHAPE_STATE | MARTLET_SHAPE_DIRECTORY}},
    {MARTLET_CALL_FCHDIR, SYS_fchdir, COMPAT(133), {.fd = 1, .flags = MARTLET_SHAPE_STATE}},
    {MARTLET_CALL_PIDFD_OPEN, SYS_pidfd_open, COMPAT(434), {.fd = MARTLET_FD_RESULT}},
    {MARTLET_CALL_PIDFD_GETFD, SYS_pidfd_getfd, COMPAT(438), {.fd = MARTLET_FD_RESULT, .flags = MARTLET_SHAPE_GUARD}},
    {MARTLET_CALL_CHOWN, SYS_chown, COMPAT(182, 212), {.names = {1}}},
    {MARTLET_CALL_LCHOWN, SYS_lchown, COMPAT(16, 198), {.names = {1}}},
    {MARTLET_CALL_FCHOWN, SYS_fchown, COMPAT(95, 207), {.fd = 1}},
    {MARTLET_CALL_FCHOWNAT, SYS_fchownat, COMPAT(298), {.names = {2}, .directories = {1}}},
    {MARTLET_CALL_MKNOD, SYS_mknod, COMPAT(14), {.names = {1}}},
    {MARTLET_CALL_MKNODAT, SYS_mknodat, COMPAT(297), {.names = {2}, .directories = {1}}},
    {MARTLET_CALL_PIVOT_ROOT, SYS_pivot_root, COMPAT(217), {.names = {1, 2}}},
};

#define COMPAT_SOCKETCALL 102

static bool is_wanted(const struct martlet_probe_settings *settings, uint8_t call) {
  return settings->wanted_calls[call / 64] >> (call % 64) & 1;
}

static void place(struct martlet_probe_settings *settings, int number, uint16_t call) {
  if (number > 0 && number < MARTLET_CALL_NUMBERS) settings->calls[number] |= call;
}

void martlet_calls_configure(struct martlet_probe_settings *settings) {
  for (size_t index = 0; index < sizeof(watched_calls) / sizeof(watched_calls[0]); index++) {
    const struct watched_call *watched = &watched_calls[index];
    uint8_t flags = watched->shape.flags;
    if (watched->call == MARTLET_CALL_IO_URING_SETUP && settings->ring_setups) flags |= MARTLET_SHAPE_GUARD;
    if (!is_wanted(settings, watched->call) && !(flags & (MARTLET_SHAPE_STATE | MARTLET_SHAPE_GUARD))) continue;
    settings->shapes[watched->call] = watched->shape;
    settings->shapes[watched->call].flags = flags;
    place(settings, watched->number, watched->call);
    for (size_t twin = 0; twin < 2; twin++)
      place(settings, watched->compat_numbers[twin], (uint16_t)(watched->call << 8));
  }
#if defined(__x86_64__)
  bool wants_sockets = is_wanted(settings, MARTLET_CALL_SOCKET);
  for (uint8_t call = MARTLET_CALL_CONNECT; call <= MARTLET_CALL_RECVMMSG; call++)
    wants_sockets = wants_sockets || is_wanted(settings, call);
  if (wants_sockets) place(settings, COMPAT_SOCKETCALL, MARTLET_CALL_SOCKETCALL << 8);
#endif
}
