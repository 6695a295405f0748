/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections of internet sockets: one record for each attempt, with its result.
 *
 * Several places see an attempt: a hook of the cgroup before anything is sent, the first SYN, the answer to it, the
 * return of the call. None sees all attempts and none knows all about one, so an attempt waits in a table, under its
 * socket's cookie, until someone knows how it ended. After 100 ms it is told as in progress, and what comes later is
 * only remembered, so that the return of the call does not count as another attempt.
 *
 * Addresses come from the kernel's objects. Only an attempt that failed before the kernel noted its address is told
 * with what the program's memory says, and marked.
 */

#define ATTEMPTS_MAX 4096
#define ATTEMPT_WAIT_NS 100000000ull
/* How long one that was told is remembered for the call to return: longest while the peer has not answered. */
#define ATTEMPT_DECIDED_NS 1000000000ull
#define ATTEMPT_FORGOTTEN_NS 300000000000ull
#define SWEEP_NS 20000000ull
/* Datagrams wait for their call to return under their thread's number. Cookies have far fewer bits in use. */
#define KEY_OF_THREAD (1ull << 63)

struct attempt {
  struct martlet_connect record;
  __u64 key;
  __u64 asked_ns;
  __u32 is_told;      /* set by whoever tells it, before it does */
  __u32 has_returned; /* the call is over, with an answer still to come */
  __u32 has_result;   /* `record.result` is the answer */
  __u32 reserved;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, ATTEMPTS_MAX);
  __type(key, __u64);
  __type(value, struct attempt);
} attempts SEC(".maps");

/* Sockets whose attempt found no room there and was told, so that their first SYN, which comes at once, tells it not
 * again. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, __u8);
} attempts_untracked SEC(".maps");

/* One timer for all of them, armed while there are any. */
struct sweeper {
  struct bpf_timer timer;
  __u32 made_by; /* the generation whose function it calls */
  __u32 is_armed;
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct sweeper);
} sweepers SEC(".maps");

/* The far end of what is asked for, where the socket does not have it yet. */
struct far_end {
  __u8 address[16];
  __u16 port; /* host byte order */
  __u16 reserved;
  __u32 flags;
};

/* Both ends of an internet socket, into any record that has room for them under these names. */
#define STORE_ENDS(target, sock)                                                                               \
  do {                                                                                                         \
    (target)->family = LOAD(sock, __sk_common.skc_family);                                                     \
    (target)->protocol = LOAD(sock, sk_protocol);                                                              \
    (target)->local_port = LOAD(sock, __sk_common.skc_num);                                                    \
    (target)->remote_port = __builtin_bswap16(LOAD(sock, __sk_common.skc_dport));                              \
    if ((target)->family == AF_INET) {                                                                         \
      __u32 local__ = LOAD(sock, __sk_common.skc_rcv_saddr), remote__ = LOAD(sock, __sk_common.skc_daddr);     \
      __builtin_memcpy((target)->local_address, &local__, sizeof(local__));                                    \
      __builtin_memcpy((target)->remote_address, &remote__, sizeof(remote__));                                 \
    } else {                                                                                                   \
      bpf_probe_read_kernel((target)->local_address, sizeof((target)->local_address),                          \
                            ADDRESS(sock, __sk_common.skc_v6_rcv_saddr));                                      \
      bpf_probe_read_kernel((target)->remote_address, sizeof((target)->remote_address),                        \
                            ADDRESS(sock, __sk_common.skc_v6_daddr));                                          \
    }                                                                                                          \
  } while (0)

static __always_inline void store__addresses(struct martlet_connect *record, struct sock *sock) {
  STORE_ENDS(record, sock);
  record->socket_cookie = LOAD(sock, __sk_common.skc_cookie.counter);
  record->network_namespace = LOAD(LOAD(sock, __sk_common.skc_net.net), ns.inum);
}

/* An IPv4 address as the family of the socket writes it. */
static __always_inline void store__v4(struct far_end *end, __u32 address, bool is_mapped) {
  __u16 ones = 0xffff;
  if (is_mapped) __builtin_memcpy(end->address + 10, &ones, sizeof(ones));
  __builtin_memcpy(is_mapped ? end->address + 12 : end->address, &address, sizeof(address));
}

