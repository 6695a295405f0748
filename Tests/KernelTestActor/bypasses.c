// SPDX-License-Identifier: Apache-2.0
/* Ways to a file or a program that leave no open or no exec of the usual form. */
#define _GNU_SOURCE
#include "actor.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Two names of one length that differ in one byte, written by one thread while another opens. */
static char *volatile flipped;
static volatile int is_over;

static void *flip(void *offset) {
  size_t at = (size_t)(uintptr_t)offset;
  while (!is_over) flipped[at] ^= 'a' ^ 'b';
  return NULL;
}

/* Opens PATH, which ends in `a`, while another thread makes it end in `b` and back. After each open it tells which file
 * it has got, as the second argument of an ftruncate that fails. */
static void verb_flip(int count, const char *path) {
  struct stat facts, first;
  pthread_t thread;
  require(stat(path, &first) == 0, "stat");
  flipped = strdup(path);
  require(pthread_create(&thread, NULL, flip, (void *)(uintptr_t)(strlen(path) - 1)) == 0, "thread");
  while (count-- > 0) {
    int fd = (int)syscall(SYS_openat, AT_FDCWD, flipped, O_RDONLY);
    require(fd >= 0 && fstat(fd, &facts) == 0, "open");
    ftruncate(-1, facts.st_ino == first.st_ino ? 'a' : 'b') == 0 ? abort() : (void)0;
    close(fd);
  }
  is_over = 1;
  pthread_join(thread, NULL);
}

/* A child that got the descriptor of a file from its parent, over a socket. */
static void verb_pass(const char *path) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {0};
  char byte = 'x';
  struct iovec part = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
  int pair[2], fd = open(path, O_RDONLY);
  require(fd >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "pair");
  control.header =
      (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
  pid_t child = fork();
  if (child == 0) {
    require(recvmsg(pair[1], &message, 0) == 1, "recvmsg");
    memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
    _exit(read(fd, &byte, 1) == 1 ? 0 : 1);
  }
  require(sendmsg(pair[0], &message, 0) == 1, "sendmsg");
  int status;
  require(waitpid(child, &status, 0) == child && status == 0, "child");
}

/* Takes a descriptor out of a child that holds the file. */
static void verb_take_fd(const char *path) {
  int ends[2], fd = open(path, O_RDONLY);
  char byte;
  require(fd >= 0 && pipe(ends) == 0, "open");
  pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    _exit(read(ends[0], &byte, 1) < 0);
  }
  close(fd);
  int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
  last = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
  require(pidfd >= 0 && last >= 0 && read(last, &byte, 1) == 1, "pidfd_getfd");
  close(ends[0]);
  close(ends[1]);
  waitpid(child, NULL, 0);
}

/* Reads a child's memory by process_vm_readv and by ptrace. */
static void verb_peek(void) {
  static volatile int secret = 4711;
  int found = 0, ends[2];
  char byte;
  require(pipe(ends) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    _exit(read(ends[0], &byte, 1) < 0);
  }
  struct iovec ours = {&found, sizeof(found)}, theirs = {(void *)&secret, sizeof(secret)};
  require(process_vm_readv(child, &ours, 1, &theirs, 1, 0) == sizeof(found) && found == secret, "process_vm_readv");
  require(ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0, "ptrace");
  close(ends[0]);
  close(ends[1]);
  waitpid(child, NULL, 0);
}

/* Reads without read(2), what `last` stands for. */
static void verb_map_and_send(void) {
  int ends[2];
  char *page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, last, 0);
  require(page != MAP_FAILED && page[0], "mmap");
  require(pipe(ends) == 0 && splice(last, NULL, ends[1], NULL, 1, 0) == 1, "splice");
  int target = memfd_create("copy", 0);
  require(sendfile(target, last, NULL, 1) >= 0, "sendfile");
}

/* Mounts of its own, with FILE bound upon TARGET. */
static void verb_bind(const char *file, const char *target) {
  require(unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "own mounts");
  require(mount(file, target, NULL, MS_BIND, NULL) == 0, "bind");
}

/* An overlay of its own at FOLDER/merged, over FOLDER/lower. */
static void verb_overlay(const char *folder) {
  char options[4096], target[1024];
  require(unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "own mounts");
  snprintf(options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", folder, folder, folder);
  snprintf(target, sizeof(target), "%s/merged", folder);
  require(mount("overlay", target, "overlay", 0, options) == 0, "overlay");
}

/* Both standard streams become a socket, and a program runs with them. */
static void verb_reverse(char **rest) {
  int pair = socket(AF_INET, SOCK_STREAM, 0);
  require(pair >= 0 && dup2(pair, 0) == 0 && dup2(pair, 1) == 1, "dup2");
  execv(rest[0], rest);
}

/* A child whose parent has gone runs the verbs that follow. */
static void verb_orphan(char **rest) {
  int ends[2];
  char byte;
  require(pipe(ends) == 0, "pipe");
  if (fork() == 0) {
    if (fork() > 0) _exit(0);
    /* Until the middle one is gone. */
    close(ends[1]);
    require(read(ends[0], &byte, 1) == 0, "read");
    execv("/proc/self/exe", rest - 1);
    _exit(1);
  }
  wait(NULL);
  close(ends[1]);
}

/* A descriptor of the file alone, opened once more. */
static void verb_open_path(const char *path) {
  char again[64];
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_PATH);
  require(fd >= 0, "O_PATH");
  snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
  last = (int)syscall(SYS_openat, AT_FDCWD, again, O_RDONLY);
  require(last >= 0, "open");
}

static void verb_exec_by_fd(const char *path, char **rest) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  require(fd >= 0, "open");
  syscall(SYS_execveat, fd, "", rest, environ, AT_EMPTY_PATH);
  require(0, "execveat");
}

int act_around(const char *verb, char **rest) {
#define VERB(name, count, act) \
  if (strcmp(verb, name) == 0) { act; return count; }
  VERB("flip", 2, verb_flip(atoi(rest[0]), rest[1]))
  VERB("pass", 1, verb_pass(rest[0]))
  VERB("take-fd", 1, verb_take_fd(rest[0]))
  VERB("peek", 0, verb_peek())
  VERB("map-and-send", 0, verb_map_and_send())
  VERB("bind", 2, verb_bind(rest[0], rest[1]))
  VERB("overlay", 1, verb_overlay(rest[0]))
  VERB("reverse", 0, verb_reverse(rest))
  VERB("orphan", 0, verb_orphan(rest); exit(0))
  VERB("open-path", 1, verb_open_path(rest[0]))
  VERB("exec-by-fd", 1, verb_exec_by_fd(rest[0], rest + 1))
  VERB("run", 0, execv(rest[0], rest); require(0, "exec"))
  return -1;
}
