/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tier 4: which events need not be told, because no rule can match them.
 *
 * What is dropped here, no rule matches: whatever cannot be told for sure passes. An open has two names that rules may
 * ask for, the file's as the kernel resolved it and the one that the program spelled; usually they are the same, and
 * one look serves both.
 */
#pragma once

#include "emit.h"

#include <bpf/bpf_endian.h>

#include "../include/martlet_filter.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct martlet_filter);
} kernel_filter SEC(".maps");

/* Loads before it come before loads behind it. */
#if defined(__TARGET_ARCH_x86)
#define LOADS_IN_ORDER() barrier()
#else
#define LOADS_IN_ORDER()                          \
  do {                                            \
    __u32 nothing__ = 0;                          \
    nothing__ = __sync_fetch_and_add(&nothing__, 1); \
    barrier_var(nothing__);                       \
    barrier();                                    \
  } while (0)
#endif

/*
 * The filter may be written anew at any time, in place. Whoever looks at more than one word of it asks for the version
 * first, and drops nothing unless it has stayed: half of an old filter and half of a new one would drop what both let
 * through. While it is being written the version is odd, and all passes.
 */
static __always_inline __u32 filter__version(void) {
  __u32 version = in_force.filter_version;
  LOADS_IN_ORDER();
  return version;
}

static __always_inline bool filter__has_stayed(__u32 version) {
  LOADS_IN_ORDER();
  return !(version & 1) && in_force.filter_version == version;
}

/* Cgroups that are no container's, each in its place; one that is not here counts as a container's. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, MARTLET_HOST_PLACES);
  __type(key, __u32);
  __type(value, __u64);
} host_cgroups SEC(".maps");

static __always_inline bool filter__is_host_cgroup(struct task_struct *task, __u32 hierarchy) {
  struct kernfs_node *node = read__cgroup_node(task, hierarchy);
  __u64 key = martlet_cgroup_key(node ? LOAD(node, id) : 0, hierarchy);
  __u32 place = martlet_cgroup_place(key);
  __u64 *known = bpf_map_lookup_elem(&host_cgroups, &place);
  return known && *known == key;
}

static __always_inline bool filter__is_host(struct task_struct *task) {
  return filter__is_host_cgroup(task, 0) && (!settings.cgroup_v1 || filter__is_host_cgroup(task, 1));
}

static __always_inline bool filter__is_among(__u32 wanted, struct task_struct *task) {
  if (wanted == (MARTLET_ACTOR_HOST | MARTLET_ACTOR_CONTAINER)) return true;
  return wanted && wanted & (filter__is_host(task) ? MARTLET_ACTOR_HOST : MARTLET_ACTOR_CONTAINER);
}

/* What no rule can match is dropped, unless it is to be marked. */
static __always_inline bool filter__drops(bool is_unwanted) {
  return is_unwanted && settings.filters == MARTLET_FILTERING_ON;
}

/* Whether a call, not an open, is one that some rule asks for where the task runs. */
SHARED int filter__wants_actor(__u32 call, struct task_struct *task) {
  __u32 zero = 0;
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  return !filter || !settings.filters || filter__is_among(filter->actors[call & (MARTLET_FILTER_CALLS - 1)], task);
}

/* The same of a call on a Unix socket. */
SHARED int filter__wants_unix_actor(__u32 call, struct task_struct *task) {
  __u32 zero = 0;
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  return !filter || !settings.filters || filter__is_among(filter->unix_actors[call & (MARTLET_FILTER_CALLS - 1)], task);
}

/* Where what the program is called leads to: by the name that its records have. */
APART int filter__program_place(__u64 task_address) {
  struct task_struct *task = (struct task_struct *)task_address;
  const char *name = ADDRESS(read__named(task), comm);
  __u64 words[2] = {read__word(name), read__word(name + 8)};
  /* What stands behind the end of the name is no part of it. */
  for (int index = 0; index < 2; index++) {
    __u64 zeros = (words[index] - 0x0101010101010101ull) & ~words[index] & 0x8080808080808080ull;
    if (!zeros) continue;
    words[index] &= (zeros & -zeros) - 1;
    if (index == 0) words[1] = 0;
  }
  return martlet_program_place(words[0], words[1]);
}

