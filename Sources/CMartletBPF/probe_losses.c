/* SPDX-License-Identifier: Apache-2.0 */
/* Lost events by container: reading the table that producers count them in. */
#include <bpf/bpf.h>
#include <errno.h>

#include "probe_internal.h"

bool martlet_probe_has_losses(struct martlet_probe *probe) {
  if (!probe->consumer || !probe->consumer->has_losses) return false;
  /* Before the table is read: whoever counts meanwhile says so again. */
  __atomic_store_n(&probe->consumer->has_losses, 0, __ATOMIC_SEQ_CST);
  return true;
}

int martlet_probe_losses(const struct martlet_probe *probe, struct martlet_loss_key *keys, struct martlet_loss *losses,
                         uint32_t capacity) {
  uint32_t place, count = capacity;
  /* All in one call: the table is never larger than what there is room for. */
  int error = bpf_map_lookup_batch(probe->losses_fd, NULL, &place, keys, losses, &count, NULL);
  return error && errno != ENOENT ? -1 : (int)count;
}

void martlet_probe_forget_loss(const struct martlet_probe *probe, const struct martlet_loss_key *key) {
  bpf_map_delete_elem(probe->losses_fd, key);
}
