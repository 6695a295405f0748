/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acts of the agent's own, one for each attached program, so that it can be seen to work: see bpf/lib/canary.h.
 *
 * Most acts are calls that fail at once, as programs look at the result alone. What the kernel refuses to try, or this
 * machine has not, proves nothing and is not waited for. A round makes some 50 system calls and one short-lived process.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe_internal.h"

#define PLACE(name) (1u << MARTLET_CANARY_##name)
#define CALL(name) (1ull << MARTLET_CALL_##name)
#define OPENS (CALL(OPEN) | CALL(OPENAT) | CALL(OPENAT2) | CALL(CREAT) | CALL(OPEN_BY_HANDLE_AT))
#define SOCKETS (CALL(CONNECT) | CALL(ACCEPT) | CALL(ACCEPT4) | CALL(LISTEN) | CALL(BIND))

/* Of a cgroup, which see only who is in it or below. */
#define V4 (PLACE(CONNECT4) | PLACE(SENDMSG4) | PLACE(RECVMSG4))
#define V6 (PLACE(CONNECT6) | PLACE(SENDMSG6) | PLACE(RECVMSG6))
#define CHANGES (PLACE(CHANGE) | PLACE(CHANGE_WITHIN_TICK) | PLACE(CHANGE_COARSE))
#define PACKETS (PLACE(QUESTION) | PLACE(ANSWER))

/* Where a program answers from; `calls`: only if one of these is wanted. */
static const struct {
  const char *program;
  uint32_t places;
  uint64_t calls;
} answering[] = {
    {"handle_exec", PLACE(EXEC), 0},
    {"handle_fork", PLACE(FORK), 0},
    {"handle_exit", PLACE(EXIT), 0},
    {"handle_exit_by_count", PLACE(EXIT), 0},
    {"handle_sys_exit", PLACE(CALL), 0},
    {"handle_sys_exit", PLACE(OPEN), OPENS},
    {"handle_sys_exit", PLACE(SOCKET), SOCKETS},
    {"handle_connect", PLACE(CONNECT), 0},
    {"handle_connect4", PLACE(CONNECT4), 0},
    {"handle_connect6", PLACE(CONNECT6), 0},
    {"handle_sendmsg4", PLACE(SENDMSG4), 0},
    {"handle_sendmsg6", PLACE(SENDMSG6), 0},
    {"handle_recvmsg4", PLACE(RECVMSG4), 0},
    {"handle_recvmsg6", PLACE(RECVMSG6), 0},
    {"handle_ring_submit", PLACE(RING_SUBMISSION), OPENS},
    {"handle_ring_complete", PLACE(RING_COMPLETION), OPENS},
    {"handle_signal", PLACE(SIGNAL), 0},
    {"handle_question", PLACE(QUESTION), 0},
    {"handle_answer", PLACE(ANSWER), 0},
    {"handle_change", PLACE(CHANGE), 0},
    {"handle_change_dirty", PLACE(CHANGE), 0},
    {"handle_change_within_tick", PLACE(CHANGE_WITHIN_TICK), 0},
    {"handle_change_coarse", PLACE(CHANGE_COARSE), 0},
};

uint32_t martlet_probe_canaries_of_hook(const struct martlet_probe *probe, size_t hook) {
  const struct hook_variant *variant = hook < HOOKS_MAX ? martlet_probe_variant(probe, hook) : NULL;
  uint32_t places = 0;
  if (!variant) return 0;
  for (size_t index = 0; index < sizeof(answering) / sizeof(answering[0]); index++) {
    bool is_wanted = !answering[index].calls || answering[index].calls & probe->options.wanted_calls[0];
    if (is_wanted && strcmp(answering[index].program, variant->program) == 0) places |= answering[index].places;
  }
  return places;
}

/* A call of the family that is watched, on nothing. */
static uint32_t act_open(const struct martlet_probe *probe) {
  uint64_t wanted = probe->options.wanted_calls[0];
  if (wanted & CALL(OPENAT)) syscall(SYS_openat, AT_FDCWD, "", O_RDONLY);
  else if (wanted & CALL(OPENAT2)) syscall(SYS_openat2, AT_FDCWD, "", NULL, 0);
#ifdef SYS_open
  else if (wanted & CALL(OPEN)) syscall(SYS_open, "", O_RDONLY);
  else if (wanted & CALL(CREAT)) syscall(SYS_creat, "", 0);
#endif
  else syscall(SYS_open_by_handle_at, -1, NULL, O_RDONLY);
  return PLACE(OPEN);
}

