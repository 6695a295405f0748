/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files: calls of the open family, when they return.
 *
 * What was opened is read from the file object the descriptor stands for. The string that the program passed is read
 * as well, for rules that look at how a name was spelled, and is marked: it lies in memory that others may write.
 */

struct open_call {
  __u16 call;
  __s32 directory_fd;
  const void *name; /* NULL for a call that takes a handle */
  __u32 flags;
  __u32 mode;
  bool has_flags;
};

/* What is kept of the name that a failed open passed, with its NUL. A name that fails costs nothing to make up, so a
 * program that means to fill the ring would choose long ones. */
#define FAILED_NAME_BYTES_MAX 257

/* The argument of openat2, as user space lays it out. */
struct user_open_how {
  __u64 flags;
  __u64 mode;
  __u64 resolve;
};

static __always_inline void store__opened_file(struct slot *slot, struct task_struct *task, struct file *file) {
  struct martlet_open *record = RECORD(slot, martlet_open);
  struct inode *inode = LOAD(file, f_inode);
  struct super_block *super = LOAD(inode, i_sb);
  record->inode = LOAD(inode, i_ino);
  record->inode_mode = LOAD(inode, i_mode);
  record->filesystem_magic = LOAD(super, s_magic);
  record->device = LOAD(super, s_dev);
  record->file_mode = LOAD(file, f_mode);
  record->record.flags |= store__file_path(slot, task, file, &record->path);
  record->file_flags = slot->file_flags;
}

/* What came from memory may have been changed since: the file knows how it may be used. */
static __always_inline __u32 read__open_flags(struct open_call *open, struct file *file) {
  __u32 flags = file ? LOAD(file, f_flags) : 0;
  if (!open->has_flags) return flags;
  if (!file || open->call != MARTLET_CALL_OPENAT2) return open->flags;
  return (open->flags & ~O_ACCMODE) | (flags & O_ACCMODE);
}

/* Where the class alone says so, whether or not it is a directory: the usual case, and the cheapest. */
static __always_inline bool open_is_unwanted_class(struct open_call *open, bool is_opened, bool is_container) {
  __u32 kind;
  if (!open->has_flags || open->call == MARTLET_CALL_OPENAT2) return false;
  kind = martlet_open_class(open->flags, false, is_opened, is_container);
  if (filter__verdict(kind) != MARTLET_VERDICT_DROP) return false;
  return !is_opened || filter__verdict(martlet_open_class(open->flags, true, true, is_container)) == MARTLET_VERDICT_DROP;
}

static __always_inline bool open_is_unwanted(struct slot *slot, struct task_struct *task, struct open_call *open,
                                             struct file *file, bool is_opened, bool is_container) {
  __u32 kind = martlet_open_class(read__open_flags(open, file), filter__is_directory(file), is_opened, is_container);
  __u32 verdict = filter__verdict(kind);
  /* Opened, and closed again by another thread: what it was cannot be told. */
  if (is_opened && !file) return false;
  if (verdict != MARTLET_VERDICT_TEST_NAMES) return verdict == MARTLET_VERDICT_DROP;
  slot->search.wanted = 1u << (kind & 31);
  return !filter__passes_names(slot->index, (__u64)task, (__u64)file, (__u64)open->name, open->directory_fd);
}

static __always_inline int open_returned(struct open_call *open, long result) {
  struct task_struct *task = read__current();
  struct martlet_open *record;
  struct file *file = NULL;
  struct slot *slot;
  bool is_container, is_unwanted = false;
  __u32 reasons = 0;
  COUNT(MARTLET_HOOK_OPEN, seen);
  if ((__u32)LOAD(task, tgid) == settings.self_process_id) {
    COUNT(MARTLET_HOOK_OPEN, filtered);
    return 0;
  }
  if (settings.filters) {
    is_container = !filter__is_host(task);
    is_unwanted = open_is_unwanted_class(open, result >= 0, is_container);
    if (is_unwanted && settings.filters == MARTLET_FILTERING_ON && (!settings.watches_files || result < 0)) {
      COUNT(MARTLET_HOOK_OPEN, filtered);
      return 0;
    }
  }
  /* None when another thread closed it before the call returned: then the name alone tells what was opened. */
  if (result >= 0) file = read__file(task, result);
  if (settings.watches_files && file) reasons = file__reasons(file);
  if (is_unwanted && settings.filters == MARTLET_FILTERING_ON && !reasons) {
    COUNT(MARTLET_HOOK_OPEN, filtered);
    return 0;
  }
  slot = emit__take(MARTLET_HOOK_OPEN);
  if (!slot) return 0;
  slot->spelled_bytes = 0;
  if (settings.filters && !is_unwanted) {
    is_unwanted = open_is_unwanted(slot, task, open, file, result >= 0, is_container);
    if (is_unwanted && settings.filters == MARTLET_FILTERING_ON && !reasons) {
      COUNT(MARTLET_HOOK_OPEN, filtered);
      emit__release(slot);
      return 0;
    }
  }
  if (!emit__begin(slot, task, MARTLET_HOOK_OPEN, MARTLET_KIND_OPEN, open->call, open__bytes(reasons))) return 0;
  record = RECORD(slot, martlet_open);
  __builtin_memset((char *)record + sizeof(record->record), 0, sizeof(*record) - sizeof(record->record));
  if (is_unwanted && settings.filters == MARTLET_FILTERING_MARKS) record->record.flags |= MARTLET_FLAG_UNWANTED;
  record->result = result;
  record->create_mode = open->mode;
  record->directory_fd = open->directory_fd;
  record->open_flags = read__open_flags(open, file);
  if (reasons) store__open_state(slot, task, file, reasons);
  if (file) store__opened_file(slot, task, file);
  if (slot->spelled_bytes)
    record->record.flags |= store__spelled(slot, &record->name);
  else if (open->name)
    record->record.flags |= store__user_name(slot, open->name, result < 0 ? FAILED_NAME_BYTES_MAX : TEXT_BYTES_MAX,
                                             &record->name);
  if (store__is_relative(slot, &record->name))
    record->record.flags |= store__start_directory(slot, task, open->directory_fd, &record->directory);
  emit__finish_within(slot, MARTLET_HOOK_OPEN, result < 0 ? SHARE_FAILED_OPEN : SHARE_OPEN);
  return 0;
}
