/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Opens through io_uring, which no system call of the open family sees.
 *
 * A request passes twice: when it is submitted, with the kernel's own copy of the name, and when it is complete, with
 * its result. The file is looked up at completion: behind the descriptor, or in the ring's own table of files. A request
 * that asks for no completion when all goes well is told when it is submitted, by its name alone.
 */

#define RING_OPENAT 18
#define RING_OPENAT2 28
#define RING_CONNECT 16
#define RING_SKIPS_COMPLETION (1u << 6)
#define RING_SLOT_CHOSEN (~0u) /* the result is the slot */
#define RING_FILE_BITS 3ul

/* The name of a request that is under way, under the request's address. */
struct ring_name {
  __u32 is_told;
  __u32 length_bytes; /* with its NUL; one that fills the room is cut */
  char bytes[FAILED_NAME_BYTES_MAX + 7];
};
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, struct ring_name);
} ring_names SEC(".maps");

/* Where one is made, as it is more than the stack holds. One for each CPU, as the kernel runs no program while it runs the
 * same one. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct ring_name);
} ring_name_made SEC(".maps");

/* The call that a request stands for, if a rule asks for it. */
static __always_inline __u16 ring_call(__u8 operation) {
  switch (operation) {
    case RING_OPENAT: return is_wanted(MARTLET_CALL_OPENAT) ? MARTLET_CALL_OPENAT : MARTLET_CALL_NONE;
    case RING_OPENAT2: return is_wanted(MARTLET_CALL_OPENAT2) ? MARTLET_CALL_OPENAT2 : MARTLET_CALL_NONE;
    case RING_CONNECT: return is_wanted(MARTLET_CALL_CONNECT) ? MARTLET_CALL_CONNECT : MARTLET_CALL_NONE;
    default: return MARTLET_CALL_NONE;
  }
}

/* A file that has a slot of the ring in place of a descriptor. */
static __always_inline struct file *read__ring_file(struct io_ring_ctx *ring, __u32 slot) {
  struct io_rsrc_node *node = NULL;
  if (!bpf_core_field_exists(struct io_rsrc_data, nodes) || !bpf_core_field_exists(struct io_rsrc_node, file_ptr))
    return NULL;
  if (slot >= LOAD(ring, file_table.data.nr)) return NULL;
  bpf_probe_read_kernel(&node, sizeof(node), LOAD(ring, file_table.data.nodes) + slot);
  return node ? (struct file *)(LOAD(node, file_ptr) & ~RING_FILE_BITS) : NULL;
}

static __always_inline void store__ring_name(struct slot *slot, struct ring_name *name, bool has_file) {
  struct martlet_open *record = RECORD(slot, martlet_open);
  __u32 position, length;
  char *target = store__text_start(slot, &position);
  if (!name || !target) {
    record->record.flags |= MARTLET_FLAG_NAME_MISSING;
    return;
  }
  length = name->length_bytes;
  /* Where the file is known, the front of a name is no help. */
  if (length >= FAILED_NAME_BYTES_MAX) {
    if (has_file) return;
    record->record.flags |= MARTLET_FLAG_NAME_TRUNCATED;
    length = FAILED_NAME_BYTES_MAX;
  }
  if (length < 2) return;
  bpf_probe_read_kernel(target, length, name->bytes);
  store__text_end(slot, &record->name, position, length - 1);
}

static __always_inline bool ring_takes_name(struct slot *slot, struct ring_name *name) {
  __u32 length = name ? name->length_bytes : 0;
  if (length <= 1 || length >= SPELLED_BYTES_MAX) return false;
  if (bpf_probe_read_kernel(slot->spelled, length, name->bytes)) return false;
  slot->spelled_bytes = length;
  return true;
}

