// SPDX-License-Identifier: Apache-2.0
//
// Opens and closes one file, N times: the cheapest pair of system calls that the agent looks at, and so the load on
// which its cost shows most.

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "load.h"

int main(int argc, char **argv)
{
	long count = load_count(argc, argv);
	long long start = load_nanoseconds();

	for (long i = 0; i < count; i++) {
		int file = open("/etc/hostname", O_RDONLY | O_CLOEXEC);

		if (file < 0)
			return load_failed("open /etc/hostname");
		close(file);
	}
	load_report("openclose", count, load_nanoseconds() - start);
	return 0;
}
