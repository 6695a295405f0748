/* SPDX-License-Identifier: Apache-2.0 */
#include "martlet_re2.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <cstdio>
#include <new>

static RE2::Options options() {
  RE2::Options options(RE2::POSIX);
  options.set_log_errors(false);
  return options;
}

struct martlet_re2 {
  explicit martlet_re2(re2::StringPiece pattern) : expression(pattern, options()) {}

  RE2 expression;
};

extern "C" struct martlet_re2 *martlet_re2_compile(const char *pattern, size_t length, char *error, size_t error_bytes) {
  auto *compiled = new (std::nothrow) martlet_re2(re2::StringPiece(pattern, length));
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

struct martlet_re2_set {
  RE2::Set expressions{options(), RE2::ANCHOR_BOTH};
};

extern "C" struct martlet_re2_set *martlet_re2_set_create(const struct martlet_re2 *const *patterns, size_t count) {
  auto *set = new (std::nothrow) martlet_re2_set;
  bool is_good = set != nullptr;
  for (size_t index = 0; is_good && index < count; index++) {
    is_good = set->expressions.Add(patterns[index]->expression.pattern(), nullptr) >= 0;
  }
  if (is_good && set->expressions.Compile()) {
    return set;
  }
  delete set;
  return nullptr;
}

extern "C" bool martlet_re2_set_may_match(const struct martlet_re2_set *set, const char *text, size_t length) {
  RE2::Set::ErrorInfo error{};
  /* Out of memory it says no, and does not mean it. */
  return set->expressions.Match(re2::StringPiece(text, length), nullptr, &error) ||
         error.kind != RE2::Set::kNoError;
}

extern "C" void martlet_re2_set_free(struct martlet_re2_set *set) { delete set; }
