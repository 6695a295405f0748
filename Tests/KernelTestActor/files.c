// SPDX-License-Identifier: Apache-2.0
/* Verbs that write files which are open, and keep them open. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "actor.h"

/* Writes the first byte of the last file through a mapping that stays. */
static void verb_map_last(void) {
  char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, last, 0);
  require(page != MAP_FAILED, "map");
  page[0]++;
}

/* `count` new files, all open for writing. */
static void verb_hold(int count, const char *prefix) {
  struct rlimit limit = {.rlim_cur = (rlim_t)count + 64, .rlim_max = (rlim_t)count + 64};
  char path[4096];
  require(setrlimit(RLIMIT_NOFILE, &limit) == 0, "limit");
  for (int index = 0; index < count; index++) {
    snprintf(path, sizeof(path), "%s%d.gguf", prefix, index);
    require(open(path, O_WRONLY | O_CREAT, 0600) >= 0, "open");
    require(unlink(path) == 0, "unlink");
  }
}

int act_on_last_file(const char *verb, char **rest) {
  if (strcmp(verb, "write-last") == 0) {
    require(write(last, rest[0], strlen(rest[0])) >= 0, "write");
    return 1;
  }
  if (strcmp(verb, "map-last") == 0) {
    verb_map_last();
    return 0;
  }
  if (strcmp(verb, "close-last") == 0) {
    require(close(last) == 0, "close");
    return 0;
  }
  if (strcmp(verb, "dup-last") == 0) {
    require(dup(last) >= 0, "dup");
    return 0;
  }
  if (strcmp(verb, "hold") == 0) {
    verb_hold(atoi(rest[0]), rest[1]);
    return 2;
  }
  return -1;
}
