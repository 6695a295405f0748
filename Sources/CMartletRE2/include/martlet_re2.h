/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RE2 as the rule language uses it: POSIX syntax, the whole text has to match, time linear in the text.
 *
 * Texts and patterns are UTF-8 and may hold NUL. A compiled pattern may be used by several threads at once.
 */
#ifndef MARTLET_RE2_H
#define MARTLET_RE2_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct martlet_re2;

/* NULL for a bad pattern, after `error` has been filled with what is wrong with it. */
struct martlet_re2 *martlet_re2_compile(const char *pattern, size_t length, char *error, size_t error_bytes);

bool martlet_re2_full_match(const struct martlet_re2 *pattern, const char *text, size_t length);

void martlet_re2_free(struct martlet_re2 *pattern);

#ifdef __cplusplus
}
#endif

#endif