/* `result` is what the completion says; a request that was told before has none. */
SHARED int ring_open_told(struct io_kiocb *request, struct ring_name *name, struct file *file, long result) {
  struct io_open *open = (struct io_open *)request;
  struct task_struct *task = read__current();
  struct martlet_open *record;
  struct slot *slot;
  bool is_unwanted = false;
  __u32 reasons = 0, version = filter__version();
  __u16 call = FORGOTTEN(ring_call(LOAD(request, opcode)), task);
  struct open_call *as_call;
  if ((__u32)LOAD(task, tgid) == settings.self_process_id) {
    COUNT_DROPPED(MARTLET_HOOK_RING);
    return 0;
  }
  COUNT(MARTLET_HOOK_RING, seen);
  if (file) guard__opened(call, file);
  slot = emit__take(MARTLET_HOOK_RING);
  if (!slot) return 0;
  slot->spelled_bytes = 0;
  as_call = &slot->open;
  *as_call = (struct open_call){.result = result, .call = call, .has_flags = true};
  as_call->directory_fd = LOAD(open, dfd);
  as_call->flags = LOAD(open, how.flags);
  /* One whose name is not there whole passes. */
  if (ring_takes_name(slot, name) && settings.filters)
    is_unwanted = open_is_unwanted(slot, task, as_call, file) && filter__has_stayed(version);
  if (settings.watches_files && file) reasons = open_reasons(slot, task, as_call, file);
  is_unwanted = FORGOTTEN(is_unwanted, task);
  reasons = FORGOTTEN(reasons, task);
  if (filter__drops(is_unwanted) && !reasons) {
    COUNT(MARTLET_HOOK_RING, filtered);
    emit__release(slot);
    return 0;
  }
  if (!emit__begin(slot, task, MARTLET_HOOK_RING, MARTLET_KIND_OPEN, call, open__bytes(reasons))) return 0;
  record = RECORD(slot, martlet_open);
  __builtin_memset((char *)record + sizeof(record->record), 0, sizeof(*record) - sizeof(record->record));
  record->record.flags |= MARTLET_FLAG_IO_URING;
  if (is_unwanted && !reasons && settings.filters == MARTLET_FILTERING_MARKS) record->record.flags |= MARTLET_FLAG_UNWANTED;
  record->result = result;
  record->open_flags = LOAD(open, how.flags);
  record->create_mode = LOAD(open, how.mode);
  record->directory_fd = LOAD(open, dfd);
  if (reasons) store__open_state(slot, task, file, reasons);
  if (file) store__opened_file(slot, task, file);
  if (name)
    store__ring_name(slot, name, file != NULL);
  else if (result >= 0 && !file)
    record->record.flags |= store__kernel_name(slot, LOAD(LOAD(open, filename), name), &record->name);
  else
    record->record.flags |= MARTLET_FLAG_NAME_MISSING;
  if (store__is_relative(slot, &record->name))
    record->record.flags |= store__start_directory(slot, task, record->directory_fd, &record->directory);
  emit__finish_within(slot, MARTLET_HOOK_RING, result < 0 ? SHARE_FAILED_OPEN : SHARE_OPEN);
  return 0;
}

PROGRAM(2, "tp_btf/io_uring_submit_req")
int BPF_PROG(handle_ring_submit, struct io_kiocb *request) {
  struct io_open *open = (struct io_open *)request;
  __u64 key = (__u64)request;
  __u32 zero = 0;
  struct ring_name *name = bpf_map_lookup_elem(&ring_name_made, &zero);
  long length;
  __u16 call = ring_call(LOAD(request, opcode));
  if (call == MARTLET_CALL_NONE || call == MARTLET_CALL_CONNECT) return 0;
  if (canary__is_for(MARTLET_CANARY_RING_SUBMISSION)) return 0;
  if (!name) return 0;
  name->is_told = (LOAD(request, flags) & RING_SKIPS_COMPLETION) != 0;
  length = bpf_probe_read_kernel_str(name->bytes, FAILED_NAME_BYTES_MAX, LOAD(LOAD(open, filename), name));
  name->length_bytes = length > 0 ? length : 0;
  if (bpf_map_update_elem(&ring_names, &key, name, BPF_ANY)) COUNT_FULL(MARTLET_TABLE_RING_NAMES);
  if (name->is_told) ring_open_told(request, NULL, NULL, 0);
  return 0;
}

static __always_inline int ring_connect_complete(struct io_kiocb *request, long result) {
  struct file *file = LOAD(request, file);
  struct sock *sock;
  __u16 family;
  if (!file || (LOAD(LOAD(file, f_inode), i_mode) & S_IFMT) != S_IFSOCK) return 0;
  sock = LOAD((struct socket *)LOAD(file, private_data), sk);
  family = LOAD(sock, __sk_common.skc_family);
  return family == AF_INET || family == AF_INET6 ? connect_finished(sock, result, -1, NULL) : 0;
}

PROGRAM(2, "tp_btf/io_uring_complete")
int BPF_PROG(handle_ring_complete, struct io_ring_ctx *ring, void *completed, struct io_uring_cqe *entry) {
  struct io_kiocb *request = completed;
  struct io_open *open = completed;
  __u64 key = (__u64)completed;
  struct ring_name *name;
  struct file *file = NULL;
  __u32 file_slot;
  long result;
  __u16 call;
  /* What a ring says without a request. */
  if (!completed) return 0;
  call = ring_call(LOAD(request, opcode));
  if (call == MARTLET_CALL_NONE || canary__is_for(MARTLET_CANARY_RING_COMPLETION)) return 0;
  if (call == MARTLET_CALL_CONNECT) return ring_connect_complete(request, LOAD(entry, res));
  name = bpf_map_lookup_elem(&ring_names, &key);
  if (name && name->is_told) {
    bpf_map_delete_elem(&ring_names, &key);
    return 0;
  }
  result = LOAD(entry, res);
  file_slot = LOAD(open, file_slot);
  if (result >= 0 && file_slot)
    file = read__ring_file(ring, file_slot == RING_SLOT_CHOSEN ? (__u32)result : file_slot - 1);
  else if (result >= 0)
    file = read__file(read__current(), result);
  ring_open_told(request, name, (struct file *)FORGOTTEN((__u64)file, key), FORGOTTEN(result, key));
  bpf_map_delete_elem(&ring_names, &key);
  return 0;
}
