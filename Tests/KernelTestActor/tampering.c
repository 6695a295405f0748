// SPDX-License-Identifier: Apache-2.0
/* Acts against another process: its life, its memory, its descriptors, its BPF objects. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"

/* Says that a timer sent it, which the kernel takes from whoever may send it anything. */
static void queue_disguised(pid_t target) {
  siginfo_t info = {.si_code = SI_TIMER};
  require(syscall(SYS_rt_sigqueueinfo, target, SIGURG, &info) == 0, "rt_sigqueueinfo");
}

static void signal_by_pidfd(pid_t target) {
  int pidfd = (int)syscall(SYS_pidfd_open, target, 0);
  require(pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, SIGURG, NULL, 0) == 0, "pidfd_send_signal");
  close(pidfd);
}

static void take_descriptor(pid_t target) {
  int pidfd = (int)syscall(SYS_pidfd_open, target, 0), taken = (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);
  require(pidfd >= 0 && taken >= 0, "pidfd_getfd");
  close(taken);
  close(pidfd);
}

static void trace(pid_t target) {
  require(ptrace(PTRACE_SEIZE, target, NULL, NULL) == 0, "ptrace");
  require(ptrace(PTRACE_INTERRUPT, target, NULL, NULL) == 0 && waitpid(target, NULL, __WALL) == target, "stop");
  require(ptrace(PTRACE_DETACH, target, NULL, NULL) == 0, "detach");
}

/* A word of the top of its stack, read and, if asked for, written back as it is. */
static void copy_memory(pid_t target, int writes) {
  char path[64], line[256];
  unsigned long address = 0;
  long word;
  FILE *maps;
  snprintf(path, sizeof(path), "/proc/%d/maps", target);
  maps = fopen(path, "r");
  require(maps != NULL, "maps");
  while (fgets(line, sizeof(line), maps))
    if (strstr(line, "[stack]")) require(sscanf(line, "%*[^-]-%lx", &address) == 1, "stack");
  fclose(maps);
  struct iovec ours = {&word, sizeof(word)}, theirs = {(void *)(address - sizeof(word)), sizeof(word)};
  require(process_vm_readv(target, &ours, 1, &theirs, 1, 0) == sizeof(word), "process_vm_readv");
  if (writes) require(process_vm_writev(target, &ours, 1, &theirs, 1, 0) == sizeof(word), "process_vm_writev");
}

static void open_memory(const char *form, pid_t target, int flags) {
  char path[64];
  snprintf(path, sizeof(path), form, target, target);
  int fd = open(path, flags);
  require(fd >= 0, path);
  close(fd);
}

static int bpf(int command, union bpf_attr *attributes) {
  return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

/* Opens every object of a sort that there is, as tools do that list them. */
static void open_all(int next_command, int open_command) {
  __u32 id = 0;
  for (;;) {
    union bpf_attr next = {.start_id = id}, attributes = {0};
    if (bpf(next_command, &next)) return;
    id = next.next_id;
    attributes.map_id = id;
    close(bpf(open_command, &attributes));
  }
}

/* Takes the program of a sort off a cgroup, by its link. */
static void detach_from(unsigned long long cgroup, unsigned type) {
  __u32 id = 0;
  for (;;) {
    union bpf_attr next = {.start_id = id}, attributes = {0}, look = {0}, detach = {0};
    struct bpf_link_info info = {0};
    require(bpf(BPF_LINK_GET_NEXT_ID, &next) == 0, "no such link");
    id = next.next_id;
    attributes.link_id = id;
    int link = bpf(BPF_LINK_GET_FD_BY_ID, &attributes);
    if (link < 0) continue;
    look.info.bpf_fd = (__u32)link;
    look.info.info_len = sizeof(info);
    look.info.info = (__u64)(unsigned long)&info;
    int is_it = bpf(BPF_OBJ_GET_INFO_BY_FD, &look) == 0 && info.type == BPF_LINK_TYPE_CGROUP &&
                info.cgroup.cgroup_id == cgroup && info.cgroup.attach_type == type;
    detach.link_detach.link_fd = (__u32)link;
    if (is_it) require(bpf(BPF_LINK_DETACH, &detach) == 0, "detach");
    close(link);
    if (is_it) return;
  }
}

static void tamper(const char *how, pid_t target) {
  if (strcmp(how, "kill") == 0) require(kill(target, SIGURG) == 0, "kill");
  else if (strcmp(how, "tgkill") == 0) require(syscall(SYS_tgkill, target, target, SIGURG) == 0, "tgkill");
  else if (strcmp(how, "disguised") == 0) queue_disguised(target);
  else if (strcmp(how, "pidfd-signal") == 0) signal_by_pidfd(target);
  else if (strcmp(how, "pidfd-getfd") == 0) take_descriptor(target);
  else if (strcmp(how, "ptrace") == 0) trace(target);
  else if (strcmp(how, "read-memory") == 0) copy_memory(target, 0);
  else if (strcmp(how, "write-memory") == 0) copy_memory(target, 1);
  else if (strcmp(how, "memory-file") == 0) open_memory("/proc/%d/mem", target, O_RDONLY);
  else if (strcmp(how, "memory-file-write") == 0) open_memory("/proc/%d/mem", target, O_RDWR);
  else if (strcmp(how, "thread-memory-file") == 0) open_memory("/proc/%d/task/%d/mem", target, O_RDWR);
  else if (strcmp(how, "maps") == 0) open_all(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID);
  else if (strcmp(how, "programs") == 0) open_all(BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID);
  else if (strcmp(how, "links") == 0) open_all(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID);
  else require(0, how);
}

int act_against(const char *verb, char **rest) {
  if (strcmp(verb, "tamper") == 0) {
    tamper(rest[0], (pid_t)atoi(rest[1]));
    return 2;
  }
  if (strcmp(verb, "detach-link") == 0) {
    detach_from(strtoull(rest[0], NULL, 10), (unsigned)atoi(rest[1]));
    return 2;
  }
  return -1;
}
