/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tier 4: slots are taken, records are stamped and leave, counters are kept, cgroups are announced.
 *
 * A program that makes a record reads: take, begin, fill, finish.
 */
#pragma once

#include "store.h"

/* Why a record did not get into its ring. */
#define NO_MEMORY 12
#define SHED 16 /* no other error of the ring */

#define NANOSECONDS 1000000000ull

/* `statement` sees the hook's counters of this CPU as `counters__`. */
#define WITH_COUNTERS(hook, statement)                                                             \
  ({                                                                                               \
    __u32 hook__ = (hook);                                                                         \
    struct martlet_counters *counters__ = bpf_map_lookup_elem(&counters, &hook__);                 \
    if (counters__) statement;                                                                     \
  })

#define COUNT(hook, what) WITH_COUNTERS(hook, __sync_fetch_and_add(&counters__->events.what, 1))

/* Seen and filtered. */
#define COUNT_DROPPED(hook) WITH_COUNTERS(hook, __sync_fetch_and_add(&counters__->dropped, 1))

/* The same for opens that system calls make: no other program counts them, and the one of system calls cannot interrupt
 * itself. So the most frequent end of all costs no atomic operation. */
#define COUNT_DROPPED_ALONE(hook) WITH_COUNTERS(hook, counters__->dropped++)

#define COUNT_FULL(table)                                                                          \
  ({                                                                                               \
    __u32 table__ = (table);                                                                       \
    __u64 *full__ = bpf_map_lookup_elem(&full_tables, &table__);                                   \
    if (full__) __sync_fetch_and_add(full__, 1);                                                   \
  })

/* Counts a lost event for its container, and says that there is something to read. Only those who lose one pay for it. */
APART int emit__note_loss(__u32 hook, __u64 cgroup_id, __u64 cgroup_v1_id, __u32 is_shed) {
  struct martlet_loss_key key = {.cgroup_id = cgroup_id, .cgroup_v1_id = cgroup_v1_id, .hook = hook};
  struct martlet_loss *loss = bpf_map_lookup_elem(&losses, &key), none = {};
  volatile struct martlet_consumer *reader;
  __u32 zero = 0;
  if (!loss) {
    bpf_map_update_elem(&losses, &key, &none, BPF_NOEXIST);
    loss = bpf_map_lookup_elem(&losses, &key);
  }
  if (!loss)
    COUNT_FULL(MARTLET_TABLE_LOSSES);
  else
    __sync_fetch_and_add(is_shed ? &loss->shed : &loss->lost, 1);
  reader = bpf_map_lookup_elem(&consumer, &zero);
  if (reader && !reader->has_losses) reader->has_losses = 1;
  return 0;
}

/* The same for the current task's container: for those who have no record that says which. */
APART int emit__note_loss_here(__u32 hook) {
  struct task_struct *task = read__current();
  struct kernfs_node *node = read__cgroup_node(task, 0);
  struct kernfs_node *legacy = settings.cgroup_v1 ? read__cgroup_node(task, 1) : NULL;
  return emit__note_loss(hook, node ? LOAD(node, id) : 0, legacy ? LOAD(legacy, id) : 0, false);
}

/* A slot of this CPU's, or NULL, which is counted. The exchange makes it safe against being interrupted or preempted
 * between the look and the taking. */
static __always_inline struct slot *emit__take(__u32 hook) {
  for (__u32 index = 0; index < SLOTS_PER_CPU; index++) {
    __u32 key = index;
    struct slot *slot = bpf_map_lookup_elem(&slots, &key);
    if (slot && !slot->is_taken && !__sync_lock_test_and_set(&slot->is_taken, 1)) {
      slot->index = index;
      return slot;
    }
  }
  COUNT(hook, lost_nested);
  emit__note_loss_here(hook);
  return NULL;
}

/* The slot of this CPU's for system calls. */
static __always_inline struct slot *emit__call_slot(void) {
  __u32 key = SLOT_OF_CALLS;
  struct slot *slot = bpf_map_lookup_elem(&slots, &key);
  if (slot) slot->index = SLOT_OF_CALLS;
  return slot;
}

/* The slot of this CPU's for execs, or NULL, which is counted. */
static __always_inline struct slot *emit__take_exec(__u32 hook) {
  __u32 key = bpf_get_smp_processor_id();
  struct exec_slot *taken = bpf_map_lookup_elem(&exec_slots, &key);
  if (taken && !__sync_lock_test_and_set(&taken->slot.is_taken, 1)) return &taken->slot;
  COUNT(hook, lost_nested);
  emit__note_loss_here(hook);
  return NULL;
}

/* A plain store: whoever looks at it runs on this CPU, and sees what we did before it as done. */
static __always_inline void emit__release(struct slot *slot) {
  barrier();
  slot->is_taken = 0;
}

