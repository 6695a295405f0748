/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * The bytes that the kernel side writes and the user side reads: one header for both.
 *
 * A record is a fixed part, chosen by its kind, followed by the texts that the fixed part points to.
 * Only fixed-width integers stand here, padding is spelled out, and every size is asserted below, so
 * that BPF C, C and Swift cannot disagree. Numbers are in host byte order unless a comment says so.
 * A reader trusts none of it: see EventRecord.swift for the checks.
 */
#ifndef MARTLET_EVENT_H
#define MARTLET_EVENT_H

#ifdef __bpf__
/* vmlinux-free BPF builds get these from <linux/types.h>, which every program includes first. */
typedef __u8 martlet_u8;
typedef __u16 martlet_u16;
typedef __u32 martlet_u32;
typedef __u64 martlet_u64;
typedef __s32 martlet_s32;
typedef __s64 martlet_s64;
#else
#include <stdint.h>
typedef uint8_t martlet_u8;
typedef uint16_t martlet_u16;
typedef uint32_t martlet_u32;
typedef uint64_t martlet_u64;
typedef int32_t martlet_s32;
typedef int64_t martlet_s64;
#endif

/* Bounds, in bytes. A text that does not fit is cut and its record says so in `flags`. */
#define MARTLET_COMM_BYTES 16
#define MARTLET_PATH_BYTES_MAX 4096
#define MARTLET_ARGUMENTS_BYTES_MAX 65536
#define MARTLET_ENVIRONMENT_BYTES_MAX 65536
#define MARTLET_RECORD_BYTES_MAX 155648

/* What a record is about. Never renumber: recordings keep these values. */
enum martlet_kind {
  MARTLET_KIND_EXEC = 1,    /* a process replaced its image: martlet_process */
  MARTLET_KIND_PROCESS = 2, /* a process that was there at start: martlet_process */
  MARTLET_KIND_FORK = 3,    /* a process (not a thread) came to be: martlet_fork */
  MARTLET_KIND_EXIT = 4,    /* the last thread of a process ended: martlet_exit */
  MARTLET_KIND_OPEN = 5,    /* a call of the open family returned: martlet_open */
  MARTLET_KIND_CONNECT = 6, /* a call on an internet socket, most often connect: martlet_connect */
  MARTLET_KIND_CGROUP = 7,  /* a cgroup id and its path, before the first record that carries it */
  MARTLET_KIND_UNIX = 8,    /* a call on a Unix socket: martlet_unix */
  MARTLET_KIND_CALL = 12,   /* a call that has no kind of its own returned: martlet_syscall */
  MARTLET_KIND_DNS = 16,    /* a resolver answered a question that was asked: martlet_dns */
  MARTLET_KIND_FILE = 20,   /* something became of a watched file, or of a model that was written: martlet_file */
  /* From here on records are made in user space and enter the same stream. */
  MARTLET_KIND_HOST = 32,   /* host name and clock offset: martlet_host */
  MARTLET_KIND_TICK = 33,   /* time went by; the fixed part alone */
  MARTLET_KIND_END = 34,    /* a recording is whole up to here: martlet_end */
  MARTLET_KIND_NOTICE = 35, /* what the agent found out about itself: martlet_notice; also made by the kernel side */
  MARTLET_KIND_CONTAINER = 36, /* what a runtime says about a container: martlet_container */
  MARTLET_KIND_RESOLVERS = 40, /* whose answers are believed from here on: martlet_resolvers */
  MARTLET_KIND_START = 44,     /* a container has started: the fixed part alone, its cgroups the container's */
  MARTLET_KIND_ACCOUNTS = 45,  /* what the users and groups of a container or the host are called: martlet_accounts */
  MARTLET_KIND_MODEL = 46,     /* what is known about a model that a process opened: martlet_model */
  MARTLET_KIND_INQUIRY = 48,   /* whether runtimes are asked, and what nobody could answer: martlet_inquiry */
};

