// SPDX-License-Identifier: Apache-2.0
//
// Opens and closes one file on one CPU, until it has done so COUNT times or for SECONDS: the most events that a program can
// cause there. Prints how many it made, to the last one.
#define _GNU_SOURCE

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "load.h"

static int stay_on(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((size_t)cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

int main(int argc, char **argv)
{
	long made = 0;

	if (argc != 5) {
		fprintf(stderr, "usage: %s CPU PATH COUNT SECONDS\n", argv[0]);
		return 2;
	}
	long count = atol(argv[3]);
	long long start = load_nanoseconds(), end = start + atol(argv[4]) * 1000000000LL;

	if (stay_on(atoi(argv[1])))
		return load_failed("sched_setaffinity");
	// The clock is read once for many opens: it would slow the flood.
	while (made < count && (made % 64 || load_nanoseconds() < end)) {
		int file = open(argv[2], O_RDONLY | O_CLOEXEC);

		if (file < 0)
			return load_failed("open");
		close(file);
		made++;
	}
	load_report("openflood", made, load_nanoseconds() - start);
	return 0;
}