static __always_inline struct martlet_consumer *emit__consumer(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&consumer, &zero);
}

/* Wakes whoever waits at `ring`: a record that is dropped as soon as it is made, since waking alone has no call. */
static __always_inline void emit__wake(void *ring) {
  void *nothing = bpf_ringbuf_reserve(ring, 8, 0);
  if (nothing) bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

/*
 * How full a ring may get with a record of each sort. What a program can do most often must not take the room of what
 * it does next: opens and connections leave some to how processes start and end and to cgroups, and opens that fail,
 * which cost least and say least, leave half of it.
 */
enum ring_share { SHARE_WHOLE, SHARE_CONNECT, SHARE_OPEN, SHARE_FAILED_OPEN };

static __always_inline __u32 emit__ring_limit(enum ring_share share) {
  switch (share) {
    case SHARE_CONNECT: return settings.ring_bytes - settings.ring_bytes / 16;
    case SHARE_OPEN: return settings.ring_bytes - settings.ring_bytes / 8;
    case SHARE_FAILED_OPEN: return settings.ring_bytes / 2;
    default: return settings.ring_bytes;
  }
}

/*
 * Whether a container may put `length` bytes more into a ring that is filling up: what a ring takes in a second, by
 * fourths, and a thirty-second part of it at once. So one that floods leaves room for the others, however slow the
 * reader is. Each CPU has its own account, as it has its own ring.
 */
APART int emit__is_allowed(__u64 cgroup_id, __u64 cgroup_v1_id, __u32 share, __u32 length, __u64 now_ns) {
  struct allowance_key key = {.cgroup_id = cgroup_id, .cgroup_v1_id = cgroup_v1_id, .share = share};
  struct allowance *allowance = bpf_map_lookup_elem(&allowances, &key);
  struct allowance first = {.time_ns = now_ns, .bytes = settings.ring_bytes / 32};
  __u64 elapsed, grown;
  if (!allowance) {
    bpf_map_update_elem(&allowances, &key, &first, BPF_ANY);
    return true;
  }
  elapsed = now_ns - allowance->time_ns;
  /* A record that was interrupted by the one before it. */
  if ((__s64)elapsed < 0) elapsed = 0;
  if (elapsed > NANOSECONDS) elapsed = NANOSECONDS;
  grown = elapsed * (settings.ring_bytes / 4) / NANOSECONDS;
  if (grown) {
    allowance->time_ns = now_ns;
    allowance->bytes += grown;
    if (allowance->bytes > first.bytes) allowance->bytes = first.bytes;
  }
  if (allowance->bytes < length) return false;
  allowance->bytes -= length;
  return true;
}

/*
 * The record into this CPU's ring, and the consumer woken if it wants to be.
 * `length_max` is what there is room for at `record`.
 *
 * The consumer releases what it read, says that it sleeps, looks at the rings once more, and sleeps. If it said so
 * before we looked, the first record in an empty ring wakes it. If it said so after we looked, it may have looked at
 * the ring before our record was in it: then, and only then, our second look finds it asleep and wakes it.
 */
SHARED int emit__send(void *record, __u32 length, __u32 length_max, enum ring_share share) {
  __u32 key = bpf_get_smp_processor_id() % (settings.ring_count ?: 1);
  void *ring = bpf_map_lookup_elem(&rings, &key);
  volatile struct martlet_consumer *reader = emit__consumer();
  struct martlet_record *header = record;
  __u32 slept, limit = emit__ring_limit(share);
  __u64 unread;
  bool wakes;
  long error;
  if (!ring || !reader || length < sizeof(struct martlet_record) || length > length_max) return -NO_MEMORY;
  slept = reader->sleeps;
  /* An atomic read as well, which no processor lets the next look overtake: that one must see what the consumer released
   * before it went to sleep, or the ring would not look empty. */
  if (slept) slept = __sync_fetch_and_or(&reader->sleeps, 0);
  unread = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
  if (share != SHARE_WHOLE) {
    if (unread + length > limit) return -NO_MEMORY;
    if (unread > limit - limit / 4 &&
        !emit__is_allowed(header->cgroup_id, header->cgroup_v1_id, share, length, header->time_ns))
      return -SHED;
  }
  wakes = (slept && unread == 0) || (unread < settings.wake_bytes && unread + length >= settings.wake_bytes);
  error = bpf_ringbuf_output(ring, record, length, wakes ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
  if (!error && !slept && reader->sleeps) emit__wake(ring);
  return error;
}

/* The slot's record, once its length is known. */
static __always_inline int emit__output(struct slot *slot, enum ring_share share, __u32 length_max) {
  RECORD(slot, martlet_record)->length_bytes = slot->length_bytes;
  return emit__send(slot->record, slot->length_bytes, length_max, share);
}

/* What became of a record that was to be sent. */
static __always_inline void emit__account(const struct martlet_record *record, __u32 hook, int error) {
  if (!error) {
    COUNT(hook, delivered);
    return;
  }
  if (error == -SHED)
    COUNT(hook, lost_shed);
  else
    COUNT(hook, lost_ring_full);
  emit__note_loss(hook, record->cgroup_id, record->cgroup_v1_id, error == -SHED);
}

static __always_inline void emit__finish_within(struct slot *slot, __u32 hook, enum ring_share share) {
  emit__account(RECORD(slot, martlet_record), hook, emit__output(slot, share, SLOT_RECORD_BYTES));
  emit__release(slot);
}

static __always_inline void emit__finish(struct slot *slot, __u32 hook) {
  emit__finish_within(slot, hook, SHARE_WHOLE);
}

static __always_inline void emit__finish_exec(struct slot *slot, __u32 hook) {
  emit__account(RECORD(slot, martlet_record), hook, emit__output(slot, SHARE_WHOLE, MARTLET_RECORD_BYTES_MAX));
  emit__release(slot);
}

/* A cgroup's record, made in `slot`. */
static __always_inline void emit__cgroup_record(struct slot *slot, struct task_struct *task,
                                                struct kernfs_node *node, __u32 hierarchy) {
  struct martlet_cgroup *record = RECORD(slot, martlet_cgroup);
  store__header(slot, task, MARTLET_KIND_CGROUP, MARTLET_CALL_NONE, sizeof(*record));
  record->id = LOAD(node, id);
  record->hierarchy = hierarchy;
  record->reserved = 0;
  record->path.offset_bytes = 0;
  record->path.length_bytes = 0;
  path__walk_cgroup(slot, node);
  store__walked(slot, &record->path);
  record->record.flags |= store__walk_flags(slot, MARTLET_FLAG_PATH_TRUNCATED);
}

static __always_inline int emit__announce(struct slot *slot, struct task_struct *task, __u32 hierarchy) {
  struct kernfs_node *node = read__cgroup_node(task, hierarchy);
  int error;
  COUNT(MARTLET_HOOK_CGROUP, seen);
  emit__cgroup_record(slot, task, node, hierarchy);
  RECORD(slot, martlet_record)->time_ns = bpf_ktime_get_boot_ns();
  error = emit__output(slot, SHARE_WHOLE, SLOT_RECORD_BYTES);
  emit__account(RECORD(slot, martlet_record), MARTLET_HOOK_CGROUP, error);
  return error;
}

/* The way past the near table: false when the announcement is lost. */
APART int emit__announce_once(struct slot *slot, __u64 task_address, __u32 hierarchy, __u64 key) {
  struct task_struct *task = (struct task_struct *)task_address;
  __u8 yes = 1;
  if (!slot) return false;
  if (bpf_map_lookup_elem(&cgroups_announced, &key)) return true;
  if (emit__announce(slot, task, hierarchy)) return false;
  bpf_map_update_elem(&cgroups_announced, &key, &yes, BPF_ANY);
  return true;
}

/* Sees to it that the cgroup's record is in a ring before any record that carries its id. */
static __always_inline bool emit__know_cgroup(struct slot *slot, struct task_struct *task, __u32 hierarchy) {
  __u32 zero = 0;
  __u64 id = slot->cgroup_ids[hierarchy];
  /* Both hierarchies count from 1. */
  __u64 key = id | (__u64)hierarchy << 63;
  struct near_cgroups *near = bpf_map_lookup_elem(&cgroups_near, &zero);
  if (!near || id == 0) return true;
  if (near->keys[(id + hierarchy) % NEAR_CGROUPS] == key) return true;
  if (!emit__announce_once(slot, store__number(slot, task), hierarchy, key)) return false;
  near->keys[(id + hierarchy) % NEAR_CGROUPS] = key;
  return true;
}

/*
 * Starts a record for `task`; false means that it cannot be delivered, and the slot is given back.
 *
 * Stamped after the cgroup was announced, so that in the order of time the announcement comes first on any CPU.
 */
static __always_inline bool emit__begin(struct slot *slot, struct task_struct *task, __u32 hook, __u16 kind,
                                        __u16 call, __u32 fixed_bytes) {
  store__cgroup_ids(slot, task);
  if (!emit__know_cgroup(slot, task, 0) || (settings.cgroup_v1 && !emit__know_cgroup(slot, task, 1))) {
    COUNT(hook, lost_ring_full);
    emit__note_loss(hook, slot->cgroup_ids[0], slot->cgroup_ids[1], false);
    emit__release(slot);
    return false;
  }
  store__header(slot, task, kind, call, fixed_bytes);
  RECORD(slot, martlet_record)->time_ns = bpf_ktime_get_boot_ns();
  return true;
}
