/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names: what resolvers answer to the questions that sockets of this machine ask them, in datagrams to port 53.
 *
 * A question leaves a mark under its socket, the resolver's address and its number; the answer that comes to this socket
 * from this address with this number is told, once. What nobody asked for is not. Whom to believe is decided elsewhere:
 * the record says where the answer came from, and through which interface.
 *
 * These programs see every packet of the cgroup's sockets, so all others leave after a few looks at their headers. What
 * they return is the kernel's verdict on the packet: each ends in `return 1`.
 */

#define DNS_PORT 53
#define DNS_HEADER_BYTES 12
#define UDP_HEADER_BYTES 8
#define IP_HEADER_BYTES_MIN 20
/* What resolvers and programs have agreed to send at most in one datagram, since 2020. The rest is cut. */
#define DNS_MESSAGE_BYTES_MAX 1232

struct dns_header {
  __u16 id;
  __u8 flags[2];
  __be16 counts[4]; /* questions, answers, authorities, additional records */
};
#define DNS_IS_ANSWER 0x80 /* in the first byte of the flags */
#define DNS_RESULT 0x0f    /* in the second one: 0 for success */

/* Questions without an answer so far, the oldest forgotten first: their answers are then none that anybody asked for. */
struct question {
  __u64 cookie;
  __u8 resolver[16];
  __u16 id;
  __u16 family;
  __u32 reserved;
};
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 8192);
  __type(key, struct question);
  __type(value, __u8);
} questions SEC(".maps");

/* Where the UDP header of a packet to port 53, or from it, begins; 0 for all other packets. Headers lie in the packet's
 * first piece: the kernel has looked at them itself. */
static __always_inline __u32 dns__udp_offset(struct __sk_buff *packet, bool is_answer) {
  __u8 *data = (__u8 *)(long)packet->data, *end = (__u8 *)(long)packet->data_end, *udp;
  __u32 offset;
  if (data + IP_HEADER_BYTES_MIN + UDP_HEADER_BYTES > end) return 0;
  if (data[0] >> 4 == 4) {
    if (data[9] != IPPROTO_UDP) return 0;
    offset = (data[0] & 15) * 4;
  } else {
    if (data[6] != IPPROTO_UDP) return 0;
    offset = 40;
  }
  udp = data + offset;
  if (udp + UDP_HEADER_BYTES > end) return 0;
  return *(__be16 *)(udp + (is_answer ? 0 : 2)) == __builtin_bswap16(DNS_PORT) ? offset : 0;
}

/* The message's header, and the question's mark; false when there is no such message. */
static __always_inline bool dns__read(struct __sk_buff *packet, __u32 udp_offset, bool is_answer,
                                      struct dns_header *header, struct question *question) {
  bool is_v4 = packet->protocol == __builtin_bswap16(0x0800);
  if (bpf_skb_load_bytes(packet, udp_offset + UDP_HEADER_BYTES, header, sizeof(*header))) return false;
  if (!!(header->flags[0] & DNS_IS_ANSWER) != is_answer) return false;
  question->cookie = bpf_get_socket_cookie(packet);
  question->id = header->id;
  question->family = is_v4 ? AF_INET : AF_INET6;
  return is_v4 ? !bpf_skb_load_bytes(packet, is_answer ? 12 : 16, question->resolver, 4)
               : !bpf_skb_load_bytes(packet, is_answer ? 8 : 24, question->resolver, 16);
}

static __always_inline void question_asked(struct __sk_buff *packet, __u32 udp_offset) {
  struct dns_header header;
  struct question question = {};
  __u8 yes = 1;
  if (dns__read(packet, udp_offset, false, &header, &question))
    bpf_map_update_elem(&questions, &question, &yes, BPF_ANY);
}

/* The network namespace of the socket that the packet came to. */
static __always_inline __u32 read__packet_namespace(struct slot *slot, struct __sk_buff *packet) {
  void *sock = packet->sk;
  return sock ? LOAD(LOAD((struct sock *)store__number(slot, sock), __sk_common.skc_net.net), ns.inum) : 0;
}

/* Told of no process: the one that is interrupted by the packet has nothing to do with it. */
static __always_inline void answer_tell(struct __sk_buff *packet, __u32 udp_offset, struct question *question) {
  struct slot *slot = emit__take(MARTLET_HOOK_DNS);
  __u32 offset = udp_offset + UDP_HEADER_BYTES, length = packet->len - offset, position;
  struct martlet_dns *record;
  char *target;
  if (!slot) return;
  record = RECORD(slot, martlet_dns);
  __builtin_memset(record, 0, sizeof(*record));
  record->record.kind = MARTLET_KIND_DNS;
  record->record.cpu = bpf_get_smp_processor_id();
  record->record.generation = settings.generation;
  record->socket_cookie = question->cookie;
  record->network_namespace = read__packet_namespace(slot, packet);
  record->interface_index = packet->ifindex;
  record->message_bytes = length;
  record->family = question->family;
  __builtin_memcpy(record->resolver_address, question->resolver, sizeof(record->resolver_address));
  slot->length_bytes = sizeof(*record);
  if (length > DNS_MESSAGE_BYTES_MAX) length = DNS_MESSAGE_BYTES_MAX;
  target = store__text_start(slot, &position);
  if (!target || length < DNS_HEADER_BYTES || bpf_skb_load_bytes(packet, offset, target, length)) {
    COUNT(MARTLET_HOOK_DNS, lost_unreadable);
    emit__note_loss(MARTLET_HOOK_DNS, 0, 0, false);
    emit__release(slot);
    return;
  }
  store__text_end(slot, &record->message, position, length);
  record->record.time_ns = bpf_ktime_get_boot_ns();
  emit__finish_within(slot, MARTLET_HOOK_DNS, SHARE_OPEN);
}

static __always_inline void answer_came(struct __sk_buff *packet, __u32 udp_offset) {
  struct dns_header header;
  struct question question = {};
  COUNT(MARTLET_HOOK_DNS, seen);
  if (!dns__read(packet, udp_offset, true, &header, &question) || bpf_map_delete_elem(&questions, &question) ||
      header.flags[1] & DNS_RESULT || header.counts[1] == 0) {
    /* Nobody asked for it, or it names nothing. */
    COUNT(MARTLET_HOOK_DNS, filtered);
    return;
  }
  answer_tell(packet, udp_offset, &question);
}

PROGRAM(1, "cgroup_skb/egress")
int handle_question(struct __sk_buff *packet) {
  __u32 udp_offset = dns__udp_offset(packet, false);
  if (canary__is_due(MARTLET_CANARY_QUESTION)) canary__answer(MARTLET_CANARY_QUESTION);
  if (udp_offset) question_asked(packet, udp_offset);
  return 1;
}

PROGRAM(1, "cgroup_skb/ingress")
int handle_answer(struct __sk_buff *packet) {
  __u32 udp_offset = dns__udp_offset(packet, true);
  if (canary__is_due(MARTLET_CANARY_ANSWER)) canary__answer(MARTLET_CANARY_ANSWER);
  if (udp_offset) answer_came(packet, udp_offset);
  return 1;
}
