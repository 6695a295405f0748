/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* The probe's filter, asked about one event that the test made. */
#ifndef KERNEL_TEST_TRIAL_H
#define KERNEL_TEST_TRIAL_H

enum trial_subject { TRIAL_OPEN = 0, TRIAL_CONNECTION = 1 };

/* The question, and the answer: what the program is given as its context. */
struct trial {
  unsigned int subject; /* enum trial_subject */
  unsigned int is_container;
  unsigned int passes;
  /* An open, as its system call returned. */
  unsigned int call; /* enum martlet_call */
  int directory_fd;
  unsigned int flags;
  unsigned long long name; /* address of the string */
  long long result;
  /* A connection: both as a socket holds them. */
  unsigned int kind; /* enum martlet_connection_kind */
  unsigned short family;
  unsigned short port; /* host byte order */
  unsigned char address[16];
};

#ifndef __bpf__
#include <stddef.h>

struct trials;
struct martlet_filter;

/* Loads the program. NULL and errno when the kernel does not take it. */
struct trials *trials_open(const void *object, size_t length);
void trials_close(struct trials *trials);

/* What the filter is from now on; 0, or -1 and errno. */
int trials_install(struct trials *trials, const struct martlet_filter *filter);

/* Asks as a thread of this name and effective user, which is the calling one; 0, or -1 and errno. */
int trials_ask(struct trials *trials, struct trial *trial, const char *program, unsigned int user);
#endif

#endif