/* martlet_record.flags */
/* A path or directory that is cut lacks its front, and is written without a leading slash. */
#define MARTLET_FLAG_PATH_TRUNCATED (1u << 0)
#define MARTLET_FLAG_NAME_TRUNCATED (1u << 1)
#define MARTLET_FLAG_ARGUMENTS_TRUNCATED (1u << 2)
#define MARTLET_FLAG_DIRECTORY_TRUNCATED (1u << 3)
/* A text that only user memory held, read after the fact: another thread may have changed it. */
#define MARTLET_FLAG_NAME_UNTRUSTED (1u << 4)
/* The path ended at a mount that is not in the task's mount namespace, or no longer. */
#define MARTLET_FLAG_PATH_UNREACHABLE (1u << 5)
/* A text could not be read: its page was not there. */
#define MARTLET_FLAG_NAME_MISSING (1u << 6)
/* A martlet_process is the front of a martlet_process_environment. */
#define MARTLET_FLAG_ENVIRONMENT (1u << 16)
#define MARTLET_FLAG_ENVIRONMENT_TRUNCATED (1u << 17)
/* A martlet_open is the front of a martlet_open_state. */
#define MARTLET_FLAG_FILE_STATE (1u << 18)
/* The file is on the list of watched files. */
#define MARTLET_FLAG_FILE_WATCHED (1u << 19)
/* Asked for through io_uring, by no system call of its own. */
#define MARTLET_FLAG_IO_URING (1u << 24)
/* The socket has a peer that it sends to without being told whom. */
#define MARTLET_FLAG_SOCKET_CONNECTED (1u << 25)
/* The remote address was read from the program's memory, after a call that failed: it may have been another one. */
#define MARTLET_FLAG_ADDRESS_UNTRUSTED (1u << 26)
/* The socket has not been seen with this peer before. */
#define MARTLET_FLAG_PEER_IS_NEW (1u << 27)

/* The filter would have dropped it, and was told to mark instead. */
#define MARTLET_FLAG_UNWANTED (1u << 31)

/* Facts about a file object: martlet_process.exe_flags, martlet_open.file_flags. */
#define MARTLET_FILE_UPPER_LAYER (1u << 0) /* overlayfs, copied up or created since the image was made */
#define MARTLET_FILE_LOWER_LAYER (1u << 1) /* overlayfs, from the image */
#define MARTLET_FILE_MEMFD (1u << 2)
#define MARTLET_FILE_UNLINKED (1u << 3)

