/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "martlet_files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux_calls.h"

int martlet_files_place(const char *path) {
  return open(path, O_PATH | O_CLOEXEC);
}

int martlet_files_place_below(int folder, const char *path) {
  return linux_open_in_root(folder, path, O_PATH | O_CLOEXEC);
}

int martlet_files_read(int place) {
  char path[32];
  int file, flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
  file = open(path, flags | O_NOATIME);
  if (file < 0 && errno == EPERM) file = open(path, flags);
  return file;
}

/* A lease for reading is granted only if nobody can write. It is given back at once: whoever wants to write waits for it. */
int martlet_files_writers(int file) {
  if (fcntl(file, F_SETLEASE, F_RDLCK) == 0) {
    fcntl(file, F_SETLEASE, F_UNLCK);
    return MARTLET_FILES_NO_WRITERS;
  }
  return errno == EAGAIN ? MARTLET_FILES_WRITERS : MARTLET_FILES_UNTOLD;
}

static uint64_t nanoseconds(struct timespec time) {
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int take(int result, const struct stat *from, struct martlet_file_status *status) {
  if (result) return -1;
  status->device = from->st_dev;
  status->inode = from->st_ino;
  status->size_bytes = (uint64_t)from->st_size;
  status->allocated_bytes = (uint64_t)from->st_blocks * 512;
  status->modified_ns = nanoseconds(from->st_mtim);
  status->changed_ns = nanoseconds(from->st_ctim);
  status->mode = from->st_mode;
  return 0;
}

int martlet_files_status(int file, struct martlet_file_status *status) {
  struct stat found;
  return take(fstat(file, &found), &found, status);
}

int martlet_files_status_of(const char *path, struct martlet_file_status *status) {
  struct stat found;
  return take(stat(path, &found), &found, status);
}

const void *martlet_files_map(int file, uint64_t offset, size_t count) {
  const void *part = mmap(NULL, count, PROT_READ, MAP_SHARED | MAP_POPULATE, file, (off_t)offset);
  return part == MAP_FAILED ? NULL : part;
}

void martlet_files_fetch(int file, uint64_t offset, size_t count) {
  posix_fadvise(file, (off_t)offset, (off_t)count, POSIX_FADV_WILLNEED);
}

void martlet_files_yield(void) {
  enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_CLASS_IDLE = 3, IOPRIO_CLASS_SHIFT = 13 };
  if (nice(19) < 0) { /* then as before */
  }
  syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT);
  /* Says that a lease is broken, and would end the process. */
  signal(SIGIO, SIG_IGN);
}
