/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections that are asked for. Addresses come from the kernel's socket, never from the caller's memory.
 */

static __always_inline void store__addresses(struct martlet_connect *record, struct sock *sock) {
  record->family = LOAD(sock, __sk_common.skc_family);
  record->protocol = LOAD(sock, sk_protocol);
  record->local_port = LOAD(sock, __sk_common.skc_num);
  record->remote_port = __builtin_bswap16(LOAD(sock, __sk_common.skc_dport));
  record->socket_cookie = LOAD(sock, __sk_common.skc_cookie.counter);
  record->network_namespace = LOAD(LOAD(sock, __sk_common.skc_net.net), ns.inum);
  if (record->family == AF_INET) {
    __u32 local = LOAD(sock, __sk_common.skc_rcv_saddr), remote = LOAD(sock, __sk_common.skc_daddr);
    __builtin_memcpy(record->local_address, &local, sizeof(local));
    __builtin_memcpy(record->remote_address, &remote, sizeof(remote));
  } else {
    bpf_probe_read_kernel(record->local_address, sizeof(record->local_address),
                          ADDRESS(sock, __sk_common.skc_v6_rcv_saddr));
    bpf_probe_read_kernel(record->remote_address, sizeof(record->remote_address),
                          ADDRESS(sock, __sk_common.skc_v6_daddr));
  }
}

static __always_inline int connection_asked(struct sock *sock, long result, __s32 fd) {
  struct task_struct *task = read__current();
  struct martlet_connect *record;
  struct slot *slot;
  COUNT(MARTLET_HOOK_CONNECT, seen);
  if ((__u32)LOAD(task, tgid) == settings.self_process_id) {
    COUNT(MARTLET_HOOK_CONNECT, filtered);
    return 0;
  }
  slot = emit__take(MARTLET_HOOK_CONNECT);
  if (!slot) return 0;
  if (!emit__begin(slot, task, MARTLET_HOOK_CONNECT, MARTLET_KIND_CONNECT, MARTLET_CALL_CONNECT, sizeof(*record)))
    return 0;
  record = RECORD(slot, martlet_connect);
  __builtin_memset((char *)record + sizeof(record->record), 0, sizeof(*record) - sizeof(record->record));
  record->result = result;
  record->fd = fd;
  store__addresses(record, sock);
  emit__finish_within(slot, MARTLET_HOOK_CONNECT, SHARE_CONNECT);
  return 0;
}

/* Runs in the caller's context when the first SYN is about to leave, whichever call asked for it: connect, a send
 * with MSG_FASTOPEN, io_uring. The local port is not yet chosen then. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(handle_connect, struct sock *sock, int before, int after) {
  __u16 family;
  if (after != STATE_SYN_SENT) return 0;
  family = LOAD(sock, __sk_common.skc_family);
  if (family != AF_INET && family != AF_INET6) return 0;
  /* Its subflows are TCP connections that pass here themselves, with the addresses that are used. */
  if (LOAD(sock, sk_protocol) == IPPROTO_MPTCP) return 0;
  return connection_asked(sock, -EINPROGRESS, -1);
}

/* connect(2) has returned. Only for datagram sockets: the hook above has the others. */
static __always_inline int connect_returned(__s32 fd, long result) {
  struct file *file;
  struct socket *socket;
  struct sock *sock;
  __u16 family;
  if (result != 0) return 0;
  file = read__file(read__current(), fd);
  if (!file || (LOAD(LOAD(file, f_inode), i_mode) & S_IFMT) != S_IFSOCK) {
    /* Closed, or replaced, by another thread before the call returned: it was a socket a moment ago. */
    COUNT(MARTLET_HOOK_CONNECT, seen);
    COUNT(MARTLET_HOOK_CONNECT, lost_unreadable);
    return 0;
  }
  socket = (struct socket *)LOAD(file, private_data);
  if (LOAD(socket, type) != SOCK_DGRAM) return 0;
  sock = LOAD(socket, sk);
  family = LOAD(sock, __sk_common.skc_family);
  /* A datagram socket without a peer has just been told to forget it (AF_UNSPEC). */
  if ((family != AF_INET && family != AF_INET6) || LOAD(sock, __sk_common.skc_state) != STATE_ESTABLISHED) return 0;
  return connection_asked(sock, 0, fd);
}