/* The call that a record came from: Falco's event types. Never renumber. */
enum martlet_call {
  MARTLET_CALL_NONE = 0,
  MARTLET_CALL_EXECVE = 1,
  MARTLET_CALL_EXECVEAT = 2,
  MARTLET_CALL_OPEN = 3,
  MARTLET_CALL_OPENAT = 4,
  MARTLET_CALL_OPENAT2 = 5,
  MARTLET_CALL_CREAT = 6,
  MARTLET_CALL_OPEN_BY_HANDLE_AT = 7,
  MARTLET_CALL_CONNECT = 8,
  /* From here on by MARTLET_KIND_CONNECT or MARTLET_KIND_UNIX, as connect is. */
  MARTLET_CALL_ACCEPT = 9,
  MARTLET_CALL_ACCEPT4 = 10,
  MARTLET_CALL_LISTEN = 11,
  MARTLET_CALL_BIND = 12,
  /* Of datagrams, and only the first to or from each peer. */
  MARTLET_CALL_SENDTO = 13,
  MARTLET_CALL_SENDMSG = 14,
  MARTLET_CALL_SENDMMSG = 15,
  MARTLET_CALL_RECVFROM = 16,
  MARTLET_CALL_RECVMSG = 17,
  MARTLET_CALL_RECVMMSG = 18,
  /* From here on by MARTLET_KIND_CALL. */
  MARTLET_CALL_DUP = 32,
  MARTLET_CALL_DUP2 = 33,
  MARTLET_CALL_DUP3 = 34,
  MARTLET_CALL_SYMLINK = 35,
  MARTLET_CALL_SYMLINKAT = 36,
  MARTLET_CALL_LINK = 37,
  MARTLET_CALL_LINKAT = 38,
  MARTLET_CALL_RENAME = 39,
  MARTLET_CALL_RENAMEAT = 40,
  MARTLET_CALL_RENAMEAT2 = 41,
  MARTLET_CALL_UNLINK = 42,
  MARTLET_CALL_UNLINKAT = 43,
  MARTLET_CALL_RMDIR = 44,
  MARTLET_CALL_MKDIR = 45,
  MARTLET_CALL_MKDIRAT = 46,
  MARTLET_CALL_CHMOD = 47,
  MARTLET_CALL_FCHMOD = 48,
  MARTLET_CALL_FCHMODAT = 49,
  MARTLET_CALL_PTRACE = 50,
  MARTLET_CALL_SOCKET = 51,
  MARTLET_CALL_SETNS = 52,
  MARTLET_CALL_UNSHARE = 53,
  MARTLET_CALL_SETUID = 54,
  MARTLET_CALL_SETGID = 55,
  MARTLET_CALL_SETREUID = 56,
  MARTLET_CALL_SETREGID = 57,
  MARTLET_CALL_SETRESUID = 58,
  MARTLET_CALL_SETRESGID = 59,
  MARTLET_CALL_BPF = 60,
  MARTLET_CALL_USERFAULTFD = 61,
  MARTLET_CALL_INIT_MODULE = 62,
  MARTLET_CALL_FINIT_MODULE = 63,
  MARTLET_CALL_DELETE_MODULE = 64,
  MARTLET_CALL_MOUNT = 65,
  MARTLET_CALL_UMOUNT = 66,
  MARTLET_CALL_UMOUNT2 = 67,
  MARTLET_CALL_MEMFD_CREATE = 68,
  MARTLET_CALL_PROCESS_VM_READV = 69,
  MARTLET_CALL_PROCESS_VM_WRITEV = 70,
  MARTLET_CALL_KILL = 71,
  MARTLET_CALL_TKILL = 72,
  MARTLET_CALL_TGKILL = 73,
  MARTLET_CALL_TRUNCATE = 74,
  MARTLET_CALL_FTRUNCATE = 75,
  MARTLET_CALL_IO_URING_SETUP = 76,
  MARTLET_CALL_CAPSET = 77,
  MARTLET_CALL_CHROOT = 78,
  MARTLET_CALL_PRCTL = 79,
  MARTLET_CALL_CHDIR = 80,
  MARTLET_CALL_FCHDIR = 81,
  MARTLET_CALL_PIDFD_OPEN = 82,
  MARTLET_CALL_PIDFD_GETFD = 83,
  MARTLET_CALL_CHOWN = 84,
  MARTLET_CALL_LCHOWN = 85,
  MARTLET_CALL_FCHOWN = 86,
  MARTLET_CALL_FCHOWNAT = 87,
  MARTLET_CALL_MKNOD = 88,
  MARTLET_CALL_MKNODAT = 89,
  MARTLET_CALL_PIVOT_ROOT = 90,
  MARTLET_CALL_FCHMODAT2 = 91,
  /* No call: by MARTLET_KIND_START. */
  MARTLET_CALL_CONTAINER = 126,
  /* No calls, and made in user space: by MARTLET_KIND_MODEL. */
  MARTLET_CALL_MODEL_VERDICT = 120,
  MARTLET_CALL_MODEL_CHANGED = 121,
  MARTLET_CALL_COUNT = 128, /* numbers stay below */
};

/* A text inside its record: `offset_bytes` from the record's first byte. No terminating NUL is counted. */
struct martlet_text {
  martlet_u32 offset_bytes;
  martlet_u32 length_bytes;
};

/* What every record starts with: which event, when, and the task that acted. */
struct martlet_record {
  martlet_u32 length_bytes;      /* the whole record, texts included; a multiple of 8 */
  martlet_u16 kind;              /* enum martlet_kind */
  martlet_u16 call;              /* enum martlet_call */
  martlet_u64 time_ns;           /* CLOCK_BOOTTIME */
  martlet_u64 process_start_ns;  /* start_boottime of the thread group leader: with process_id, who this is */
  martlet_u64 cgroup_id;         /* on the v2 hierarchy; 1 or 0 where there is none */
  martlet_u64 cgroup_v1_id;      /* on the v1 hierarchy in use; 0 where none is */
  martlet_u32 process_id;        /* tgid in the first pid namespace */
  martlet_u32 thread_id;
  martlet_u32 user_id;           /* effective ids in the first user namespace: what the act was allowed by */
  martlet_u32 group_id;
  martlet_u32 flags;             /* MARTLET_FLAG_* */
  martlet_u16 cpu;
  martlet_u16 generation;        /* lower half of the number of the programs that began it; 0 for what no program made */
  martlet_u8 comm[MARTLET_COMM_BYTES]; /* of the acting thread, NUL-padded */
};

