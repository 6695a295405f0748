/* SPDX-License-Identifier: Apache-2.0 */
/* How deep the programs of an object are: kernels differ in what they allow, and the one that tests run on may be generous. */
#ifndef KERNEL_TEST_STACK_H
#define KERNEL_TEST_STACK_H

#include <stddef.h>

struct stack_use {
  char program[64];
  int bytes;  /* of the deepest chain of functions, each rounded up to 32 */
  int frames; /* of the longest one */
};

/* Loads all programs of an object with all settings on and says what they need, up to `capacity` of them. How many there
 * are, or -1 and errno. */
int stack_uses(const void *object, size_t length, struct stack_use *uses, int capacity);

#endif
