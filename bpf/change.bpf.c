/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes of watched files, seen where the kernel moves an inode's time of change.
 *
 * That is the one place that all ways to a change pass: calls by any name of the file, a descriptor or a handle, through
 * any mount, by io_uring, a mapping's first write. The call under way tells what sort of change it is. A rename or a link
 * that gives a file a model's name is told of any file: so a download ends.
 */

/* The change that the call under way stands for, and the new name that it gives. */
struct change {
  __u16 what; /* enum martlet_change */
  bool is_sure; /* the call always makes it, where it succeeds */
  __s32 directory_fd;
  const void *name;
};

static __always_inline void read__change(struct task_struct *task, struct change *change) {
  struct pt_regs *regs;
  __u64 arguments[6];
  __u32 number, code;
  bool is_compat;
  change->what = MARTLET_CHANGE_TOUCHED;
  change->is_sure = false;
  change->directory_fd = AT_FDCWD;
  change->name = NULL;
  /* What a worker does, no call of its own tells. */
  if (LOAD(task, flags) & (PF_IO_WORKER | PF_KTHREAD)) return;
  regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
  number = read__call_number(regs);
  /* Of a page fault it is none. */
  if (number >= MARTLET_CALL_NUMBERS || !settings.changes[number]) return;
  is_compat = is_compat_call(task);
  code = is_compat ? settings.changes[number] >> 8 : settings.changes[number] & 0xff;
  if (!code) return;
  change->what = code & 7;
  change->is_sure = !(code & MARTLET_CHANGE_PERHAPS);
  if (code < 16) return;
  read__arguments(regs, is_compat, arguments);
  if (code >> 4 == 4) {
    change->directory_fd = arguments[2];
    change->name = (const void *)arguments[3];
  } else {
    change->name = (const void *)arguments[1];
  }
}

/* The mount through which the caller most likely reached `inode`. NULL where neither of those it stands on shows it. */
static __always_inline struct vfsmount *read__likely_mount(struct task_struct *task, struct inode *inode) {
  struct super_block *super = LOAD(inode, i_sb);
  struct fs_struct *fs = LOAD(task, fs);
  struct vfsmount *mount = LOAD(fs, pwd.mnt);
  if (LOAD(mount, mnt_sb) == super) return mount;
  mount = LOAD(fs, root.mnt);
  return LOAD(mount, mnt_sb) == super ? mount : NULL;
}

/* Whether the end of a stored name is a model's. */
static __always_inline bool model__is_stored(struct slot *slot, const struct martlet_text *text) {
  __u32 length = text->length_bytes, end = text->offset_bytes + length;
  __u64 tail = 0;
  if (length == 0 || end < 8 || end > SLOT_RECORD_BYTES) return false;
  /* What stands before a shorter name are its record's own bytes, which no length that fits looks at. */
  bpf_probe_read_kernel(&tail, sizeof(tail), slot->record + end - 8);
  return model__has_end(tail, length);
}

SHARED int file_changed(struct inode *inode, const struct change *change, bool is_watched) {
  struct task_struct *task = read__current();
  struct martlet_file *record;
  struct slot *slot;
  if (!change) return 0;
  slot = emit__take(MARTLET_HOOK_FILE);
  if (!slot) return 0;
  if (!emit__begin(slot, task, MARTLET_HOOK_FILE, MARTLET_KIND_FILE, MARTLET_CALL_NONE, sizeof(*record))) return 0;
  record = RECORD(slot, martlet_file);
  store__file(slot, inode, change->what);
  if (is_watched) record->record.flags |= MARTLET_FLAG_FILE_WATCHED;
  if (change->name) {
    record->record.flags |= store__user_name(slot, change->name, TEXT_BYTES_MAX, &record->name);
    if (!is_watched && !model__is_stored(slot, &record->name)) {
      COUNT(MARTLET_HOOK_FILE, filtered);
      emit__release(slot);
      return 0;
    }
    if (store__is_relative(slot, &record->name))
      record->record.flags |= store__start_directory(slot, task, change->directory_fd, &record->directory);
  }
  record->record.flags |= store__inode_path(slot, inode, read__likely_mount(task, inode),
                                            LOAD(LOAD(LOAD(task, nsproxy), mnt_ns), root));
  emit__finish_within(slot, MARTLET_HOOK_FILE, SHARE_CONNECT);
  return 0;
}

/* `is_copy`: a time was taken over that was there already, which happens without a change as well. */
static __always_inline int inode_touched(struct inode *inode, bool is_copy) {
  struct martlet_watched_file *watched;
  struct martlet_file_key key;
  struct change change;
  if (!file__is_regular(inode)) return 0;
  key = file__key(inode);
  watched = bpf_map_lookup_elem(&watched_files, &key);
  read__change(read__current(), &change);
  if ((!watched && !change.name) || (is_copy && !change.is_sure)) return 0;
  COUNT(MARTLET_HOOK_FILE, seen);
  if (watched && __sync_lock_test_and_set(&watched->told[change.what & 7], 1)) {
    COUNT(MARTLET_HOOK_FILE, filtered);
    return 0;
  }
  return file_changed(inode, &change, watched != NULL);
}

/* Since 6.13, on file systems that keep fine times. */
PROGRAM(2, "tp_btf/ctime_ns_xchg")
int BPF_PROG(handle_change, struct inode *inode) {
  if (canary__is_for(MARTLET_CANARY_CHANGE)) return 0;
  return inode_touched(inode, false);
}

/* The same, within one tick of the clock: the time stays what it is. */
PROGRAM(2, "tp_btf/ctime_xchg_skip")
int BPF_PROG(handle_change_within_tick, struct inode *inode) {
  if (canary__is_for(MARTLET_CANARY_CHANGE_WITHIN_TICK)) return 0;
  return inode_touched(inode, false);
}

/* Since 6.13, on the others. An overlay takes its times over from the layer below whenever it may have changed. */
PROGRAM(2, "tp_btf/inode_set_ctime_to_ts")
int BPF_PROG(handle_change_coarse, struct inode *inode, struct timespec64 *time) {
  bool is_copy = LOAD(LOAD(inode, i_sb), s_magic) == OVERLAYFS_MAGIC &&
                 read__changed(inode) == read__nanoseconds(LOAD(time, tv_sec), LOAD(time, tv_nsec));
  if (canary__is_for(MARTLET_CANARY_CHANGE_COARSE)) return 0;
  return inode_touched(inode, is_copy);
}

/* On kernels before: whatever has to be written to a disk. */
PROGRAM(2, "tp_btf/writeback_mark_inode_dirty")
int BPF_PROG(handle_change_dirty, struct inode *inode) {
  if (canary__is_for(MARTLET_CANARY_CHANGE)) return 0;
  return inode_touched(inode, false);
}
