// SPDX-License-Identifier: Apache-2.0
/* Verbs that ask for names and answer. Every name leads to 127.9.9.9. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"

#define MESSAGE_BYTES_MAX 4096
#define HEADER_BYTES 12

static const char *answers_how;
static int resolver = -1;

static int answers(const char *how) {
  return strcmp(answers_how, how) == 0;
}

/* Makes an answer of the question at `message`, where there is room for it; returns its length. */
static size_t make_answer(unsigned char *message, size_t length) {
  static const unsigned char record[] = {0xc0, HEADER_BYTES, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 127, 9, 9, 9};
  require(length > HEADER_BYTES && length < 512, "question");
  message[2] = 0x81;
  message[3] = answers("failing") ? 0x83 : 0x80;
  message[7] = 1;
  if (answers("wrong-number")) message[0] ^= 1;
  memcpy(message + length, record, sizeof(record));
  length += sizeof(record);
  if (!answers("long")) return length;
  memset(message + length, 0, 2000);
  return length + 2000;
}

/* An interface behind which everything is ours to play: 10.7.0.0/24, of which 10.7.0.2 is this end. */
static void verb_tun(void) {
  struct ifreq request = {.ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI};
  struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  resolver = open("/dev/net/tun", O_RDWR);
  require(resolver >= 0 && ioctl(resolver, TUNSETIFF, &request) == 0, "tun");
  address->sin_family = AF_INET;
  inet_pton(AF_INET, "10.7.0.2", &address->sin_addr);
  require(ioctl(fd, SIOCSIFADDR, &request) == 0, "address");
  inet_pton(AF_INET, "255.255.255.0", &address->sin_addr);
  require(ioctl(fd, SIOCSIFNETMASK, &request) == 0, "mask");
  request.ifr_flags = IFF_UP;
  require(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "up");
  close(fd);
}

