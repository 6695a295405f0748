/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tier 2: facts out of kernel objects. Nothing here writes to a record.
 *
 * A load from an object that has gone reads as zero, so a chain of loads needs no check in between; what is zero in
 * the end is what the reader of the record sees.
 */
#pragma once

#include "maps.h"

/*
 * LOAD(object, member) is object->member; LOAD_POINTER_AT(object, offset) is the pointer at an offset that only the
 * running kernel knows.
 *
 * They are made in two ways, each for an object file of its own, as one with both would give the verifier a dead branch
 * to take out for every load. A typed load is one instruction, but kernels have had it since 6.2 only; through the
 * helper it is a call.
 */
#if MARTLET_TYPED_LOADS
extern void *bpf_rdonly_cast(const void *object, __u32 type_id) __ksym;

#define LOAD(object, member) \
  (((typeof(object))bpf_rdonly_cast((object), bpf_core_type_id_kernel(typeof(*(object)))))->member)

/* As a number whose origin the compiler does not know, lest it adds the offset before the cast. */
#define LOAD_POINTER_AT(object, offset)                                                                   \
  ({                                                                                                      \
    __u64 offset__ = (offset);                                                                            \
    barrier_var(offset__);                                                                                \
    *(void **)((char *)bpf_rdonly_cast((object), bpf_core_type_id_kernel(typeof(*(object)))) + offset__); \
  })
#else
#define LOAD(object, member)                                                   \
  ({                                                                           \
    typeof(object) from__ = (object);                                          \
    typeof(from__->member) value__;                                            \
    bpf_probe_read_kernel(&value__, sizeof(value__), &from__->member);         \
    value__;                                                                   \
  })

#define LOAD_POINTER_AT(object, offset)                                         \
  ({                                                                            \
    typeof(object) from__ = (object);                                           \
    void *value__ = NULL;                                                       \
    bpf_probe_read_kernel(&value__, sizeof(value__), (char *)from__ + (offset)); \
    value__;                                                                    \
  })
#endif

/* Eight bytes of kernel memory, as one typed load where there are such: any structure that begins with a word does. */
static __always_inline __u64 read__word(const void *address) {
  return LOAD((struct timespec64 *)address, tv_sec);
}

/* The address of object->member, without a load. */
#define ADDRESS(object, member) ((void *)&(object)->member)

static __always_inline struct task_struct *read__current(void) {
  return (struct task_struct *)bpf_get_current_task();
}

/* Whose name stands for what the task does: a worker of io_uring acts for its process, and its own says nothing of that. */
static __always_inline struct task_struct *read__named(struct task_struct *task) {
  return LOAD(task, flags) & PF_IO_WORKER ? LOAD(task, group_leader) : task;
}

static __always_inline __u64 read__capabilities(const void *address) {
  __u64 bits = 0;
  bpf_probe_read_kernel(&bits, sizeof(bits), address);
  return bits;
}

/* The number of `pid` as the namespace at `level` sees it; 0 where it has none. */
static __always_inline __u32 read__pid_number(struct pid *pid, __u32 level) {
  struct upid upid = {};
  if (level > LOAD(pid, level)) return 0;
  bpf_probe_read_kernel(&upid.nr, sizeof(upid.nr),
                        (char *)pid + bpf_core_field_offset(struct pid, numbers) +
                            level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, nr));
  return upid.nr;
}

/* The pid namespace a task's own number belongs to: the innermost one. */
static __always_inline __u32 read__pid_namespace(struct pid *pid) {
  struct pid_namespace *ns = NULL;
  __u32 level = LOAD(pid, level);
  bpf_probe_read_kernel(&ns, sizeof(ns),
                        (char *)pid + bpf_core_field_offset(struct pid, numbers) +
                            level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, ns));
  return LOAD(ns, ns.inum);
}

static __always_inline struct pid *read__group_pid(struct signal_struct *signal, enum pid_type type) {
  return LOAD_POINTER_AT(signal, bpf_core_field_offset(struct signal_struct, pids) + type * sizeof(struct pid *));
}

/* As /proc/PID/stat has it: the minor number's low byte, the major number, the rest of the minor number. */
static __always_inline __u32 read__terminal(struct signal_struct *signal) {
  struct tty_struct *tty = LOAD(signal, tty);
  struct tty_driver *driver;
  __u32 minor;
  if (!tty) return 0;
  driver = LOAD(tty, driver);
  minor = LOAD(driver, minor_start) + LOAD(tty, index);
  return (minor & 0xff) | (__u32)LOAD(driver, major) << 8 | (minor & ~0xffu) << 12;
}

