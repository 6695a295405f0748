/* SPDX-License-Identifier: Apache-2.0 */
#include "martlet_re2.h"

#include <re2/re2.h>

#include <cstdio>
#include <new>

struct martlet_re2 {
  martlet_re2(re2::StringPiece pattern, const RE2::Options &options) : expression(pattern, options) {}

  RE2 expression;
};

extern "C" struct martlet_re2 *martlet_re2_compile(const char *pattern, size_t length, char *error, size_t error_bytes) {
  RE2::Options options(RE2::POSIX);
  options.set_log_errors(false);
  auto *compiled = new (std::nothrow) martlet_re2(re2::StringPiece(pattern, length), options);
  if (compiled != nullptr && compiled->expression.ok()) {
    return compiled;
  }
  const char *reason = compiled == nullptr ? "out of memory" : compiled->expression.error().c_str();
  std::snprintf(error, error_bytes, "%s", reason);
  delete compiled;
  return nullptr;
}

extern "C" bool martlet_re2_full_match(const struct martlet_re2 *pattern, const char *text, size_t length) {
  return RE2::FullMatch(re2::StringPiece(text, length), pattern->expression);
}

extern "C" void martlet_re2_free(struct martlet_re2 *pattern) { delete pattern; }