static __always_inline __u32 connection_kind(__u16 protocol) {
  switch (protocol) {
    case IPPROTO_TCP: return MARTLET_CONNECTION_TCP;
    case IPPROTO_UDP: return MARTLET_CONNECTION_UDP;
    default: return MARTLET_CONNECTION_OTHER;
  }
}

/* Whether no rule can match a connection by where it goes and who asks for it. */
static __always_inline bool is_unwanted_end(__u32 kind, __u16 family, const struct far_end *end) {
  return !filter__wants_connection(read__current(), kind, family, end->address, end->port);
}

/* The same by the peer that the socket has. */
SHARED int is_unwanted_peer(struct sock *sock) {
  struct far_end end = {.port = __builtin_bswap16(LOAD(sock, __sk_common.skc_dport))};
  __u16 family = LOAD(sock, __sk_common.skc_family);
  if (!settings.filters) return false;
  if (family == AF_INET) {
    __u32 address = LOAD(sock, __sk_common.skc_daddr);
    __builtin_memcpy(end.address, &address, sizeof(address));
  } else {
    bpf_probe_read_kernel(end.address, sizeof(end.address), ADDRESS(sock, __sk_common.skc_v6_daddr));
  }
  return is_unwanted_end(connection_kind(LOAD(sock, sk_protocol)), family, &end);
}

static __always_inline __u32 hook_of_call(__u16 call) {
  return call == MARTLET_CALL_CONNECT ? MARTLET_HOOK_CONNECT : MARTLET_HOOK_SOCKET;
}

/* Fills a record about `sock`, which may be a pointer of any kind that the verifier knows: a detour through memory
 * makes it a number, which all loads take. */
static __always_inline struct martlet_connect *store__connect(struct slot *slot, void *sock,
                                                              const struct far_end *end) {
  struct martlet_connect *record = RECORD(slot, martlet_connect);
  struct sock *plain = (struct sock *)store__number(slot, sock);
  __builtin_memset((char *)record + sizeof(record->record), 0, sizeof(*record) - sizeof(record->record));
  record->fd = -1;
  store__addresses(record, plain);
  if (end) {
    __builtin_memcpy(record->remote_address, end->address, sizeof(record->remote_address));
    record->remote_port = end->port;
    record->record.flags |= end->flags;
  }
  if (slot->is_unwanted) record->record.flags |= MARTLET_FLAG_UNWANTED;
  if (record->protocol != IPPROTO_TCP && LOAD(plain, __sk_common.skc_state) == STATE_ESTABLISHED)
    record->record.flags |= MARTLET_FLAG_SOCKET_CONNECTED;
  return record;
}

/* Whether a call reaches for a far end, so that `is_unwanted_end` has judged it, actor and all. */
static __always_inline bool has_far_end(__u16 kind, __u16 call) {
  return kind == MARTLET_KIND_CONNECT && (call == MARTLET_CALL_CONNECT || call == MARTLET_CALL_SENDMSG);
}

/* A slot with a record begun for the current task, or NULL when it is not wanted or cannot be had. What is seen is counted
 * with what becomes of it, here or where it is told, so that what waits in the table leaves no hole in the ledger.
 * `is_unwanted`: what the filter says of the far end, where there is one. */
SHARED struct slot *emit__socket_slot(__u16 kind, __u16 call, __u32 bytes, bool is_unwanted) {
  struct task_struct *task = read__current();
  __u32 hook = hook_of_call(call);
  struct slot *slot;
  if (!has_far_end(kind, call))
    is_unwanted = kind == MARTLET_KIND_UNIX ? !filter__wants_unix_actor(call, task) : !filter__wants_actor(call, task);
  if ((__u32)LOAD(task, tgid) == settings.self_process_id || filter__drops(is_unwanted)) {
    COUNT_DROPPED(hook);
    return NULL;
  }
  slot = emit__take(hook);
  if (slot) slot->is_unwanted = is_unwanted;
  if (slot && emit__begin(slot, task, hook, kind, call, bytes)) return slot;
  COUNT(hook, seen);
  return NULL;
}

