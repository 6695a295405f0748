/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Draining: the rings merged into one stream.
 *
 * What order is promised: if record B could only come to be after record A was written (same task, a fork before its
 * child, a cgroup's announcement before whoever carries its id), then A is delivered before B, on whatever CPUs.
 *
 * Why it holds. A drain first reads the clock, T, then how far each producer has written, and delivers only what is
 * stamped T or earlier. Say B is delivered, so B was stamped before T. A was complete in its ring before B was
 * stamped, so before T, so it is among what this drain sees. And the merge takes A first: what stands before A in A's
 * ring was put there before A was, hence stamped before A was complete, hence before B. No ring's head can hold A
 * back behind B.
 *
 * That is all: a record is stamped when it is begun and can be seen when it is complete, and a drain may come between the
 * two. Such a record, of another task than those it should have come before, is delivered as soon as it is there, with a
 * time that is earlier than what the stream has come to, and counted as late.
 *
 * One exception has to be kept out. A record that is still being written may have complete ones behind it, when its
 * writer was interrupted or shares the ring; those are hidden from us and could be such an A. The drain then stops
 * at that place in the merge: what it has taken is older than anything hidden. With nothing behind, an unfinished
 * record needs no care: whatever depends on it is stamped after T.
 */
#include <linux/bpf.h>
#include <string.h>

#include "probe_internal.h"

/* Before each record the kernel writes its length, with two bits of state, and a page number that we do not need. */
#define RECORD_HEADER_BYTES 8u

static uint64_t aligned(uint32_t length) {
  return (uint64_t)(length + RECORD_HEADER_BYTES + 7) & ~7ull;
}

/* Makes the next complete record stamped by `cutoff` the ring's head. */
static void find_head(const struct martlet_probe *probe, struct ring *ring, uint64_t cutoff) {
  uint64_t mask = probe->options.ring_bytes - 1;
  ring->head = NULL;
  while (ring->taken < ring->end) {
    const char *header = ring->data + (ring->taken & mask);
    uint32_t word = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
    uint32_t length = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    const struct martlet_record *record = (const void *)(header + RECORD_HEADER_BYTES);
    if (word & BPF_RINGBUF_BUSY_BIT) {
      ring->is_blocked = ring->taken + aligned(length) < ring->end;
      return;
    }
    if (word & BPF_RINGBUF_DISCARD_BIT) {
      ring->taken += aligned(length);
      continue;
    }
    if (record->time_ns > cutoff) return;
    ring->head = (const char *)record;
    ring->head_length = length;
    ring->head_time = record->time_ns;
    return;
  }
}

/* The ring whose head is the oldest; `second_ns` becomes the time of the next-oldest head. */
static struct ring *oldest(struct martlet_probe *probe, uint64_t *second_ns) {
  struct ring *best = NULL;
  *second_ns = UINT64_MAX;
  for (uint32_t index = 0; index < probe->ring_count; index++) {
    struct ring *ring = &probe->rings[index];
    if (!ring->head) continue;
    if (!best || ring->head_time < best->head_time) {
      if (best) *second_ns = best->head_time;
      best = ring;
    } else if (ring->head_time < *second_ns) {
      *second_ns = ring->head_time;
    }
  }
  return best;
}

size_t martlet_probe_drain(struct martlet_probe *probe, struct martlet_span *spans, size_t capacity,
                           uint64_t *until_ns) {
  uint64_t cutoff = martlet_boot_time_ns(), second_ns;
  bool is_blocked = false;
  size_t count = 0;
  struct ring *ring;
  for (uint32_t index = 0; index < probe->ring_count; index++) {
    ring = &probe->rings[index];
    ring->end = __atomic_load_n(ring->producer_position, __ATOMIC_ACQUIRE);
    ring->is_blocked = false;
  }
  for (uint32_t index = 0; index < probe->ring_count; index++) {
    find_head(probe, &probe->rings[index], cutoff);
    is_blocked |= probe->rings[index].is_blocked;
  }
  while (!is_blocked && count < capacity && (ring = oldest(probe, &second_ns))) {
    /* A run from one ring, so that the search for the oldest is not paid for each record. */
    do {
      spans[count++] = (struct martlet_span){ring->head, ring->head_length};
      if (ring->head_time < *until_ns)
        probe->late_count++;
      else
        *until_ns = ring->head_time;
      ring->taken += aligned(ring->head_length);
      find_head(probe, ring, cutoff);
    } while (ring->head && ring->head_time <= second_ns && count < capacity);
    is_blocked = ring->is_blocked;
  }
  if (!is_blocked && count < capacity) *until_ns = cutoff;
  return count;
}

void martlet_probe_release(struct martlet_probe *probe) {
  for (uint32_t index = 0; index < probe->ring_count; index++) {
    struct ring *ring = &probe->rings[index];
    if (ring->consumer_position && *ring->consumer_position != ring->taken)
      __atomic_store_n(ring->consumer_position, ring->taken, __ATOMIC_RELEASE);
  }
}

uint64_t martlet_probe_late(const struct martlet_probe *probe) { return probe->late_count; }
