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

/* Several patterns at once. */
struct martlet_re2_set;

/* NULL where they cannot be had in the memory that RE2 allows itself. The patterns are not needed afterwards. */
struct martlet_re2_set *martlet_re2_set_create(const struct martlet_re2 *const *patterns, size_t count);

/* False when none of them matches the whole text. Allocates nothing once it has seen texts like it. */
bool martlet_re2_set_may_match(const struct martlet_re2_set *set, const char *text, size_t length);

void martlet_re2_set_free(struct martlet_re2_set *set);

#ifdef __cplusplus
}
#endif

#endif
