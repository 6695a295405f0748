// SPDX-License-Identifier: Apache-2.0
/* Verbs that connect, listen and send, each in the ways that a test tells apart. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "actor.h"

unsigned short listener_port;
static int listener = -1;

unsigned make_address(struct sockaddr_storage *target, const char *address, int port) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)target;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)target;
  unsigned short number = htons(port ? (unsigned short)port : listener_port);
  memset(target, 0, sizeof(*target));
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = number;
    return sizeof(*v4);
  }
  require(inet_pton(AF_INET6, address, &v6->sin6_addr) == 1, "address");
  v6->sin6_family = AF_INET6;
  v6->sin6_port = number;
  return sizeof(*v6);
}

static int is(const char *text, const char *other) {
  return strcmp(text, other) == 0;
}

/* A network of its own, of which loopback is all there is. */
static void verb_own_network(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  int fd;
  require(unshare(CLONE_NEWNET) == 0, "unshare");
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  require(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "loopback");
  close(fd);
}

static void verb_listen(const char *address, int backlog) {
  struct sockaddr_storage place;
  socklen_t length = make_address(&place, address, 0);
  ((struct sockaddr_in *)&place)->sin_port = 0;
  listener = socket(place.ss_family, SOCK_STREAM, 0);
  require(bind(listener, (struct sockaddr *)&place, length) == 0, "bind");
  require(listen(listener, backlog) == 0, "listen");
  require(getsockname(listener, (struct sockaddr *)&place, &length) == 0, "name");
  listener_port = ntohs(((struct sockaddr_in *)&place)->sin_port);
}

static void verb_accept(const char *how) {
  struct sockaddr_storage peer;
  socklen_t length = sizeof(peer);
  int fd = is(how, "accept") ? accept(listener, (struct sockaddr *)&peer, &length) : accept4(listener, NULL, NULL, 0);
  require(fd >= 0, "accept");
}

static void verb_tcp(const char *how, const char *address, int port) {
  struct sockaddr_storage place;
  socklen_t length = make_address(&place, address, port);
  int fd = socket(place.ss_family, SOCK_STREAM | (is(how, "nonblocking") ? SOCK_NONBLOCK : 0), 0);
  if (is(how, "fastopen"))
    sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&place, length);
  else
    connect(fd, (struct sockaddr *)&place, length);
  /* Asks for the result, as programs do. */
  if (is(how, "nonblocking")) connect(fd, (struct sockaddr *)&place, length);
}

static void verb_udp_connect(const char *address, int port) {
  struct sockaddr_storage place;
  socklen_t length = make_address(&place, address, port);
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  int fd = socket(place.ss_family, SOCK_DGRAM, 0);
  connect(fd, (struct sockaddr *)&place, length);
  require(connect(fd, &none, sizeof(none)) == 0, "disconnect");
}

/* `count` datagrams from one socket, to as many ports as `peers`. */
static void verb_send(const char *how, const char *address, int count, int peers) {
  struct sockaddr_storage place;
  socklen_t length = make_address(&place, address, 1);
  int fd = socket(place.ss_family, SOCK_DGRAM, 0);
  for (int index = 0; index < count; index++) {
    struct iovec data = {.iov_base = "x", .iov_len = 1};
    struct mmsghdr messages[2] = {};
    struct sockaddr_storage places[2];
    for (int each = 0; each < 2; each++) {
      make_address(&places[each], address, 40000 + (index + each) % peers);
      messages[each].msg_hdr = (struct msghdr){
          .msg_name = &places[each], .msg_namelen = length, .msg_iov = &data, .msg_iovlen = 1};
    }
    if (is(how, "sendto"))
      sendto(fd, "x", 1, 0, (struct sockaddr *)&places[0], length);
    else if (is(how, "sendmsg"))
      sendmsg(fd, &messages[0].msg_hdr, 0);
    else
      sendmmsg(fd, messages, 2, 0);
  }
}

/* Two datagrams from one peer. */
static void verb_receive(const char *how) {
  struct sockaddr_storage place, peer;
  socklen_t length = make_address(&place, "127.0.0.1", 1);
  int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
  ((struct sockaddr_in *)&place)->sin_port = 0;
  require(bind(receiver, (struct sockaddr *)&place, length) == 0, "bind");
  require(getsockname(receiver, (struct sockaddr *)&place, &length) == 0, "name");
  for (int index = 0; index < 2; index++) {
    char byte;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct mmsghdr message = {
        .msg_hdr = {.msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = &data, .msg_iovlen = 1}};
    require(sendto(sender, "x", 1, 0, (struct sockaddr *)&place, length) == 1, "send");
    length = sizeof(peer);
    if (is(how, "recvfrom"))
      require(recvfrom(receiver, &byte, 1, 0, (struct sockaddr *)&peer, &length) == 1, how);
    else if (is(how, "recvmsg"))
      require(recvmsg(receiver, &message.msg_hdr, 0) == 1, how);
    else
      require(recvmmsg(receiver, &message, 1, 0, NULL) == 1, how);
  }
}

