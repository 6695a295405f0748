/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's types, as far as Martlet reads them.
 *
 * Every access to a member is recorded by the compiler and moved to its place on the running kernel by libbpf, so
 * a type lists only what is read, in any order. This keeps the object small and shows at a glance what the probe
 * depends on. A suffix after three underscores marks how another kernel version spells the same type.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/*
 * The probe is compiled into several objects, which are loaded side by side (Sources/CMartletBPF/probe_parts.c):
 * MARTLET_MAPS_ALONE has no function, and its maps are for the others; MARTLET_PART 1 and 2 have the programs of that
 * number, and no function that is needed by those of the other alone. The number says nothing but which half of the work
 * it is. Without either macro all of it is one.
 */
#if MARTLET_MAPS_ALONE || MARTLET_PART
#pragma clang diagnostic ignored "-Wunused-function"
#endif
#if MARTLET_MAPS_ALONE || MARTLET_PART == 2
#define IN_PART_1(attribute) static
#else
#define IN_PART_1(attribute) attribute
#endif
#if MARTLET_MAPS_ALONE || MARTLET_PART == 1
#define IN_PART_2(attribute) static
#else
#define IN_PART_2(attribute) attribute
#endif

/* What the kernel runs at a place. */
#define PROGRAM(part, place) IN_PART_##part(SEC(place))

/* A function that stays one: what many programs call would otherwise fill each of them. */
#define SHARED static __noinline

/* One that the verifier looks at once, and not again for each way that leads to it: it may not know more of its arguments
 * than that they are numbers, or the address of memory of ours of a size. APART_IN: for the programs of one part. */
#if MARTLET_MAPS_ALONE
#define APART static
#else
#define APART __noinline
#endif
#define APART_IN(part) IN_PART_##part(__noinline)

/* A number as it is, of which the verifier no longer knows what it is: it looks once at ways on that differ in it alone.
 * `any`: a number that it knows nothing of. To the verifier both have to be numbers, no pointers: the compiler may add and
 * subtract in any order. */
#define FORGOTTEN(number, any)                            \
  ({                                                      \
    __u64 any__ = (__u64)(any), same__ = any__;           \
    barrier_var(same__);                                  \
    (typeof(number))((__u64)(number) + (any__ - same__)); \
  })

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
  __u32 val;
} kuid_t;
typedef struct {
  __u32 val;
} kgid_t;
typedef struct {
  int counter;
} atomic_t;
typedef struct {
  __s64 counter;
} atomic64_t;
/* Two 32-bit words before 6.3, one 64-bit word since: the same eight bytes on little endian. */
typedef struct {
  __u64 val;
} kernel_cap_t;

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };
/* Values depend on the kernel's configuration: always taken from its type information. */
enum cgroup_subsys_id { cpu_cgrp_id = 1, memory_cgrp_id = 4, pids_cgrp_id = 11 };

struct ns_common {
  unsigned int inum;
};
struct user_namespace {
  struct ns_common ns;
};
struct mount;
struct mnt_namespace {
  struct ns_common ns;
  struct mount *root;
};
struct net {
  struct ns_common ns;
};
struct pid_namespace {
  struct ns_common ns;
};
struct list_head {
  struct list_head *next;
};
struct hlist_node {
  struct hlist_node *next;
};
struct hlist_head {
  struct hlist_node *first;
};
struct nsproxy {
  struct mnt_namespace *mnt_ns;
  struct net *net_ns;
};
struct upid {
  int nr;
  struct pid_namespace *ns;
};
struct pid {
  unsigned int level;
  struct hlist_head tasks[4];
  struct upid numbers[1];
};

struct qstr {
  __u32 len;
  const unsigned char *name;
};
struct hlist_bl_node {
  struct hlist_bl_node **pprev;
};
struct super_block {
  __u32 s_dev;
  unsigned long s_magic;
};
struct inode {
  __u16 i_mode;
  struct super_block *i_sb;
  unsigned long i_ino;
  void *i_private;
  unsigned int i_nlink;
  __s64 i_size;
  atomic_t i_writecount;
  struct hlist_head i_dentry;
  __s64 i_mtime_sec;
  __s64 i_ctime_sec;
  __u32 i_mtime_nsec;
  __u32 i_ctime_nsec;
};
struct timespec64 {
  __s64 tv_sec;
  long tv_nsec;
};
/* Up to 6.5. */
struct inode___timespec {
  struct timespec64 i_mtime;
  struct timespec64 i_ctime;
};
/* 6.6 to 6.10: the change time had been put behind an accessor, the modification time followed. */
struct inode___accessor {
  struct timespec64 __i_mtime;
  struct timespec64 __i_ctime;
};
struct dentry {
  struct hlist_bl_node d_hash;
  union {
    struct hlist_node d_alias; /* its place among the names of its inode */
  } d_u;
  struct dentry *d_parent;
  struct qstr d_name;
  struct inode *d_inode;
  struct super_block *d_sb;
};
struct vfsmount {
  struct dentry *mnt_root;
  struct super_block *mnt_sb;
};
struct mount {
  struct mount *mnt_parent;
  struct dentry *mnt_mountpoint;
  struct vfsmount mnt;
};
struct path {
  struct vfsmount *mnt;
  struct dentry *dentry;
};
struct file {
  unsigned int f_mode;
  unsigned int f_flags;
  struct inode *f_inode;
  struct path f_path;
  void *private_data;
};
struct proc_inode {
  struct pid *pid;
  struct inode vfs_inode;
};
struct ovl_inode {
  struct inode vfs_inode;
  struct dentry *__upperdentry;
};
struct fdtable {
  unsigned int max_fds;
  struct file **fd;
};
struct files_struct {
  struct fdtable *fdt;
};
struct fs_struct {
  struct path root;
  struct path pwd;
};

