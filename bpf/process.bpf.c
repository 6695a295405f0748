/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes: how they start, what they run, how they end.
 */

static __always_inline void store__process_ids(struct martlet_process *record, struct task_struct *task) {
  struct signal_struct *signal = LOAD(task, signal);
  struct pid *self = LOAD(LOAD(task, group_leader), thread_pid);
  struct pid *group = read__group_pid(signal, PIDTYPE_PGID);
  struct pid *session = read__group_pid(signal, PIDTYPE_SID);
  struct task_struct *parent = LOAD(task, real_parent);
  struct task_struct *parent_leader = LOAD(parent, group_leader);
  __u32 level = LOAD(self, level);
  record->parent_id = LOAD(parent, tgid);
  record->parent_start_ns = LOAD(parent_leader, start_boottime);
  record->process_group_id = read__pid_number(group, 0);
  record->session_id = read__pid_number(session, 0);
  record->namespace_process_id = read__pid_number(self, level);
  record->namespace_process_group_id = read__pid_number(group, level);
  record->namespace_session_id = read__pid_number(session, level);
  record->pid_namespace = read__pid_namespace(self);
  record->terminal = read__terminal(signal);
}

static __always_inline void store__process_rights(struct martlet_process *record, struct task_struct *task) {
  struct cred *cred = (struct cred *)LOAD(task, cred);
  struct nsproxy *namespaces = LOAD(task, nsproxy);
  record->capabilities_effective = read__capabilities(ADDRESS(cred, cap_effective));
  record->capabilities_permitted = read__capabilities(ADDRESS(cred, cap_permitted));
  record->capabilities_inheritable = read__capabilities(ADDRESS(cred, cap_inheritable));
  record->real_user_id = LOAD(cred, uid.val);
  record->saved_user_id = LOAD(cred, suid.val);
  record->real_group_id = LOAD(cred, gid.val);
  record->login_user_id = bpf_core_field_exists(task->loginuid) ? LOAD(task, loginuid.val) : ~0u;
  record->mount_namespace = LOAD(LOAD(namespaces, mnt_ns), ns.inum);
  record->network_namespace = LOAD(LOAD(namespaces, net_ns), ns.inum);
  record->user_namespace = LOAD(LOAD(cred, user_ns), ns.inum);
}

static __always_inline void store__process_image(struct slot *slot, struct task_struct *task) {
  struct martlet_process *record = RECORD(slot, martlet_process);
  struct mm_struct *mm = LOAD(task, mm);
  struct file *exe = mm ? LOAD(mm, exe_file) : NULL;
  struct inode *inode;
  if (!exe) return;
  inode = LOAD(exe, f_inode);
  record->exe_inode = LOAD(inode, i_ino);
  record->exe_device = LOAD(LOAD(inode, i_sb), s_dev);
  record->exe_modified_ns = read__modified(inode);
  record->exe_changed_ns = read__changed(inode);
  record->record.flags |= store__file_path(slot, task, exe, &record->exe_path);
  record->exe_flags = slot->file_flags;
}

/* Everything about a process but its name and arguments, which exec and seed find in different places. */
SHARED int store__process(struct slot *slot, struct task_struct *task) {
  struct martlet_process *record = RECORD(slot, martlet_process);
  struct fs_struct *fs = LOAD(task, fs);
  __builtin_memset((char *)record + sizeof(record->record), 0, sizeof(*record) - sizeof(record->record));
  store__process_ids(record, task);
  store__process_rights(record, task);
  store__process_image(slot, task);
  if (fs) record->record.flags |= store__directory(slot, task, ADDRESS(fs, pwd), &record->directory);
  return 0;
}

/* The longer record, whose environment may still come. */
static __always_inline void store__no_environment(struct slot *slot) {
  struct martlet_process_environment *record = RECORD(slot, martlet_process_environment);
  record->process.record.flags |= MARTLET_FLAG_ENVIRONMENT;
  record->environment.offset_bytes = 0;
  record->environment.length_bytes = 0;
}

/* What a program was started with, out of its own memory: from `start` up to `end`, behind all other texts. Returns
 * `when_cut` unless it is all there. */
static __always_inline __u32 store__start_memory(struct slot *slot, unsigned long start, unsigned long end,
                                                 struct martlet_text *text, __u32 when_cut) {
  __u32 position = slot->length_bytes, length = MARTLET_ARGUMENTS_BYTES_MAX;
  char *target = (char *)slot + __builtin_offsetof(struct slot, record);
  if (end <= start) return 0;
  if (end - start < MARTLET_ARGUMENTS_BYTES_MAX) length = end - start;
  /* Room for what the aligning adds. */
  if (position > MARTLET_RECORD_BYTES_MAX - MARTLET_ARGUMENTS_BYTES_MAX - 8 || length > MARTLET_ARGUMENTS_BYTES_MAX)
    return when_cut;
  if (bpf_probe_read_user(target + position, length, (void *)start)) return when_cut;
  text->offset_bytes = position;
  text->length_bytes = length;
  __builtin_memset(target + position + length, 0, 8);
  slot->length_bytes = store__aligned(position + length);
  return end - start > length ? when_cut : 0;
}

