/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * The filter as the probe holds it, and how its tables are indexed: one header for both sides, so that what
 * user space puts into a place is found there.
 */
#ifndef MARTLET_FILTER_H
#define MARTLET_FILTER_H

#include "martlet_event.h"

#define MARTLET_OPEN_CLASSES 32
#define MARTLET_EARLY_CLASSES 16
#define MARTLET_NAME_PLACES 4096
#define MARTLET_HOST_PLACES 1024
#define MARTLET_SUFFIX_BYTES_MAX 8
#define MARTLET_FILTER_CALLS 128
#define MARTLET_INFIX_BYTES 8
#define MARTLET_CONNECTION_CLASSES 8
#define MARTLET_ADDRESS_RANGES 128
#define MARTLET_PORT_RANGES 64
#define MARTLET_USER_RANGES 32

#define MARTLET_ACTOR_HOST 1
#define MARTLET_ACTOR_CONTAINER 2

enum martlet_filtering {
  MARTLET_FILTERING_OFF = 0,
  MARTLET_FILTERING_ON = 1,
  MARTLET_FILTERING_MARKS = 2, /* what would be dropped is sent, with MARTLET_FLAG_UNWANTED */
};

/* Bits, so that those on several classes can be put together. */
enum martlet_verdict {
  MARTLET_VERDICT_DROP = 0,
  MARTLET_VERDICT_PASS = 1,
  MARTLET_VERDICT_TEST_NAMES = 2,
};

/* Where connections may go. Addresses and ports fall into ranges, each known by where it begins; unused ones begin at the
 * highest value. A bit for each range of ports says whether it passes. */
struct martlet_connection_filter {
  martlet_u64 v6_high[MARTLET_ADDRESS_RANGES];
  martlet_u64 v6_low[MARTLET_ADDRESS_RANGES];
  martlet_u32 v4[MARTLET_ADDRESS_RANGES];
  martlet_u16 ports[MARTLET_PORT_RANGES];
  /* By class and range of addresses, IPv4 first: whoever asks, and if one of `programs` or of the users that count does. */
  martlet_u64 passing[MARTLET_CONNECTION_CLASSES][2 * MARTLET_ADDRESS_RANGES];
  martlet_u64 passing_for_some[MARTLET_CONNECTION_CLASSES][2 * MARTLET_ADDRESS_RANGES];
  martlet_u8 programs[MARTLET_NAME_PLACES]; /* by the program's place: for which classes */
  martlet_u64 by_user;                      /* the classes that pass with some users */
};

/* Who counts by his effective user id, which falls into ranges as ports do. */
struct martlet_user_filter {
  martlet_u32 ids[MARTLET_USER_RANGES];
  martlet_u32 opens[MARTLET_USER_RANGES]; /* the classes of opens that pass */
  martlet_u8 connections[MARTLET_USER_RANGES];
};

/* Of a call other than an open it is asked where the process runs; of an open also how it was opened, what it is called,
 * what the program is, and who acts. What is asked of a name is asked of its parts: whole components, eight bytes within
 * one, and the end of the last one. A part leads to a place in `names`, whose bits are the classes of opens that pass with
 * it. Two may share a place; then both pass. */
struct martlet_filter {
  martlet_u8 verdicts[MARTLET_OPEN_CLASSES]; /* enum martlet_verdict */
  martlet_u8 early_verdicts[MARTLET_EARLY_CLASSES]; /* by martlet_early_class, of files and folders put together: on the host
                                                     * in the lower four bits, in containers in the upper ones */
  martlet_u8 actors[MARTLET_FILTER_CALLS];   /* by enum martlet_call: MARTLET_ACTOR_*, whose calls are wanted */
  martlet_u8 unix_actors[MARTLET_FILTER_CALLS]; /* the same of calls on Unix sockets */
  martlet_u64 infixes;                       /* bit n: some eight bytes count whose place begins with the bits of n */
  martlet_u32 suffix_lengths;                /* bit n: some end of n bytes counts */
  martlet_u32 dots;                          /* the classes that pass with a component that ends with two dots */
  martlet_u32 in_root;                       /* the classes that pass with one component at most */
  martlet_u32 paths;                         /* the classes for which anything counts but who acts */
  martlet_u32 by_user;                       /* the classes that pass with some users */
  martlet_u32 names[MARTLET_NAME_PLACES];
  struct martlet_connection_filter connections;
  struct martlet_user_filter users;
};
MARTLET_ASSERT_SIZE(struct martlet_connection_filter, 39560);
MARTLET_ASSERT_SIZE(struct martlet_user_filter, 288);
MARTLET_ASSERT_SIZE(struct martlet_filter, 56568);