static __always_inline void emit__socket_finish(struct slot *slot, __u16 call) {
  COUNT(hook_of_call(call), seen);
  emit__finish_within(slot, hook_of_call(call), SHARE_CONNECT);
}

/* Told at once, with its result. */
static __always_inline int tell_now(__u16 call, struct sock *sock, const struct far_end *end, long result, __s32 fd) {
  struct martlet_connect *record;
  struct slot *slot;
  bool is_unwanted = false;
  if (call == MARTLET_CALL_CONNECT)
    is_unwanted = end ? is_unwanted_end(connection_kind(LOAD(sock, sk_protocol)), LOAD(sock, __sk_common.skc_family), end)
                      : is_unwanted_peer(sock);
  slot = emit__socket_slot(MARTLET_KIND_CONNECT, call, sizeof(struct martlet_connect), is_unwanted);
  if (!slot) return 0;
  record = store__connect(slot, sock, end);
  record->result = result;
  record->fd = fd;
  emit__socket_finish(slot, call);
  return 0;
}

/* True for the one who may tell it. The entry could have been given to another attempt since it was looked up; whoever
 * has set the mark has it alone, and can see. */
static __always_inline bool attempt__claim(struct attempt *attempt, __u64 key) {
  if (__sync_lock_test_and_set(&attempt->is_told, 1)) return false;
  if (attempt->key == key) return true;
  attempt->is_told = 0;
  return false;
}

SHARED int attempt__tell(struct attempt *attempt) {
  struct martlet_record *record = &attempt->record.record;
  __u32 hook;
  if (!attempt) return 0;
  hook = hook_of_call(record->call);
  record->time_ns = bpf_ktime_get_boot_ns();
  record->cpu = bpf_get_smp_processor_id();
  COUNT(hook, seen);
  emit__account(record, hook,
                emit__send(record, sizeof(struct martlet_connect), sizeof(struct martlet_connect), SHARE_CONNECT));
  return 0;
}

static __always_inline void attempt__tell_and_forget(struct attempt *attempt, __u64 key) {
  if (!attempt__claim(attempt, key)) return;
  attempt__tell(attempt);
  bpf_map_delete_elem(&attempts, &key);
}

struct sweep {
  __u64 now_ns;
  __u32 leaves_some; /* no count: to the verifier, each number would be a new state */
};

static long attempt__sweep(void *map, __u64 *key, struct attempt *attempt, struct sweep *sweep) {
  __u64 age = sweep->now_ns - attempt->asked_ns;
  __u64 limit = attempt->has_result ? ATTEMPT_DECIDED_NS : ATTEMPT_FORGOTTEN_NS;
  /* Asked since the sweep began. */
  if ((__s64)age < 0) age = 0;
  if (!attempt->is_told && age >= ATTEMPT_WAIT_NS && attempt__claim(attempt, *key)) {
    attempt__tell(attempt);
    if (*key & KEY_OF_THREAD) limit = 0;
  }
  if (attempt->is_told && age >= limit)
    bpf_map_delete_elem(&attempts, key);
  else
    sweep->leaves_some = 1;
  return 0;
}

static int sweeper__fires(void *map, __u32 *zero, struct sweeper *sweeper) {
  struct sweep sweep = {.now_ns = bpf_ktime_get_boot_ns()};
  /* Before the look, so that whoever comes in behind it arms the timer himself. */
  __sync_lock_test_and_set(&sweeper->is_armed, 0);
  bpf_for_each_map_elem(&attempts, attempt__sweep, &sweep, 0);
  if (sweep.leaves_some && !__sync_lock_test_and_set(&sweeper->is_armed, 1)) bpf_timer_start(&sweeper->timer, SWEEP_NS, 0);
  return 0;
}

static long attempt__tell_if_of(void *map, __u64 *key, struct attempt *attempt, __u32 *process_id) {
  if (!attempt->is_told && attempt->record.record.process_id == *process_id && attempt__claim(attempt, *key))
    attempt__tell(attempt);
  return 0;
}

