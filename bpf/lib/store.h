/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tier 3: a record in its slot. Fixed part first, then texts, each at a multiple of 8.
 */
#pragma once

#include "path.h"

/* A kernel pointer for a function that stands apart: the verifier knows of which kind one is, until it has been in
 * memory that is not the stack. */
static __always_inline __u64 store__number(struct slot *slot, const void *pointer) {
  slot->number = (__u64)pointer;
  barrier();
  return *(volatile __u64 *)&slot->number;
}

#define RECORD(slot, type) ((struct type *)(slot)->record)

/* Bytes that a text may take at most: with this many left, any text fits. */
#define TEXT_BYTES_MAX MARTLET_PATH_BYTES_MAX

static __always_inline __u32 store__aligned(__u32 length) {
  return (length + 7) & ~7u;
}

/* Where the next text goes; NULL when the record is full, which no record's number of texts reaches. */
static __always_inline char *store__text_start(struct slot *slot, __u32 *position) {
  __u32 at = slot->length_bytes;
  if (at > SLOT_RECORD_BYTES - TEXT_BYTES_MAX - 8) return NULL;
  *position = at;
  return slot->record + at;
}

/* Notes a text of `length` bytes that stands at `position`, and clears what is left of its last eight bytes. */
static __always_inline void store__text_end(struct slot *slot, struct martlet_text *text, __u32 position,
                                            __u32 length) {
  __u32 end = position + length;
  text->offset_bytes = position;
  text->length_bytes = length;
  if (end > SLOT_RECORD_BYTES - 8) return;
  __builtin_memset(slot->record + end, 0, 8);
  slot->length_bytes = store__aligned(end);
}

/* The text that the last walk left in `slot->path`. What was cut off at the front must not look like a path from the
 * root, so it goes without its first slash. */
static __always_inline void store__walked(struct slot *slot, struct martlet_text *text) {
  __u32 start = slot->walk.position, position, length;
  char *target = store__text_start(slot, &position);
  if (slot->walk.flags & WALK_PATH_TRUNCATED) start++;
  if (!target || start >= MARTLET_PATH_BYTES_MAX) return;
  length = MARTLET_PATH_BYTES_MAX - start;
  bpf_probe_read_kernel(target, length, &slot->path[start]);
  store__text_end(slot, text, position, length);
}

static __always_inline __u32 store__walk_flags(struct slot *slot, __u32 when_truncated) {
  __u32 flags = slot->walk.flags & WALK_PATH_TRUNCATED ? when_truncated : 0;
  if (slot->walk.flags & WALK_UNREACHABLE) flags |= MARTLET_FLAG_PATH_UNREACHABLE;
  return flags;
}

/* Compared by hand: a string constant would become a map of its own. */
static __always_inline bool is_memfd(const char *name) {
  return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':';
}

/* The path of a file, and into `slot->file_flags` what is special about it. Returns record flags. */
APART __u32 store__path_of_file(struct slot *slot, __u64 task_address, __u64 file_address, struct martlet_text *text) {
  struct task_struct *task = (struct task_struct *)task_address;
  struct file *file = (struct file *)file_address;
  struct path *path = ADDRESS(file, f_path);
  struct dentry *dentry = LOAD(path, dentry);
  __u32 position;
  char *target;
  if (!slot || !text) return 0;
  slot->file_flags = read__overlay_layer(LOAD(file, f_inode));
  if (read__is_unlinked(dentry)) slot->file_flags |= MARTLET_FILE_UNLINKED;
  path__walk(slot, task, path);
  if (!(slot->walk.flags & WALK_NO_PATH)) {
    store__walked(slot, text);
    return store__walk_flags(slot, MARTLET_FLAG_PATH_TRUNCATED);
  }
  target = store__text_start(slot, &position);
  if (target) {
    long length = bpf_probe_read_kernel_str(target, NAME_BYTES_MAX + 1, LOAD(dentry, d_name.name));
    if (length > 6 && is_memfd(target)) {
      slot->file_flags |= MARTLET_FILE_MEMFD;
      store__text_end(slot, text, position, (__u32)(length - 1) & NAME_BYTES_MAX);
    }
  }
  return 0;
}

static __always_inline __u32 store__file_path(struct slot *slot, struct task_struct *task, struct file *file,
                                              struct martlet_text *text) {
  __u64 task_address = store__number(slot, task);
  return store__path_of_file(slot, task_address, store__number(slot, file), text);
}

APART __u32 store__path_of_directory(struct slot *slot, __u64 task_address, __u64 path_address,
                                     struct martlet_text *text) {
  if (!slot || !text) return 0;
  path__walk(slot, (struct task_struct *)task_address, (struct path *)path_address);
  store__walked(slot, text);
  return store__walk_flags(slot, MARTLET_FLAG_DIRECTORY_TRUNCATED);
}

