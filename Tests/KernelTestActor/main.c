// SPDX-License-Identifier: Apache-2.0
/*
 * Does exactly what a test asks, one verb after the other, so that the test knows which calls were made.
 *
 *   KernelTestActor VERB [ARGUMENT]... VERB ...
 *
 * `wait` is the last verb: it ends when the input does, and what follows is there to be looked at. So is
 * `wait-in-thread`, which waits in a second thread after the main thread has ended.
 */
#define _GNU_SOURCE
#include "actor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

void require(int holds, const char *what) {
  if (holds) return;
  perror(what);
  exit(1);
}

#if defined(__x86_64__)
/* A call's number with bits that the kernel does not look at. */
#define DISGUISED(number) ((number) | 1l << 32)
#else
#define DISGUISED(number) (number)
#endif

int last = -1;

/* Opens what a descriptor stands for once more. */
static void open_again(int fd) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  last = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
}

static void verb_connect(const char *kind, const char *address, const char *port) {
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
  int is_disguised = strcmp(kind, "disguised-udp") == 0;
  int is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
  int type = strstr(kind, "tcp") ? SOCK_STREAM : SOCK_DGRAM;
  int fd = socket(is_v4 ? AF_INET : AF_INET6, type, strcmp(kind, "mptcp") == 0 ? IPPROTO_MPTCP : 0);
  require(fd >= 0, "socket");
  require(is_v4 || inet_pton(AF_INET6, address, &v6.sin6_addr) == 1, "address");
  /* A refused connection is an attempt as well. */
  const void *target = is_v4 ? (const void *)&v4 : &v6;
  socklen_t length = is_v4 ? sizeof(v4) : sizeof(v6);
  long result = syscall(is_disguised ? DISGUISED(SYS_connect) : SYS_connect, fd, target, length);
  require(result == 0 || errno == ECONNREFUSED, "connect");
}

static void verb_terminal(void) {
  int main_end = posix_openpt(O_RDWR | O_NOCTTY);
  require(main_end >= 0 && grantpt(main_end) == 0 && unlockpt(main_end) == 0, "pty");
  require(setsid() > 0, "setsid");
  int terminal = open(ptsname(main_end), O_RDWR);
  require(terminal >= 0 && ioctl(terminal, TIOCSCTTY, 0) == 0, "terminal");
}

/* Runs this program from a memfd, with the verbs that follow. */
static void verb_memfd_exec(char **rest) {
  char buffer[65536];
  int source = open("/proc/self/exe", O_RDONLY), target = memfd_create("payload", 0);
  ssize_t count;
  while ((count = read(source, buffer, sizeof(buffer))) > 0) require(write(target, buffer, (size_t)count) == count, "copy");
  rest[-1] = "actor";
  fexecve(target, rest - 1, environ);
  require(0, "fexecve");
}

/* One call of the open family; false when `verb` is none. */
static int verb_open(const char *verb, const char *path) {
  struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
  if (strcmp(verb, "openat") == 0)
    last = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
  else if (strcmp(verb, "openat-disguised") == 0)
    last = (int)syscall(DISGUISED(SYS_openat), AT_FDCWD, path, O_RDONLY);
  else if (strcmp(verb, "openat-last") == 0)
    last = (int)syscall(SYS_openat, last, path, O_RDONLY);
  else if (strcmp(verb, "create") == 0)
    last = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  else if (strcmp(verb, "openat2") == 0)
    last = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
#ifdef SYS_open
  else if (strcmp(verb, "open") == 0)
    last = (int)syscall(SYS_open, path, O_RDONLY);
  else if (strcmp(verb, "creat") == 0)
    last = (int)syscall(SYS_creat, path, 0640);
#endif
  else
    return 0;
  return 1;
}

static void verb_handle(const char *path) {
  struct {
    struct file_handle handle;
    char bytes[MAX_HANDLE_SZ];
  } space = {.handle.handle_bytes = MAX_HANDLE_SZ};
  int mount_id, mount = open(path, O_RDONLY);
  require(name_to_handle_at(AT_FDCWD, path, &space.handle, &mount_id, 0) == 0, "name_to_handle_at");
  last = (int)syscall(SYS_open_by_handle_at, mount, &space.handle, O_RDONLY);
}

