/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tier 1: what programs share with each other and with user space.
 *
 * Settings are read-only data: the verifier sees their values and deletes what they switch off.
 */
#pragma once

#include "kernel.h"

#include "../include/martlet_event.h"
#include "../include/martlet_probe_shared.h"

const volatile struct martlet_probe_settings settings;

/* One for all generations, as all maps are but the settings and the filter: what one knows, the next one knows. */
volatile struct martlet_in_force in_force SEC(".data.in_force");

/* A walk from a dentry or a kernfs node up to its root. It lives in a map value and not on the stack: constants that
 * the verifier tracks on the stack would make each round of the loop a new state for it. */
struct walk {
  struct dentry *dentry;
  struct vfsmount *mount;
  struct dentry *mount_root;
  struct mount *root; /* the topmost mount of the task's namespace */
  struct kernfs_node *node;
  __u32 position; /* of the first byte written so far: texts grow towards the front */
  __u32 flags;
};

#define WALK_PATH_TRUNCATED (1u << 0)
#define WALK_UNREACHABLE (1u << 1)
#define WALK_NO_PATH (1u << 2)

#define NAME_BYTES_MAX 255

/* Names of an open are searched for what rules ask of them: see filter.h. */
struct name_search {
  struct dentry *start_dentry; /* what a relative name starts from */
  struct vfsmount *start_mount;
  __u64 head; /* of the component that is being read: its first eight bytes, its last eight */
  __u64 tail;
  __u32 length;
  __u32 wanted;  /* the classes one of which has to be found, a bit for each */
  __u32 classes; /* found so far */
  __u32 components; /* looked at so far */
  __u32 rest;    /* bytes of the spelled name that the walk has not come to, or SPELLED_* */
  bool is_last;
  bool is_below;
  bool is_odd;
  bool is_whole;
};

#define SPELLED_DIFFERENT 0xffffu
#define SPELLED_ABSOLUTE 0xfffeu /* all of it is in the path, from its beginning if the walk ends here */
#define SPELLED_RELATIVE 0xfffdu /* all of it is in the path, and starts where the walk has come to */
#define SPELLED_SAME 0xfffcu

/* Spelled names that are longer are not looked at: they pass. */
#define SPELLED_BYTES_MAX 256

/* An open as its call passed it, or its request. */
struct open_call {
  const void *name; /* NULL for a call that takes a handle */
  __s64 result;
  __s32 directory_fd;
  __u32 flags;
  __u32 mode;
  __u16 call;
  bool has_flags;
  __u8 actor; /* MARTLET_ACTOR_*, of who calls; 0 until somebody asks */
};

/* Room for a record without arguments and environment. */
#define SLOT_RECORD_BYTES 24576

/* Where one record is made. The walk's text may start anywhere, hence the slack behind it. */
struct slot {
  __u32 is_taken;
  __u32 length_bytes; /* of the record so far */
  __u32 file_flags;   /* MARTLET_FILE_* of the last file looked at */
  __u32 is_unwanted;  /* the filter would have dropped what the record is about, and marks it */
  __u64 number;       /* see store__number */
  __u64 cgroup_ids[2]; /* of the task the record is about: on v2, on the v1 hierarchy in use */
  struct walk walk;
  struct name_search search;
  struct open_call open;
  __u32 index;         /* of this slot among those of its CPU */
  __u32 spelled_bytes; /* with its NUL; 0 where the filter took no name, or none that is short enough */
  char spelled[SPELLED_BYTES_MAX + 8]; /* the name that the program passed, as the filter saw it */
  char path[MARTLET_PATH_BYTES_MAX + NAME_BYTES_MAX + 1];
  char record[SLOT_RECORD_BYTES];
};

/* Two per CPU: a program may be interrupted by another one. A third is refused and counted. Behind them the one of
 * system calls, which needs no taking: the kernel runs no program while it runs the same one on that CPU. */
#define SLOTS_PER_CPU 2
#define SLOT_OF_CALLS SLOTS_PER_CPU
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, SLOTS_PER_CPU + 1);
  __type(key, __u32);
  __type(value, struct slot);
} slots SEC(".maps");

/* Execs have their own, with room for all that a program is started with: more than a per-CPU array holds. One for each
 * CPU, as the kernel runs no program while it runs the same one. */
struct exec_slot {
  struct slot slot; /* its record goes on behind it */
  char more[MARTLET_RECORD_BYTES_MAX - SLOT_RECORD_BYTES];
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1); /* the loader makes it one for each CPU */
  __type(key, __u32);
  __type(value, struct exec_slot);
} exec_slots SEC(".maps");

/* The iterator has its own, so that it takes none from the hooks. One reader at a time. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct slot);
} seed_slot SEC(".maps");

/* One ring per CPU: producers that share one spend their time on its lock. User space makes the inner maps. */
struct ring {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 65536);
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __type(key, __u32);
  __array(values, struct ring);
} rings SEC(".maps");

/* Written by the consumer through a mapping, read by producers. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct martlet_consumer);
} consumer SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, MARTLET_HOOK_COUNT);
  __type(key, __u32);
  __type(value, struct martlet_counters);
} counters SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, MARTLET_TABLE_COUNT);
  __type(key, __u32);
  __type(value, __u64);
} full_tables SEC(".maps");

/* Lost events by container. Touched only when one is lost. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, MARTLET_LOSSES_MAX);
  __type(key, struct martlet_loss_key);
  __type(value, struct martlet_loss);
} losses SEC(".maps");

/* What a container may still put into a ring of this CPU's that is filling up; the least lately used is forgotten. */
struct allowance_key {
  __u64 cgroup_id;
  __u64 cgroup_v1_id;
  __u64 share; /* enum ring_share: who floods with opens can still connect */
};
struct allowance {
  __u64 time_ns; /* of the last time that it grew */
  __u64 bytes;
};
struct {
  __uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
  __uint(max_entries, 1024);
  __type(key, struct allowance_key);
  __type(value, struct allowance);
} allowances SEC(".maps");

/* Which cgroups were announced. The small direct-mapped table makes the usual case one compare; an id that drops out
 * of either is announced again, which readers take as the same fact twice. */
#define NEAR_CGROUPS 64
struct near_cgroups {
  __u64 keys[NEAR_CGROUPS];
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct near_cgroups);
} cgroups_near SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, __u64);
  __type(value, __u8);
} cgroups_announced SEC(".maps");
