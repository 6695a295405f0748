/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls without a family of their own, when they return: one program for all, told by `settings.shapes` what the
 * arguments of a call are.
 *
 * Names are what user memory holds when the call is over: another thread may have changed them since the kernel read
 * them, so they are marked. What a descriptor stands for comes from the kernel.
 */

struct call_arguments {
  __u64 values[6];
};

/* The argument of openat2, as user space lays it out. */
struct user_open_how {
  __u64 flags;
  __u64 mode;
  __u64 resolve;
};

/* What is read of a call that returns. Not on the stack: kernels before 6.13 give all functions that call each other
 * 512 bytes together, and here they are at their deepest. One for each CPU, as the kernel runs no program while it runs the
 * same one. */
struct call_scratch {
  struct call_arguments arguments;
  struct user_open_how how;
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct call_scratch);
} call_scratches SEC(".maps");

static __always_inline bool is_wanted(__u32 call) {
  return call < MARTLET_CALL_COUNT && settings.wanted_calls[call / 64] >> (call % 64) & 1;
}

static __always_inline __u64 record__argument(struct martlet_syscall *record, __u8 ordinal) {
  __u32 index = ordinal - 1u;
  return index < 6 ? record->arguments[index] : 0;
}

/* A string that the call passed; `ordinal` is its argument's index plus one. */
SHARED __u32 store__call_name(struct slot *slot, __u8 ordinal, __u32 room, struct martlet_text *text) {
  const void *address;
  if (!ordinal || !slot || !text) return 0;
  address = (const void *)record__argument(RECORD(slot, martlet_syscall), ordinal);
  return address ? store__user_name(slot, address, room, text) : MARTLET_FLAG_NAME_MISSING;
}

/* Where a relative name starts, which is the working directory for a call that has no argument for it. */
static __always_inline void store__call_directory(struct slot *slot, struct task_struct *task, __u8 ordinal,
                                                  const struct martlet_text *name, struct martlet_text *directory) {
  struct martlet_syscall *record = RECORD(slot, martlet_syscall);
  if (ordinal == MARTLET_NO_DIRECTORY || !store__is_relative(slot, name)) return;
  record->record.flags |= store__start_directory(
      slot, task, ordinal ? (__s32)record__argument(record, ordinal) : AT_FDCWD, directory);
}

static __always_inline void store__ends(struct martlet_ends *ends, struct file *file) {
  struct socket *socket = (struct socket *)LOAD(file, private_data);
  struct sock *sock = LOAD(socket, sk);
  __u16 family = LOAD(sock, __sk_common.skc_family);
  if (family == AF_INET || family == AF_INET6) {
    STORE_ENDS(ends, sock);
    return;
  }
  ends->family = family;
  ends->protocol = LOAD(sock, sk_protocol);
}

/* What the call's descriptor stands for. None, where another thread has closed it meanwhile. */
static __always_inline void store__call_file(struct slot *slot, struct task_struct *task) {
  struct martlet_syscall *record = RECORD(slot, martlet_syscall);
  struct file *file = read__file(task, record->fd);
  struct inode *inode;
  if (!file) return;
  inode = LOAD(file, f_inode);
  record->inode = LOAD(inode, i_ino);
  record->inode_mode = LOAD(inode, i_mode);
  record->device = LOAD(LOAD(inode, i_sb), s_dev);
  if ((record->inode_mode & S_IFMT) == S_IFSOCK) store__ends(&record->ends, file);
  record->record.flags |= store__file_path(slot, task, file, &record->path);
  record->file_flags = slot->file_flags;
}

static __always_inline void store__call(struct slot *slot, struct task_struct *task, __u32 call, long result) {
  struct martlet_syscall *record = RECORD(slot, martlet_syscall);
  const volatile struct martlet_call_shape *shape = &settings.shapes[call];
  struct cred *cred = (struct cred *)LOAD(task, cred);
  __u32 room = result < 0 ? FAILED_NAME_BYTES_MAX : TEXT_BYTES_MAX;
  __u8 fd = shape->fd;
  record->capabilities_effective = read__capabilities(ADDRESS(cred, cap_effective));
  record->capabilities_permitted = read__capabilities(ADDRESS(cred, cap_permitted));
  record->capabilities_inheritable = read__capabilities(ADDRESS(cred, cap_inheritable));
  record->result = result;
  if (fd == MARTLET_FD_RESULT)
    record->fd = result < 0 ? -1 : result;
  else
    record->fd = fd ? (__s32)record__argument(record, fd) : -1;
  if (record->fd >= 0) store__call_file(slot, task);
  if (shape->flags & MARTLET_SHAPE_DIRECTORY && result >= 0)
    record->record.flags |= store__directory(slot, task, ADDRESS(LOAD(task, fs), pwd), &record->path);
  record->record.flags |= store__call_name(slot, shape->names[0], room, &record->names[0]) |
                          store__call_name(slot, shape->names[1], room, &record->names[1]) |
                          store__call_name(slot, shape->names[2], FAILED_NAME_BYTES_MAX, &record->names[2]);
  store__call_directory(slot, task, shape->directories[0], &record->names[0], &record->directories[0]);
  store__call_directory(slot, task, shape->directories[1], &record->names[1], &record->directories[1]);
}

/* What the state of processes is kept from is told whatever rules ask. */
static __always_inline bool changes_state(__u32 call) {
  return call < MARTLET_CALL_COUNT && settings.shapes[call].flags & MARTLET_SHAPE_STATE;
}

APART_IN(1) int call_returned(__u32 call, const struct call_arguments *arguments, long result) {
  struct task_struct *task = read__current();
  struct martlet_syscall *record;
  struct slot *slot;
  bool is_unwanted;
  if (call >= MARTLET_CALL_COUNT || !arguments) return 0;
  if (settings.shapes[call].flags & MARTLET_SHAPE_GUARD && result >= 0)
    guard__call(call, arguments->values[0], arguments->values[1], result);
  /* Only for what it changes, and it changed nothing; or only for the guard. */
  if (!is_wanted(call) && (result < 0 || !changes_state(call))) return 0;
  is_unwanted = FORGOTTEN(!changes_state(call) && !filter__wants_actor(call, task), task);
  if (canary__is_for(MARTLET_CANARY_CALL) || (__u32)LOAD(task, tgid) == settings.self_process_id ||
      filter__drops(is_unwanted)) {
    COUNT_DROPPED(MARTLET_HOOK_CALL);
    return 0;
  }
  COUNT(MARTLET_HOOK_CALL, seen);
  slot = emit__take(MARTLET_HOOK_CALL);
  if (!slot) return 0;
  if (!emit__begin(slot, task, MARTLET_HOOK_CALL, MARTLET_KIND_CALL, call, sizeof(*record))) return 0;
  record = RECORD(slot, martlet_syscall);
  __builtin_memset((char *)record + sizeof(record->record), 0, sizeof(*record) - sizeof(record->record));
  if (is_unwanted) record->record.flags |= MARTLET_FLAG_UNWANTED;
  __builtin_memcpy(record->arguments, arguments, sizeof(*arguments));
  store__call(slot, task, call, result);
  emit__finish_within(slot, MARTLET_HOOK_CALL, result < 0 ? SHARE_FAILED_OPEN : SHARE_OPEN);
  return 0;
}
