/* SPDX-License-Identifier: Apache-2.0 */
#include "stack.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "martlet_probe_shared.h"

#define FUNCTIONS_MAX 256
#define FRAMES_MAX 16
#define TIMER_SET_CALLBACK BPF_FUNC_timer_set_callback

struct function {
  int start;
  int bytes;
};

struct chains {
  const struct bpf_insn *code;
  int length;
  struct function functions[FUNCTIONS_MAX];
  int count;
  struct stack_use *use;
};

/* A call of another function of the program, or the address of one; where it is, or -1. */
static int target_of(const struct chains *chains, int place) {
  const struct bpf_insn *code = &chains->code[place];
  bool calls = code->code == (BPF_JMP | BPF_CALL) && code->src_reg == BPF_PSEUDO_CALL;
  bool names = code->code == (BPF_LD | BPF_DW | BPF_IMM) && code->src_reg == BPF_PSEUDO_FUNC;
  return calls || names ? place + code->imm + 1 : -1;
}

/* A timer's function runs by itself. */
static bool is_timers(const struct chains *chains, int place) {
  for (int next = place + 1; next < chains->length; next++)
    if (chains->code[next].code == (BPF_JMP | BPF_CALL) && chains->code[next].src_reg == 0)
      return chains->code[next].imm == TIMER_SET_CALLBACK;
  return false;
}

static int compare(const void *one, const void *other) {
  return ((const struct function *)one)->start - ((const struct function *)other)->start;
}

static bool find_functions(struct chains *chains) {
  chains->functions[chains->count++] = (struct function){0};
  for (int place = 0; place < chains->length; place++) {
    int target = target_of(chains, place), known = 0;
    if (target < 0) continue;
    while (known < chains->count && chains->functions[known].start != target) known++;
    if (known < chains->count) continue;
    if (chains->count == FUNCTIONS_MAX) return false;
    chains->functions[chains->count++] = (struct function){.start = target};
  }
  qsort(chains->functions, (size_t)chains->count, sizeof(struct function), compare);
  return true;
}

static int end_of(const struct chains *chains, int function) {
  return function + 1 < chains->count ? chains->functions[function + 1].start : chains->length;
}

static void deepen(struct function *function, int offset) {
  if (-offset > function->bytes) function->bytes = -offset;
}

/* By the lowest address below the frame that an instruction uses or makes. */
static void measure(struct chains *chains, int index) {
  struct function *function = &chains->functions[index];
  bool is_frame[MAX_BPF_REG] = {};
  for (int place = function->start; place < end_of(chains, index); place++) {
    const struct bpf_insn *code = &chains->code[place];
    int class = BPF_CLASS(code->code);
    bool moves = code->code == (BPF_ALU64 | BPF_MOV | BPF_X), adds = code->code == (BPF_ALU64 | BPF_ADD | BPF_K);
    if (class == BPF_LDX && code->src_reg == BPF_REG_10) deepen(function, code->off);
    if ((class == BPF_ST || class == BPF_STX) && code->dst_reg == BPF_REG_10) deepen(function, code->off);
    if (adds && is_frame[code->dst_reg]) deepen(function, code->imm);
    if (class == BPF_ALU64 || class == BPF_ALU || class == BPF_LDX || class == BPF_LD)
      is_frame[code->dst_reg] = moves && code->src_reg == BPF_REG_10;
  }
}

static int function_at(const struct chains *chains, int start) {
  int function = 0;
  while (chains->functions[function].start != start) function++;
  return function;
}

static void follow(const struct chains *chains, int function, int bytes, int frames) {
  int own = chains->functions[function].bytes < 1 ? 1 : chains->functions[function].bytes;
  bytes += (own + 31) / 32 * 32;
  frames++;
  if (bytes > chains->use->bytes) chains->use->bytes = bytes;
  if (frames > chains->use->frames) chains->use->frames = frames;
  if (frames == FRAMES_MAX) return;
  for (int place = chains->functions[function].start; place < end_of(chains, function); place++) {
    int target = target_of(chains, place);
    if (target >= 0 && !is_timers(chains, place)) follow(chains, function_at(chains, target), bytes, frames);
  }
}

static int look_at(const struct bpf_program *program, struct stack_use *use) {
  struct chains *chains = calloc(1, sizeof(*chains));
  int result = -1;
  if (!chains) return -1;
  *chains = (struct chains){
      .code = bpf_program__insns(program), .length = (int)bpf_program__insn_cnt(program), .use = use};
  strncpy(use->program, bpf_program__name(program), sizeof(use->program) - 1);
  if (find_functions(chains)) {
    for (int function = 0; function < chains->count; function++) measure(chains, function);
    follow(chains, 0, 0, 0);
    result = 0;
  }
  free(chains);
  return result;
}

/* All on, so that libbpf and the verifier leave nothing out. */
static int prepare(struct bpf_object *object) {
  static char settings[sizeof(struct martlet_probe_settings)];
  struct bpf_map *map = bpf_object__find_map_by_name(object, "rings");
  int ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, 1 << 16, NULL);
  int result = ring < 0 || !map ? -1 : bpf_map__set_inner_map_fd(map, ring);
  memset(settings, 0xff, sizeof(settings));
  bpf_object__for_each_map(map, object) {
    if (strstr(bpf_map__name(map), ".rodata")) result |= bpf_map__set_initial_value(map, settings, sizeof(settings));
  }
  return result;
}

int stack_uses(const void *image, size_t length, struct stack_use *uses, int capacity) {
  struct bpf_object *object = bpf_object__open_mem(image, length, NULL);
  struct bpf_program *program;
  int count = 0;
  if (!object) return -1;
  if (prepare(object) || bpf_object__load(object)) count = -1;
  if (count == 0) {
    bpf_object__for_each_program(program, object) {
      if (count < 0 || count >= capacity) break;
      count = look_at(program, &uses[count]) ? -1 : count + 1;
    }
  }
  bpf_object__close(object);
  return count;
}
