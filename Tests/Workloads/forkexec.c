// SPDX-License-Identifier: Apache-2.0
//
// Starts a program that does nothing and waits for it, N times: fork, exec and exit are what the agent can never filter
// away, because it follows every process.

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

int main(int argc, char **argv)
{
	char *const program[] = { "/bin/true", NULL };
	char *const environment[] = { NULL };
	long count = load_count(argc, argv);
	long long start = load_nanoseconds();

	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			return load_failed("fork");
		if (child == 0) {
			execve(program[0], program, environment);
			_exit(127);
		}
		if (waitpid(child, NULL, 0) != child)
			return load_failed("waitpid");
	}
	load_report("forkexec", count, load_nanoseconds() - start);
	return 0;
}
