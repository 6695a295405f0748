/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files: calls of the open family, when they return.
 *
 * What was opened is read from the file object the descriptor stands for. The string that the program passed is read
 * as well, for rules that look at how a name was spelled, and is marked: it lies in memory that others may write.
 */

/* What is kept of the name that a failed open passed, with its NUL. A name that fails costs nothing to make up, so a
 * program that means to fill the ring would choose long ones. */
#define FAILED_NAME_BYTES_MAX 257

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

static __always_inline bool open_is_on_host(struct open_call *open, struct task_struct *task) {
  if (!open->actor) open->actor = filter__is_host(task) ? MARTLET_ACTOR_HOST : MARTLET_ACTOR_CONTAINER;
  return open->actor == MARTLET_ACTOR_HOST;
}

/* Whether the slot has the name that the program passed. */
static __always_inline bool open_takes_name(struct slot *slot, struct open_call *open) {
  return slot->spelled_bytes || (open->name && filter__take_name(slot, open->name));
}

/* What came from memory may have been changed since: the file knows how it may be used. */
static __always_inline __u32 read__open_flags(struct open_call *open, struct file *file) {
  __u32 flags = file ? LOAD(file, f_flags) : 0;
  if (!open->has_flags) return flags;
  if (!file || open->call != MARTLET_CALL_OPENAT2) return open->flags;
  return (open->flags & ~O_ACCMODE) | (flags & O_ACCMODE);
}

/* What an open is judged by before any file is looked at: the verdicts on a file and on a directory together, on the host
 * and in a container; as good as both where only the file tells how it was opened. */
struct open_verdicts {
  __u32 on_host;
  __u32 in_container;
};

static __always_inline struct open_verdicts open_verdicts(struct martlet_filter *filter, struct open_call *open) {
  __u32 any = MARTLET_VERDICT_PASS | MARTLET_VERDICT_TEST_NAMES;
  __u32 kind = martlet_open_class(open->flags, false, open->result >= 0, false);
  __u32 both = filter->early_verdicts[martlet_early_class(kind) & (MARTLET_EARLY_CLASSES - 1)];
  if (!open->has_flags || open->call == MARTLET_CALL_OPENAT2) return (struct open_verdicts){any, any};
  return (struct open_verdicts){both & 15, both >> 4};
}

/* Whether none of the classes wants who acts, or a name that was taken. */
static __always_inline bool open_has_no_name(struct slot *slot, struct task_struct *task, struct open_call *open,
                                             struct file *file, __u32 classes) {
  slot->search.wanted = classes;
  return !filter__passes_names(slot->index, (__u64)task, (__u64)file, open->directory_fd);
}

static __always_inline bool open_is_unwanted(struct slot *slot, struct task_struct *task, struct open_call *open,
                                             struct file *file) {
  bool is_opened = open->result >= 0;
  /* A handle has none, and that of a request has been taken. */
  bool has_name = !open->name;
  __u32 kind, verdict, zero = 0;
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  struct open_verdicts verdicts;
  /* Opened, and closed again by another thread: what it was cannot be told. */
  if (!filter || (is_opened && !file)) return false;
  verdicts = open_verdicts(filter, open);
  /* Where names count whatever else it is, few have one that does, and only of those the rest is worth a look. */
  if ((verdicts.on_host | verdicts.in_container) == MARTLET_VERDICT_TEST_NAMES) {
    if (!has_name) has_name = open_takes_name(slot, open);
    if (has_name && open_has_no_name(slot, task, open, file,
                                     martlet_open_classes(martlet_open_class(open->flags, false, is_opened, false))))
      return true;
  }
  has_name = FORGOTTEN(has_name, task);
  kind = FORGOTTEN(martlet_open_class(read__open_flags(open, file), filter__is_directory(file), is_opened, false), task);
  if (!open_is_on_host(open, task)) kind |= martlet_open_class(0, false, false, true);
  verdict = filter__verdict(filter, kind);
  if (verdict != MARTLET_VERDICT_TEST_NAMES) return verdict == MARTLET_VERDICT_DROP;
  if (!has_name && !open_takes_name(slot, open)) return false;
  return open_has_no_name(slot, task, open, file, 1u << (kind & (MARTLET_OPEN_CLASSES - 1)));
}

/* IS_MODEL, IS_WATCHED: why what was opened is told whatever rules ask for. Who only reads counts where rules ask about
 * his models. The name that was taken into the slot counts, or is taken now. */
SHARED __u32 open_reasons(struct slot *slot, struct task_struct *task, struct open_call *open, struct file *file) {
  const __u32 all = MARTLET_ACTOR_HOST | MARTLET_ACTOR_CONTAINER;
  __u32 reasons;
  if (!file__is_regular(LOAD(file, f_inode))) return 0;
  if (settings.models.readers != all && !(LOAD(file, f_mode) & FMODE_WRITE) &&
      !(settings.models.readers & (open_is_on_host(open, task) ? MARTLET_ACTOR_HOST : MARTLET_ACTOR_CONTAINER)))
    return 0;
  reasons = file__reasons(file);
  if (reasons & IS_MODEL || !open_takes_name(slot, open)) return reasons;
  return model__is_spelled(slot) ? reasons | IS_MODEL : reasons;
}