static uint16_t checksum(const void *header, size_t length) {
  const uint16_t *words = header;
  uint32_t sum = 0;
  for (size_t index = 0; index < length / 2; index++) sum += words[index];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

struct packet {
  struct iphdr ip;
  struct udphdr udp;
  unsigned char message[MESSAGE_BYTES_MAX];
};

/* Sends a packet back to where it came from. */
static void send_back(struct packet *packet, size_t length) {
  uint32_t address = packet->ip.saddr;
  uint16_t port = packet->udp.source;
  packet->ip.saddr = answers("other-sender") ? inet_addr("10.7.0.3") : packet->ip.daddr;
  packet->ip.daddr = address;
  packet->ip.tot_len = htons((uint16_t)(sizeof(packet->ip) + sizeof(packet->udp) + length));
  packet->ip.check = 0;
  packet->ip.check = checksum(&packet->ip, sizeof(packet->ip));
  packet->udp.source = packet->udp.dest;
  packet->udp.dest = port;
  packet->udp.len = htons((uint16_t)(sizeof(packet->udp) + length));
  packet->udp.check = 0;
  for (int times = answers("twice") ? 2 : 1; times > 0; times--)
    require(write(resolver, packet, sizeof(packet->ip) + sizeof(packet->udp) + length) > 0, "send back");
}

static void *resolve_outside(void *unused) {
  struct packet packet;
  (void)unused;
  while (read(resolver, &packet, sizeof(packet)) > 0) {
    if (packet.ip.version != 4 || packet.ip.protocol != IPPROTO_UDP || packet.udp.dest != htons(53)) continue;
    send_back(&packet, make_answer(packet.message, ntohs(packet.udp.len) - sizeof(packet.udp)));
  }
  return NULL;
}

static void *resolve_inside(void *unused) {
  unsigned char message[MESSAGE_BYTES_MAX];
  struct sockaddr_storage peer;
  (void)unused;
  while (1) {
    socklen_t size = sizeof(peer);
    ssize_t length = recvfrom(resolver, message, sizeof(message), 0, (struct sockaddr *)&peer, &size);
    if (length <= 0) return NULL;
    sendto(resolver, message, make_answer(message, (size_t)length), 0, (struct sockaddr *)&peer, size);
  }
}

static void answer_by(void *(*answer)(void *), const char *how) {
  pthread_t thread;
  answers_how = how;
  require(pthread_create(&thread, NULL, answer, NULL) == 0, "thread");
}

/* A resolver in this network, at an address that becomes its own if it is not. */
static void verb_resolve_inside(const char *address, const char *how) {
  struct ifreq request = {.ifr_name = "lo:1"};
  struct sockaddr_storage place;
  socklen_t size = make_address(&place, address, 53);
  resolver = socket(place.ss_family, SOCK_DGRAM, 0);
  if (strncmp(address, "10.", 3) == 0) {
    memcpy(&request.ifr_addr, &place, sizeof(request.ifr_addr));
    require(ioctl(resolver, SIOCSIFADDR, &request) == 0, "address");
  }
  require(bind(resolver, (struct sockaddr *)&place, size) == 0, "bind");
  answer_by(resolve_inside, how);
}

/* `name` as messages have it; returns its length. */
static size_t write_name(unsigned char *target, const char *name) {
  unsigned char *begin = target, *length = target++;
  for (*length = 0; *name; name++) {
    if (*name == '.') {
      length = target++;
      *length = 0;
    } else {
      *target++ = (unsigned char)*name;
      ++*length;
    }
  }
  *target++ = 0;
  return (size_t)(target - begin);
}

/* Asks and takes what comes, whatever it is. */
static void verb_ask(const char *address, const char *name) {
  unsigned char message[MESSAGE_BYTES_MAX] = {0x12, 0x34, 1, 0, 0, 1};
  size_t length = HEADER_BYTES + write_name(message + HEADER_BYTES, name);
  struct sockaddr_storage place;
  socklen_t size = make_address(&place, address, 53);
  int fd = socket(place.ss_family, SOCK_DGRAM, 0);
  struct pollfd waits = {.fd = fd, .events = POLLIN};
  memcpy(message + length, "\0\1\0\1", 4);
  require(sendto(fd, message, length + 4, 0, (struct sockaddr *)&place, size) > 0, "ask");
  for (int times = answers("twice") ? 2 : 1; times > 0; times--)
    require(poll(&waits, 1, 100000) == 1 && recv(fd, message, sizeof(message), 0) > 0, "answer");
  close(fd);
}

/* An answer from outside that nobody has asked for. */
static void verb_unasked(const char *address) {
  struct packet packet = {.ip = {.version = 4, .ihl = 5, .ttl = 9, .protocol = IPPROTO_UDP}};
  struct sockaddr_in place = {.sin_family = AF_INET};
  socklen_t size = sizeof(place);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct pollfd waits = {.fd = fd, .events = POLLIN};
  size_t length = HEADER_BYTES + write_name(packet.message + HEADER_BYTES, "unasked.example");
  packet.message[5] = 1;
  answers_how = "";
  require(bind(fd, (struct sockaddr *)&place, size) == 0, "bind");
  require(getsockname(fd, (struct sockaddr *)&place, &size) == 0, "name");
  memcpy(packet.message + length, "\0\1\0\1", 4);
  packet.udp.source = place.sin_port;
  packet.udp.dest = htons(53);
  packet.ip.saddr = inet_addr("10.7.0.2");
  packet.ip.daddr = inet_addr(address);
  send_back(&packet, make_answer(packet.message, length + 4));
  require(poll(&waits, 1, 100000) == 1, "answer");
}

int act_on_names(const char *verb, char **rest) {
#define VERB(name, count, act) \
  if (strcmp(verb, name) == 0) { act; return count; }
  VERB("tun", 0, verb_tun())
  VERB("resolve-outside", 1, answer_by(resolve_outside, rest[0]))
  VERB("resolve-inside", 2, verb_resolve_inside(rest[0], rest[1]))
  VERB("ask", 2, verb_ask(rest[0], rest[1]))
  VERB("unasked", 1, verb_unasked(rest[0]))
  return -1;
}
