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
  if (length < sizeof(*record) || length > SLOT_RECORD_BYTES) return -NO_MEMORY;
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

/* Threads that ended are soon off their group's list, so that a living one is near its front. */
#define SEED_THREADS_MAX 64

struct seed_search {
  struct list_head *head;
  struct list_head *at;
  struct task_struct *found;
};

static long seed__step_thread(__u32 index, struct seed_search *search) {
  struct task_struct *task = (void *)((char *)search->at - bpf_core_field_offset(struct task_struct, thread_node));
  if (search->at == search->head) return STEP_DONE;
  if (LOAD(task, mm)) {
    search->found = task;
    return STEP_DONE;
  }
  search->at = LOAD(search->at, next);
  return STEP_ON;
}

/* Whether `task` is the thread that its process is told by: the main thread, or, where that has ended and taken its
 * image along, the first one that lives. A process that has ended and waits to be waited for has none: its end has
 * passed. */
static __always_inline bool seed__speaks_for_its_process(struct task_struct *task) {
  struct signal_struct *signal = LOAD(task, signal);
  struct seed_search search = {};
  if (LOAD(task, flags) & PF_KTHREAD) return true;
  if (!LOAD(task, mm)) return false;
  if (task->pid == task->tgid) return true;
  if (LOAD(LOAD(task, group_leader), mm)) return false;
  search.head = ADDRESS(signal, thread_head);
  search.at = LOAD(signal, thread_head.next);
  bpf_loop(SEED_THREADS_MAX, seed__step_thread, &search, 0);
  /* None near: rather the same process from several threads, which readers take as one, than none. */
  return !search.found || search.found == task;
}

/* Without arguments and environment: reading them would fault in a foreign process's memory, and what lies there can be a file whose
 * server never answers. The reader takes them from where no such page is touched. */
PROGRAM(1, "iter/task")
int seed_processes(struct bpf_iter__task *context) {
  struct seq_file *file = context->meta->seq;
  struct task_struct *task = context->task;
  struct slot *slot;
  __u32 zero = 0;
  if (!task || !seed__speaks_for_its_process(task)) return 0;
  slot = bpf_map_lookup_elem(&seed_slot, &zero);
  if (!slot) return 0;
  store__cgroup_ids(slot, task);
  seed__write_cgroup(file, slot, task, 0);
  if (settings.cgroup_v1) seed__write_cgroup(file, slot, task, 1);
  store__header(slot, task, MARTLET_KIND_PROCESS, MARTLET_CALL_NONE,
                settings.environment ? sizeof(struct martlet_process_environment) : sizeof(struct martlet_process));
  store__process(slot, task);
  if (settings.environment) store__no_environment(slot);
  seed__write(file, slot);
  return 0;
}
