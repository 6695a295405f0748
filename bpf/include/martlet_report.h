/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * Records that user space makes of what it was told or has found out: about containers, users and models. They stand in the
 * stream and in recordings beside those of the probe, and the same rules hold for them; see martlet_event.h.
 */
#ifndef MARTLET_REPORT_H
#define MARTLET_REPORT_H

#include "martlet_event.h"

/* What runs a container: martlet_container.runtime. Never renumber. */
enum martlet_runtime {
  MARTLET_RUNTIME_UNKNOWN = 0,
  MARTLET_RUNTIME_DOCKER = 1,
  MARTLET_RUNTIME_CONTAINERD = 2,
  MARTLET_RUNTIME_CRIO = 3,
  MARTLET_RUNTIME_PODMAN = 4,
};

/* martlet_container.facts */
#define MARTLET_CONTAINER_PRIVILEGE_KNOWN (1u << 0)
#define MARTLET_CONTAINER_PRIVILEGED (1u << 1)
/* A martlet_container is the front of a martlet_container_mounts. */
#define MARTLET_CONTAINER_MOUNTS (1u << 2)
/* Which of the node's namespaces it shares is known, and which these are. */
#define MARTLET_CONTAINER_NAMESPACES_KNOWN (1u << 3)
#define MARTLET_CONTAINER_HOST_NETWORK (1u << 4)
#define MARTLET_CONTAINER_HOST_PID (1u << 5)
#define MARTLET_CONTAINER_HOST_IPC (1u << 6)

/*
 * MARTLET_KIND_CONTAINER: the last one counts. A text without bytes is one that the runtime did not tell. The record's
 * task and cgroups are none. MARTLET_FLAG_NAME_TRUNCATED: something in it was cut or left out.
 */
struct martlet_container {
  struct martlet_record record;
  martlet_u64 started_ns;         /* since 1970; 0 where unknown */
  martlet_u32 facts;              /* MARTLET_CONTAINER_* */
  martlet_u32 runtime;            /* enum martlet_runtime */
  struct martlet_text id;         /* as in the names of its cgroups */
  struct martlet_text name;
  struct martlet_text image;      /* as it was asked for, tag included */
  struct martlet_text image_repository;
  struct martlet_text image_tag;
  struct martlet_text image_digest;
  struct martlet_text image_id;
  struct martlet_text labels;     /* KEY NUL VALUE NUL, any number of times, sorted by key */
  struct martlet_text pod_name;
  struct martlet_text pod_namespace;
  struct martlet_text pod_uid;
  struct martlet_text pod_labels; /* in the form of `labels` */
  struct martlet_text sandbox_id; /* of the pod's sandbox; the same as `id` for the sandbox itself */
  struct martlet_text address;    /* first one of the container or its pod, written out */
};

/* The same where its mounts are known, which MARTLET_CONTAINER_MOUNTS says. */
struct martlet_container_mounts {
  struct martlet_container container;
  struct martlet_text mounts;     /* of each, ended by NUL: source, destination, mode, "true" where writable, propagation */
};

/*
 * MARTLET_KIND_ACCOUNTS: the last one of a container counts. MARTLET_FLAG_NAME_TRUNCATED: some found no room.
 * MARTLET_FLAG_NAME_MISSING: nobody was there any more to read them from, and what was known before counts. The record's
 * task and cgroups are none.
 */
struct martlet_accounts {
  struct martlet_record record;
  struct martlet_text container_id; /* as in the names of its cgroups; empty for the host */
  struct martlet_text pod_uid;      /* likewise; empty outside of pods */
  struct martlet_text users;        /* martlet_account, any number of times, by rising id; begins at a multiple of 8 */
  struct martlet_text groups;       /* in the form of `users` */
};

/* A user, or a group, which has a name alone. */
struct martlet_account {
  martlet_u32 id;                   /* in the first user namespace, as in martlet_record */
  martlet_u16 name_bytes;
  martlet_u16 home_bytes;
  martlet_u16 shell_bytes;
  martlet_u16 reserved;
  martlet_u32 offset_bytes;         /* of the name in the record; home and shell follow it */
};

/* martlet_model.facts */
#define MARTLET_MODEL_VERIFIED_KNOWN (1u << 0)
#define MARTLET_MODEL_VERIFIED (1u << 1)
#define MARTLET_MODEL_NAME_KNOWN (1u << 2)
#define MARTLET_MODEL_NAME_MATCHES (1u << 3)
#define MARTLET_MODEL_PICKLE_CAPABLE (1u << 4)
#define MARTLET_MODEL_CACHED (1u << 5)
#define MARTLET_MODEL_SIGNER_EXPIRED (1u << 6)

/*
 * MARTLET_KIND_MODEL: the record's task is the one that opened the model, as it was then. A text without bytes is one
 * that is not known.
 */
struct martlet_model {
  struct martlet_record record;
  martlet_u64 inode;
  martlet_u64 size_bytes;
  martlet_u64 opened_ns;          /* CLOCK_BOOTTIME */
  martlet_u64 hash_ns;            /* how long reading took; 0 where it was not read */
  martlet_u32 device;             /* kernel encoding: major << 20 | minor */
  martlet_u32 facts;              /* MARTLET_MODEL_* */
  martlet_u32 changer_id;         /* of a change: the process that made it */
  martlet_u32 reserved;
  struct martlet_text path;       /* as the kernel resolved it */
  struct martlet_text opened_as;  /* as the program spelled it */
  struct martlet_text state;      /* `verified`, `unsigned`, `skipped:size` and so on */
  struct martlet_text digest;     /* hexadecimal */
  struct martlet_text claimed_digest; /* which the file's name says it has */
  struct martlet_text signer;
  struct martlet_text method;
  struct martlet_text model_name; /* as the signer calls the model */
  struct martlet_text root_digest;
  struct martlet_text resource;   /* as the signer calls the file */
  struct martlet_text format;
  struct martlet_text source;
  struct martlet_text guarantee;
  struct martlet_text change;     /* of a change: what was done */
};

/* What a martlet_inquiry tells. Never renumber. */
enum martlet_inquiry_step {
  MARTLET_INQUIRY_BEGUN = 1,      /* from here on runtimes are asked for each container whose cgroup is announced */
  MARTLET_INQUIRY_UNANSWERED = 2, /* nobody who was asked for `id` knows it, as far as can be told now */
  MARTLET_INQUIRY_USERS_BEGUN = 3, /* from here on users' and groups' names are read in each such container */
};

/* MARTLET_KIND_INQUIRY: the record's task and cgroups are none. */
struct martlet_inquiry {
  struct martlet_record record;
  martlet_u64 wait_ns;            /* of BEGUN, USERS_BEGUN: how long the events of a container may wait for that */
  martlet_u32 step;               /* enum martlet_inquiry_step */
  martlet_u32 reserved;
  struct martlet_text id;         /* of UNANSWERED: the container's, as in the names of its cgroups */
};

MARTLET_ASSERT_SIZE(struct martlet_container, 208);
MARTLET_ASSERT_SIZE(struct martlet_container_mounts, 216);
MARTLET_ASSERT_SIZE(struct martlet_accounts, 112);
MARTLET_ASSERT_SIZE(struct martlet_account, 16);
MARTLET_ASSERT_SIZE(struct martlet_model, 240);
MARTLET_ASSERT_SIZE(struct martlet_inquiry, 104);

#endif
