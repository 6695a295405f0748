/* SPDX-License-Identifier: Apache-2.0 */
/* Rings: making and mapping them, one per CPU, and waiting at them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "probe_internal.h"

uint64_t martlet_boot_time_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int map_ring(struct martlet_probe *probe, struct ring *ring, struct martlet_probe_error *error) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), size = probe->options.ring_bytes;
  char *kernel_side;
  void *ours = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
  if (ours == MAP_FAILED) return martlet_fail(error, errno, "map", "ring", NULL);
  ring->consumer_position = ours;
  kernel_side = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, ring->fd, (off_t)page);
  if (kernel_side == MAP_FAILED) return martlet_fail(error, errno, "map", "ring", NULL);
  ring->producer_position = (const uint64_t *)kernel_side;
  ring->data = kernel_side + page;
  return 0;
}

/* Edge-triggered: a nap must not end because of data that was there when it began. */
static int watch(struct martlet_probe *probe, int fd, uint32_t events, uint32_t index,
                 struct martlet_probe_error *error) {
  struct epoll_event event = {.events = events, .data.u32 = index};
  if (epoll_ctl(probe->epoll_fd, EPOLL_CTL_ADD, fd, &event)) return martlet_fail(error, errno, "watch", "ring", NULL);
  return 0;
}

static int check_options(const struct martlet_probe_options *options, struct martlet_probe_error *error) {
  uint32_t bytes = options->ring_bytes;
  if (bytes < MARTLET_RING_BYTES_MIN || bytes > MARTLET_RING_BYTES_MAX || (bytes & (bytes - 1)) ||
      bytes % (uint32_t)sysconf(_SC_PAGESIZE)) {
    char subject[64];
    snprintf(subject, sizeof(subject), "%u bytes: not a power of two from 256 KiB to 256 MiB", bytes);
    return martlet_fail(error, EINVAL, "size the rings", subject, NULL);
  }
  return 0;
}

int martlet_rings_create(struct martlet_probe *probe, struct martlet_probe_error *error) {
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  if (check_options(&probe->options, error)) return -1;
  /* A CPU that comes later shares the ring of another one: slower, but nothing is lost. */
  probe->ring_count = online < 1 ? 1 : online > RINGS_MAX ? RINGS_MAX : (uint32_t)online;
  probe->rings = calloc(probe->ring_count, sizeof(*probe->rings));
  if (!probe->rings) return martlet_fail(error, ENOMEM, "allocate", "rings", NULL);
  for (uint32_t index = 0; index < probe->ring_count; index++) probe->rings[index].fd = -1;
  probe->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  probe->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (probe->epoll_fd < 0 || probe->wake_fd < 0) return martlet_fail(error, errno, "create", "wait set", NULL);
  return watch(probe, probe->wake_fd, EPOLLIN, UINT32_MAX, error);
}

static void release_ring(const struct martlet_probe *probe, struct ring *ring) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if (ring->consumer_position) munmap(ring->consumer_position, page);
  if (ring->data) munmap((void *)ring->producer_position, page + 2 * (size_t)probe->options.ring_bytes);
  if (ring->fd >= 0) close(ring->fd);
  *ring = (struct ring){.fd = -1};
}

static int make_ring(struct martlet_probe *probe, uint32_t index, struct martlet_probe_error *error) {
  struct ring *ring = &probe->rings[index];
  ring->fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "martlet_ring", 0, 0, probe->options.ring_bytes, NULL);
  if (ring->fd < 0) return martlet_fail(error, errno, "create", "ring", NULL);
  if (map_ring(probe, ring, error)) return -1;
  return watch(probe, ring->fd, EPOLLIN | EPOLLET, index, error);
}

/* Rings are made on the first connection and not with the probe, so that a configuration can be checked without the
 * right to use BPF. Those that were made stay for the next attempt, half a ring does not. */
static int make_rings(struct martlet_probe *probe, struct martlet_probe_error *error) {
  for (uint32_t index = 0; index < probe->ring_count; index++) {
    if (probe->rings[index].data) continue;
    if (make_ring(probe, index, error)) {
      release_ring(probe, &probe->rings[index]);
      return -1;
    }
  }
  return 0;
}

/* All at once, where the kernel can: it waits some milliseconds for programs that may be running, for each call. */
static int fill_table(const struct martlet_probe *probe, int table) {
  uint32_t keys[RINGS_MAX], count = probe->ring_count;
  int rings[RINGS_MAX];
  for (uint32_t index = 0; index < count; index++) {
    keys[index] = index;
    rings[index] = probe->rings[index].fd;
  }
  if (bpf_map_update_batch(table, keys, rings, &count, NULL) == 0) return 0;
  for (uint32_t index = 0; index < probe->ring_count; index++)
    if (bpf_map_update_elem(table, &keys[index], &rings[index], BPF_ANY)) return -1;
  return 0;
}

/* A page that we share with the programs; NULL and errno when it cannot be had. */
static void *map_words(int map) {
  void *words = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  return words == MAP_FAILED ? NULL : words;
}

