/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The probe: one source, so that the families share maps and functions. What of it goes into which object, lib/kernel.h
 * says.
 *
 * Families stand side by side and share only lib/. A hook may have several programs, its variants; the loader's
 * table (Sources/CMartletBPF/probe_hooks.c) lists them in order of preference and keeps one per hook.
 */
#include "lib/canary.h"
#include "lib/watch.h"

#include "guard.bpf.c"
#include "network.bpf.c"
#include "process.bpf.c"
#include "file.bpf.c"
#include "call.bpf.c"
#include "socket.bpf.c"
#include "ring.bpf.c"
#include "syscall.bpf.c"
#include "change.bpf.c"
#include "seed.bpf.c"
#include "names.bpf.c"
#include "entry.bpf.c"

/* Helpers that read kernel memory are open to programs under the GPL only. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