static __always_inline __u32 store__directory(struct slot *slot, struct task_struct *task, struct path *path,
                                              struct martlet_text *text) {
  __u64 task_address = store__number(slot, task);
  return store__path_of_directory(slot, task_address, store__number(slot, path), text);
}

/* A string in the memory of the current program, up to `room` bytes with its NUL; one that fills the room counts as
 * cut. Returns record flags. */
static __always_inline __u32 store__user_name(struct slot *slot, const void *address, __u32 room,
                                              struct martlet_text *text) {
  __u32 position;
  char *target = store__text_start(slot, &position);
  long length;
  if (!target) return MARTLET_FLAG_NAME_MISSING;
  length = bpf_probe_read_user_str(target, room, address);
  if (length <= 0) return MARTLET_FLAG_NAME_MISSING;
  store__text_end(slot, text, position, (__u32)(length - 1) & (TEXT_BYTES_MAX - 1));
  return MARTLET_FLAG_NAME_UNTRUSTED | (length == room ? MARTLET_FLAG_NAME_TRUNCATED : 0);
}

/* The name that the filter looked at: what was judged is what is told, whatever stands in user memory by now. */
static __always_inline __u32 store__spelled(struct slot *slot, struct martlet_text *text) {
  __u32 position, length = slot->spelled_bytes;
  char *target = store__text_start(slot, &position);
  if (!target || length > SPELLED_BYTES_MAX) return MARTLET_FLAG_NAME_MISSING;
  bpf_probe_read_kernel(target, length, slot->spelled);
  store__text_end(slot, text, position, (length - 1) & (SPELLED_BYTES_MAX - 1));
  return MARTLET_FLAG_NAME_UNTRUSTED;
}

static __always_inline __u32 store__kernel_name(struct slot *slot, const void *address, struct martlet_text *text) {
  __u32 position;
  char *target = store__text_start(slot, &position);
  long length;
  if (!target) return MARTLET_FLAG_NAME_MISSING;
  length = bpf_probe_read_kernel_str(target, TEXT_BYTES_MAX, address);
  if (length <= 0) return MARTLET_FLAG_NAME_MISSING;
  store__text_end(slot, text, position, (__u32)(length - 1) & (TEXT_BYTES_MAX - 1));
  return 0;
}

/* What a relative name starts from. Returns record flags. */
static __always_inline __u32 store__start_directory(struct slot *slot, struct task_struct *task, __s32 directory_fd,
                                                    struct martlet_text *text) {
  struct path *path;
  if (directory_fd == AT_FDCWD) {
    path = ADDRESS(LOAD(task, fs), pwd);
  } else {
    struct file *file = read__file(task, directory_fd);
    if (!file) return 0;
    path = ADDRESS(file, f_path);
  }
  return store__directory(slot, task, path, text);
}

/* Whether a text that was stored is there and does not begin with a slash. */
static __always_inline bool store__is_relative(struct slot *slot, const struct martlet_text *text) {
  __u32 at = text->offset_bytes;
  if (text->length_bytes == 0 || at >= SLOT_RECORD_BYTES) return false;
  return slot->record[at] != '/';
}

SHARED int store__cgroup_ids(struct slot *slot, struct task_struct *task) {
  struct kernfs_node *node = read__cgroup_node(task, 0);
  slot->cgroup_ids[0] = node ? LOAD(node, id) : 0;
  node = settings.cgroup_v1 ? read__cgroup_node(task, 1) : NULL;
  slot->cgroup_ids[1] = node ? LOAD(node, id) : 0;
  return 0;
}

/* The part that every record has, for `task`, whose cgroup ids stand in the slot. The time is left to tier 4. */
SHARED int store__header(struct slot *slot, struct task_struct *task, __u16 kind, __u16 call, __u32 fixed_bytes) {
  struct martlet_record *record = RECORD(slot, martlet_record);
  struct task_struct *leader = LOAD(task, group_leader);
  struct cred *cred = (struct cred *)LOAD(task, cred);
  slot->length_bytes = fixed_bytes;
  record->kind = kind;
  record->call = call;
  record->process_start_ns = LOAD(leader, start_boottime);
  record->cgroup_id = slot->cgroup_ids[0];
  record->cgroup_v1_id = slot->cgroup_ids[1];
  record->process_id = LOAD(task, tgid);
  record->thread_id = LOAD(task, pid);
  record->user_id = LOAD(cred, euid.val);
  record->group_id = LOAD(cred, egid.val);
  record->flags = 0;
  record->cpu = bpf_get_smp_processor_id();
  record->generation = settings.generation;
  bpf_probe_read_kernel(record->comm, sizeof(record->comm), ADDRESS(read__named(task), comm));
  return 0;
}