int martlet_rings_connect(struct martlet_probe *probe, struct martlet_probe_error *error) {
  int table = bpf_object__find_map_fd_by_name(probe->maps, "rings");
  int consumer = bpf_object__find_map_fd_by_name(probe->maps, "consumer");
  int in_force = bpf_object__find_map_fd_by_name(probe->maps, MARTLET_IN_FORCE_MAP);
  probe->counters_fd = bpf_object__find_map_fd_by_name(probe->maps, "counters");
  probe->full_tables_fd = bpf_object__find_map_fd_by_name(probe->maps, "full_tables");
  probe->losses_fd = bpf_object__find_map_fd_by_name(probe->maps, "losses");
  probe->consumer = map_words(consumer);
  if (!probe->consumer) return martlet_fail(error, errno, "map", "consumer", NULL);
  probe->in_force = map_words(in_force);
  if (!probe->in_force) return martlet_fail(error, errno, "map", "in_force", NULL);
  /* A successor has its predecessor's table. */
  if (probe->predecessor) return 0;
  if (make_rings(probe, error)) return -1;
  if (fill_table(probe, table)) return martlet_fail(error, errno, "connect", "ring", NULL);
  probe->in_force->generation = probe->generation;
  return 0;
}

void martlet_rings_disconnect(struct martlet_probe *probe) {
  if (probe->consumer) munmap((void *)probe->consumer, (size_t)sysconf(_SC_PAGESIZE));
  if (probe->in_force) munmap((void *)probe->in_force, (size_t)sysconf(_SC_PAGESIZE));
  probe->consumer = NULL;
  probe->in_force = NULL;
  probe->counters_fd = probe->full_tables_fd = probe->losses_fd = -1;
}

void martlet_rings_destroy(struct martlet_probe *probe) {
  for (uint32_t index = 0; probe->rings && index < probe->ring_count; index++)
    release_ring(probe, &probe->rings[index]);
  free(probe->rings);
  if (probe->epoll_fd >= 0) close(probe->epoll_fd);
  if (probe->wake_fd >= 0) close(probe->wake_fd);
}

uint32_t martlet_probe_ring_count(const struct martlet_probe *probe) {
  return probe->ring_count;
}

static bool has_unread(const struct martlet_probe *probe) {
  for (uint32_t index = 0; index < probe->ring_count; index++) {
    const struct ring *ring = &probe->rings[index];
    if (__atomic_load_n(ring->producer_position, __ATOMIC_ACQUIRE) != ring->taken) return true;
  }
  return false;
}

bool martlet_probe_wait(struct martlet_probe *probe, int timeout_ms, bool asks) {
  struct epoll_event events[8];
  bool was_woken = false;
  int count;
  martlet_probe_release(probe);
  if (asks) {
    probe->consumer->sleeps = 1;
    /* Our word before our second look at the rings; a producer writes its record before it looks at our word. One of
     * the two sees the other. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (has_unread(probe)) {
      probe->consumer->sleeps = 0;
      timeout_ms = 0;
      /* A record that is being written may be all there is: let its writer go on. */
      sched_yield();
    }
  }
  count = epoll_wait(probe->epoll_fd, events, 8, timeout_ms);
  probe->consumer->sleeps = 0;
  for (int index = 0; index < count; index++)
    if (events[index].data.u32 == UINT32_MAX) was_woken = true;
  if (was_woken) {
    uint64_t wakes;
    if (read(probe->wake_fd, &wakes, sizeof(wakes)) < 0 && errno != EAGAIN) was_woken = false;
  }
  return was_woken;
}

void martlet_probe_wake(struct martlet_probe *probe) {
  uint64_t one = 1;
  /* Fails only when the count is full, and then a wake is pending. */
  if (write(probe->wake_fd, &one, sizeof(one)) < 0) return;
}

/* The words that a per-CPU table has under `key`, summed over the CPUs. */
static int sum_over_cpus(int table_fd, uint32_t key, uint64_t *sums, size_t words) {
  int cpus = libbpf_num_possible_cpus();
  uint64_t *values;
  int result = -1;
  memset(sums, 0, words * sizeof(*sums));
  if (cpus <= 0 || table_fd < 0) return -1;
  values = calloc((size_t)cpus * words, sizeof(*values));
  if (values && bpf_map_lookup_elem(table_fd, &key, values) == 0) {
    for (size_t cpu = 0; cpu < (size_t)cpus; cpu++)
      for (size_t word = 0; word < words; word++) sums[word] += values[cpu * words + word];
    result = 0;
  }
  free(values);
  return result;
}

int martlet_probe_counters(struct martlet_probe *probe, uint32_t hook, uint64_t *sums, size_t count) {
  struct martlet_counters counters;
  size_t words = sizeof(counters.events) / sizeof(uint64_t);
  if (count < words) return -1;
  if (sum_over_cpus(probe->counters_fd, hook, (uint64_t *)&counters, sizeof(counters) / sizeof(uint64_t))) return -1;
  counters.events.seen += counters.dropped;
  counters.events.filtered += counters.dropped;
  memcpy(sums, &counters.events, sizeof(counters.events));
  return 0;
}

uint64_t martlet_probe_full_table(const struct martlet_probe *probe, uint32_t table) {
  uint64_t sum = 0;
  sum_over_cpus(probe->full_tables_fd, table, &sum, 1);
  return sum;
}