/* `count` children, each on the other CPU than the one before it. */
static void verb_children(int count) {
  for (int index = 0; index < count; index++) {
    pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
      cpu_set_t cpus;
      CPU_ZERO(&cpus);
      CPU_SET((unsigned)(index % (int)sysconf(_SC_NPROCESSORS_ONLN)), &cpus);
      sched_setaffinity(0, sizeof(cpus), &cpus);
      execl("/proc/self/exe", "actor", "end", "7", NULL);
      _exit(1);
    }
    waitpid(child, NULL, 0);
  }
}

static void verb_join(const char *folder) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
  int file = open(path, O_WRONLY);
  require(file >= 0 && write(file, "0", 1) == 1, "join");
  close(file);
}

static void verb_wait(void) {
  char byte;
  require(write(STDOUT_FILENO, "w", 1) == 1, "write");
  while (read(STDIN_FILENO, &byte, 1) > 0) {}
}

/* Once the main thread has ended. */
static void *wait_alone(void *state_path) {
  char state = 0;
  while (state != 'Z') {
    FILE *file = fopen(state_path, "r");
    require(file && fscanf(file, "%*d %*s %c", &state) == 1, "state");
    fclose(file);
  }
  verb_wait();
  exit(0);
}

static void verb_wait_in_thread(void) {
  static char state_path[64];
  pthread_t thread;
  snprintf(state_path, sizeof(state_path), "/proc/%d/task/%d/stat", getpid(), getpid());
  require(pthread_create(&thread, NULL, wait_alone, state_path) == 0, "thread");
  pthread_exit(NULL);
}

/* Lets a page of a file stand where a page of a long argument was. */
static void verb_cover(char *argument, const char *path) {
  int fd = open(path, O_RDONLY);
  char *page = (char *)(((uintptr_t)argument + 4095) & ~(uintptr_t)4095);
  require(fd >= 0 && page + 4096 <= argument + strlen(argument), "a page within the argument");
  require(mmap(page, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == page, "map");
}

/* File systems of its own, `count` of them one upon the other, that go when it ends. */
static void verb_stack(int count, const char *folder) {
  require(unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "own mounts");
  while (count-- > 0) require(mount("test", folder, "tmpfs", 0, NULL) == 0, "mount");
  require(chdir(folder) == 0, "chdir");
}

/* Goes `count` folders deeper, each of which has a name of one letter. */
static void verb_deep(int count) {
  while (count-- > 0) require(mkdir("d", 0755) == 0 && chdir("d") == 0, "deeper");
}

static const char *fifo;
static volatile sig_atomic_t alarms;

/* The second time the other end opens, so that the call that waits comes back. */
static void open_other_end(int signal) {
  (void)signal;
  if (++alarms == 2) syscall(SYS_openat, AT_FDCWD, fifo, O_RDWR);
}

/* An open that waits, is interrupted and goes on. */
static void verb_interrupted(const char *path) {
  struct sigaction action = {.sa_handler = open_other_end, .sa_flags = SA_RESTART};
  struct itimerval timer = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 20000};
  sigset_t none;
  sigemptyset(&none);
  fifo = path;
  /* Threads that start us may keep signals from us. */
  require(sigprocmask(SIG_SETMASK, &none, NULL) == 0, "signals");
  require(mkfifo(path, 0600) == 0 && sigaction(SIGALRM, &action, NULL) == 0, "fifo");
  require(setitimer(ITIMER_REAL, &timer, NULL) == 0, "timer");
  require(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY) >= 0, "open");
  timer = (struct itimerval){};
  setitimer(ITIMER_REAL, &timer, NULL);
}

static volatile int race_is_over;
static volatile int race_fd = -1;
static struct open_how race_how;

static void *close_in_race(void *unused) {
  (void)unused;
  while (!race_is_over)
    if (race_fd >= 0) close(race_fd);
  return NULL;
}

static void *write_flags_in_race(void *unused) {
  (void)unused;
  while (!race_is_over) ((volatile struct open_how *)&race_how)->flags ^= O_RDWR;
  return NULL;
}

/* Opens while another thread does its worst. */
static void verb_race(int count, const char *kind, const char *path) {
  int closes = strcmp(kind, "close") == 0;
  pthread_t thread;
  int next = open("/", O_RDONLY);
  close(next);
  race_fd = closes ? next : -1;
  require(pthread_create(&thread, NULL, closes ? close_in_race : write_flags_in_race, NULL) == 0, "thread");
  while (count-- > 0) {
    int fd = closes ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY)
                    : (int)syscall(SYS_openat2, AT_FDCWD, path, &race_how, sizeof(race_how));
    require(fd >= 0, "open");
    close(fd);
  }
  race_is_over = 1;
  pthread_join(thread, NULL);
}