/* Before a process ends or becomes another program: what it has asked for is told while it is who it was. */
SHARED int attempts__tell_all_of(__u32 process_id) {
  __u32 zero = 0;
  struct sweeper *sweeper = bpf_map_lookup_elem(&sweepers, &zero);
  /* There is nothing in the table. */
  if (!sweeper || !sweeper->is_armed) return 0;
  bpf_for_each_map_elem(&attempts, attempt__tell_if_of, &process_id, 0);
  return 0;
}

#define CLOCK_MONOTONIC 1

/* A timer keeps the program in memory whose function it calls: with each generation it gets another one. What the
 * earlier ones armed goes on meanwhile. Done by two at once, it is done. */
static __always_inline void sweeper__make(struct sweeper *sweeper) {
  bpf_timer_init(&sweeper->timer, &sweepers, CLOCK_MONOTONIC);
  bpf_timer_set_callback(&sweeper->timer, sweeper__fires);
  sweeper->made_by = settings.generation;
}

static __always_inline void sweeper__arm(void) {
  __u32 zero = 0;
  struct sweeper *sweeper = bpf_map_lookup_elem(&sweepers, &zero);
  if (!sweeper) return;
  if (sweeper->made_by != settings.generation) sweeper__make(sweeper);
  if (sweeper->is_armed || __sync_lock_test_and_set(&sweeper->is_armed, 1)) return;
  bpf_timer_start(&sweeper->timer, SWEEP_NS, 0);
}

/* Puts a new attempt into the table, in place of an earlier one under the same key, which is told. */
static __always_inline int attempt__begin(void *sock, __u64 key, __u16 call, const struct far_end *end,
                                          bool is_unwanted) {
  struct attempt *attempt = bpf_map_lookup_elem(&attempts, &key);
  struct slot *slot;
  if (attempt && attempt__claim(attempt, key)) attempt__tell(attempt);
  slot = emit__socket_slot(MARTLET_KIND_CONNECT, call, sizeof(struct martlet_connect), is_unwanted);
  if (!slot) return 0;
  attempt = (struct attempt *)slot->record;
  store__connect(slot, sock, end)->result = call == MARTLET_CALL_CONNECT ? -EINPROGRESS : 0;
  attempt->record.record.length_bytes = sizeof(struct martlet_connect);
  attempt->key = key;
  attempt->asked_ns = attempt->record.record.time_ns;
  attempt->is_told = attempt->has_returned = attempt->has_result = attempt->reserved = 0;
  if (bpf_map_update_elem(&attempts, &key, attempt, BPF_ANY)) {
    __u8 yes = 1;
    COUNT_FULL(MARTLET_TABLE_ATTEMPTS);
    if (end && call == MARTLET_CALL_CONNECT) bpf_map_update_elem(&attempts_untracked, &key, &yes, BPF_ANY);
    emit__socket_finish(slot, call);
    return 0;
  }
  emit__release(slot);
  sweeper__arm();
  return 0;
}

/* The kernel has chosen the local end since the attempt was noted. */
static __always_inline void attempt__refresh(struct attempt *attempt, struct sock *sock) {
  struct inet_sock *inet = (struct inet_sock *)sock;
  __u16 port = __builtin_bswap16(LOAD(inet, inet_sport));
  __u16 state = LOAD(sock, __sk_common.skc_state);
  /* A socket that is closed has given its port back, and a refused one its peer. */
  if (state == STATE_SYN_SENT || state == STATE_ESTABLISHED) store__addresses(&attempt->record, sock);
  if (port) attempt->record.local_port = port;
}

/* The peer is known by now, and may be another one than was asked for: what is marked by mistake would have been dropped
 * then, and told here. */
static __always_inline void attempt__judge(struct attempt *attempt, struct sock *sock) {
  if (settings.filters != MARTLET_FILTERING_MARKS || !(attempt->record.record.flags & MARTLET_FLAG_UNWANTED)) return;
  if (!is_unwanted_peer(sock)) attempt->record.record.flags &= ~MARTLET_FLAG_UNWANTED;
}

