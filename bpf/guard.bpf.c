/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Acts against the agent: its BPF objects, its memory, its life. They are told whatever rules are loaded, and what is aimed
 * at others leaves after one look.
 *
 * Only what has succeeded counts: what the kernel refuses anybody can try, as often as he likes. The target is taken from
 * the kernel's objects; where a command names it by a descriptor in the caller's memory, another thread may have changed
 * that meanwhile, but the command that got the caller the descriptor has been told.
 */

/* The probe's maps, programs and links, by martlet_guarded_key. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, MARTLET_GUARDED_MAX);
  __type(key, __u64);
  __type(value, __u8);
} guarded SEC(".maps");

#if MARTLET_TYPED_LOADS
/* They came with typed loads (6.2). */
extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;

static __always_inline bool guard__is_self_in_first_namespace(__s32 number) {
  struct task_struct *found = bpf_task_from_pid(number);
  bool is_ours;
  if (!found) return false;
  is_ours = (__u32)found->tgid == settings.self_process_id;
  bpf_task_release(found);
  return is_ours;
}
#else
/* A thread that is not the main one is not known as ours. */
static __always_inline bool guard__is_self_in_first_namespace(__s32 number) {
  return (__u32)number == settings.self_process_id;
}
#endif

APART int guard__tell(__u32 call, __u32 act, __s32 detail, __u32 object_id) {
  struct task_struct *task = read__current();
  struct martlet_tamper *record;
  struct slot *slot;
  /* The agent does as it likes with its own. */
  if ((__u32)LOAD(task, tgid) == settings.self_process_id) return 0;
  COUNT(MARTLET_HOOK_TAMPER, seen);
  slot = emit__take(MARTLET_HOOK_TAMPER);
  if (!slot || !emit__begin(slot, task, MARTLET_HOOK_TAMPER, MARTLET_KIND_TAMPER, call, sizeof(*record))) return 0;
  record = RECORD(slot, martlet_tamper);
  record->act = act;
  record->detail = detail;
  record->object_id = object_id;
  record->reserved = 0;
  /* Whoever may do such things at all could fill the rings with them. */
  emit__finish_within(slot, MARTLET_HOOK_TAMPER, SHARE_CONNECT);
  return 0;
}

static __always_inline bool is_self(struct task_struct *task) {
  return (__u32)LOAD(task, tgid) == settings.self_process_id;
}

/* Whether a process id, of the process or of one of its threads, is the agent's. */
static __always_inline bool is_self_pid(struct pid *pid) {
  struct hlist_node *node = pid ? LOAD(pid, tasks[PIDTYPE_PID].first) : NULL;
  return node && is_self((void *)((char *)node - bpf_core_field_offset(struct task_struct, pid_links)));
}

/* The same of a number as the caller writes it. Who lives in another pid namespace has no number for the agent, which is in
 * the first one. */
static __always_inline bool is_self_number(struct task_struct *caller, __s32 number) {
  return read__pid_namespace(LOAD(caller, thread_pid)) == FIRST_PID_NAMESPACE &&
         guard__is_self_in_first_namespace(number);
}

static __always_inline bool is_self_pidfd(struct file *file) {
  struct inode *inode = LOAD(file, f_inode);
  /* A file system of their own since 6.9; before, the file itself carries it. */
  if (LOAD(LOAD(inode, i_sb), s_magic) == PIDFS_MAGIC) return is_self_pid(LOAD(inode, i_private));
  return is_self_pid(LOAD(file, private_data));
}

/* Which sort of object a command of bpf(2) is about; 0 for one that touches none of ours. */
static __always_inline __u32 guard__object_of_command(__u32 command) {
  switch (command) {
    case BPF_MAP_GET_FD_BY_ID:
    case BPF_MAP_UPDATE_ELEM:
    case BPF_MAP_DELETE_ELEM:
    case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
    case BPF_MAP_UPDATE_BATCH:
    case BPF_MAP_DELETE_BATCH:
    case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
    case BPF_MAP_FREEZE: return MARTLET_TAMPER_MAP;
    case BPF_PROG_GET_FD_BY_ID: return MARTLET_TAMPER_PROGRAM;
    case BPF_LINK_GET_FD_BY_ID:
    case BPF_LINK_UPDATE:
    case BPF_LINK_DETACH: return MARTLET_TAMPER_LINK;
    default: return 0;
  }
}