PROGRAM(1, "tp_btf/sched_process_exec")
int BPF_PROG(handle_exec, struct task_struct *task, int old_thread_id, struct linux_binprm *bprm) {
  struct slot *slot;
  struct martlet_process_environment *longer;
  struct martlet_process *record;
  struct mm_struct *mm = LOAD(task, mm);
  __u16 call;
  attempts__tell_all_of(LOAD(task, tgid));
  COUNT(MARTLET_HOOK_EXEC, seen);
  slot = emit__take_exec(MARTLET_HOOK_EXEC);
  if (!slot) return 0;
  /* Not the call's number: exec has overwritten it. Only execveat of a descriptor or below one needs a path made. */
  call = LOAD(bprm, fdpath) ? MARTLET_CALL_EXECVEAT : MARTLET_CALL_EXECVE;
  if (!emit__begin(slot, task, MARTLET_HOOK_EXEC, MARTLET_KIND_EXEC, call,
                   settings.environment ? sizeof(*longer) : sizeof(*record)))
    return 0;
  record = RECORD(slot, martlet_process);
  store__process(slot, task);
  record->record.flags |= store__kernel_name(slot, LOAD(bprm, filename), &record->filename);
  record->record.flags |= store__start_memory(slot, LOAD(mm, arg_start), LOAD(mm, arg_end), &record->arguments,
                                              MARTLET_FLAG_ARGUMENTS_TRUNCATED);
  if (settings.environment) {
    store__no_environment(slot);
    longer = RECORD(slot, martlet_process_environment);
    record->record.flags |= store__start_memory(slot, LOAD(mm, env_start), LOAD(mm, env_end), &longer->environment,
                                                MARTLET_FLAG_ENVIRONMENT_TRUNCATED);
  }
  emit__finish_exec(slot, MARTLET_HOOK_EXEC);
  return 0;
}

PROGRAM(1, "tp_btf/sched_process_fork")
int BPF_PROG(handle_fork, struct task_struct *creator, struct task_struct *child) {
  struct task_struct *parent;
  struct martlet_fork *record;
  struct slot *slot;
  struct pid *pid;
  /* A thread, not a process. */
  if (LOAD(child, pid) != LOAD(child, tgid)) return 0;
  COUNT(MARTLET_HOOK_FORK, seen);
  slot = emit__take(MARTLET_HOOK_FORK);
  if (!slot) return 0;
  if (!emit__begin(slot, child, MARTLET_HOOK_FORK, MARTLET_KIND_FORK, MARTLET_CALL_NONE, sizeof(*record))) return 0;
  record = RECORD(slot, martlet_fork);
  parent = LOAD(child, real_parent);
  pid = LOAD(child, thread_pid);
  record->creator_id = LOAD(creator, tgid);
  record->creator_start_ns = LOAD(LOAD(creator, group_leader), start_boottime);
  record->parent_id = LOAD(parent, tgid);
  record->parent_start_ns = LOAD(LOAD(parent, group_leader), start_boottime);
  record->namespace_process_id = read__pid_number(pid, LOAD(pid, level));
  record->pid_namespace = read__pid_namespace(pid);
  emit__finish(slot, MARTLET_HOOK_FORK);
  return 0;
}

static __always_inline int process_ended(struct task_struct *task) {
  struct signal_struct *signal = LOAD(task, signal);
  struct martlet_exit *record;
  struct slot *slot;
  attempts__tell_all_of(LOAD(task, tgid));
  COUNT(MARTLET_HOOK_EXIT, seen);
  slot = emit__take(MARTLET_HOOK_EXIT);
  if (!slot) return 0;
  if (!emit__begin(slot, task, MARTLET_HOOK_EXIT, MARTLET_KIND_EXIT, MARTLET_CALL_NONE, sizeof(*record))) return 0;
  record = RECORD(slot, martlet_exit);
  /* As wait(2) chooses: the code that ended the group, else the one its leader ended with. */
  record->exit_code = LOAD(signal, flags) & SIGNAL_GROUP_EXIT ? LOAD(signal, group_exit_code)
                                                              : LOAD(LOAD(task, group_leader), exit_code);
  record->reserved = 0;
  emit__finish(slot, MARTLET_HOOK_EXIT);
  return 0;
}

/* Since 6.16 the kernel says itself whether this was the last thread. */
PROGRAM(1, "tp_btf/sched_process_exit")
int BPF_PROG(handle_exit, struct task_struct *task, bool group_dead) {
  return group_dead ? process_ended(task) : 0;
}

/* Before, the count of live threads does. When the last two end at once on two CPUs, both may read zero, and the
 * second record finds no process to end. */
PROGRAM(1, "tp_btf/sched_process_exit")
int BPF_PROG(handle_exit_by_count, struct task_struct *task) {
  return LOAD(LOAD(task, signal), live.counter) == 0 ? process_ended(task) : 0;
}