/* `@name` is an abstract name. */
static socklen_t make_unix_address(struct sockaddr_un *target, const char *name) {
  memset(target, 0, sizeof(*target));
  target->sun_family = AF_UNIX;
  strncpy(target->sun_path, name, sizeof(target->sun_path) - 1);
  if (name[0] != '@') return sizeof(*target);
  target->sun_path[0] = 0;
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
}

static void verb_unix(const char *how, const char *name) {
  int type = is(how, "dgram") ? SOCK_DGRAM : SOCK_STREAM;
  int server = socket(AF_UNIX, type, 0), client = socket(AF_UNIX, type, 0);
  struct sockaddr_un place;
  socklen_t length = make_unix_address(&place, name);
  if (!is(how, "missing")) require(bind(server, (struct sockaddr *)&place, length) == 0, "bind");
  if (is(how, "stream")) require(listen(server, 1) == 0, "listen");
  connect(client, (struct sockaddr *)&place, length);
  if (is(how, "stream")) require(accept(server, NULL, NULL) >= 0, "accept");
}

/* Two sockets through one thread after the other: many connections, each counted. */
static void verb_repeat_connect(int times) {
  struct sockaddr_storage place;
  socklen_t length = make_address(&place, "127.0.0.1", 0);
  struct linger reset = {.l_onoff = 1};
  while (times-- > 0) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), peer;
    require(connect(fd, (struct sockaddr *)&place, length) == 0, "connect");
    peer = accept(listener, NULL, NULL);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    close(peer);
  }
}

static union {
  struct sockaddr_storage any;
  volatile struct sockaddr_in v4;
} changing;
static volatile int change_is_over;

static void *change_address(void *unused) {
  (void)unused;
  while (!change_is_over) changing.v4.sin_addr.s_addr ^= htonl(3);
  return NULL;
}

/* Connects while another thread changes the address between 127.0.0.1 and 127.0.0.2; after each, an open says by its name
 * which one it was. */
static void verb_change_address(int times) {
  pthread_t thread;
  make_address(&changing.any, "127.0.0.1", 9);
  require(pthread_create(&thread, NULL, change_address, NULL) == 0, "thread");
  while (times-- > 0) {
    struct sockaddr_in peer;
    socklen_t length = sizeof(peer);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    require(connect(fd, (struct sockaddr *)&changing, sizeof(changing.v4)) == 0, "connect");
    require(getpeername(fd, (struct sockaddr *)&peer, &length) == 0, "peer");
    open(ntohl(peer.sin_addr.s_addr) == INADDR_LOOPBACK ? "/127.0.0.1" : "/127.0.0.2", O_RDONLY);
    close(fd);
  }
  change_is_over = 1;
  pthread_join(thread, NULL);
}

/* Attempts that nobody answers: a listener whose queue is full lets them wait. */
static void verb_flood_connect(int times) {
  struct sockaddr_storage place;
  socklen_t length;
  struct rlimit limit = {.rlim_cur = 8192, .rlim_max = 8192};
  require(setrlimit(RLIMIT_NOFILE, &limit) == 0, "limit");
  verb_listen("127.0.0.1", 0);
  length = make_address(&place, "127.0.0.1", 0);
  while (times-- > 0) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    require(fd >= 0 && (connect(fd, (struct sockaddr *)&place, length) == 0 || errno == EINPROGRESS), "connect");
  }
}

int act_on_sockets(const char *verb, char **rest) {
#define VERB(name, count, act) \
  if (strcmp(verb, name) == 0) { act; return count; }
  VERB("own-network", 0, verb_own_network())
  VERB("listen", 1, verb_listen(rest[0], 16))
  /* Takes one connection and lets the next ones wait. */
  VERB("listen-full", 1, verb_listen(rest[0], 0); verb_tcp("blocking", rest[0], 0))
  VERB("accept", 1, verb_accept(rest[0]))
  VERB("tcp", 3, verb_tcp(rest[0], rest[1], atoi(rest[2])))
  VERB("udp-connect", 2, verb_udp_connect(rest[0], atoi(rest[1])))
  VERB("send", 4, verb_send(rest[0], rest[1], atoi(rest[2]), atoi(rest[3])))
  VERB("receive", 1, verb_receive(rest[0]))
  VERB("unix", 2, verb_unix(rest[0], rest[1]))
  VERB("repeat-connect", 1, verb_repeat_connect(atoi(rest[0])))
  VERB("flood-connect", 1, verb_flood_connect(atoi(rest[0])))
  VERB("change-address", 1, verb_change_address(atoi(rest[0])))
  return -1;
}
