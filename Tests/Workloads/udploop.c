// SPDX-License-Identifier: Apache-2.0
//
// Sends datagrams to one peer on loopback, N times, naming the peer in each call: what a resolver or a game does.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	long count = load_count(argc, argv);
	int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (receiver < 0 || sender < 0 || bind(receiver, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    getsockname(receiver, (struct sockaddr *)&address, &length) != 0)
		return load_failed("bind on loopback");

	long long start = load_nanoseconds();

	/* Nobody receives: what does not fit the receiver's queue is dropped behind the call. */
	for (long i = 0; i < count; i++)
		if (sendto(sender, "x", 1, 0, (struct sockaddr *)&address, length) != 1)
			return load_failed("sendto");
	load_report("udploop", count, load_nanoseconds() - start);
	return 0;
}
