/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer's driver, where the build has it: `make fuzz` links it, other builds do not. */
#ifndef MARTLET_FUZZ_H
#define MARTLET_FUZZ_H

#include <stddef.h>
#include <stdint.h>

typedef int (*martlet_fuzz_target)(const uint8_t *bytes, size_t count);

/* Runs `target` on input after input until one fails or the arguments say to stop; -1 without libFuzzer. */
int martlet_fuzz(int argument_count, char **arguments, martlet_fuzz_target target);

#endif