struct mm_struct {
  unsigned long arg_start;
  unsigned long arg_end;
  unsigned long env_start;
  unsigned long env_end;
  struct file *exe_file;
};
struct cred {
  kuid_t uid;
  kgid_t gid;
  kuid_t suid;
  kuid_t euid;
  kgid_t egid;
  kernel_cap_t cap_inheritable;
  kernel_cap_t cap_permitted;
  kernel_cap_t cap_effective;
  struct user_namespace *user_ns;
};
struct tty_driver {
  int major;
  int minor_start;
};
struct tty_struct {
  int index;
  struct tty_driver *driver;
};
struct signal_struct {
  atomic_t live;
  int group_exit_code;
  unsigned int flags;
  struct list_head thread_head;
  struct pid *pids[4];
  struct tty_struct *tty;
};

struct kernfs_node {
  struct kernfs_node *__parent;
  const char *name;
  __u64 id;
};
/* Up to 6.14. */
struct kernfs_node___plain {
  struct kernfs_node___plain *parent;
};
struct cgroup {
  struct kernfs_node *kn;
};
struct cgroup_subsys_state {
  struct cgroup *cgroup;
};
struct css_set {
  struct cgroup_subsys_state *subsys[4];
  struct cgroup *dfl_cgrp;
};

struct thread_info {
  unsigned long flags;
  __u32 status;
};
struct task_struct {
  struct thread_info thread_info;
  struct mm_struct *mm;
  unsigned int flags;
  int exit_code;
  int pid;
  int tgid;
  struct task_struct *real_parent;
  struct task_struct *group_leader;
  struct list_head ptraced; /* the tasks that this one traces, the latest first */
  struct list_head ptrace_entry;
  struct list_head thread_node;
  struct hlist_node pid_links[4];
  struct pid *thread_pid;
  __u64 start_boottime;
  const struct cred *cred;
  char comm[16];
  struct fs_struct *fs;
  struct files_struct *files;
  struct nsproxy *nsproxy;
  struct signal_struct *signal;
  kuid_t loginuid;
  struct css_set *cgroups;
};
struct linux_binprm {
  const char *filename;
  const char *fdpath;
};

struct in6_addr {
  __u8 bytes[16];
};
typedef struct {
  struct net *net;
} possible_net_t;
struct sock_common {
  __be32 skc_daddr;
  __be32 skc_rcv_saddr;
  __be16 skc_dport;
  __u16 skc_num;
  unsigned short skc_family;
  unsigned char skc_state;
  possible_net_t skc_net;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
  atomic64_t skc_cookie;
};
struct sock {
  struct sock_common __sk_common;
  __u16 sk_protocol;
  __u16 sk_type;
  int sk_err;
};
struct inet_sock {
  __be16 inet_sport;
};
struct mptcp_sock {
  struct sock *first;
};
struct sockaddr_un {
  unsigned short sun_family;
};
struct unix_address {
  int len;
  struct sockaddr_un name[0];
};
struct unix_sock {
  struct unix_address *addr;
  struct path path;
  struct sock *peer;
};
struct socket {
  short type;
  struct sock *sk;
};

/* The ring that requests are submitted through, and an open among them. */
struct open_how {
  __u64 flags;
  __u64 mode;
};
struct filename {
  const char *name;
};
struct io_open {
  int dfd;
  __u32 file_slot;
  struct filename *filename;
  struct open_how how;
};
struct io_rsrc_node {
  unsigned long file_ptr;
};
struct io_rsrc_data {
  unsigned int nr;
  struct io_rsrc_node **nodes;
};
struct io_file_table {
  struct io_rsrc_data data;
};
struct io_ring_ctx {
  struct io_file_table file_table;
};
struct io_kiocb {
  struct file *file;
  __u8 opcode;
  __u64 flags;
};
struct io_uring_cqe {
  __s32 res;
};

struct kernel_siginfo {
  int si_code;
};

/* Objects of BPF as the kernel counts them. */
struct bpf_map {
  __u32 id;
};
struct bpf_prog_aux {
  __u32 id;
};
struct bpf_prog {
  struct bpf_prog_aux *aux;
};
struct bpf_link {
  __u32 id;
};

struct seq_file;
struct bpf_iter_meta {
  struct seq_file *seq;
};
struct bpf_iter__task {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
  unsigned long bp, bx, r10, r9, r8, cx, dx, si, di, orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
  __u64 regs[31];
  __u64 orig_x0;
  __s32 syscallno;
};
#else
#error "no register layout for this architecture"
#endif

#pragma clang attribute pop

/* Numbers that the kernel exports as macros, which leave no type information. */
#define AT_FDCWD (-100)
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define EFAULT 14
#define EINVAL 22
#define EAFNOSUPPORT 97
#define EISCONN 106
#define EALREADY 114
#define EINPROGRESS 115
#define ENOENT 2
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_MPTCP 262
#define PF_IO_WORKER 0x10
#define PF_KTHREAD 0x00200000
#define FMODE_WRITE 2
#define O_ACCMODE 3
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define STATE_ESTABLISHED 1
#define STATE_SYN_SENT 2
#define STATE_CLOSE 7
#define UNIX_NAME_BYTES_MAX 128
#define S_IFMT 0170000
#define S_IFDIR 0040000
#define S_IFREG 0100000
#define S_IFSOCK 0140000
#define SIGNAL_GROUP_EXIT 4
#define OVERLAYFS_MAGIC 0x794c7630
#define PIDFS_MAGIC 0x50494446
#define PROC_MAGIC 0x9fa0
#define FIRST_PID_NAMESPACE 0xeffffffcu /* its inode number */
#define PTRACE_ATTACH 16
#define PTRACE_SEIZE 0x4206
