/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What was there before the probe: every process, as if it had just been executed.
 *
 * Records leave through the iterator's own file, not through the rings: a read that is not finished waits, so that
 * nothing is lost however many processes there are. When a record does not fit the read, the kernel runs the program
 * again for the same task, therefore nothing here may remember what it has written.
 */

static __always_inline long seed__write(struct seq_file *file, struct slot *slot) {
  __u32 length = slot->length_bytes;
  struct martlet_record *record = RECORD(slot, martlet_record);
  if (length < sizeof(*record) || length > MARTLET_RECORD_BYTES_MAX) return -NO_MEMORY;
  record->length_bytes = length;
  record->time_ns = settings.seed_time_ns;
  return bpf_seq_write(file, slot->record, length);
}

static __always_inline void seed__write_cgroup(struct seq_file *file, struct slot *slot, struct task_struct *task,
                                               __u32 hierarchy) {
  struct kernfs_node *node = read__cgroup_node(task, hierarchy);
  if (!node) return;
  emit__cgroup_record(slot, task, node, hierarchy);
  seed__write(file, slot);
}

SEC("iter.s/task")
int seed_processes(struct bpf_iter__task *context) {
  struct seq_file *file = context->meta->seq;
  struct task_struct *task = context->task;
  struct martlet_process *record;
  struct slot *slot;
  struct mm_struct *mm;
  unsigned long start;
  __u32 zero = 0, position, length;
  char *target;
  /* Ended processes that nobody has waited for say nothing more: their end has passed. */
  if (!task || task->pid != task->tgid || LOAD(LOAD(task, signal), live.counter) == 0) return 0;
  slot = bpf_map_lookup_elem(&seed_slot, &zero);
  if (!slot) return 0;
  store__cgroup_ids(slot, task);
  seed__write_cgroup(file, slot, task, 0);
  if (settings.cgroup_v1) seed__write_cgroup(file, slot, task, 1);
  store__header(slot, task, MARTLET_KIND_PROCESS, MARTLET_CALL_NONE, sizeof(*record));
  record = RECORD(slot, martlet_process);
  store__process(slot, task);
  mm = LOAD(task, mm);
  length = mm ? read__arguments_length(mm, &start, &record->record.flags) : 0;
  target = store__text_start(slot, &position);
  if (target && length > 0 && length <= MARTLET_ARGUMENTS_BYTES_MAX &&
      !bpf_copy_from_user_task(target, length, (void *)start, task, 0))
    store__text_end(slot, &record->arguments, position, length);
  seed__write(file, slot);
  return 0;
}