/* Where its argument has the descriptor; commands that return one have none. */
static __always_inline __s32 guard__descriptor(__u32 command, const void *argument, long result) {
  __s32 fd = -1;
  switch (command) {
    case BPF_MAP_GET_FD_BY_ID:
    case BPF_PROG_GET_FD_BY_ID:
    case BPF_LINK_GET_FD_BY_ID: return result;
    case BPF_MAP_UPDATE_BATCH:
    case BPF_MAP_DELETE_BATCH:
    case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
      argument += __builtin_offsetof(union bpf_attr, batch.map_fd);
      break;
  }
  if (bpf_probe_read_user(&fd, sizeof(fd), argument)) return -1;
  return fd;
}

static __always_inline void guard__bpf(struct task_struct *task, __u32 command, const void *argument, long result) {
  __u32 object = guard__object_of_command(command), id;
  struct file *file;
  void *data;
  __u64 key;
  if (!object) return;
  file = read__file(task, guard__descriptor(command, argument, result));
  if (!file) return;
  data = LOAD(file, private_data);
  if (object == MARTLET_TAMPER_MAP)
    id = LOAD((struct bpf_map *)data, id);
  else if (object == MARTLET_TAMPER_LINK)
    id = LOAD((struct bpf_link *)data, id);
  else
    id = LOAD(LOAD((struct bpf_prog *)data, aux), id);
  key = martlet_guarded_key(object, id);
  if (bpf_map_lookup_elem(&guarded, &key)) guard__tell(MARTLET_CALL_BPF, object, command, id);
}

static __always_inline void guard__ptrace(struct task_struct *task, __u32 request) {
  struct list_head *latest;
  if (request != PTRACE_ATTACH && request != PTRACE_SEIZE) return;
  latest = LOAD(task, ptraced.next);
  if (is_self((void *)((char *)latest - bpf_core_field_offset(struct task_struct, ptrace_entry))))
    guard__tell(MARTLET_CALL_PTRACE, MARTLET_TAMPER_TRACE, request, 0);
}

/* A call of those that can be aimed at the agent has succeeded; its first two arguments. */
APART_IN(1) int guard__call(__u32 call, __u64 first, __u64 second, __s64 result) {
  struct task_struct *task = read__current();
  switch (call) {
    case MARTLET_CALL_BPF: guard__bpf(task, first, (const void *)second, result); break;
    case MARTLET_CALL_PTRACE: guard__ptrace(task, first); break;
    case MARTLET_CALL_PROCESS_VM_READV:
    case MARTLET_CALL_PROCESS_VM_WRITEV:
      if (is_self_number(task, first)) guard__tell(call, MARTLET_TAMPER_MEMORY, 0, 0);
      break;
    case MARTLET_CALL_PIDFD_GETFD: {
      struct file *file = read__file(task, (__s32)first);
      if (file && is_self_pidfd(file)) guard__tell(call, MARTLET_TAMPER_DESCRIPTOR, second, 0);
      break;
    }
    case MARTLET_CALL_IO_URING_SETUP:
      if (settings.ring_setups && !filter__is_host(task)) guard__tell(call, MARTLET_TAMPER_RING_SETUP, 0, 0);
      break;
  }
  return 0;
}

/* A file of procfs was opened. */
APART int guard__process_file(__u32 call, __u64 address) {
  struct file *file = (struct file *)address;
  struct inode *inode = LOAD(file, f_inode);
  const char *name;
  name = (const char *)LOAD(LOAD(file, f_path.dentry), d_name.name);
  if (filter__first_bytes(read__word(name), 4) != ('m' | 'e' << 8 | 'm' << 16)) return 0;
  inode = (void *)((char *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode));
  if (is_self_pid(LOAD((struct proc_inode *)inode, pid)))
    guard__tell(call, MARTLET_TAMPER_MEMORY_FILE, LOAD(file, f_flags) & O_ACCMODE, 0);
  return 0;
}

/* A file was opened: perhaps the agent's memory, by whichever name. */
static __always_inline void guard__opened(__u32 call, struct file *file) {
  if (LOAD(LOAD(LOAD(file, f_inode), i_sb), s_magic) == PROC_MAGIC) guard__process_file(call, (__u64)file);
}

/* Every way to send one, with the one who gets it; those that the kernel sends on its own account have another code. */
PROGRAM(1, "tp_btf/signal_generate")
int BPF_PROG(handle_signal, int signal, struct kernel_siginfo *info, struct task_struct *target) {
  if (!is_self(target)) return 0;
  if (canary__is_for(MARTLET_CANARY_SIGNAL) || is_self(read__current())) return 0;
  /* 0 and 1 stand for the kernel. */
  if ((__u64)info <= 1 || LOAD(info, si_code) > 0) return 0;
  guard__tell(MARTLET_CALL_NONE, MARTLET_TAMPER_SIGNAL, signal, 0);
  return 0;
}
