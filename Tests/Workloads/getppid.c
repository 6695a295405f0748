// SPDX-License-Identifier: Apache-2.0
//
// The cheapest system call, N times: what is paid for one that no rule asks about.

#include <sys/syscall.h>
#include <unistd.h>

#include "load.h"

int main(int argc, char **argv)
{
	long count = load_count(argc, argv);
	long long start = load_nanoseconds();

	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
	load_report("getppid", count, load_nanoseconds() - start);
	return 0;
}