/* MARTLET_KIND_EXEC, MARTLET_KIND_PROCESS */
struct martlet_process {
  struct martlet_record record;
  martlet_u64 parent_start_ns;
  martlet_u64 capabilities_effective;
  martlet_u64 capabilities_permitted;
  martlet_u64 capabilities_inheritable;
  martlet_u64 exe_inode;
  martlet_u64 exe_modified_ns;   /* CLOCK_REALTIME */
  martlet_u64 exe_changed_ns;    /* CLOCK_REALTIME */
  martlet_u32 exe_device;        /* kernel encoding: major << 20 | minor */
  martlet_u32 exe_flags;         /* MARTLET_FILE_* */
  martlet_u32 parent_id;         /* tgid of real_parent */
  martlet_u32 process_group_id;  /* as seen from the first pid namespace */
  martlet_u32 session_id;
  martlet_u32 namespace_process_id;       /* in the innermost pid namespace */
  martlet_u32 namespace_process_group_id;
  martlet_u32 namespace_session_id;
  martlet_u32 real_user_id;
  martlet_u32 saved_user_id;
  martlet_u32 real_group_id;
  martlet_u32 login_user_id;     /* 4294967295 where unset */
  martlet_u32 terminal;          /* device number of the controlling terminal; 0 for none */
  martlet_u32 pid_namespace;     /* inode numbers of the namespaces */
  martlet_u32 mount_namespace;
  martlet_u32 network_namespace;
  martlet_u32 user_namespace;
  martlet_u32 reserved;
  struct martlet_text exe_path;  /* as the kernel resolved it, from the root of the mount namespace */
  struct martlet_text filename;  /* as passed to execve; a script's own name, not its interpreter's */
  struct martlet_text arguments; /* argv, each ended by NUL */
  struct martlet_text directory; /* the working directory, from the same root */
};

/* The same where the environment was asked for, which MARTLET_FLAG_ENVIRONMENT says. */
struct martlet_process_environment {
  struct martlet_process process;
  struct martlet_text environment; /* NAME=VALUE, each ended by NUL */
};

/* MARTLET_KIND_FORK: the record's task is the child. */
struct martlet_fork {
  struct martlet_record record;
  martlet_u64 creator_start_ns;  /* who called: what the child inherits comes from here */
  martlet_u64 parent_start_ns;   /* real_parent: differs from the creator under CLONE_PARENT */
  martlet_u32 creator_id;
  martlet_u32 parent_id;
  martlet_u32 namespace_process_id;
  martlet_u32 pid_namespace;
};

/* MARTLET_KIND_EXIT */
struct martlet_exit {
  struct martlet_record record;
  martlet_s32 exit_code;         /* as wait(2) reports it */
  martlet_u32 reserved;
};

/* MARTLET_KIND_OPEN */
struct martlet_open {
  struct martlet_record record;
  martlet_s64 result;            /* the descriptor, or a negated errno */
  martlet_u64 inode;             /* this and what follows up to `file_flags`: 0 when the call failed or the file is gone */
  martlet_u64 filesystem_magic;  /* s_magic of the superblock */
  martlet_u32 device;            /* kernel encoding: major << 20 | minor */
  martlet_u32 inode_mode;        /* type and permission bits */
  martlet_u32 file_mode;         /* FMODE_* of the struct file */
  martlet_u32 file_flags;        /* MARTLET_FILE_* */
  martlet_u32 open_flags;        /* O_*, as the call passed them; O_ACCMODE from the file where user memory held them */
  martlet_u32 create_mode;       /* the mode argument */
  martlet_s32 directory_fd;      /* the dirfd argument, AT_FDCWD for calls that have none */
  martlet_u32 reserved;
  struct martlet_text path;      /* of the file, from the root of the mount namespace; empty when failed or gone */
  struct martlet_text name;      /* the string the program passed; its first 256 bytes when the call failed */
  struct martlet_text directory; /* what a relative name starts from; empty for an absolute one */
};

