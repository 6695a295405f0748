// SPDX-License-Identifier: Apache-2.0
/* Verbs that ask through io_uring, by no system call that names what is asked. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "actor.h"

#define ENTRIES 8u

struct ring {
  int fd;
  unsigned *tail, *mask, *array, *flags;
  unsigned *completed_head, *completed_tail, *completed_mask;
  struct io_uring_cqe *completions;
  struct io_uring_sqe *entries;
  int polls; /* a kernel thread submits */
};

static void make_ring(struct ring *ring, int polls) {
  struct io_uring_params params = {.flags = polls ? IORING_SETUP_SQPOLL : 0, .sq_thread_idle = 50};
  char *submissions, *completions;
  ring->polls = polls;
  ring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);
  require(ring->fd >= 0, "io_uring_setup");
  submissions = mmap(NULL, params.sq_off.array + ENTRIES * 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                     ring->fd, IORING_OFF_SQ_RING);
  completions = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
                     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_CQ_RING);
  ring->entries = mmap(NULL, ENTRIES * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                       ring->fd, IORING_OFF_SQES);
  require(submissions != MAP_FAILED && completions != MAP_FAILED && ring->entries != MAP_FAILED, "map");
  ring->tail = (unsigned *)(submissions + params.sq_off.tail);
  ring->mask = (unsigned *)(submissions + params.sq_off.ring_mask);
  ring->array = (unsigned *)(submissions + params.sq_off.array);
  ring->flags = (unsigned *)(submissions + params.sq_off.flags);
  ring->completed_head = (unsigned *)(completions + params.cq_off.head);
  ring->completed_tail = (unsigned *)(completions + params.cq_off.tail);
  ring->completed_mask = (unsigned *)(completions + params.cq_off.ring_mask);
  ring->completions = (struct io_uring_cqe *)(completions + params.cq_off.cqes);
}

static void add(struct ring *ring, const struct io_uring_sqe *entry) {
  unsigned tail = *ring->tail, index = tail & *ring->mask;
  ring->entries[index] = *entry;
  ring->array[index] = index;
  __atomic_store_n(ring->tail, tail + 1, __ATOMIC_RELEASE);
}

/* Hands over `count` requests and takes as many completions as are wanted; returns the last one's result. */
static int submit(struct ring *ring, unsigned count, unsigned wanted) {
  int result = 0;
  if (ring->polls && __atomic_load_n(ring->flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP)
    syscall(SYS_io_uring_enter, ring->fd, 0, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0);
  require(syscall(SYS_io_uring_enter, ring->fd, ring->polls ? 0 : count, wanted, IORING_ENTER_GETEVENTS, NULL, 0) >= 0,
          "io_uring_enter");
  while (wanted-- > 0) {
    unsigned head = *ring->completed_head;
    while (__atomic_load_n(ring->completed_tail, __ATOMIC_ACQUIRE) == head) {}
    result = ring->completions[head & *ring->completed_mask].res;
    __atomic_store_n(ring->completed_head, head + 1, __ATOMIC_RELEASE);
  }
  return result;
}

static int is(const char *text, const char *other) {
  return strcmp(text, other) == 0;
}

static void verb_ring_open(const char *how, const char *path) {
  static struct open_how open_how = {.flags = O_RDONLY | O_CLOEXEC};
  struct io_uring_sqe entry = {.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)path};
  struct io_uring_sqe nothing = {.opcode = IORING_OP_NOP, .flags = IOSQE_IO_LINK};
  struct ring ring;
  int slots[4] = {-1, -1, -1, -1}, result;
  make_ring(&ring, is(how, "polled"));
  if (is(how, "openat2")) {
    entry.opcode = IORING_OP_OPENAT2;
    entry.off = (uintptr_t)&open_how;
    entry.len = sizeof(open_how);
  }
  if (is(how, "async")) entry.flags = IOSQE_ASYNC;
  if (is(how, "silent")) entry.flags = IOSQE_CQE_SKIP_SUCCESS;
  if (is(how, "direct") || is(how, "direct-any")) {
    require(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, slots, 4) == 0, "register");
    entry.file_index = is(how, "direct") ? 3 : IORING_FILE_INDEX_ALLOC;
  }
  if (is(how, "linked")) add(&ring, &nothing);
  add(&ring, &entry);
  result = submit(&ring, is(how, "linked") ? 2 : 1, is(how, "linked") ? 2 : is(how, "silent") ? 0 : 1);
  require(is(how, "missing") ? result == -ENOENT : result >= 0, "open");
}

/* Connects, or sends a datagram, to the last listener's port or the one given. */
static void verb_ring_socket(const char *how, const char *address, int port) {
  static struct sockaddr_storage place;
  socklen_t length = make_address(&place, address, port);
  static struct iovec data = {.iov_base = "x", .iov_len = 1};
  static struct msghdr message;
  int fd = socket(place.ss_family, is(how, "tcp") ? SOCK_STREAM : SOCK_DGRAM, 0);
  struct io_uring_sqe entry = {.opcode = IORING_OP_CONNECT, .fd = fd, .addr = (uintptr_t)&place, .off = length};
  struct ring ring;
  message = (struct msghdr){.msg_name = &place, .msg_namelen = length, .msg_iov = &data, .msg_iovlen = 1};
  if (is(how, "send"))
    entry = (struct io_uring_sqe){.opcode = IORING_OP_SENDMSG, .fd = fd, .addr = (uintptr_t)&message, .len = 1};
  make_ring(&ring, 0);
  add(&ring, &entry);
  submit(&ring, 1, 1);
}

/* Writes into the last file. */
static void verb_ring_write(const char *text) {
  struct io_uring_sqe entry = {
      .opcode = IORING_OP_WRITE, .fd = last, .addr = (uintptr_t)text, .len = (uint32_t)strlen(text)};
  struct ring ring;
  make_ring(&ring, 0);
  add(&ring, &entry);
  require(submit(&ring, 1, 1) > 0, "write");
}

int act_on_rings(const char *verb, char **rest) {
  if (is(verb, "ring-open")) {
    verb_ring_open(rest[0], rest[1]);
    return 2;
  }
  if (is(verb, "ring-socket")) {
    verb_ring_socket(rest[0], rest[1], atoi(rest[2]));
    return 3;
  }
  if (is(verb, "ring-write")) {
    verb_ring_write(rest[0]);
    return 1;
  }
  return -1;
}
