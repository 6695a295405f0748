/* SPDX-License-Identifier: Apache-2.0 */
/* What Swift cannot measure by itself. */
#pragma once
#include <stdint.h>

/* How often the calling thread has asked for heap memory so far; always 0 under AddressSanitizer, which has its own. */
uint64_t measure_allocation_count(void);

/* CPU time of the calling thread, in nanoseconds. */
uint64_t measure_thread_nanoseconds(void);

/* The processor's own counter: cheap enough to read around a single event. */
uint64_t measure_ticks(void);

/* Gives memory that was freed back to the kernel, so that what a process takes can be told. */
void measure_trim_memory(void);