static __always_inline int connection_starts(struct sock *sock) {
  __u64 cookie = bpf_get_socket_cookie(sock);
  struct attempt *attempt = bpf_map_lookup_elem(&attempts, &cookie);
  if (!attempt || attempt->is_told) {
    if (settings.asked_by_cgroup && !bpf_map_delete_elem(&attempts_untracked, &cookie)) return 0;
    return attempt__begin(sock, cookie, MARTLET_CALL_CONNECT, NULL, is_unwanted_peer(sock));
  }
  store__addresses(&attempt->record, sock);
  attempt__judge(attempt, sock);
  return 0;
}

/* In whatever task the answer came. */
static __always_inline int connection_decided(struct sock *sock, int state) {
  __u64 cookie = LOAD(sock, __sk_common.skc_cookie.counter);
  struct attempt *attempt = bpf_map_lookup_elem(&attempts, &cookie);
  int error = LOAD(sock, sk_err);
  if (!attempt || (state != STATE_ESTABLISHED && state != STATE_CLOSE)) return 0;
  if (attempt->is_told && attempt->has_returned) {
    bpf_map_delete_elem(&attempts, &cookie);
    return 0;
  }
  attempt__refresh(attempt, sock);
  /* Closed without an answer: by a program that gave up, or by the call itself, which then says why. */
  if (state == STATE_CLOSE && error == 0) error = EINPROGRESS;
  attempt->record.result = state == STATE_ESTABLISHED ? 0 : -error;
  __sync_lock_test_and_set(&attempt->has_result, 1);
  if (attempt->has_returned) attempt__tell_and_forget(attempt, cookie);
  return 0;
}

/* The first SYN leaves in the context of whoever asked, whichever call it was: connect, a send with MSG_FASTOPEN,
 * io_uring. */
PROGRAM(1, "tp_btf/inet_sock_set_state")
int BPF_PROG(handle_connect, struct sock *sock, int before, int after) {
  __u16 family;
  if (after != STATE_SYN_SENT && before != STATE_SYN_SENT) return 0;
  family = LOAD(sock, __sk_common.skc_family);
  if (family != AF_INET && family != AF_INET6) return 0;
  /* Its subflows are TCP connections that pass here themselves, with the addresses that are used. */
  if (LOAD(sock, sk_protocol) == IPPROTO_MPTCP) return 0;
  if (canary__is_for(MARTLET_CANARY_CONNECT)) return 0;
  return after == STATE_SYN_SENT ? connection_starts(sock) : connection_decided(sock, after);
}

/* Hooks of the cgroup. The kernel takes what they return as its verdict on the call: always 1, or nothing on the
 * machine could connect. */
static __always_inline int connect_asked(struct bpf_sock_addr *context, const struct far_end *end) {
  bool is_unwanted = is_unwanted_end(connection_kind(context->protocol), context->family, end);
  return attempt__begin(context->sk, bpf_get_socket_cookie(context), MARTLET_CALL_CONNECT, end, is_unwanted);
}

PROGRAM(1, "cgroup/connect4")
int handle_connect4(struct bpf_sock_addr *context) {
  struct far_end end = {.port = __builtin_bswap16((__u16)context->user_port)};
  store__v4(&end, context->user_ip4, context->family == AF_INET6);
  if (!canary__is_for(MARTLET_CANARY_CONNECT4)) connect_asked(context, &end);
  return 1;
}

PROGRAM(1, "cgroup/connect6")
int handle_connect6(struct bpf_sock_addr *context) {
  struct far_end end = {.port = __builtin_bswap16((__u16)context->user_port)};
  __u32 words[4] = {context->user_ip6[0], context->user_ip6[1], context->user_ip6[2], context->user_ip6[3]};
  __builtin_memcpy(end.address, words, sizeof(words));
  if (!canary__is_for(MARTLET_CANARY_CONNECT6)) connect_asked(context, &end);
  return 1;
}

