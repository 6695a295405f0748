// SPDX-License-Identifier: Apache-2.0
//
// Connects to a listener of its own on loopback, N times. Each connection is reset when it is closed: ports waiting out
// their time would run short long before N is reached.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

int main(int argc, char **argv)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	long count = load_count(argc, argv);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 16) != 0 || getsockname(listener, (struct sockaddr *)&address, &length) != 0)
		return load_failed("listen on loopback");

	long long start = load_nanoseconds();

	for (long i = 0; i < count; i++) {
		int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof(address)) != 0)
			return load_failed("connect");

		int server = accept(listener, NULL, NULL);

		if (server < 0)
			return load_failed("accept");
		setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(client);
		close(server);
	}
	load_report("connectloop", count, load_nanoseconds() - start);
	return 0;
}