/* In which range of users the one lies whose rights the task has, as its records tell. */
APART int filter__user_range(__u64 task_address) {
  struct task_struct *task = (struct task_struct *)task_address;
  struct cred *cred = (struct cred *)LOAD(task, cred);
  __u32 zero = 0, range = FORGOTTEN(0u, task_address), user = LOAD(cred, euid.val);
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  if (!filter) return 0;
  for (__u32 step = MARTLET_USER_RANGES / 2; step > 0; step /= 2)
    if (filter->users.ids[(range + step) & (MARTLET_USER_RANGES - 1)] <= user) range += step;
  return range;
}

static __always_inline __u64 filter__first_bytes(__u64 word, __u32 count) {
  return count >= 8 ? word : word & ((1ull << (count * 8)) - 1);
}

/* Where a word of the spelled name begins; the name stands behind eight bytes that nothing else reads. */
static __always_inline __u64 filter__spelled_word(struct slot *slot, __u32 offset) {
  offset &= SPELLED_BYTES_MAX - 1;
  return *(__u64 *)&slot->spelled[offset];
}

/* A component of the spelled name is the same as one of the file's: word by word from both ends. Longer ones than
 * four words count as different. */
static __always_inline bool filter__is_same(struct slot *slot, __u32 offset, const char *name, __u32 length,
                                            __u64 head, __u64 tail) {
  if (filter__first_bytes(filter__spelled_word(slot, offset), length) != head) return false;
  if (length <= 8) return true;
  if (length > 32 || filter__spelled_word(slot, offset + length - 8) != tail) return false;
  if (length <= 16) return true;
  return filter__spelled_word(slot, offset + 8) == read__word(name + 8) &&
         filter__spelled_word(slot, offset + length - 16) == read__word(name + length - 16);
}

/* A number from elsewhere as an index: the compiler may know its bounds, and leave out the mask that the verifier asks for. */
#define BOUNDED(number, count) ({ __u32 number__ = (number); barrier_var(number__); number__ & ((count) - 1); })

static __always_inline __u32 filter__classes(struct martlet_filter *filter, __u32 place) {
  return filter->names[BOUNDED(place, MARTLET_NAME_PLACES)];
}

/* The classes that pass with an end of the last component. `tail`: its last eight bytes, the last one highest. */
APART int filter__suffix_classes(__u64 tail, __u32 length) {
  __u32 zero = 0, classes = 0;
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  if (!filter) return 0;
  for (__u32 count = 1; count <= MARTLET_SUFFIX_BYTES_MAX; count++) {
    if (!(filter->suffix_lengths & 1u << count) || FORGOTTEN(length, tail) < count) continue;
    classes |= filter__classes(filter, martlet_suffix_place(tail >> (64 - count * 8), count));
  }
  return classes;
}

/* The last eight bytes of a component, the last one highest. */
static __always_inline __u64 filter__tail(const char *name, __u32 length, __u64 head) {
  if (length >= 8) return read__word(name + length - 8);
  return length ? head << (64 - length * 8) : 0;
}

struct infix_search {
  const char *name;
  __u32 classes;
};

static long filter__infix_step(__u32 start, struct infix_search *search) {
  __u32 zero = 0, place = martlet_infix_place(read__word(search->name + start));
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  if (filter && filter->infixes & martlet_infix_bit(place)) search->classes |= filter__classes(filter, place);
  return STEP_ON;
}

/* The classes that pass with eight bytes somewhere within a component, of eight bytes at least. */
APART int filter__infix_classes(__u64 name, __u32 length) {
  struct infix_search search = {.name = (const char *)name};
  /* No file system has such names, so far. */
  if (length > NAME_BYTES_MAX) return ~0u;
  if (length >= MARTLET_INFIX_BYTES) bpf_loop(length - MARTLET_INFIX_BYTES + 1, filter__infix_step, &search, 0);
  return search.classes;
}

static __always_inline __u32 filter__dots_classes(struct martlet_filter *filter, __u64 tail, __u32 length) {
  return length >= 2 && tail >> 48 == (('.' << 8) | '.') ? filter->dots : 0;
}