static __always_inline struct cgroup *read__cgroup_v1(struct css_set *set) {
  struct cgroup_subsys_state *state;
  __u32 index;
  switch (settings.cgroup_v1) {
    case MARTLET_CGROUP_V1_MEMORY:
      index = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
      break;
    case MARTLET_CGROUP_V1_PIDS:
      index = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
      break;
    case MARTLET_CGROUP_V1_CPU:
      index = bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id);
      break;
    default:
      return NULL;
  }
  state = LOAD_POINTER_AT(set, bpf_core_field_offset(struct css_set, subsys) + index * sizeof(state));
  return state ? LOAD(state, cgroup) : NULL;
}

/* The node of the task's cgroup on the v2 hierarchy (0) or on the v1 hierarchy in use (1). */
static __always_inline struct kernfs_node *read__cgroup_node(struct task_struct *task, __u32 hierarchy) {
  struct css_set *set = LOAD(task, cgroups);
  struct cgroup *cgroup = hierarchy == 0 ? LOAD(set, dfl_cgrp) : read__cgroup_v1(set);
  return cgroup ? LOAD(cgroup, kn) : NULL;
}

static __always_inline struct kernfs_node *read__kernfs_parent(struct kernfs_node *node) {
  struct kernfs_node___plain *plain = (void *)node;
  if (bpf_core_field_exists(node->__parent)) return LOAD(node, __parent);
  return (void *)LOAD(plain, parent);
}

/* Since 6.13 a bit above the nanoseconds says whether someone has asked for the time. */
static __always_inline __u64 read__nanoseconds(__s64 seconds, __u64 nanoseconds) {
  return (__u64)seconds * 1000000000ull + (nanoseconds & ((1u << 30) - 1));
}

static __always_inline __u64 read__modified(struct inode *inode) {
  struct inode___timespec *older = (void *)inode;
  struct inode___accessor *middle = (void *)inode;
  if (bpf_core_field_exists(inode->i_mtime_sec))
    return read__nanoseconds(LOAD(inode, i_mtime_sec), LOAD(inode, i_mtime_nsec));
  if (bpf_core_field_exists(middle->__i_mtime))
    return read__nanoseconds(LOAD(middle, __i_mtime.tv_sec), LOAD(middle, __i_mtime.tv_nsec));
  return read__nanoseconds(LOAD(older, i_mtime.tv_sec), LOAD(older, i_mtime.tv_nsec));
}

static __always_inline __u64 read__changed(struct inode *inode) {
  struct inode___timespec *older = (void *)inode;
  struct inode___accessor *middle = (void *)inode;
  if (bpf_core_field_exists(inode->i_ctime_sec))
    return read__nanoseconds(LOAD(inode, i_ctime_sec), LOAD(inode, i_ctime_nsec));
  if (bpf_core_field_exists(middle->__i_ctime))
    return read__nanoseconds(LOAD(middle, __i_ctime.tv_sec), LOAD(middle, __i_ctime.tv_nsec));
  return read__nanoseconds(LOAD(older, i_ctime.tv_sec), LOAD(older, i_ctime.tv_nsec));
}

static __always_inline struct file *read__file(struct task_struct *task, __s64 fd) {
  struct files_struct *files = LOAD(task, files);
  struct fdtable *table = LOAD(files, fdt);
  if (fd < 0 || fd >= LOAD(table, max_fds)) return NULL;
  return (struct file *)read__word(LOAD(table, fd) + fd);
}

/* Of an inode of an overlay: its file in the upper layer, NULL while it has none there. */
static __always_inline struct dentry *read__upper_dentry(struct inode *inode) {
  struct dentry *upper = NULL;
  __u32 behind;
  /* With overlayfs as a module its types are not in the kernel's own type information; the member follows the
   * embedded inode in every version there has been. */
  if (bpf_core_field_exists(struct ovl_inode, __upperdentry))
    behind = bpf_core_field_offset(struct ovl_inode, __upperdentry) - bpf_core_field_offset(struct ovl_inode, vfs_inode);
  else
    behind = bpf_core_type_size(struct inode);
  bpf_probe_read_kernel(&upper, sizeof(upper), (char *)inode + behind);
  return upper;
}

/* Which layer of an overlay the inode came from; 0 for other file systems. */
static __always_inline __u32 read__overlay_layer(struct inode *inode) {
  if (LOAD(LOAD(inode, i_sb), s_magic) != OVERLAYFS_MAGIC) return 0;
  return read__upper_dentry(inode) ? MARTLET_FILE_UPPER_LAYER : MARTLET_FILE_LOWER_LAYER;
}

static __always_inline bool read__is_unlinked(struct dentry *dentry) {
  return !LOAD(dentry, d_hash.pprev) && LOAD(dentry, d_parent) != dentry;
}