/* What tells one content of a file from another, and who could change it unseen. */
struct martlet_file_state {
  martlet_u64 size_bytes;
  martlet_u64 modified_ns;       /* CLOCK_REALTIME */
  martlet_u64 changed_ns;        /* CLOCK_REALTIME */
  martlet_u64 real_inode;        /* on an overlay, of the upper layer's file; 0 elsewhere and in a lower layer */
  martlet_u32 real_device;
  martlet_s32 writers;           /* descriptors and shared mappings that can write; negative while it is executed */
};

/* The same where a model or a watched file was opened, which MARTLET_FLAG_FILE_STATE says. */
struct martlet_open_state {
  struct martlet_open open;
  struct martlet_file_state state; /* once it was opened: an open for writing counts itself */
};

/* What became of a file. Never renumber. */
enum martlet_change {
  MARTLET_CHANGE_TOUCHED = 1,    /* written, or something that no call below names */
  MARTLET_CHANGE_RENAMED = 2,    /* moved, or another one moved into its place: then `path` is where `name` leads */
  MARTLET_CHANGE_LINKED = 3,     /* has one more name */
  MARTLET_CHANGE_UNLINKED = 4,   /* has one name less */
  MARTLET_CHANGE_TRUNCATED = 5,
  MARTLET_CHANGE_ATTRIBUTES = 6, /* owner, mode, times, extended attributes */
  MARTLET_CHANGE_CLOSED = 7,     /* nobody can write it any more; the task is who opened it for that last */
  MARTLET_CHANGE_COUNT = 8,
};

/* MARTLET_KIND_FILE. Of a watched file each change but the last is told once, until it is watched again. */
struct martlet_file {
  struct martlet_record record;  /* of the task that changes it */
  martlet_u64 inode;
  martlet_u32 device;            /* kernel encoding: major << 20 | minor */
  martlet_u32 inode_mode;        /* type and permission bits */
  martlet_u32 change;            /* enum martlet_change */
  martlet_u32 links;             /* names that it has; as the change begins */
  struct martlet_file_state state; /* as the change begins; all 0 for one that is gone since it was closed */
  struct martlet_text path;      /* as the change begins; one of them, where it has several names */
  struct martlet_text name;      /* of a rename or a link: the new name, as the program passed it */
  struct martlet_text directory; /* what a relative name starts from */
};

/* MARTLET_KIND_CONNECT */
struct martlet_connect {
  struct martlet_record record;
  martlet_u64 socket_cookie;     /* 0 where the kernel gave none */
  martlet_s64 result;            /* 0 or a negated errno; -EINPROGRESS while the handshake runs */
  martlet_u32 network_namespace; /* inode number */
  martlet_u16 family;            /* AF_INET, AF_INET6 */
  martlet_u16 protocol;          /* IPPROTO_* */
  martlet_u16 local_port;        /* host byte order; 0 before one is bound */
  martlet_u16 remote_port;       /* host byte order */
  martlet_s32 fd;                /* -1 where the hook does not know it */
  martlet_u8 local_address[16];  /* network byte order; AF_INET uses the first four */
  martlet_u8 remote_address[16];
};

/* MARTLET_KIND_UNIX */
struct martlet_unix {
  struct martlet_record record;
  martlet_u64 socket_cookie;     /* 0 where the kernel gave none */
  martlet_u64 peer_cookie;
  martlet_s64 result;            /* a descriptor, 0 or a negated errno */
  martlet_s32 fd;                /* the socket's: for accept, the new one */
  martlet_u32 socket_type;       /* SOCK_* */
  struct martlet_text name;      /* what this end is bound to; one that begins with NUL is abstract */
  struct martlet_text peer_name; /* what the other end is bound to */
  struct martlet_text path;      /* of the socket's file, from the root of the mount namespace; the peer's for connect */
};

