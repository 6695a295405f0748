// SPDX-License-Identifier: Apache-2.0
//
// Opens and closes one file, /etc/hostname or the one that is named behind the count, N times: the cheapest pair of system calls that the agent looks at, and so the load on
// which its cost shows most.

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "load.h"

int main(int argc, char **argv)
{
	const char *path = argc == 3 ? argv[2] : "/etc/hostname";
	long count = load_count(argc == 3 ? 2 : argc, argv);
	long long start = load_nanoseconds();

	for (long i = 0; i < count; i++) {
		int file = open(path, O_RDONLY | O_CLOEXEC);

		if (file < 0)
			return load_failed(path);
		close(file);
	}
	load_report("openclose", count, load_nanoseconds() - start);
	return 0;
}