/* Which names are models' names: by the end of the last component, or by the whole of the one before it. Of both, eight
 * bytes count at most: user space knows the rest. A word has the last byte highest of those that it holds, and lies at
 * its place or behind it, up to an empty one. */
#define MARTLET_WATCHED_FILES 4096
#define MARTLET_MODEL_NAMES 256
#define MARTLET_MODEL_NAME_BYTES 8
#define MARTLET_MODEL_NAME_STEPS 8
struct martlet_model_names {
  martlet_u64 ends[MARTLET_MODEL_NAMES];
  martlet_u64 folders[MARTLET_MODEL_NAMES];
  martlet_u32 end_lengths;    /* bit n: some end has n bytes */
  martlet_u32 folder_lengths; /* bit n: some folder's name has n bytes */
  martlet_u32 end_start;      /* the byte, below 128, that all ends below 8 bytes begin with, a dot; 0 where they differ */
  martlet_u32 readers;        /* MARTLET_ACTOR_*: whose reads of models are told; writes are whoever's */
};
MARTLET_ASSERT_SIZE(struct martlet_model_names, 4112);

/* The class of an open: what is known of it before any name is looked at. */
static inline martlet_u32 martlet_open_class(martlet_u32 access, martlet_u32 is_directory, martlet_u32 is_opened,
                                             martlet_u32 is_container) {
  return (access & 3) | (is_directory ? 4 : 0) | (is_opened ? 8 : 0) | (is_container ? 16 : 0);
}

/* What is known before the file is looked at, and where it happens. */
static inline martlet_u32 martlet_early_class(martlet_u32 kind) { return kind & 11; }

/* A bit for each class that an open may be of, directory or not, container or not, of which `kind` is the lowest. */
static inline martlet_u32 martlet_open_classes(martlet_u32 kind) { return 0x110011u << kind; }

static inline martlet_u32 martlet_place(martlet_u64 key, martlet_u32 bits) {
  return (martlet_u32)((key * 0x9e3779b97f4a7c15ull) >> (64 - bits));
}

/* `head`: the first eight bytes, the first one lowest, zeros behind a shorter component. */
static inline martlet_u32 martlet_component_place(martlet_u64 head, martlet_u32 length) {
  return martlet_place(head ^ ((martlet_u64)length << 56) ^ length, 12);
}

/* `tail`: the last `length` bytes, up to eight, the last one highest among them. */
static inline martlet_u32 martlet_suffix_place(martlet_u64 tail, martlet_u32 length) {
  return martlet_place(tail ^ ((martlet_u64)length << 57) ^ 0x5bd1e995u, 12);
}

/* `word`: eight bytes of a component, the first one lowest. */
static inline martlet_u32 martlet_infix_place(martlet_u64 word) { return martlet_place(word ^ 0x85ebca6bu, 12); }
/* Its bit in `infixes`, which spares most looks. */
static inline martlet_u64 martlet_infix_bit(martlet_u32 place) { return 1ull << (place >> 6); }

/* A program's name with zeros behind it, as two words. */
static inline martlet_u32 martlet_program_place(martlet_u64 first, martlet_u64 second) {
  return martlet_place(first ^ ((second << 7 | second >> 57) * 0xc2b2ae3d27d4eb4full) ^ 0x27d4eb2fu, 12);
}

enum martlet_connection_kind {
  MARTLET_CONNECTION_TCP = 0,
  MARTLET_CONNECTION_UDP = 1,
  MARTLET_CONNECTION_OTHER = 2,
  MARTLET_CONNECTION_SEND = 3, /* a datagram to an address that the socket is not tied to */
};

/* The class of a connection: what is known of it before its far end is looked at. */
static inline martlet_u32 martlet_connection_class(martlet_u32 kind, martlet_u32 is_container) {
  return kind | (is_container ? 4 : 0);
}

static inline martlet_u32 martlet_model_name_place(martlet_u64 word) {
  return martlet_place(word, 8);
}

/* The place of a cgroup id of a hierarchy (0: v2, 1: v1) among those known to be no container's. */
static inline martlet_u64 martlet_cgroup_key(martlet_u64 id, martlet_u32 hierarchy) {
  return id | (martlet_u64)hierarchy << 63;
}
static inline martlet_u32 martlet_cgroup_place(martlet_u64 key) { return martlet_place(key, 10); }

#endif