static void verb_effective(long id) {
  require(syscall(SYS_setresgid, -1, id, -1) == 0 && syscall(SYS_setresuid, -1, id, -1) == 0, "effective ids");
}

/* Stays on one CPU. */
static void verb_pin(int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET((unsigned)cpu, &cpus);
  require(sched_setaffinity(0, sizeof(cpus), &cpus) == 0, "pin");
}

static void verb_repeat_open(int times, const char *path) {
  while (times-- > 0) close(open(path, O_RDONLY));
}

static void verb_unlink_open(const char *path) {
  int fd = open(path, O_RDONLY);
  require(fd >= 0 && unlink(path) == 0, "unlink");
  open_again(fd);
}

static void verb_pipe_open(void) {
  int ends[2];
  require(pipe(ends) == 0, "pipe");
  open_again(ends[0]);
}

/* Verbs about where this process is and what it is; returns how many arguments were taken, -1 for no such verb. */
static int act_on_process(const char *verb, char **rest) {
#define VERB(name, count, act) \
  if (strcmp(verb, name) == 0) { act; return count; }
  VERB("end", 1, exit(atoi(rest[0])))
  VERB("wait", 0, verb_wait(); exit(0))
  VERB("wait-in-thread", 0, verb_wait_in_thread())
  VERB("exec", 0, execv("/proc/self/exe", rest - 1); require(0, "exec"))
  VERB("memfd-exec", 0, verb_memfd_exec(rest))
  VERB("children", 1, verb_children(atoi(rest[0])))
  VERB("terminal", 0, verb_terminal())
  VERB("effective", 1, verb_effective(atol(rest[0])))
  VERB("cover", 2, verb_cover(rest[0], rest[1]))
  VERB("pin", 1, verb_pin(atoi(rest[0])))
  VERB("pin-here", 0, verb_pin(sched_getcpu()))
  VERB("join", 1, verb_join(rest[0]))
  VERB("chdir", 1, require(chdir(rest[0]) == 0, "chdir"))
  VERB("chroot", 1, require(chroot(rest[0]) == 0, "chroot"))
  VERB("stack", 2, verb_stack(atoi(rest[0]), rest[1]))
  VERB("detach", 1, require(umount2(rest[0], MNT_DETACH) == 0, "umount"))
  VERB("deep", 1, verb_deep(atoi(rest[0])))
  return -1;
}

/* Verbs that open and connect. */
static int act_on_files(const char *verb, char **rest) {
  if (strcmp(verb, "call") == 0) return verb_call(rest, 0);
  if (strcmp(verb, "gate") == 0) return verb_call(rest, 1);
  VERB("handle", 1, verb_handle(rest[0]))
  VERB("repeat-open", 2, verb_repeat_open(atoi(rest[0]), rest[1]))
  VERB("memfd-open", 0, open_again(memfd_create("payload", 0)))
  VERB("unlink-open", 1, verb_unlink_open(rest[0]))
  VERB("pipe-open", 0, verb_pipe_open())
  VERB("interrupted", 1, verb_interrupted(rest[0]))
  VERB("race", 3, verb_race(atoi(rest[0]), rest[1], rest[2]))
  VERB("connect", 3, verb_connect(rest[0], rest[1], rest[2]))
  return rest[0] && verb_open(verb, rest[0]) ? 1 : -1;
}

int main(int count, char **arguments) {
  for (char **next = arguments + 1; next < arguments + count; next++) {
    int taken = act_on_process(next[0], next + 1);
    if (taken < 0) taken = act_around(next[0], next + 1);
    if (taken < 0) taken = act_on_sockets(next[0], next + 1);
    if (taken < 0) taken = act_on_names(next[0], next + 1);
    if (taken < 0) taken = act_on_rings(next[0], next + 1);
    if (taken < 0) taken = act_on_numbers(next[0], next + 1);
    if (taken < 0) taken = act_against(next[0], next + 1);
    if (taken < 0) taken = act_on_last_file(next[0], next + 1);
    if (taken < 0) taken = act_on_files(next[0], next + 1);
    if (taken < 0) {
      fprintf(stderr, "no such verb: %s\n", *next);
      return 2;
    }
    next += taken;
  }
  return 0;
}
