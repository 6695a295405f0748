// SPDX-License-Identifier: Apache-2.0
//
// What the load programs share: one argument (how often), one line of output (how long each time took).
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline long load_count(int argc, char **argv)
{
	char *end = NULL;
	long count = argc == 2 ? strtol(argv[1], &end, 10) : 0;

	if (count <= 0 || *end != '\0') {
		fprintf(stderr, "usage: %s COUNT\n", argv[0]);
		exit(2);
	}
	return count;
}

static inline long long load_nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline int load_failed(const char *operation)
{
	perror(operation);
	return 1;
}

static inline void load_report(const char *name, long count, long long nanoseconds)
{
	printf("%s iterations=%ld ns_per_iter=%.1f\n", name, count, (double)nanoseconds / count);
}
