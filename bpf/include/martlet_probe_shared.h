/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * What the loader tells the programs: settings at load time, and a few words while they run.
 *
 * This is between one build of the probe and its own loader; nothing here reaches a recording.
 */
#ifndef MARTLET_PROBE_SHARED_H
#define MARTLET_PROBE_SHARED_H

#include "martlet_filter.h"

/* The v1 hierarchy whose cgroup ids go into `martlet_record.cgroup_v1_id`. */
enum martlet_cgroup_v1 {
  MARTLET_CGROUP_V1_NONE = 0,
  MARTLET_CGROUP_V1_MEMORY = 1,
  MARTLET_CGROUP_V1_PIDS = 2,
  MARTLET_CGROUP_V1_CPU = 3,
};

/* Numbers of system calls that are looked up; those of every table lie below. */
#define MARTLET_CALL_NUMBERS 512

/* Which arguments of a call are strings, directories and descriptors: each as its index plus one, 0 for none. */
struct martlet_call_shape {
  martlet_u8 names[3];
  martlet_u8 directories[2]; /* of the first two; 0 for the working directory, MARTLET_NO_DIRECTORY for no path */
  martlet_u8 fd;             /* MARTLET_FD_RESULT for the result */
  martlet_u8 flags;          /* MARTLET_SHAPE_* */
  martlet_u8 reserved;
};
#define MARTLET_FD_RESULT 7
#define MARTLET_NO_DIRECTORY 7
#define MARTLET_SHAPE_STATE (1u << 0)     /* changes what is known of the process: told whether rules ask or not */
#define MARTLET_SHAPE_DIRECTORY (1u << 1) /* `path` is the working directory after the call */
#define MARTLET_SHAPE_GUARD (1u << 2)     /* may be aimed at the agent: looked at whether rules ask or not */

/* The probe is loaded anew for other settings: each time is a generation. Two can be loaded at once, in the two slots of
 * every table of programs. */
#define MARTLET_GENERATION_SLOTS 2
static inline martlet_u32 martlet_generation_slot(martlet_u32 generation) {
  return generation % MARTLET_GENERATION_SLOTS;
}

/* Written by the loader through a mapping, read by programs: what changes without anything being loaded. */
struct martlet_in_force {
  martlet_u32 generation;     /* whose programs tell what happens */
  martlet_u32 filter_version; /* counts changes of its filter: odd while it is being written */
};

/* What a call does to a file, in a byte: enum martlet_change; whether it does so with some arguments only; and above that
 * which argument is the new name: its index plus one, 0 for none. A fourth argument starts from the descriptor before it,
 * another one from the working directory. */
#define MARTLET_CHANGE_OF(change, name) ((change) | (name) << 4)
#define MARTLET_CHANGE_PERHAPS 8

/* A file as the list of watched ones has it. */
struct martlet_file_key {
  martlet_u64 inode;
  martlet_u32 device; /* kernel encoding: major << 20 | minor */
  martlet_u32 reserved;
};
struct martlet_watched_file {
  martlet_u32 told[8]; /* by enum martlet_change: 1 once it was told */
};

struct martlet_probe_settings {
  martlet_u32 self_process_id; /* whose own opens and connections are filtered */
  martlet_u32 ring_count;
  martlet_u32 wake_bytes;      /* unread bytes in a ring that wake a consumer that did not ask */
  martlet_u32 cgroup_v1;       /* enum martlet_cgroup_v1 */
  martlet_u64 seed_time_ns;    /* time stamp of every seed record: from before the hooks were attached */
  martlet_u32 ring_bytes;
  martlet_u8 environment;      /* exec records carry it */
  martlet_u8 missing_programs; /* execs that fail because there is no such file are told */
  martlet_u8 asked_by_cgroup;  /* connects are told of by the cgroup hooks before anything else sees them */
  martlet_u8 filters;          /* enum martlet_filtering, of martlet_filter.h */
  martlet_u8 ring_setups;      /* containers that set up a ring are told: there is no hook for what they do with it */
  martlet_u8 watches_files;    /* models are told apart, and what becomes of watched files is told */
  martlet_u8 reserved[2];
  martlet_u32 generation;      /* from 1 */
  martlet_u64 wanted_calls[2]; /* a bit for each enum martlet_call that rules ask for */
  martlet_u16 calls[MARTLET_CALL_NUMBERS]; /* by number: the call, and above it that of the 32-bit table */
  struct martlet_call_shape shapes[MARTLET_CALL_COUNT];
  martlet_u16 changes[MARTLET_CALL_NUMBERS]; /* by number: what a call does to a file, and above it the 32-bit table's */
  struct martlet_model_names models;
};

/* In `calls`, of the 32-bit table: several calls behind one number. */
#define MARTLET_CALL_SOCKETCALL 255

/* Tables of the probe that can be full. Each has a counter for what is then done without it. */
enum martlet_table {
  MARTLET_TABLE_ATTEMPTS = 0,   /* told at once, as in progress */
  MARTLET_TABLE_RING_NAMES = 1, /* told without the name that the program passed */
  MARTLET_TABLE_WRITTEN = 2,    /* models open for writing; the last close is not told */
  MARTLET_TABLE_LOSSES = 3,     /* a lost event is counted for its hook alone */
  MARTLET_TABLE_COUNT = 4,
};

