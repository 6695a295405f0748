/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * What the loader tells the programs: settings at load time, and one word while they run.
 *
 * This is between one build of the probe and its own loader; nothing here reaches a recording.
 */
#ifndef MARTLET_PROBE_SHARED_H
#define MARTLET_PROBE_SHARED_H

#include "martlet_event.h"

/* The v1 hierarchy whose cgroup ids go into `martlet_record.cgroup_v1_id`. */
enum martlet_cgroup_v1 {
  MARTLET_CGROUP_V1_NONE = 0,
  MARTLET_CGROUP_V1_MEMORY = 1,
  MARTLET_CGROUP_V1_PIDS = 2,
  MARTLET_CGROUP_V1_CPU = 3,
};

struct martlet_probe_settings {
  martlet_u32 self_process_id; /* whose own opens and connections are filtered */
  martlet_u32 ring_count;
  martlet_u32 wake_bytes;      /* unread bytes in a ring that wake a consumer that did not ask */
  martlet_u32 cgroup_v1;       /* enum martlet_cgroup_v1 */
  martlet_u64 seed_time_ns;    /* time stamp of every seed record: from before the hooks were attached */
  martlet_u32 ring_bytes;
  martlet_u8 typed_loads;      /* follow kernel pointers by typed loads, not by calls of a helper */
  martlet_u8 asked_by_cgroup;  /* connects are told of by the cgroup hooks before anything else sees them */
  martlet_u8 reserved[2];
  martlet_u32 socket_calls;    /* wanted calls on sockets: bit n for the call n */
  martlet_u32 reserved_2;
};

/* Tables of the probe that can be full. Each has a counter for what is then done without it. */
enum martlet_table {
  MARTLET_TABLE_ATTEMPTS = 0,   /* told at once, as in progress */
  MARTLET_TABLE_RING_NAMES = 1, /* told without the name that the program passed */
  MARTLET_TABLE_COUNT = 2,
};

struct martlet_consumer {
  martlet_u32 sleeps; /* 1 while the consumer wants to be woken by the first record */
  martlet_u32 reserved;
};

MARTLET_ASSERT_SIZE(struct martlet_probe_settings, 40);
MARTLET_ASSERT_SIZE(struct martlet_consumer, 8);

#endif
