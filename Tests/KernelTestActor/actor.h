// SPDX-License-Identifier: Apache-2.0
/* What the actor's files share. */
#ifndef ACTOR_H
#define ACTOR_H

/* Ends the actor when something that a verb relies on is not so. */
void require(int holds, const char *what);

/* The last descriptor that a verb opened. */
extern int last;

/* NAME ARGUMENT... `:` makes one call: arguments are texts, `#` numbers, `%` bytes in hexadecimal, or `@` for `last`.
 * Returns how many words it took. */
int verb_call(char **rest, int by_gate);

/* Verbs that get at what others hold; returns how many arguments were taken, -1 for no such verb. */
int act_around(const char *verb, char **rest);

/* Verbs about sockets, names and rings; the same. */
int act_on_sockets(const char *verb, char **rest);
int act_on_names(const char *verb, char **rest);
int act_on_rings(const char *verb, char **rest);
int act_on_last_file(const char *verb, char **rest);

/* Verbs whose acts bear numbers; the same. */
int act_on_numbers(const char *verb, char **rest);
/* Verbs that lay hands on another process; the same. */
int act_against(const char *verb, char **rest);

/* The port of the last listener. */
extern unsigned short listener_port;

/* An address on an internet socket's behalf; returns its length. A port of 0 is the last listener's. */
struct sockaddr_storage;
unsigned make_address(struct sockaddr_storage *target, const char *address, int port);

#endif