/* What is counted of a hook. */
struct martlet_counters {
  struct martlet_hook_counters events;
  martlet_u64 dropped; /* seen and filtered at once */
};

struct martlet_consumer {
  martlet_u32 sleeps;     /* 1 while the consumer wants to be woken by the first record */
  martlet_u32 has_losses; /* set by a producer that has counted a loss, cleared by the consumer before it looks */
  martlet_u32 canaries;   /* a bit for each enum martlet_canary_place that waits for an act of the agent's own */
  martlet_u32 reserved;
};

/* Kinds of records that the source keeps to itself: they reach no stream and no recording. */
enum martlet_inner_kind {
  MARTLET_KIND_CANARY = 240, /* a program has seen an act of the agent's that was meant for it: martlet_canary */
  MARTLET_KIND_TAMPER = 241, /* someone has laid hands on the agent: martlet_tamper */
};

/* Where a program looks for an act of the agent's own, which it would leave out otherwise. How processes start and end is
 * proven by the ordinary records of a child. */
enum martlet_canary_place {
  MARTLET_CANARY_OPEN = 0,   /* system calls: opens */
  MARTLET_CANARY_CALL = 1,   /* system calls: those of the table */
  MARTLET_CANARY_SOCKET = 2, /* system calls: on sockets */
  MARTLET_CANARY_CONNECT = 3,
  MARTLET_CANARY_CONNECT4 = 4,
  MARTLET_CANARY_CONNECT6 = 5,
  MARTLET_CANARY_SENDMSG4 = 6,
  MARTLET_CANARY_SENDMSG6 = 7,
  MARTLET_CANARY_RECVMSG4 = 8,
  MARTLET_CANARY_RECVMSG6 = 9,
  MARTLET_CANARY_RING_SUBMISSION = 10,
  MARTLET_CANARY_RING_COMPLETION = 11,
  MARTLET_CANARY_SIGNAL = 12,
  MARTLET_CANARY_QUESTION = 13, /* any packet proves these two */
  MARTLET_CANARY_ANSWER = 14,
  /* From here on told by ordinary records. */
  MARTLET_CANARY_FORK = 15,
  MARTLET_CANARY_EXEC = 16,
  MARTLET_CANARY_EXIT = 17,
  /* These answer themselves again: any inode's change proves them. */
  MARTLET_CANARY_CHANGE = 18,
  MARTLET_CANARY_CHANGE_WITHIN_TICK = 19,
  MARTLET_CANARY_CHANGE_COARSE = 20,
  MARTLET_CANARY_COUNT = 21,
};

struct martlet_canary {
  struct martlet_record record;
  martlet_u32 place; /* enum martlet_canary_place */
  martlet_u32 reserved;
};

/* Whose events of which hook could not be delivered. */
struct martlet_loss_key {
  martlet_u64 cgroup_id;    /* as in the record that there would have been */
  martlet_u64 cgroup_v1_id;
  martlet_u32 hook;         /* enum martlet_hook */
  martlet_u32 reserved;
};
struct martlet_loss {
  martlet_u64 lost; /* for every reason but the next */
  martlet_u64 shed; /* as in martlet_hook_counters */
};
#define MARTLET_LOSSES_MAX 2048

/* What was done to the agent. */
enum martlet_tamper_act {
  MARTLET_TAMPER_SIGNAL = 1,      /* `detail`: the signal */
  MARTLET_TAMPER_TRACE = 2,       /* `detail`: the request of ptrace */
  MARTLET_TAMPER_MEMORY = 3,      /* process_vm_readv, process_vm_writev: the record's call */
  MARTLET_TAMPER_MEMORY_FILE = 4, /* /proc/PID/mem was opened; `detail`: O_ACCMODE of it */
  MARTLET_TAMPER_DESCRIPTOR = 5,  /* pidfd_getfd; `detail`: the agent's descriptor */
  MARTLET_TAMPER_MAP = 6,         /* `detail`: the command of bpf(2), `object_id`: which map, program, link */
  MARTLET_TAMPER_PROGRAM = 7,
  MARTLET_TAMPER_LINK = 8,
  MARTLET_TAMPER_RING_SETUP = 9,  /* no tampering: a container uses io_uring, whose opens are not watched */
};

struct martlet_tamper {
  struct martlet_record record;
  martlet_u32 act; /* enum martlet_tamper_act */
  martlet_s32 detail;
  martlet_u32 object_id;
  martlet_u32 reserved;
};

/* The probe's own objects, by the kernel's numbers for them. */
#define MARTLET_GUARDED_MAX 1024
static inline martlet_u64 martlet_guarded_key(martlet_u32 act, martlet_u32 id) { return (martlet_u64)act << 32 | id; }

MARTLET_ASSERT_SIZE(struct martlet_call_shape, 8);
MARTLET_ASSERT_SIZE(struct martlet_probe_settings, 7240);
MARTLET_ASSERT_SIZE(struct martlet_counters, 64);
MARTLET_ASSERT_SIZE(struct martlet_consumer, 16);
MARTLET_ASSERT_SIZE(struct martlet_in_force, 8);
MARTLET_ASSERT_SIZE(struct martlet_canary, 88);
MARTLET_ASSERT_SIZE(struct martlet_tamper, 96);
MARTLET_ASSERT_SIZE(struct martlet_loss_key, 24);
MARTLET_ASSERT_SIZE(struct martlet_loss, 16);

#endif