static uint32_t act_socket(const struct martlet_probe *probe) {
  uint64_t wanted = probe->options.wanted_calls[0];
  if (wanted & CALL(CONNECT)) connect(-1, NULL, 0);
  else if (wanted & CALL(BIND)) bind(-1, NULL, 0);
  else if (wanted & CALL(LISTEN)) listen(-1, 0);
  else if (wanted & CALL(ACCEPT4)) accept4(-1, NULL, NULL, 0);
  else accept(-1, NULL, NULL);
  return PLACE(SOCKET);
}

/* Told when it succeeds, whatever rules ask. */
static uint32_t act_call(void) {
  char name[16];
  if (prctl(PR_GET_NAME, name) || prctl(PR_SET_NAME, name)) return 0;
  return PLACE(CALL);
}

static uint32_t act_signal(void) {
  /* Ignored unless someone cares, and then it means little. */
  return syscall(SYS_tgkill, getpid(), gettid(), SIGWINCH) ? 0 : PLACE(SIGNAL);
}

/* An address on loopback with a port that nobody but `fd` has; 0 for none. */
static socklen_t bind_somewhere(int fd, int family, struct sockaddr_storage *address) {
  socklen_t length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  memset(address, 0, sizeof(*address));
  address->ss_family = (sa_family_t)family;
  if (family == AF_INET) ((struct sockaddr_in *)address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  else ((struct sockaddr_in6 *)address)->sin6_addr = in6addr_loopback;
  if (fd < 0 || bind(fd, (void *)address, length) || getsockname(fd, (void *)address, &length)) return 0;
  return length;
}

/* To a port that is taken and not listened to: refused at once. */
static uint32_t act_stream(void) {
  struct sockaddr_storage address;
  int held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  socklen_t length = bind_somewhere(held, AF_INET, &address);
  bool is_done = length && fd >= 0 &&
                 (!connect(fd, (void *)&address, length) || errno == ECONNREFUSED || errno == EINPROGRESS);
  if (held >= 0) close(held);
  if (fd >= 0) close(fd);
  return is_done ? PLACE(CONNECT) : 0;
}

/* A datagram from one socket of ours to another, and a socket tied to its peer. */
static uint32_t act_datagrams(int family) {
  struct sockaddr_storage address, from;
  socklen_t from_length = sizeof(from);
  int receiver = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int sender = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  socklen_t length = bind_somewhere(receiver, family, &address);
  uint32_t done = 0;
  char byte = 0;
  if (length && sender >= 0 && sendto(sender, &byte, 1, 0, (void *)&address, length) == 1) {
    done |= family == AF_INET ? PLACE(SENDMSG4) : PLACE(SENDMSG6);
    if (recvfrom(receiver, &byte, 1, 0, (void *)&from, &from_length) == 1)
      done |= PACKETS | (family == AF_INET ? PLACE(RECVMSG4) : PLACE(RECVMSG6));
    if (connect(sender, (void *)&address, length) == 0) done |= family == AF_INET ? PLACE(CONNECT4) : PLACE(CONNECT6);
  }
  if (receiver >= 0) close(receiver);
  if (sender >= 0) close(sender);
  return done;
}

/* The folder "/" is opened, and closed again. Nothing is proven where rings are forbidden or not there. */
static uint32_t open_through_ring(int ring, const struct io_uring_params *params, char *queues,
                                  struct io_uring_sqe *entry, uint64_t wanted) {
  static const struct open_how how = {.flags = O_PATH | O_CLOEXEC};
  uint32_t *tail = (uint32_t *)(queues + params->sq_off.tail), *done = (uint32_t *)(queues + params->cq_off.tail);
  uint32_t first = __atomic_load_n(done, __ATOMIC_ACQUIRE);
  struct io_uring_cqe *completion = (struct io_uring_cqe *)(queues + params->cq_off.cqes);
  entry->opcode = wanted & CALL(OPENAT) ? IORING_OP_OPENAT : IORING_OP_OPENAT2;
  entry->fd = AT_FDCWD;
  entry->addr = (uint64_t)(uintptr_t)"/";
  if (entry->opcode == IORING_OP_OPENAT) {
    entry->open_flags = O_PATH | O_CLOEXEC;
  } else {
    entry->off = (uint64_t)(uintptr_t)&how;
    entry->len = sizeof(how);
  }
  ((uint32_t *)(queues + params->sq_off.array))[0] = 0;
  __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1) return 0;
  if (__atomic_load_n(done, __ATOMIC_ACQUIRE) == first) return 0;
  if (completion->res >= 0) close(completion->res);
  return PLACE(RING_SUBMISSION) | PLACE(RING_COMPLETION);
}