static __always_inline void store__open(struct slot *slot, struct task_struct *task, struct open_call *open,
                                        struct file *file, __u32 reasons) {
  struct martlet_open *record = RECORD(slot, martlet_open);
  __builtin_memset((char *)record + sizeof(record->record), 0, sizeof(*record) - sizeof(record->record));
  record->result = open->result;
  record->create_mode = open->mode;
  record->directory_fd = open->directory_fd;
  record->open_flags = read__open_flags(open, file);
  if (reasons) store__open_state(slot, task, file, reasons);
  if (file) store__opened_file(slot, task, file);
  if (slot->spelled_bytes)
    record->record.flags |= store__spelled(slot, &record->name);
  else if (open->name)
    record->record.flags |= store__user_name(
        slot, open->name, open->result < 0 ? FAILED_NAME_BYTES_MAX : TEXT_BYTES_MAX, &record->name);
  if (store__is_relative(slot, &record->name))
    record->record.flags |= store__start_directory(slot, task, open->directory_fd, &record->directory);
}

/* What open_told finds out by itself. */
#define REASONS_UNKNOWN ~0u

/* An open that may be wanted: that in the slot of calls. */
APART_IN(1) int open_told(__u32 is_unwanted, __u32 reasons) {
  struct task_struct *task = read__current();
  struct file *file = NULL;
  struct slot *slot = emit__call_slot();
  struct open_call *open = &slot->open;
  __u32 version = filter__version();
  if (!slot) return 0;
  slot->spelled_bytes = 0;
  /* None when another thread closed it before the call returned: then the name alone tells what was opened. */
  if (open->result >= 0) file = read__file(task, open->result);
  if (file) guard__opened(open->call, file);
  if (!settings.watches_files || !file) reasons = 0;
  else if (reasons == REASONS_UNKNOWN) reasons = open_reasons(slot, task, open, file);
  if (settings.filters && !is_unwanted)
    is_unwanted = open_is_unwanted(slot, task, open, file) && filter__has_stayed(version);
  if (filter__drops(is_unwanted) && !reasons) {
    COUNT_DROPPED_ALONE(MARTLET_HOOK_OPEN);
    return 0;
  }
  COUNT(MARTLET_HOOK_OPEN, seen);
  if (!emit__begin(slot, task, MARTLET_HOOK_OPEN, MARTLET_KIND_OPEN, open->call, open__bytes(reasons))) return 0;
  store__open(slot, task, open, file, reasons);
  if (is_unwanted && !reasons && settings.filters == MARTLET_FILTERING_MARKS)
    RECORD(slot, martlet_record)->flags |= MARTLET_FLAG_UNWANTED;
  emit__finish_within(slot, MARTLET_HOOK_OPEN, open->result < 0 ? SHARE_FAILED_OPEN : SHARE_OPEN);
  return 0;
}

/* Whether its class alone tells that no rule can match an open. */
static __always_inline bool open_is_unwanted_class(struct open_call *open, struct task_struct *task) {
  __u32 zero = 0, version = filter__version();
  struct martlet_filter *filter = bpf_map_lookup_elem(&kernel_filter, &zero);
  struct open_verdicts verdicts;
  if (!settings.filters || !filter) return false;
  verdicts = open_verdicts(filter, open);
  /* Where the task runs is looked up only if it makes a difference. */
  if (verdicts.on_host && verdicts.in_container) return false;
  return (verdicts.on_host == verdicts.in_container ||
          (open_is_on_host(open, task) ? !verdicts.on_host : !verdicts.in_container)) &&
         filter__has_stayed(version);
}

/* What its class tells to drop, the usual case, is dropped here, unless the file is a model or watched. */
static __always_inline int open_returned(struct slot *slot, struct task_struct *task) {
  struct open_call *open = &slot->open;
  struct file *file = NULL;
  __u32 reasons;
  bool is_unwanted;
  if ((__u32)LOAD(task, tgid) == settings.self_process_id) {
    canary__is_for(MARTLET_CANARY_OPEN);
    COUNT_DROPPED_ALONE(MARTLET_HOOK_OPEN);
    return 0;
  }
  is_unwanted = open_is_unwanted_class(open, task);
  if (!filter__drops(is_unwanted)) return open_told(is_unwanted, REASONS_UNKNOWN);
  if (open->result >= 0 && (settings.watches_files || open->flags & O_ACCMODE)) file = read__file(task, open->result);
  if (file && settings.watches_files) {
    slot->spelled_bytes = 0;
    reasons = open_reasons(slot, task, open, file);
    if (reasons) return open_told(is_unwanted, reasons);
  }
  if (file) guard__opened(open->call, file);
  COUNT_DROPPED_ALONE(MARTLET_HOOK_OPEN);
  return 0;
}
