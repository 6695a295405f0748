/* SPDX-License-Identifier: Apache-2.0 */
/* Watched files: the list that user space keeps, and what calls do to files. */
#include <bpf/bpf.h>
#include <errno.h>
#include <sys/syscall.h>

#include "probe_internal.h"

/* Calls that one architecture has and another has not. */
#define NO_NUMBER (-1)
#ifndef SYS_open
#define SYS_open NO_NUMBER
#endif
#ifndef SYS_creat
#define SYS_creat NO_NUMBER
#endif
#ifndef SYS_rename
#define SYS_rename NO_NUMBER
#endif
#ifndef SYS_renameat
#define SYS_renameat NO_NUMBER
#endif
#ifndef SYS_link
#define SYS_link NO_NUMBER
#endif
#ifndef SYS_unlink
#define SYS_unlink NO_NUMBER
#endif
#ifndef SYS_chmod
#define SYS_chmod NO_NUMBER
#endif
#ifndef SYS_chown
#define SYS_chown NO_NUMBER
#endif
#ifndef SYS_lchown
#define SYS_lchown NO_NUMBER
#endif
#ifndef SYS_utime
#define SYS_utime NO_NUMBER
#endif
#ifndef SYS_utimes
#define SYS_utimes NO_NUMBER
#endif
#ifndef SYS_futimesat
#define SYS_futimesat NO_NUMBER
#endif
#define SYS_FCHMODAT2 452
#define SYS_SETXATTRAT 463
#define SYS_REMOVEXATTRAT 466

/* The 32-bit table of x86. */
#if defined(__x86_64__)
#define COMPAT(...) {__VA_ARGS__}
#else
#define COMPAT(...) {0}
#endif

struct changing_call {
  int16_t number;
  int16_t compat_numbers[2]; /* 0 for none */
  uint8_t change;            /* MARTLET_CHANGE_OF */
};

#define RENAMED(name) MARTLET_CHANGE_OF(MARTLET_CHANGE_RENAMED, name)
#define PERHAPS_TRUNCATED (MARTLET_CHANGE_TRUNCATED | MARTLET_CHANGE_PERHAPS)
#define LINKED(name) MARTLET_CHANGE_OF(MARTLET_CHANGE_LINKED, name)

static const struct changing_call changing_calls[] = {
    {SYS_rename, COMPAT(38), RENAMED(2)},
    {SYS_renameat, COMPAT(302), RENAMED(4)},
    {SYS_renameat2, COMPAT(353), RENAMED(4)},
    {SYS_link, COMPAT(9), LINKED(2)},
    {SYS_linkat, COMPAT(303), LINKED(4)},
    {SYS_unlink, COMPAT(10), MARTLET_CHANGE_UNLINKED},
    {SYS_unlinkat, COMPAT(301), MARTLET_CHANGE_UNLINKED},
    {SYS_truncate, COMPAT(92, 193), MARTLET_CHANGE_TRUNCATED},
    {SYS_ftruncate, COMPAT(93, 194), MARTLET_CHANGE_TRUNCATED},
    /* With O_TRUNC. */
    {SYS_open, COMPAT(5), PERHAPS_TRUNCATED},
    {SYS_creat, COMPAT(8), PERHAPS_TRUNCATED},
    {SYS_openat, COMPAT(295), PERHAPS_TRUNCATED},
    {SYS_openat2, COMPAT(437), PERHAPS_TRUNCATED},
    {SYS_open_by_handle_at, COMPAT(342), PERHAPS_TRUNCATED},
    {SYS_chmod, COMPAT(15), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_fchmod, COMPAT(94), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_fchmodat, COMPAT(306), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_FCHMODAT2, COMPAT(452), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_chown, COMPAT(182, 212), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_lchown, COMPAT(16, 198), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_fchown, COMPAT(95, 207), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_fchownat, COMPAT(298), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_utime, COMPAT(30), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_utimes, COMPAT(271), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_futimesat, COMPAT(299), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_utimensat, COMPAT(320, 412), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_setxattr, COMPAT(226), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_lsetxattr, COMPAT(227), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_fsetxattr, COMPAT(228), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_removexattr, COMPAT(235), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_lremovexattr, COMPAT(236), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_fremovexattr, COMPAT(237), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_SETXATTRAT, COMPAT(463), MARTLET_CHANGE_ATTRIBUTES},
    {SYS_REMOVEXATTRAT, COMPAT(466), MARTLET_CHANGE_ATTRIBUTES},
};

static void place(struct martlet_probe_settings *settings, int number, uint16_t change) {
  if (number > 0 && number < MARTLET_CALL_NUMBERS) settings->changes[number] |= change;
}

void martlet_changes_configure(struct martlet_probe_settings *settings) {
  for (size_t index = 0; index < sizeof(changing_calls) / sizeof(changing_calls[0]); index++) {
    const struct changing_call *call = &changing_calls[index];
    place(settings, call->number, call->change);
    for (size_t twin = 0; twin < 2; twin++)
      place(settings, call->compat_numbers[twin], (uint16_t)(call->change << 8));
  }
}

int martlet_probe_watch_file(struct martlet_probe *probe, uint32_t device, uint64_t inode,
                             struct martlet_probe_error *error) {
  const struct martlet_file_key key = {.inode = inode, .device = device};
  const struct martlet_watched_file watched = {};
  int map = probe->maps ? bpf_object__find_map_fd_by_name(probe->maps, "watched_files") : -1;
  if (map < 0 || bpf_map_update_elem(map, &key, &watched, BPF_ANY))
    return martlet_fail(error, map < 0 ? ENOENT : errno, "watch a file", "watched_files", NULL);
  return 0;
}

void martlet_probe_unwatch_file(struct martlet_probe *probe, uint32_t device, uint64_t inode) {
  const struct martlet_file_key key = {.inode = inode, .device = device};
  int map = probe->maps ? bpf_object__find_map_fd_by_name(probe->maps, "watched_files") : -1;
  if (map >= 0) bpf_map_delete_elem(map, &key);
}
