/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "martlet_filter.h"
#include "martlet_probe_shared.h"

struct trials {
  struct bpf_object *object;
  int program;
  int filter;
};

static int configure(struct bpf_object *object) {
  struct martlet_probe_settings settings = {
      .ring_count = 1, .ring_bytes = 1 << 20, .filters = MARTLET_FILTERING_ON};
  struct bpf_program *program;
  struct bpf_map *map;
  int error = -ENOENT;
  bpf_object__for_each_map(map, object) {
    if (strstr(bpf_map__name(map), ".rodata")) error = bpf_map__set_initial_value(map, &settings, sizeof(settings));
  }
  bpf_object__for_each_program(program, object)
    bpf_program__set_autoload(program, strcmp(bpf_program__name(program), "try_filter") == 0);
  return error;
}

struct trials *trials_open(const void *object, size_t length) {
  struct trials *trials = calloc(1, sizeof(*trials));
  if (!trials) return NULL;
  trials->object = bpf_object__open_mem(object, length, NULL);
  if (trials->object && !configure(trials->object) && !bpf_object__load(trials->object)) {
    trials->program = bpf_program__fd(bpf_object__find_program_by_name(trials->object, "try_filter"));
    trials->filter = bpf_object__find_map_fd_by_name(trials->object, "kernel_filter");
    if (trials->program >= 0 && trials->filter >= 0) return trials;
  }
  trials_close(trials);
  return NULL;
}

void trials_close(struct trials *trials) {
  int code = errno;
  bpf_object__close(trials->object);
  free(trials);
  errno = code;
}

int trials_install(struct trials *trials, const struct martlet_filter *filter) {
  const __u32 zero = 0;
  return bpf_map_update_elem(trials->filter, &zero, filter, BPF_ANY);
}

/* Of the calling thread alone, which keeps its capabilities. */
static int become(unsigned int user) {
  int bits = prctl(PR_GET_SECUREBITS);
  long error;
  if (bits < 0 || prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP)) return -1;
  error = syscall(SYS_setresuid, -1, user, -1);
  return prctl(PR_SET_SECUREBITS, bits) || error ? -1 : 0;
}

int trials_ask(struct trials *trials, struct trial *trial, const char *program, unsigned int user) {
  LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = trial, .ctx_size_in = sizeof(*trial));
  char before[16];
  int error;
  if (prctl(PR_GET_NAME, before) || prctl(PR_SET_NAME, program) || become(user)) return -1;
  error = bpf_prog_test_run_opts(trials->program, &options);
  if (become(0) || prctl(PR_SET_NAME, before)) return -1;
  return error ? -1 : 0;
}
