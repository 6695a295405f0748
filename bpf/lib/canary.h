/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tier 4: proof that a program runs and reaches the reader.
 *
 * What the agent does itself is left out of the stream. Now and then it acts on purpose, and says before which places are
 * to see it; each of them answers once.
 */
#pragma once

#include "emit.h"

static __always_inline bool canary__is_due(__u32 place) {
  volatile struct martlet_consumer *reader = emit__consumer();
  return reader && reader->canaries & 1u << place;
}

APART int canary__answer(__u32 place) {
  volatile struct martlet_consumer *reader = emit__consumer();
  struct martlet_canary answer = {};
  if (!reader) return 0;
  __sync_fetch_and_and(&reader->canaries, ~(1u << (place & 31)));
  answer.record.length_bytes = sizeof(answer);
  answer.record.kind = MARTLET_KIND_CANARY;
  answer.record.time_ns = bpf_ktime_get_boot_ns();
  answer.record.process_id = settings.self_process_id;
  answer.place = place;
  emit__send(&answer, sizeof(answer), sizeof(answer), SHARE_WHOLE);
  return 0;
}

/* True for an act of the agent's that was meant for this place, which has now answered. */
static __always_inline bool canary__is_for(__u32 place) {
  if (!canary__is_due(place)) return false;
  if ((__u32)LOAD(read__current(), tgid) != settings.self_process_id) return false;
  canary__answer(place);
  return true;
}
