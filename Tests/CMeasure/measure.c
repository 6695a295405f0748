/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <time.h>

static __thread uint64_t allocation_count;

#if !__has_feature(address_sanitizer)
/* glibc's own entry points: what is defined here under the usual names comes first in every other call. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size)
{
	allocation_count++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocation_count++;
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	allocation_count++;
	return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	allocation_count++;
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	allocation_count++;
	*memory = __libc_memalign(alignment, size);
	return *memory ? 0 : ENOMEM;
}
#endif

uint64_t measure_allocation_count(void)
{
	return allocation_count;
}

uint64_t measure_thread_nanoseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t measure_ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
#error "no counter is known for this processor"
#endif
}

void measure_trim_memory(void)
{
	malloc_trim(0);
}
