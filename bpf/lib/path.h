/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tier 2: paths, walked from the object up to its root and written back to front into `slot->path`.
 *
 * The walk follows the objects that the kernel resolved, so nothing a program does to its strings can change the
 * result. A rename during the walk can, as it can for the kernel's own d_path: each step is valid at its time.
 */
#pragma once

#include "read.h"

/* More steps than a path of MARTLET_PATH_BYTES_MAX can have components. */
#define WALK_STEPS_MAX (MARTLET_PATH_BYTES_MAX / 2)

enum { STEP_ON = 0, STEP_DONE = 1 };

struct walk_context {
  struct slot *slot;
};

static __always_inline long path__prepend(struct slot *slot, const void *name, __u32 length) {
  struct walk *walk = &slot->walk;
  __u32 position = walk->position;
  if (length > NAME_BYTES_MAX || position > MARTLET_PATH_BYTES_MAX || position < length + 1) return STEP_DONE;
  position -= length + 1;
  /* Both are no-ops that tell the verifier what the checks above mean. */
  position &= MARTLET_PATH_BYTES_MAX - 1;
  length &= NAME_BYTES_MAX;
  slot->path[position] = '/';
  bpf_probe_read_kernel(&slot->path[position + 1], length, name);
  walk->position = position;
  return STEP_ON;
}

/* One step up. `passed` becomes the dentry whose name is part of the path, and stays NULL where a mount was left. */
static __always_inline long path__up(struct walk *walk, struct dentry **passed) {
  struct dentry *dentry = walk->dentry;
  struct vfsmount *vfsmount = walk->mount;
  struct dentry *parent;
  if (dentry == walk->mount_root) {
    struct mount *mount = (void *)((char *)vfsmount - bpf_core_field_offset(struct mount, mnt));
    struct mount *above = LOAD(mount, mnt_parent);
    if (above == mount || !above) {
      walk->flags = mount == walk->root ? 0 : WALK_UNREACHABLE;
      return STEP_DONE;
    }
    walk->dentry = LOAD(mount, mnt_mountpoint);
    /* The usual end: upon the topmost mount's own root, where one more round would find nothing else. */
    if (above == walk->root && walk->dentry == LOAD(above, mnt.mnt_root)) {
      walk->flags = 0;
      return STEP_DONE;
    }
    walk->mount = (void *)((char *)above + bpf_core_field_offset(struct mount, mnt));
    walk->mount_root = LOAD(walk->mount, mnt_root);
    return STEP_ON;
  }
  parent = LOAD(dentry, d_parent);
  if (parent == dentry || !parent) {
    /* A root that no mount shows: a pipe, a socket, a memfd. */
    walk->flags = walk->position == MARTLET_PATH_BYTES_MAX ? WALK_NO_PATH : WALK_UNREACHABLE;
    return STEP_DONE;
  }
  walk->dentry = parent;
  *passed = dentry;
  return STEP_ON;
}

static long path__step_dentry(__u32 index, struct walk_context *context) {
  struct slot *slot = context->slot;
  struct dentry *passed = NULL;
  long step = path__up(&slot->walk, &passed);
  return passed ? path__prepend(slot, LOAD(passed, d_name.name), LOAD(passed, d_name.len)) : step;
}

/* A walk is taken as cut off until it comes to its end, whether it runs out of steps or of room. */
static __always_inline void path__begin(struct walk *walk) {
  walk->position = MARTLET_PATH_BYTES_MAX;
  walk->flags = WALK_PATH_TRUNCATED;
}

/* The root itself is a path without components. */
static __always_inline void path__end(struct slot *slot) {
  struct walk *walk = &slot->walk;
  if (walk->position == MARTLET_PATH_BYTES_MAX && !(walk->flags & (WALK_NO_PATH | WALK_PATH_TRUNCATED)))
    path__prepend(slot, NULL, 0);
}

static __always_inline void path__start(struct slot *slot, struct task_struct *task, struct path *path) {
  struct nsproxy *namespaces = LOAD(task, nsproxy);
  struct walk *walk = &slot->walk;
  path__begin(walk);
  walk->dentry = LOAD(path, dentry);
  walk->mount = LOAD(path, mnt);
  walk->mount_root = LOAD(walk->mount, mnt_root);
  walk->root = LOAD(LOAD(namespaces, mnt_ns), root);
}

/* The path at `path` from the root of the mount namespace that `task` is in. Not from the task's own root: that is the
 * task's to choose, and with it what a path would seem to be. */
SHARED int path__walk(struct slot *slot, struct task_struct *task, struct path *path) {
  struct walk_context context = {slot};
  path__start(slot, task, path);
  bpf_loop(WALK_STEPS_MAX, path__step_dentry, &context, 0);
  path__end(slot);
  return 0;
}

static long path__step_kernfs(__u32 index, struct walk_context *context) {
  struct slot *slot = context->slot;
  struct kernfs_node *node = slot->walk.node;
  struct kernfs_node *parent = read__kernfs_parent(node);
  const char *name;
  long length;
  if (!parent) {
    slot->walk.flags = 0;
    return STEP_DONE;
  }
  /* The node keeps no length: find it by copying the name into the slack, which no walk reads. */
  name = LOAD(node, name);
  length = bpf_probe_read_kernel_str(&slot->path[MARTLET_PATH_BYTES_MAX], NAME_BYTES_MAX + 1, name);
  slot->walk.node = parent;
  return length > 0 ? path__prepend(slot, name, length - 1) : STEP_DONE;
}

/* The path of a cgroup from its hierarchy's root. */
static __always_inline void path__walk_cgroup(struct slot *slot, struct kernfs_node *node) {
  struct walk_context context = {slot};
  slot->walk.node = node;
  path__begin(&slot->walk);
  bpf_loop(WALK_STEPS_MAX, path__step_kernfs, &context, 0);
  path__end(slot);
}
