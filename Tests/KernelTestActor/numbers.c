// SPDX-License-Identifier: Apache-2.0
/* Acts that bear numbers, so that one that is told twice or not at all can be told. */
#define _GNU_SOURCE
#include "actor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACTS_BETWEEN_CONNECTS 10
#define ACTS_BETWEEN_EXECS 100

static void open_number(const char *folder, unsigned number) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/%u", folder, number);
  require(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY) < 0 && errno == ENOENT, "open");
}

/* Refused at once, by whom the number names. */
static void connect_number(unsigned number) {
  struct sockaddr_in place = {
      .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(127u << 24 | number)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  require(fd >= 0 && connect(fd, (struct sockaddr *)&place, sizeof(place)) < 0 && errno == ECONNREFUSED, "connect");
  close(fd);
}

static void exec_number(unsigned number) {
  char text[16];
  pid_t child = vfork();
  require(child >= 0, "vfork");
  snprintf(text, sizeof(text), "%u", number);
  if (child == 0) {
    execl("/proc/self/exe", "actor", "number", text, NULL);
    _exit(1);
  }
  waitpid(child, NULL, 0);
}

/* From 1 on, until the input ends; the count is its last word. */
static void act_until_told(const char *folder) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  char text[16];
  unsigned number = 0;
  do {
    open_number(folder, ++number);
    if (number % ACTS_BETWEEN_CONNECTS == 0) connect_number(number);
    if (number % ACTS_BETWEEN_EXECS == 0) exec_number(number);
    /* Some of them right behind each other. */
  } while (number % 50 != 0 || poll(&input, 1, 1) == 0);
  snprintf(text, sizeof(text), "%u", number);
  execl("/proc/self/exe", "actor", "last-number", text, NULL);
}

int act_on_numbers(const char *verb, char **rest) {
  if (strcmp(verb, "numbers") == 0) act_until_told(rest[0]);
  /* To be read in the arguments. */
  return strcmp(verb, "number") == 0 || strcmp(verb, "last-number") == 0 ? 1 : -1;
}
