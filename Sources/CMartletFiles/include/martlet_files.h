/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on files for which Swift has no name. A descriptor, or -1 with errno. */
#ifndef MARTLET_FILES_H
#define MARTLET_FILES_H

#include <stddef.h>
#include <stdint.h>

/* Stands for a file without opening it: nothing hangs, nothing acts. */
int martlet_files_place(const char *path);

/* The same below an open folder, out of which neither a link nor `..` leads. */
int martlet_files_place_below(int folder, const char *path);

/* Opens for reading what such a descriptor stands for, without moving its time of access where that is allowed. */
int martlet_files_read(int place);

enum martlet_files_writers {
  MARTLET_FILES_NO_WRITERS = 0,
  MARTLET_FILES_WRITERS = 1,
  MARTLET_FILES_UNTOLD = 2, /* the file system grants no leases, or not to us */
};

/* Whether a descriptor or a shared mapping can write to an open file. */
int martlet_files_writers(int file);

struct martlet_file_status {
  uint64_t device; /* as stat(2) gives it */
  uint64_t inode;
  uint64_t size_bytes;
  uint64_t allocated_bytes;
  uint64_t modified_ns; /* since 1970 */
  uint64_t changed_ns;
  uint32_t mode;
};

/* 0, or -1 with errno. Links are followed. */
int martlet_files_status(int file, struct martlet_file_status *status);
int martlet_files_status_of(const char *path, struct martlet_file_status *status);

/* Shows a part of a file, read in already; NULL with errno. A part that is cut off meanwhile ends the process (SIGBUS). */
const void *martlet_files_map(int file, uint64_t offset, size_t count);

/* Lets the file system fetch a part that is needed soon. */
void martlet_files_fetch(int file, uint64_t offset, size_t count);

/* From now on the processor and the disk are anybody else's first. */
void martlet_files_yield(void);

#endif