static uint32_t act_ring(const struct martlet_probe *probe) {
  uint64_t wanted = probe->options.wanted_calls[0];
  struct io_uring_params params = {};
  uint32_t done = 0;
  int ring = (int)syscall(SYS_io_uring_setup, 1, &params);
  size_t size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  size_t submissions = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
  void *queues, *entries;
  if (ring < 0) return 0;
  if (size < submissions) size = submissions;
  queues = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
  entries = mmap(NULL, sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
  /* Both queues in one piece since 5.4. */
  if (queues != MAP_FAILED && entries != MAP_FAILED && params.features & IORING_FEAT_SINGLE_MMAP)
    done = open_through_ring(ring, &params, queues, entries, wanted);
  if (queues != MAP_FAILED) munmap(queues, size);
  if (entries != MAP_FAILED) munmap(entries, sizeof(struct io_uring_sqe));
  close(ring);
  return done;
}

#define CHANGES_MAX 1000

/* A file in memory changes, once and again within the same tick of the clock; and a pipe, whose file system keeps no fine
 * times. */
static uint32_t act_changes(const struct martlet_probe *probe) {
  const volatile uint32_t *due = &probe->consumer->canaries;
  int ends[2], file = memfd_create("martlet", MFD_CLOEXEC);
  uint32_t done = 0;
  if (file >= 0 && !fchmod(file, 0600)) done |= PLACE(CHANGE) | PLACE(CHANGE_WITHIN_TICK);
  /* The clock may tick in between, but not always. */
  for (int count = 0; done && count < CHANGES_MAX && *due & PLACE(CHANGE_WITHIN_TICK); count++) fchmod(file, 0600);
  if (file >= 0) close(file);
  if (pipe2(ends, O_CLOEXEC)) return done;
  close(ends[0]);
  close(ends[1]);
  return done | PLACE(CHANGE_COARSE);
}

static uint32_t act_child(const char *program, const char *argument, int32_t *child) {
  char *arguments[] = {(char *)program, (char *)argument, NULL}, *environment[] = {NULL};
  pid_t process;
  if (posix_spawn(&process, program, NULL, NULL, arguments, environment)) return 0;
  *child = process;
  return PLACE(FORK) | PLACE(EXEC) | PLACE(EXIT);
}

static bool wants(uint32_t attached, uint32_t places) { return (attached & places) != 0; }

uint32_t martlet_probe_canaries_begin(struct martlet_probe *probe, const char *program, const char *argument,
                                      int32_t *child) {
  uint32_t attached = 0, done = 0;
  *child = 0;
  for (size_t hook = 0; martlet_hooks[hook].name; hook++) attached |= martlet_probe_canaries_of_hook(probe, hook);
  if (!probe->options.is_in_cgroup) attached &= ~(V4 | V6 | PACKETS);
  __atomic_store_n(&probe->consumer->canaries, attached, __ATOMIC_SEQ_CST);
  if (wants(attached, PLACE(OPEN))) done |= act_open(probe);
  if (wants(attached, PLACE(CALL))) done |= act_call();
  if (wants(attached, PLACE(SOCKET))) done |= act_socket(probe);
  if (wants(attached, PLACE(SIGNAL))) done |= act_signal();
  if (wants(attached, PLACE(CONNECT))) done |= act_stream();
  if (wants(attached, V4 | PACKETS)) done |= act_datagrams(AF_INET);
  if (wants(attached, V6)) done |= act_datagrams(AF_INET6);
  if (wants(attached, PLACE(RING_SUBMISSION) | PLACE(RING_COMPLETION))) done |= act_ring(probe);
  if (wants(attached, CHANGES)) done |= act_changes(probe);
  if (wants(attached, PLACE(FORK) | PLACE(EXEC) | PLACE(EXIT))) done |= act_child(program, argument, child);
  __atomic_store_n(&probe->consumer->canaries, 0, __ATOMIC_SEQ_CST);
  return attached & done;
}