/* An address in the program's memory; false when it is none of the internet. */
static __always_inline bool read__user_end(struct far_end *end, const void *address, bool is_v6_socket) {
  struct {
    __u16 family;
    __be16 port;
    __u32 v4; /* flow information of IPv6 */
    __u8 v6[16];
  } user = {};
  if (bpf_probe_read_user(&user, 8, address)) return false;
  end->port = __builtin_bswap16(user.port);
  end->flags = MARTLET_FLAG_ADDRESS_UNTRUSTED;
  if (user.family == AF_INET) store__v4(end, user.v4, is_v6_socket);
  if (user.family == AF_INET6) bpf_probe_read_user(end->address, sizeof(end->address), address + 8);
  return user.family == AF_INET || user.family == AF_INET6;
}

/* The call did not get so far that it was an attempt, or is about one that was told of. */
static __always_inline bool is_no_attempt(long result) {
  return result == -EINPROGRESS || result == -EALREADY || result == -EISCONN || result == -EFAULT ||
         result == -EINVAL || result == -EAFNOSUPPORT;
}

/* A program of others, behind ours, has led a datagram socket elsewhere than where it asked to go, which was dropped. */
static __always_inline int connect_elsewhere(struct sock *sock, long result, __s32 fd) {
  __u64 cookie = LOAD(sock, __sk_common.skc_cookie.counter);
  if (settings.filters != MARTLET_FILTERING_ON || LOAD(sock, sk_protocol) != IPPROTO_UDP || result != 0) return 0;
  if (LOAD(sock, __sk_common.skc_state) != STATE_ESTABLISHED || is_unwanted_peer(sock)) return 0;
  /* Told at once when it was asked for. */
  if (!bpf_map_delete_elem(&attempts_untracked, &cookie)) return 0;
  return tell_now(MARTLET_CALL_CONNECT, sock, NULL, 0, fd);
}

/* No other hook has seen this one, or the filter has dropped it. */
static __always_inline int connect_unasked(struct sock *sock, long result, __s32 fd, const void *address) {
  __u16 protocol = LOAD(sock, sk_protocol);
  struct far_end end = {};
  if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) {
    if (settings.asked_by_cgroup) return connect_elsewhere(sock, result, fd);
    /* It had a first SYN. */
    if (protocol == IPPROTO_TCP && result == 0) return 0;
  }
  if (result == 0) {
    /* A datagram socket without a peer has just been told to forget it (AF_UNSPEC). */
    if (LOAD(sock, __sk_common.skc_state) != STATE_ESTABLISHED) return 0;
    return tell_now(MARTLET_CALL_CONNECT, sock, NULL, 0, fd);
  }
  if (is_no_attempt(result)) return 0;
  if (!address || !read__user_end(&end, address, LOAD(sock, __sk_common.skc_family) == AF_INET6)) return 0;
  return tell_now(MARTLET_CALL_CONNECT, sock, &end, result, fd);
}

/* A call, or a request, to connect has come to its end for now. */
SHARED int connect_finished(struct sock *sock, long result, __s32 fd, const void *address) {
  __u64 cookie;
  struct attempt *attempt;
  if (LOAD(sock, sk_protocol) == IPPROTO_MPTCP && bpf_core_field_exists(struct mptcp_sock, first))
    sock = LOAD((struct mptcp_sock *)sock, first);
  cookie = LOAD(sock, __sk_common.skc_cookie.counter);
  attempt = cookie ? bpf_map_lookup_elem(&attempts, &cookie) : NULL;
  if (!attempt) return connect_unasked(sock, result, fd, address);
  /* About a connection that was asked for before. */
  if (result == -EALREADY || result == -EISCONN) return 0;
  if (attempt->is_told) {
    if (result == -EINPROGRESS)
      attempt->has_returned = 1;
    else
      bpf_map_delete_elem(&attempts, &cookie);
    return 0;
  }
  attempt->record.fd = fd;
  if (!attempt->has_result) {
    attempt__refresh(attempt, sock);
    attempt__judge(attempt, sock);
  }
  if (result == -EINPROGRESS) {
    __sync_lock_test_and_set(&attempt->has_returned, 1);
    if (!attempt->has_result) return 0;
  } else {
    attempt->record.result = result;
  }
  attempt__tell_and_forget(attempt, cookie);
  return 0;
}