/* One component of the file's path, from the last one up. */
static __always_inline void filter__look_at(struct slot *slot, struct martlet_filter *filter,
                                            struct dentry *dentry) {
  struct name_search *search = &slot->search;
  const char *name = (const char *)LOAD(dentry, d_name.name);
  __u32 length = LOAD(dentry, d_name.len), rest = search->rest;
  __u64 head = filter__first_bytes(read__word(name), length);
  __u64 tail = filter__tail(name, length, head);
  __u32 classes = filter__classes(filter, martlet_component_place(head, length));
  if (tail >> 48 == (('.' << 8) | '.')) classes |= filter__dots_classes(filter, tail, length);
  if (filter->infixes && length >= MARTLET_INFIX_BYTES)
    classes |= filter__infix_classes(store__number(slot, name), length);
  search->components++;
  if (search->is_last) {
    search->is_last = false;
    if (filter->suffix_lengths) classes |= filter__suffix_classes(tail, length);
  }
  search->classes |= classes;
  if (rest >= SPELLED_SAME) return;
  if (length > rest || !filter__is_same(slot, rest - length, name, length, head, tail)) {
    search->rest = SPELLED_DIFFERENT;
    return;
  }
  rest -= length;
  /* The slash in front; of a relative name's first component there is none. */
  if (rest == 0) {
    rest = SPELLED_RELATIVE;
  } else {
    rest--;
    if (slot->spelled[rest & (SPELLED_BYTES_MAX - 1)] != '/') rest = SPELLED_DIFFERENT;
    else if (rest == 0) rest = SPELLED_ABSOLUTE;
  }
  search->rest = rest;
}

static __always_inline long filter__step(struct slot *slot, struct martlet_filter *filter) {
  struct name_search *search = &slot->search;
  struct dentry *passed = NULL;
  long step;
  /* A relative name has been seen whole: it is the file's if it starts from where the walk has come to. */
  if (search->rest == SPELLED_RELATIVE) {
    bool is_start = slot->walk.dentry == search->start_dentry && slot->walk.mount == search->start_mount;
    search->rest = is_start ? SPELLED_SAME : SPELLED_DIFFERENT;
  } else if (search->rest == SPELLED_ABSOLUTE) {
    /* Seen whole, but the path goes on: it is another one below a chosen root. */
    search->is_below = true;
  }
  step = path__up(&slot->walk, &passed);
  if (!passed) return step;
  if (search->is_below) search->rest = SPELLED_DIFFERENT;
  filter__look_at(slot, filter, passed);
  return search->classes & search->wanted ? STEP_DONE : step;
}

static long filter__step_on(__u32 index, struct walk_context *context) {
  __u32 zero = 0;
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  return filter ? filter__step(context->slot, filter) : STEP_DONE;
}

/* One byte of a spelled name that is not the file's. */
static long filter__step_spelled(__u32 index, struct walk_context *context) {
  struct slot *slot = context->slot;
  struct name_search *search = &slot->search;
  __u32 zero = 0;
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  char byte = slot->spelled[index & (SPELLED_BYTES_MAX - 1)];
  if (!filter) return STEP_DONE;
  if (byte != '/' && byte != 0) {
    if (search->length < 8) search->head |= (__u64)(__u8)byte << (search->length * 8);
    search->tail = search->tail >> 8 | (__u64)(__u8)byte << 56;
    search->length++;
    if (filter->infixes && search->length >= MARTLET_INFIX_BYTES) {
      __u32 place = martlet_infix_place(search->tail);
      if (filter->infixes & martlet_infix_bit(place)) search->classes |= filter__classes(filter, place);
    }
    return STEP_ON;
  }
  /* `//`, a slash at the end, `.` and `..`: it would have to be normalised first. */
  if (index > 0) {
    bool is_dots = (search->length == 1 && search->head == '.') ||
                   (search->length == 2 && search->head == (('.' << 8) | '.'));
    if (search->length == 0 || is_dots) {
      search->is_odd = true;
      return STEP_DONE;
    }
    search->classes |= filter__classes(filter, martlet_component_place(search->head, search->length));
    search->classes |= filter__dots_classes(filter, search->tail, search->length);
    search->components++;
  }
  if (byte == 0) {
    search->classes |= filter__suffix_classes(search->tail, search->length);
    if (search->components <= 1) search->classes |= filter->in_root;
    search->is_whole = true;
    return STEP_DONE;
  }
  search->head = 0;
  search->tail = 0;
  search->length = 0;
  return STEP_ON;
}

