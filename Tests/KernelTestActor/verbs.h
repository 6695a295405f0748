// SPDX-License-Identifier: Apache-2.0
/* What the files of this program share. */
#pragma once

/* Ends the program, with the reason, unless `holds`. */
void require(int holds, const char *what);

/* Verbs about sockets and rings: how many arguments were taken, -1 for no such verb. */
int act_on_sockets(const char *verb, char **rest);
int act_on_rings(const char *verb, char **rest);

/* The port of the last listener. */
extern unsigned short listener_port;

/* An address on an internet socket's behalf; returns its length. A port of 0 is the last listener's. */
struct sockaddr_storage;
unsigned make_address(struct sockaddr_storage *target, const char *address, int port);
