// SPDX-License-Identifier: Apache-2.0
/*
 * Single system calls with the arguments that a test gives, by the 64-bit table or by the 32-bit one, whose gate is
 * open to 64-bit programs as well.
 */
#define _GNU_SOURCE
#include "actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_chmod
#define LEGACY_chmod SYS_chmod
#else
#define LEGACY_chmod -1
#endif
#ifdef SYS_chown
#define LEGACY_chown SYS_chown
#else
#define LEGACY_chown -1
#endif
#ifdef SYS_creat
#define LEGACY_creat SYS_creat
#else
#define LEGACY_creat -1
#endif
#ifdef SYS_dup2
#define LEGACY_dup2 SYS_dup2
#else
#define LEGACY_dup2 -1
#endif
#ifdef SYS_lchown
#define LEGACY_lchown SYS_lchown
#else
#define LEGACY_lchown -1
#endif
#ifdef SYS_link
#define LEGACY_link SYS_link
#else
#define LEGACY_link -1
#endif
#ifdef SYS_mkdir
#define LEGACY_mkdir SYS_mkdir
#else
#define LEGACY_mkdir -1
#endif
#ifdef SYS_mknod
#define LEGACY_mknod SYS_mknod
#else
#define LEGACY_mknod -1
#endif
#ifdef SYS_open
#define LEGACY_open SYS_open
#else
#define LEGACY_open -1
#endif
#ifdef SYS_rename
#define LEGACY_rename SYS_rename
#else
#define LEGACY_rename -1
#endif
#ifdef SYS_renameat
#define LEGACY_renameat SYS_renameat
#else
#define LEGACY_renameat -1
#endif
#ifdef SYS_rmdir
#define LEGACY_rmdir SYS_rmdir
#else
#define LEGACY_rmdir -1
#endif
#ifdef SYS_symlink
#define LEGACY_symlink SYS_symlink
#else
#define LEGACY_symlink -1
#endif
#ifdef SYS_unlink
#define LEGACY_unlink SYS_unlink
#else
#define LEGACY_unlink -1
#endif

static const struct {
  const char *name;
  int number;
  int gate_number;
} calls[] = {
    {"open", LEGACY_open, 5},
    {"openat", SYS_openat, 295},
    {"openat2", SYS_openat2, 437},
    {"creat", LEGACY_creat, 8},
    {"dup", SYS_dup, 41},
    {"dup2", LEGACY_dup2, 63},
    {"dup3", SYS_dup3, 330},
    {"symlink", LEGACY_symlink, 83},
    {"symlinkat", SYS_symlinkat, 304},
    {"link", LEGACY_link, 9},
    {"linkat", SYS_linkat, 303},
    {"rename", LEGACY_rename, 38},
    {"renameat", LEGACY_renameat, 302},
    {"renameat2", SYS_renameat2, 353},
    {"unlink", LEGACY_unlink, 10},
    {"unlinkat", SYS_unlinkat, 301},
    {"rmdir", LEGACY_rmdir, 40},
    {"mkdir", LEGACY_mkdir, 39},
    {"mkdirat", SYS_mkdirat, 296},
    {"chmod", LEGACY_chmod, 15},
    {"fchmod", SYS_fchmod, 94},
    {"fchmodat", SYS_fchmodat, 306},
    {"setxattr", SYS_setxattr, 226},
    {"ptrace", SYS_ptrace, 26},
    {"socket", SYS_socket, 359},
    {"bind", SYS_bind, 361},
    {"listen", SYS_listen, 363},
    {"connect", SYS_connect, 362},
    {"socketcall", -1, 102},
    {"setns", SYS_setns, 346},
    {"unshare", SYS_unshare, 310},
    {"setuid", SYS_setuid, 23},
    {"setgid", SYS_setgid, 46},
    {"setreuid", SYS_setreuid, 70},
    {"setregid", SYS_setregid, 71},
    {"setresuid", SYS_setresuid, 164},
    {"setresgid", SYS_setresgid, 170},
    {"bpf", SYS_bpf, 357},
    {"userfaultfd", SYS_userfaultfd, 374},
    {"init_module", SYS_init_module, 128},
    {"finit_module", SYS_finit_module, 350},
    {"delete_module", SYS_delete_module, 129},
    {"mount", SYS_mount, 21},
    {"umount", -1, 22},
    {"umount2", SYS_umount2, 52},
    {"memfd_create", SYS_memfd_create, 356},
    {"process_vm_readv", SYS_process_vm_readv, 347},
    {"process_vm_writev", SYS_process_vm_writev, 348},
    {"kill", SYS_kill, 37},
    {"tkill", SYS_tkill, 238},
    {"tgkill", SYS_tgkill, 270},
    {"truncate", SYS_truncate, 92},
    {"ftruncate", SYS_ftruncate, 93},
    {"io_uring_setup", SYS_io_uring_setup, 425},
    {"capset", SYS_capset, 185},
    {"chroot", SYS_chroot, 61},
    {"prctl", SYS_prctl, 172},
    {"chdir", SYS_chdir, 12},
    {"fchdir", SYS_fchdir, 133},
    {"pidfd_open", SYS_pidfd_open, 434},
    {"pidfd_getfd", SYS_pidfd_getfd, 438},
    {"chown", LEGACY_chown, 182},
    {"lchown", LEGACY_lchown, 16},
    {"fchown", SYS_fchown, 95},
    {"fchownat", SYS_fchownat, 298},
    {"mknod", LEGACY_mknod, 14},
    {"mknodat", SYS_mknodat, 297},
    {"pivot_root", SYS_pivot_root, 217},
    {"fchmodat2", 452, 452},
    {"execve", SYS_execve, 11},
};