/* Whether an absolute spelled name passes: one that is cut, empty or not normalised does. */
static __always_inline bool filter__passes_spelled(struct slot *slot) {
  struct name_search *search = &slot->search;
  struct walk_context context = {slot};
  if (slot->spelled[0] != '/') return true;
  search->head = search->tail = search->length = search->components = 0;
  search->is_odd = search->is_whole = false;
  bpf_loop(SPELLED_BYTES_MAX, filter__step_spelled, &context, 0);
  return search->is_odd || !search->is_whole || (search->classes & search->wanted);
}

/* What a relative name starts from. */
static __always_inline void filter__start(struct name_search *search, struct task_struct *task, __s32 directory_fd) {
  struct path *path = NULL;
  if (directory_fd == AT_FDCWD) {
    path = ADDRESS(LOAD(task, fs), pwd);
  } else {
    struct file *file = read__file(task, directory_fd);
    if (file) path = ADDRESS(file, f_path);
  }
  search->start_dentry = path ? LOAD(path, dentry) : NULL;
  search->start_mount = path ? LOAD(path, mnt) : NULL;
}

/* The name that a program passed, for `filter__passes_names` to look at: false when it is not there, empty, or too long. */
static __always_inline bool filter__take_name(struct slot *slot, const void *name) {
  long length = bpf_probe_read_user_str(slot->spelled, SPELLED_BYTES_MAX, name);
  if (length <= 1 || length == SPELLED_BYTES_MAX) return false;
  slot->spelled_bytes = length;
  return true;
}

#define STEPS_AT_ONCE 4

/* Whether an open whose names count passes. The name that was taken counts; none does for a handle. */
APART int filter__passes_names(__u32 slot_index, __u64 task_address, __u64 file_address, __s32 directory_fd) {
  struct task_struct *task = (struct task_struct *)task_address;
  struct file *file = (struct file *)file_address;
  struct slot *slot = bpf_map_lookup_elem(&slots, &slot_index);
  __u32 zero = 0;
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  struct walk_context context = {slot};
  struct name_search *search;
  bool has_name;
  if (!slot || !filter) return true;
  search = &slot->search;
  if (filter__classes(filter, filter__program_place(task_address)) & search->wanted) return true;
  if (filter->by_user & search->wanted &&
      filter->users.opens[BOUNDED(filter__user_range(task_address), MARTLET_USER_RANGES)] & search->wanted)
    return true;
  if (!(filter->paths & search->wanted)) return false;
  has_name = slot->spelled_bytes > 0;
  search->classes = 0;
  search->components = 0;
  search->is_last = true;
  search->is_below = false;
  search->rest = has_name ? slot->spelled_bytes - 1 : SPELLED_DIFFERENT;
  if (!file) return filter__passes_spelled(slot);
  if (has_name && slot->spelled[0] != '/') filter__start(search, task, directory_fd);
  path__start(slot, task, ADDRESS(file, f_path));
  /* Most paths are short, and a loop of the kernel's costs a call for each round. */
  for (int index = 0; index < STEPS_AT_ONCE; index++)
    if (filter__step(slot, filter) == STEP_DONE) goto walked;
  bpf_loop(WALK_STEPS_MAX, filter__step_on, &context, 0);
walked:
  if (search->components <= 1) search->classes |= filter->in_root;
  if (search->classes & search->wanted) return true;
  /* Cut, or of no mount of this namespace: what it is called cannot be told. */
  if (slot->walk.flags) return true;
  if (!has_name || search->rest == SPELLED_ABSOLUTE || search->rest == SPELLED_SAME) return false;
  return filter__passes_spelled(slot);
}

static __always_inline __u32 filter__verdict(struct martlet_filter *filter, __u32 kind) {
  return filter->verdicts[kind & (MARTLET_OPEN_CLASSES - 1)];
}

static __always_inline bool filter__is_directory(struct file *file) {
  return file && (LOAD(LOAD(file, f_inode), i_mode) & S_IFMT) == S_IFDIR;
}

/* In which range of addresses one of IPv4 lies. */
APART int filter__v4_range(__u32 address) {
  __u32 zero = 0, range = FORGOTTEN(0u, address);
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  if (!filter) return 0;
  for (__u32 step = MARTLET_ADDRESS_RANGES / 2; step > 0; step /= 2)
    if (filter->connections.v4[(range + step) & (MARTLET_ADDRESS_RANGES - 1)] <= address) range += step;
  return range;
}

