/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tier 4: files whose content counts. Which names are models' names, which files user space wants watched, and which
 * models are open for writing.
 *
 * A file is known by the numbers of its device and of its inode, as an open tells them: on an overlay those of the
 * overlay's own inode.
 */
#pragma once

#include "filter.h"

#define IS_MODEL 1u
#define IS_WATCHED 2u

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, MARTLET_WATCHED_FILES);
  __type(key, struct martlet_file_key);
  __type(value, struct martlet_watched_file);
} watched_files SEC(".maps");

/* A model that is open for writing. No hook sees the last close of a file, whichever way it happens: so whether there
 * still is a writer is looked up now and then. */
struct written_file {
  struct martlet_record record; /* of the open, as it was told */
  struct inode *inode;
  struct vfsmount *mount;
  struct mount *root;
};
#define WRITTEN_FILES_MAX 1024
#define WRITTEN_SWEEP_NS 20000000ull
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, WRITTEN_FILES_MAX);
  __type(key, struct martlet_file_key);
  __type(value, struct written_file);
} written_files SEC(".maps");

struct written_sweeper {
  struct bpf_timer timer;
  __u32 made_by; /* the generation whose function it calls, as that of connects */
  __u32 is_armed;
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct written_sweeper);
} written_sweepers SEC(".maps");

static __always_inline bool model__has(const volatile __u64 *words, __u64 word) {
  __u32 place = martlet_model_name_place(word);
  for (__u32 step = 0; step < MARTLET_MODEL_NAME_STEPS; step++) {
    __u64 found = words[(place + step) & (MARTLET_MODEL_NAMES - 1)];
    if (found == word) return true;
    if (!found) return false;
  }
  return false;
}

/* The bytes of a word that are `byte`, which is not above 127: the highest bit of each. */
static __always_inline __u64 model__bytes_of(__u64 word, __u32 byte) {
  const __u64 low = 0x7f7f7f7f7f7f7f7full;
  word ^= byte * 0x0101010101010101ull;
  return ~(((word & low) + low) | word | low);
}

APART int model__is_end(__u64 word) { return model__has(settings.models.ends, word); }

/*
 * `tail`: the last eight bytes of a name, the last one highest. Where all ends but the longest begin with a dot, as
 * they usually do, those are worth a look that begin with one: most names have none so near their end.
 */
APART int model__has_end(__u64 tail, __u32 length) {
  __u64 starts = settings.models.end_start ? model__bytes_of(tail, settings.models.end_start) : ~0ull;
  if (length >= MARTLET_MODEL_NAME_BYTES && settings.models.end_lengths & 1u << MARTLET_MODEL_NAME_BYTES &&
      model__is_end(tail))
    return true;
  if (!starts) return false;
  for (__u32 count = 1; count < MARTLET_MODEL_NAME_BYTES; count++) {
    __u32 place = 64 - count * 8;
    if (!(settings.models.end_lengths & 1u << count) || !(starts >> place & 0x80)) continue;
    if (FORGOTTEN(length, tail) >= count && model__is_end(tail >> place)) return true;
  }
  return false;
}

static __always_inline bool model__is_folder(struct dentry *dentry) {
  const char *name = (const char *)LOAD(dentry, d_name.name);
  __u32 length = LOAD(dentry, d_name.len);
  if (length > 31 || !(settings.models.folder_lengths & 1u << length)) return false;
  return model__has(settings.models.folders, length >= 8 ? read__word(name + length - 8)
                                                         : filter__first_bytes(read__word(name), length));
}

/* Whether a file's own name, or its folder's, is a model's. */
APART int model__is_named(__u64 file_address) {
  struct dentry *dentry = LOAD((struct file *)file_address, f_path.dentry);
  const char *name = (const char *)LOAD(dentry, d_name.name);
  __u32 length = LOAD(dentry, d_name.len);
  __u64 head = filter__first_bytes(read__word(name), length);
  if (model__has_end(filter__tail(name, length, head), length)) return true;
  return settings.models.folder_lengths && model__is_folder(LOAD(dentry, d_parent));
}

/* Whether the name that the program passed, as it was taken, is a model's: a link may be called otherwise than what it
 * leads to. */
static __always_inline bool model__is_spelled(struct slot *slot) {
  __u32 length = slot->spelled_bytes ? slot->spelled_bytes - 1 : 0;
  __u64 tail;
  if (!length) return false;
  tail = filter__spelled_word(slot, length >= 8 ? length - 8 : 0);
  return model__has_end(length >= 8 ? tail : tail << (64 - length * 8), length);
}