#if defined(__x86_64__)
static long through_gate(long number, const long *arguments) {
  register long fourth __asm__("rsi") = arguments[3];
  register long fifth __asm__("rdi") = arguments[4];
  register long sixth __asm__("r12") = arguments[5];
  long result;
  __asm__ volatile("xchg %1, %%rbp; int $0x80; xchg %1, %%rbp"
                   : "=a"(result), "+r"(sixth)
                   : "0"(number), "b"(arguments[0]), "c"(arguments[1]), "d"(arguments[2]), "r"(fourth), "r"(fifth)
                   : "memory", "r8", "r9", "r10", "r11");
  return result;
}
#else
static long through_gate(long number, const long *arguments) {
  (void)number, (void)arguments;
  return -1;
}
#endif

#ifndef MAP_32BIT
#define MAP_32BIT 0
#endif

/* Room that 32-bit pointers reach. */
static char *low_room(size_t bytes) {
  static char *next;
  if (!next) next = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  require(next && next != MAP_FAILED, "low memory");
  char *room = next;
  next += bytes;
  return room;
}

static char *low_copy(const char *text) {
  return strcpy(low_room(strlen(text) + 1), text);
}

static char *low_bytes(const char *digits) {
  char *bytes = low_room(strlen(digits) / 2);
  for (size_t index = 0; index < strlen(digits) / 2; index++) {
    char pair[3] = {digits[2 * index], digits[2 * index + 1], 0};
    bytes[index] = (char)strtol(pair, NULL, 16);
  }
  return bytes;
}

int verb_call(char **rest, int by_gate) {
  long arguments[6] = {0};
  int count = 1, number = -1;
  for (size_t index = 0; index < sizeof(calls) / sizeof(calls[0]); index++)
    if (strcmp(calls[index].name, rest[0]) == 0) number = by_gate ? calls[index].gate_number : calls[index].number;
  require(number >= 0, rest[0]);
  for (; strcmp(rest[count], ":") != 0; count++) {
    const char *text = rest[count];
    require(count <= 6, "at most six arguments");
    if (text[0] == '#')
      arguments[count - 1] = strtol(text + 1, NULL, 0);
    else if (text[0] == '%')
      arguments[count - 1] = (long)low_bytes(text + 1);
    else if (strcmp(text, "@") == 0)
      arguments[count - 1] = last;
    else
      arguments[count - 1] = (long)(by_gate ? low_copy(text) : text);
  }
  const long *each = arguments;
  long result = by_gate ? through_gate(number, each)
                        : syscall(number, each[0], each[1], each[2], each[3], each[4], each[5]);
  if (result > 2) last = (int)result;
  return count + 1;
}
