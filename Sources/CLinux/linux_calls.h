/* SPDX-License-Identifier: Apache-2.0 */
/* System calls for which glibc has no function. */
#ifndef MARTLET_LINUX_CALLS_H
#define MARTLET_LINUX_CALLS_H

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_PATH, which glibc's headers show to programs alone that ask for GNU's own. */
static const int linux_path_flag = 010000000;

/* Opens a file below the folder `root`, which nothing on the way leaves: not "..", no absolute link, no link of /proc.
 * -1, with errno, where there is none. */
static inline int linux_open_in_root(int root, const char *path, int flags) {
  struct open_how how = {
      .flags = (__u64)flags,
      .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
  };
  return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

#endif
