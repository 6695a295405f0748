/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls on sockets other than an internet socket's connect: accept, listen, bind, Unix sockets, datagrams to and from
 * peers that the socket has not been seen with.
 */

/* What a socket is bound to: a path, or a name of its own kind that begins with NUL. */
static __always_inline void store__unix_name(struct slot *slot, struct sock *sock, struct martlet_text *text) {
  struct unix_address *address = LOAD((struct unix_sock *)sock, addr);
  char *name = (char *)ADDRESS(address, name) + sizeof(struct sockaddr_un);
  __u32 length, position;
  char *target;
  if (!address) return;
  length = LOAD(address, len) - sizeof(struct sockaddr_un);
  target = store__text_start(slot, &position);
  if (!target || length == 0 || length > UNIX_NAME_BYTES_MAX) return;
  bpf_probe_read_kernel(target, length, name);
  /* A path is counted with its NUL. */
  if (target[0]) length--;
  store__text_end(slot, text, position, length & (UNIX_NAME_BYTES_MAX - 1));
}

/* The name that a failed call passed. */
static __always_inline void store__unix_user_name(struct slot *slot, const void *address, struct martlet_text *text) {
  __u32 position;
  char *target = store__text_start(slot, &position);
  __u16 family = 0;
  long length;
  if (!target || bpf_probe_read_user(&family, sizeof(family), address) || family != AF_UNIX) return;
  RECORD(slot, martlet_unix)->record.flags |= MARTLET_FLAG_ADDRESS_UNTRUSTED;
  length = bpf_probe_read_user_str(target, UNIX_NAME_BYTES_MAX, address + sizeof(family));
  if (length == 1) {
    /* Abstract: one more string behind the NUL; what is behind another NUL in it is left out. */
    length = bpf_probe_read_user_str(target + 1, UNIX_NAME_BYTES_MAX - 1, address + sizeof(family) + 1);
    if (length > 0) length++;
  }
  if (length > 1) store__text_end(slot, text, position, (__u32)(length - 1) & (UNIX_NAME_BYTES_MAX - 1));
}

static __always_inline int unix_returned(__u16 call, struct socket *socket, long result, __s32 fd,
                                         const void *address) {
  struct sock *sock = LOAD(socket, sk), *peer = LOAD((struct unix_sock *)sock, peer), *holder;
  struct task_struct *task = read__current();
  struct martlet_unix *record;
  struct slot *slot = emit__socket_slot(MARTLET_KIND_UNIX, call, sizeof(struct martlet_unix), false);
  if (!slot) return 0;
  record = RECORD(slot, martlet_unix);
  __builtin_memset((char *)record + sizeof(record->record), 0, sizeof(*record) - sizeof(record->record));
  if (slot->is_unwanted) record->record.flags |= MARTLET_FLAG_UNWANTED;
  record->result = result;
  record->fd = fd;
  record->socket_type = LOAD(socket, type);
  record->socket_cookie = LOAD(sock, __sk_common.skc_cookie.counter);
  store__unix_name(slot, sock, &record->name);
  if (peer) {
    record->peer_cookie = LOAD(peer, __sk_common.skc_cookie.counter);
    store__unix_name(slot, peer, &record->peer_name);
  } else if (result < 0 && (call == MARTLET_CALL_CONNECT || call == MARTLET_CALL_BIND)) {
    store__unix_user_name(slot, address, call == MARTLET_CALL_CONNECT ? &record->peer_name : &record->name);
  }
  holder = call == MARTLET_CALL_CONNECT ? peer : sock;
  if (holder && LOAD((struct unix_sock *)holder, path.dentry))
    record->record.flags |=
        store__directory(slot, task, ADDRESS((struct unix_sock *)holder, path), &record->path);
  emit__socket_finish(slot, call);
  return 0;
}

/* A datagram's call is over: what its hook has noted under this thread is told with the call's name and result. */
static __always_inline int datagram_returned(__u16 call, __s32 fd, long result) {
  __u64 key = KEY_OF_THREAD | (__u32)bpf_get_current_pid_tgid();
  struct attempt *attempt = bpf_map_lookup_elem(&attempts, &key);
  if (!attempt) return 0;
  attempt->record.record.call = call;
  attempt->record.fd = fd;
  attempt->record.result = result;
  attempt__tell_and_forget(attempt, key);
  return 0;
}

/* Which socket a descriptor is for the current task; NULL for what is none. */
static __always_inline struct socket *read__socket(__s32 fd) {
  struct file *file = read__file(read__current(), fd);
  if (!file || (LOAD(LOAD(file, f_inode), i_mode) & S_IFMT) != S_IFSOCK) return NULL;
  return (struct socket *)LOAD(file, private_data);
}