/* The ends of an internet socket. */
struct martlet_ends {
  martlet_u16 family;            /* AF_INET, AF_INET6; 0 where there is no such socket */
  martlet_u16 protocol;          /* IPPROTO_* */
  martlet_u16 local_port;        /* host byte order; 0 before one is bound */
  martlet_u16 remote_port;       /* host byte order; 0 without a peer */
  martlet_u8 local_address[16];  /* network byte order; AF_INET uses the first four */
  martlet_u8 remote_address[16];
};

/* MARTLET_KIND_CALL; also an execve or execveat that failed. Which argument is what stands in probe_calls.c. */
struct martlet_syscall {
  struct martlet_record record;
  martlet_s64 result;            /* what the call returned, or a negated errno */
  martlet_u64 arguments[6];      /* as the call passed them; those of a 32-bit call are zero-extended */
  martlet_u64 capabilities_effective; /* of the acting thread, once the call is over */
  martlet_u64 capabilities_permitted;
  martlet_u64 capabilities_inheritable;
  martlet_u64 inode;             /* this and what follows up to `ends`: of the file behind the descriptor */
  martlet_u32 device;            /* kernel encoding: major << 20 | minor */
  martlet_u32 inode_mode;        /* type and permission bits */
  martlet_u32 file_flags;        /* MARTLET_FILE_* */
  martlet_s32 fd;                /* the descriptor that the call used or made; -1 for none */
  struct martlet_ends ends;      /* of a socket */
  struct martlet_text path;      /* of the file, or the new working directory, from the root of the mount namespace */
  struct martlet_text names[3];  /* strings that the program passed, in the order of the arguments */
  struct martlet_text directories[2]; /* what a relative name starts from, for the first two; empty for absolute ones */
};

/* MARTLET_KIND_DNS: the record's task is nobody's. */
struct martlet_dns {
  struct martlet_record record;
  martlet_u64 socket_cookie;     /* of the socket that asked */
  martlet_u32 network_namespace; /* inode number, of that socket */
  martlet_u32 interface_index;   /* that the answer came by, in that namespace: 1 for loopback */
  martlet_u32 message_bytes;     /* of the whole answer; `message` may be cut */
  martlet_u16 family;            /* AF_INET, AF_INET6 */
  martlet_u16 reserved;
  martlet_u8 resolver_address[16]; /* that it came from; network byte order, AF_INET uses the first four */
  struct martlet_text message;   /* as the resolver wrote it, from its header on */
};

/* MARTLET_KIND_RESOLVERS: takes the place of the one before it. */
struct martlet_resolvers {
  struct martlet_record record;
  struct martlet_text addresses; /* 16 bytes each, in network byte order; IPv4 ones mapped into IPv6 */
};

/* MARTLET_KIND_CGROUP: id and path of record.cgroup_id (hierarchy 0) or record.cgroup_v1_id (1). */
struct martlet_cgroup {
  struct martlet_record record;
  martlet_u64 id;
  martlet_u32 hierarchy;
  martlet_u32 reserved;
  struct martlet_text path;      /* from the hierarchy's root, "/" for the root itself */
};

/* MARTLET_KIND_HOST */
struct martlet_host {
  struct martlet_record record;
  martlet_s64 realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_BOOTTIME */
  struct martlet_text hostname;
  struct martlet_text node_id;    /* tells this node from others that have the same name; may be empty */
};

/* MARTLET_KIND_END: the last record of a recording that was not cut off. */
struct martlet_end {
  struct martlet_record record;
  martlet_u64 record_count;       /* before this one */
  martlet_u64 lost_count;         /* events that were seen and could not be delivered */
};

/* What a notice is about. Never renumber. */
enum martlet_notice_subject {
  MARTLET_NOTICE_LOST = 1,     /* `count` events of `hook` were seen and could not be delivered */
  MARTLET_NOTICE_FLOOD = 2,    /* the container caused so many events of `hook` that `count` of them were shed */
  MARTLET_NOTICE_UNPROVEN = 3, /* the hook that `detail` names does not tell what it should */
  MARTLET_NOTICE_TAMPER = 4,   /* the record's process did to the agent or to its programs what `detail` says */
  MARTLET_NOTICE_UNSEEN = 5,   /* the record's process began something that cannot be followed on this kernel */
  MARTLET_NOTICE_FILTER = 6,   /* the filter would have dropped `count` events that rules matched */
  MARTLET_NOTICE_RULES = 7,    /* other rules were to be taken and could not be, which `detail` explains */
  MARTLET_NOTICE_SIGNAL = 8,   /* the record's process sent the agent the signal that `detail` names */
};