static __always_inline bool file__is_regular(struct inode *inode) {
  return (LOAD(inode, i_mode) & S_IFMT) == S_IFREG;
}

static __always_inline struct martlet_file_key file__key(struct inode *inode) {
  struct martlet_file_key key = {.inode = LOAD(inode, i_ino), .device = LOAD(LOAD(inode, i_sb), s_dev)};
  return key;
}

/* IS_MODEL, IS_WATCHED: what a regular file is by itself; 0 for any other than these. */
SHARED __u32 file__reasons(struct file *file) {
  struct martlet_file_key key = file__key(LOAD(file, f_inode));
  __u32 reasons = 0;
  if (bpf_map_lookup_elem(&watched_files, &key)) reasons |= IS_WATCHED;
  if (model__is_named((__u64)file)) reasons |= IS_MODEL;
  return reasons;
}

/* On an overlay, the file of the upper layer that stands for it; NULL elsewhere. */
static __always_inline struct inode *read__upper_inode(struct inode *inode) {
  struct dentry *upper;
  if (LOAD(LOAD(inode, i_sb), s_magic) != OVERLAYFS_MAGIC) return NULL;
  upper = read__upper_dentry(inode);
  return upper ? LOAD(upper, d_inode) : NULL;
}

/* A mapping that can write holds its file open, on an overlay the upper layer's. */
static __always_inline __s32 read__writers(struct inode *inode, struct inode *upper) {
  __s32 writers = LOAD(inode, i_writecount.counter), above = upper ? LOAD(upper, i_writecount.counter) : 0;
  return above > writers ? above : writers;
}

SHARED int store__file_state(struct martlet_file_state *state, struct inode *inode) {
  struct inode *upper = read__upper_inode(inode);
  if (!state) return 0;
  state->size_bytes = LOAD(inode, i_size);
  state->modified_ns = read__modified(inode);
  state->changed_ns = read__changed(inode);
  state->real_inode = upper ? LOAD(upper, i_ino) : 0;
  state->real_device = upper ? LOAD(LOAD(upper, i_sb), s_dev) : 0;
  state->writers = read__writers(inode, upper);
  return 0;
}

/* A record's texts, from here on, are those of a martlet_file about `inode`. */
SHARED int store__file(struct slot *slot, struct inode *inode, __u32 change) {
  struct martlet_file *record = RECORD(slot, martlet_file);
  __builtin_memset((char *)record + sizeof(record->record), 0, sizeof(*record) - sizeof(record->record));
  record->inode = LOAD(inode, i_ino);
  record->device = LOAD(LOAD(inode, i_sb), s_dev);
  record->inode_mode = LOAD(inode, i_mode);
  record->links = LOAD(inode, i_nlink);
  record->change = change;
  store__file_state(&record->state, inode);
  return 0;
}

/* The path of an inode by one of its names, as far as `mount` shows it: NULL for from its file system's root. */
SHARED __u32 store__inode_path(struct slot *slot, struct inode *inode, struct vfsmount *mount, struct mount *root) {
  struct walk_context context = {slot};
  struct hlist_node *alias = LOAD(inode, i_dentry.first);
  struct walk *walk;
  if (!slot || !alias) return 0;
  walk = &slot->walk;
  path__begin(walk);
  walk->dentry = (void *)((char *)alias - bpf_core_field_offset(struct dentry, d_u.d_alias));
  walk->mount = mount;
  walk->mount_root = mount ? LOAD(mount, mnt_root) : NULL;
  walk->root = root;
  bpf_loop(WALK_STEPS_MAX, path__step_dentry, &context, 0);
  path__end(slot);
  store__walked(slot, &RECORD(slot, martlet_file)->path);
  return store__walk_flags(slot, MARTLET_FLAG_PATH_TRUNCATED);
}

