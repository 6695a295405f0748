/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes cgroups one after the other, each for one program that ends at once, and removes them again.
 *
 * usage: churn PROGRAM FIRST COUNT FOLDER...
 *
 * FOLDERs are cgroups, one in each hierarchy. The cgroup of number N is called by its 64 hexadecimal digits, as containers
 * are, and PROGRAM is started in it with that number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what, const char *path) {
  fprintf(stderr, "churn: %s %s: %s\n", what, path, strerror(errno));
  exit(1);
}

static void join(const char *cgroup) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0 || write(file, "0", 1) != 1) fail("cannot join", path);
  close(file);
}

/* A moment after its last process has ended a cgroup may still be busy. */
static void leave(const char *cgroup) {
  for (int attempt = 0; rmdir(cgroup) != 0; attempt++) {
    if (errno != EBUSY || attempt == 1000) fail("cannot remove", cgroup);
    usleep(1000);
  }
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: churn PROGRAM FIRST COUNT FOLDER...\n");
    return 2;
  }
  long first = atol(argv[2]), count = atol(argv[3]);
  for (long number = first; number < first + count; number++) {
    char cgroups[4][4096], name[32];
    int folders = argc - 4 < 4 ? argc - 4 : 4;
    snprintf(name, sizeof(name), "%ld", number);
    for (int index = 0; index < folders; index++) {
      snprintf(cgroups[index], sizeof(cgroups[index]), "%s/%064lx", argv[4 + index], number);
      if (mkdir(cgroups[index], 0755) != 0) fail("cannot make", cgroups[index]);
    }
    pid_t child = fork();
    if (child < 0) fail("cannot start", argv[1]);
    if (child == 0) {
      for (int index = 0; index < folders; index++) join(cgroups[index]);
      execl(argv[1], argv[1], name, NULL);
      fail("cannot run", argv[1]);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) fail("did not end well:", name);
    for (int index = 0; index < folders; index++) leave(cgroups[index]);
  }
  return 0;
}