/* MARTLET_KIND_NOTICE: the record's task and cgroups are those that the notice is about, 0 for none. */
struct martlet_notice {
  struct martlet_record record;
  martlet_u64 count;
  martlet_u32 subject;            /* enum martlet_notice_subject */
  martlet_u32 hook;               /* enum martlet_hook; MARTLET_HOOK_NONE for none */
  struct martlet_text detail;     /* a few words, for people */
};

/* Every hook counts what becomes of each event that it sees; seen = filtered + delivered + lost_*. */
enum martlet_hook {
  MARTLET_HOOK_EXEC = 0,
  MARTLET_HOOK_FORK = 1,
  MARTLET_HOOK_EXIT = 2,
  MARTLET_HOOK_OPEN = 3,
  MARTLET_HOOK_CONNECT = 4,
  MARTLET_HOOK_CGROUP = 5,
  MARTLET_HOOK_SOCKET = 6,       /* accept, listen, bind, Unix sockets, datagrams */
  MARTLET_HOOK_RING = 7,         /* opens through io_uring */
  MARTLET_HOOK_CALL = 8,
  MARTLET_HOOK_DNS = 9,          /* answers of resolvers; those that nobody asked for, or that name nothing, are filtered */
  MARTLET_HOOK_FILE = 10,        /* what becomes of watched files and of models; what was told already is filtered */
  MARTLET_HOOK_TAMPER = 11,      /* acts against the agent itself */
  MARTLET_HOOK_COUNT = 12,
  MARTLET_HOOK_NONE = 255,
};

struct martlet_hook_counters {
  martlet_u64 seen;
  martlet_u64 filtered;          /* not wanted, by a filter that was asked for */
  martlet_u64 delivered;
  martlet_u64 lost_ring_full;
  martlet_u64 lost_nested;       /* an interrupt came while two records were being made on this CPU */
  martlet_u64 lost_unreadable;   /* the kernel objects could not be read */
  martlet_u64 lost_shed;         /* the ring was filling up, and the container had more than its share of it */
};

#define MARTLET_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " changed size")
MARTLET_ASSERT_SIZE(struct martlet_text, 8);
MARTLET_ASSERT_SIZE(struct martlet_record, 80);
MARTLET_ASSERT_SIZE(struct martlet_process, 240);
MARTLET_ASSERT_SIZE(struct martlet_process_environment, 248);
MARTLET_ASSERT_SIZE(struct martlet_fork, 112);
MARTLET_ASSERT_SIZE(struct martlet_exit, 88);
MARTLET_ASSERT_SIZE(struct martlet_open, 160);
MARTLET_ASSERT_SIZE(struct martlet_file_state, 40);
MARTLET_ASSERT_SIZE(struct martlet_open_state, 200);
MARTLET_ASSERT_SIZE(struct martlet_file, 168);
MARTLET_ASSERT_SIZE(struct martlet_connect, 144);
MARTLET_ASSERT_SIZE(struct martlet_unix, 136);
MARTLET_ASSERT_SIZE(struct martlet_ends, 40);
MARTLET_ASSERT_SIZE(struct martlet_syscall, 272);
MARTLET_ASSERT_SIZE(struct martlet_dns, 128);
MARTLET_ASSERT_SIZE(struct martlet_resolvers, 88);
MARTLET_ASSERT_SIZE(struct martlet_cgroup, 104);
MARTLET_ASSERT_SIZE(struct martlet_host, 104);
MARTLET_ASSERT_SIZE(struct martlet_end, 96);
MARTLET_ASSERT_SIZE(struct martlet_notice, 104);
MARTLET_ASSERT_SIZE(struct martlet_hook_counters, 56);

#endif