APART int filter__v6_range(__u64 high, __u64 low) {
  __u32 zero = 0, range = FORGOTTEN(0u, low);
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  if (!filter) return 0;
  for (__u32 step = MARTLET_ADDRESS_RANGES / 2; step > 0; step /= 2) {
    __u32 place = (range + step) & (MARTLET_ADDRESS_RANGES - 1);
    __u64 first = filter->connections.v6_high[place];
    if (first < high || (first == high && filter->connections.v6_low[place] <= low)) range += step;
  }
  return range + MARTLET_ADDRESS_RANGES;
}

APART int filter__port_range(__u32 port) {
  __u32 zero = 0, range = FORGOTTEN(0u, port);
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  if (!filter) return 0;
  for (__u32 step = MARTLET_PORT_RANGES / 2; step > 0; step /= 2)
    if (filter->connections.ports[(range + step) & (MARTLET_PORT_RANGES - 1)] <= port) range += step;
  return range;
}

/* Which connections to one far end some rule may match: a bit for each class. */
static __always_inline __u32 filter__connection_classes(const struct martlet_filter *whole, struct task_struct *task,
                                                        __u32 kind, __u32 range, __u64 port) {
  const struct martlet_connection_filter *filter = &whole->connections;
  __u32 host = martlet_connection_class(kind, false) & (MARTLET_CONNECTION_CLASSES - 1);
  __u32 container = martlet_connection_class(kind, true) & (MARTLET_CONNECTION_CLASSES - 1);
  __u32 place, actors, classes = 0;
  range = BOUNDED(range, 2 * MARTLET_ADDRESS_RANGES);
  if (filter->passing[host][range] & port) classes |= 1u << host;
  if (filter->passing[container][range] & port) classes |= 1u << container;
  if (!((filter->passing_for_some[host][range] | filter->passing_for_some[container][range]) & port))
    return classes;
  place = BOUNDED(filter__program_place((__u64)task), MARTLET_NAME_PLACES);
  actors = filter->programs[place];
  if (filter->by_user)
    actors |= whole->users.connections[BOUNDED(filter__user_range((__u64)task), MARTLET_USER_RANGES)];
  if (filter->passing_for_some[host][range] & port) classes |= actors & 1u << host;
  if (filter->passing_for_some[container][range] & port) classes |= actors & 1u << container;
  return classes;
}

/* Whether a connection, or a datagram, to a far end is one that some rule may match. `high` and `low`: the address in the
 * order of its text; one of IPv4 as it is mapped into IPv6. */
APART int filter__passes_connection(__u64 task_address, __u32 kind, __u64 high, __u64 low, __u32 port) {
  struct task_struct *task = (struct task_struct *)task_address;
  __u32 zero = 0, classes, both, range, version = filter__version();
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  if (!filter || !settings.filters) return true;
  kind &= 3;
  range = high == 0 && low >> 32 == 0xffff ? filter__v4_range(low) : filter__v6_range(high, low);
  classes = filter__connection_classes(filter, task, kind, range,
                                       1ull << BOUNDED(filter__port_range(port), MARTLET_PORT_RANGES));
  both = 1u << martlet_connection_class(kind, false) | 1u << martlet_connection_class(kind, true);
  if (classes && classes != both) classes &= 1u << martlet_connection_class(kind, !filter__is_host(task));
  return classes != 0 || !filter__has_stayed(version);
}

/* `address`: as a socket of the family holds it. */
static __always_inline bool filter__wants_connection(struct task_struct *task, __u32 kind, __u16 family,
                                                     const __u8 *address, __u16 port) {
  __u32 words[4];
  __u64 high = 0, low;
  if (!settings.filters) return true;
  __builtin_memcpy(words, address, sizeof(words));
  if (family == AF_INET) {
    low = 0xffffull << 32 | bpf_ntohl(words[0]);
  } else {
    high = (__u64)bpf_ntohl(words[0]) << 32 | bpf_ntohl(words[1]);
    low = (__u64)bpf_ntohl(words[2]) << 32 | bpf_ntohl(words[3]);
  }
  return filter__passes_connection((__u64)task, kind, high, low, port);
}