/* The last writer of a model has gone. The file may have gone with it: its memory may hold another one by now. */
static __always_inline int written__tell(const struct written_file *written, const struct martlet_file_key *key) {
  struct inode *inode;
  struct martlet_file *record;
  struct martlet_file_key found;
  struct slot *slot;
  if (!written || !key) return 0;
  COUNT(MARTLET_HOOK_FILE, seen);
  slot = emit__take(MARTLET_HOOK_FILE);
  if (!slot) return 0;
  inode = written->inode;
  record = RECORD(slot, martlet_file);
  __builtin_memcpy(&record->record, &written->record, sizeof(record->record));
  record->record.kind = MARTLET_KIND_FILE;
  record->record.flags = 0;
  record->record.cpu = bpf_get_smp_processor_id();
  record->record.time_ns = bpf_ktime_get_boot_ns();
  slot->length_bytes = sizeof(*record);
  found = file__key(inode);
  store__file(slot, inode, MARTLET_CHANGE_CLOSED);
  if (found.inode == key->inode && found.device == key->device) {
    struct vfsmount *mount = written->mount;
    if (LOAD(mount, mnt_sb) != LOAD(inode, i_sb)) mount = NULL;
    record->record.flags |= store__inode_path(slot, inode, mount, written->root);
  } else {
    __builtin_memset(&record->state, 0, sizeof(record->state));
    record->inode = key->inode;
    record->device = key->device;
    record->inode_mode = record->links = 0;
  }
  emit__finish_within(slot, MARTLET_HOOK_FILE, SHARE_CONNECT);
  return 0;
}

static __always_inline bool written__is_over(const struct written_file *written, const struct martlet_file_key *key) {
  struct inode *inode = written->inode;
  struct martlet_file_key found = file__key(inode);
  if (found.inode != key->inode || found.device != key->device) return true;
  return read__writers(inode, read__upper_inode(inode)) <= 0;
}

/* Taken out first and looked at again: who opens the file in between finds no entry and makes one, or is seen here. */
static long written__sweep(void *map, struct martlet_file_key *place, struct written_file *entry, __u32 *leaves_some) {
  struct martlet_file_key key = *place;
  struct written_file written = *entry;
  if (!written__is_over(&written, &key)) {
    *leaves_some = 1;
    return 0;
  }
  bpf_map_delete_elem(&written_files, &key);
  if (written__is_over(&written, &key)) {
    written__tell(&written, &key);
    return 0;
  }
  bpf_map_update_elem(&written_files, &key, &written, BPF_NOEXIST);
  *leaves_some = 1;
  return 0;
}

static int written__sweeper_fires(void *map, __u32 *zero, struct written_sweeper *sweeper) {
  __u32 leaves_some = 0;
  /* Before the look, so that whoever comes in behind it arms the timer himself. */
  __sync_lock_test_and_set(&sweeper->is_armed, 0);
  bpf_for_each_map_elem(&written_files, written__sweep, &leaves_some, 0);
  if (leaves_some && !__sync_lock_test_and_set(&sweeper->is_armed, 1))
    bpf_timer_start(&sweeper->timer, WRITTEN_SWEEP_NS, 0);
  return 0;
}

static __always_inline void written__arm(void) {
  __u32 zero = 0;
  struct written_sweeper *sweeper = bpf_map_lookup_elem(&written_sweepers, &zero);
  if (!sweeper) return;
  if (sweeper->made_by != settings.generation) {
    bpf_timer_init(&sweeper->timer, &written_sweepers, 1 /* CLOCK_MONOTONIC */);
    bpf_timer_set_callback(&sweeper->timer, written__sweeper_fires);
    sweeper->made_by = settings.generation;
  }
  if (sweeper->is_armed || __sync_lock_test_and_set(&sweeper->is_armed, 1)) return;
  bpf_timer_start(&sweeper->timer, WRITTEN_SWEEP_NS, 0);
}

static __always_inline __u32 open__bytes(__u32 reasons) {
  return reasons ? sizeof(struct martlet_open_state) : sizeof(struct martlet_open);
}

/* What an open record says more of a model or a watched file; it must have been begun with the bytes for it. */
SHARED int store__open_state(struct slot *slot, struct task_struct *task, struct file *file, __u32 reasons) {
  struct martlet_open_state *record = RECORD(slot, martlet_open_state);
  struct inode *inode = LOAD(file, f_inode);
  struct martlet_file_key key = file__key(inode);
  struct written_file written;
  record->open.record.flags |= MARTLET_FLAG_FILE_STATE;
  if (reasons & IS_WATCHED) record->open.record.flags |= MARTLET_FLAG_FILE_WATCHED;
  store__file_state(&record->state, inode);
  if (!(LOAD(file, f_mode) & FMODE_WRITE)) return 0;
  __builtin_memcpy(&written.record, &record->open.record, sizeof(written.record));
  written.inode = inode;
  written.mount = LOAD(file, f_path.mnt);
  written.root = LOAD(LOAD(LOAD(task, nsproxy), mnt_ns), root);
  if (bpf_map_update_elem(&written_files, &key, &written, BPF_ANY)) COUNT_FULL(MARTLET_TABLE_WRITTEN);
  else written__arm();
  return 0;
}