APART_IN(1) int socket_returned(__u16 call, __s32 fd, __u64 address_word, long result) {
  const void *address = (const void *)address_word;
  struct socket *socket;
  struct sock *sock;
  __u16 family;
  if (canary__is_for(MARTLET_CANARY_SOCKET)) return 0;
  if (call == MARTLET_CALL_ACCEPT || call == MARTLET_CALL_ACCEPT4) {
    if (result < 0) return 0;
    fd = result;
  }
  socket = read__socket(fd);
  if (!socket) {
    if (result < 0) return 0;
    /* Closed, or replaced, by another thread before the call returned: it was a socket a moment ago. */
    COUNT(hook_of_call(call), seen);
    COUNT(hook_of_call(call), lost_unreadable);
    emit__note_loss_here(hook_of_call(call));
    return 0;
  }
  sock = LOAD(socket, sk);
  family = LOAD(sock, __sk_common.skc_family);
  if (family == AF_UNIX) {
    if (call == MARTLET_CALL_CONNECT && is_no_attempt(result)) return 0;
    return unix_returned(call, socket, result, fd, address);
  }
  if (family != AF_INET && family != AF_INET6) return 0;
  if (call == MARTLET_CALL_CONNECT) return connect_finished(sock, result, fd, address);
  return tell_now(call, sock, NULL, result, fd);
}

/* Which peers a socket has been seen with, the least lately used forgotten first: one that is forgotten is new again. */
struct peer_key {
  __u64 cookie;
  __u8 address[16];
  __u16 port;
  __u16 is_received;
  __u32 reserved;
};
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 8192);
  __type(key, struct peer_key);
  __type(value, __u8);
} peers SEC(".maps");

/* A datagram to or from an address that the socket is not tied to. The call's return tells it: there its name and result
 * are known. io_uring has no such return, so the sweep does. */
static __always_inline void datagram_passes(struct bpf_sock_addr *context, struct far_end *end, bool is_received) {
  __u64 key = KEY_OF_THREAD | (__u32)bpf_get_current_pid_tgid();
  struct peer_key peer = {};
  struct attempt *attempt;
  __u8 yes = 1;
  bool is_unwanted = !is_received && is_unwanted_end(MARTLET_CONNECTION_SEND, context->family, end);
  if (filter__drops(is_unwanted)) {
    COUNT_DROPPED(MARTLET_HOOK_SOCKET);
    return;
  }
  peer.cookie = bpf_get_socket_cookie(context);
  peer.port = end->port;
  peer.is_received = is_received;
  __builtin_memcpy(peer.address, end->address, sizeof(peer.address));
  if (bpf_map_lookup_elem(&peers, &peer)) return;
  bpf_map_update_elem(&peers, &peer, &yes, BPF_ANY);
  /* A second one within one call, which tells the first. */
  attempt = bpf_map_lookup_elem(&attempts, &key);
  if (attempt) attempt->record.record.call = is_received ? MARTLET_CALL_RECVMMSG : MARTLET_CALL_SENDMMSG;
  end->flags = MARTLET_FLAG_PEER_IS_NEW;
  attempt__begin(context->sk, key, is_received ? MARTLET_CALL_RECVMSG : MARTLET_CALL_SENDMSG, end, is_unwanted);
}

static __always_inline void datagram_passes_v4(struct bpf_sock_addr *context, bool is_received) {
  struct far_end end = {.port = __builtin_bswap16((__u16)context->user_port)};
  store__v4(&end, context->user_ip4, context->family == AF_INET6);
  datagram_passes(context, &end, is_received);
}

static __always_inline void datagram_passes_v6(struct bpf_sock_addr *context, bool is_received) {
  struct far_end end = {.port = __builtin_bswap16((__u16)context->user_port)};
  __u32 words[4] = {context->user_ip6[0], context->user_ip6[1], context->user_ip6[2], context->user_ip6[3]};
  __builtin_memcpy(end.address, words, sizeof(words));
  datagram_passes(context, &end, is_received);
}

PROGRAM(1, "cgroup/sendmsg4")
int handle_sendmsg4(struct bpf_sock_addr *context) {
  if (!canary__is_for(MARTLET_CANARY_SENDMSG4)) datagram_passes_v4(context, false);
  return 1;
}

PROGRAM(1, "cgroup/sendmsg6")
int handle_sendmsg6(struct bpf_sock_addr *context) {
  if (!canary__is_for(MARTLET_CANARY_SENDMSG6)) datagram_passes_v6(context, false);
  return 1;
}

PROGRAM(1, "cgroup/recvmsg4")
int handle_recvmsg4(struct bpf_sock_addr *context) {
  if (!canary__is_for(MARTLET_CANARY_RECVMSG4)) datagram_passes_v4(context, true);
  return 1;
}

PROGRAM(1, "cgroup/recvmsg6")
int handle_recvmsg6(struct bpf_sock_addr *context) {
  if (!canary__is_for(MARTLET_CANARY_RECVMSG6)) datagram_passes_v6(context, true);
  return 1;
}
