/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as one struct, and libbpf's prints caught for them. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe_internal.h"

/* libbpf's callback carries no context, so the thread does. */
static _Thread_local struct martlet_log *current_log;

static int keep_print(enum libbpf_print_level level, const char *format, va_list arguments) {
  struct martlet_log *log = current_log;
  int length;
  if (!log || !log->text || level == LIBBPF_DEBUG) return 0;
  length = vsnprintf(log->text + log->length, LOG_BYTES_MAX - log->length, format, arguments);
  if (length > 0) log->length += (size_t)length;
  if (log->length >= LOG_BYTES_MAX) log->length = LOG_BYTES_MAX - 1;
  return 0;
}

static pthread_once_t prints_are_kept = PTHREAD_ONCE_INIT;
static void keep_prints(void) { libbpf_set_print(keep_print); }

struct martlet_log *martlet_log_begin(struct martlet_log *log) {
  struct martlet_log *before = current_log;
  if (!log->text) log->text = malloc(LOG_BYTES_MAX);
  if (log->text) log->text[0] = 0;
  log->length = 0;
  current_log = log;
  pthread_once(&prints_are_kept, keep_prints);
  return before;
}

void martlet_log_end(struct martlet_log *before) { current_log = before; }

static bool starts_with(const char *line, size_t length, const char *prefix) {
  return length >= strlen(prefix) && memcmp(line, prefix, strlen(prefix)) == 0;
}

/* The verifier's verdict is the last line of its log that is neither libbpf's frame nor its own statistics; without a
 * verifier log, libbpf's first line names the cause and the others repeat it. */
static void copy_telling_line(const struct martlet_log *log, char *target, size_t size) {
  const char *verdict = NULL, *line = log->text;
  size_t verdict_length = 0;
  bool in_program = false;
  while (line && *line) {
    const char *end = strchrnul(line, '\n');
    size_t length = (size_t)(end - line);
    if (strstr(line, "-- BEGIN PROG LOAD LOG --") && strstr(line, "-- BEGIN PROG LOAD LOG --") < end) {
      in_program = true;
      verdict_length = 0;
    } else if (strstr(line, "-- END PROG LOAD LOG --") && strstr(line, "-- END PROG LOAD LOG --") < end) {
      in_program = false;
    } else if (length > 0 && !starts_with(line, length, "processed ") && (in_program || verdict_length == 0)) {
      verdict = line;
      verdict_length = length;
    }
    line = *end ? end + 1 : end;
  }
  if (verdict && starts_with(verdict, verdict_length, "libbpf: ")) {
    verdict += strlen("libbpf: ");
    verdict_length -= strlen("libbpf: ");
  }
  if (verdict_length >= size) verdict_length = size - 1;
  if (verdict) memcpy(target, verdict, verdict_length);
  target[verdict_length] = 0;
}

int martlet_fail(struct martlet_probe_error *error, int code, const char *operation, const char *subject,
                 const struct martlet_log *log) {
  error->code = code < 0 ? -code : code;
  snprintf(error->operation, sizeof(error->operation), "%s", operation);
  snprintf(error->subject, sizeof(error->subject), "%s", subject);
  error->line[0] = 0;
  if (log && log->text) copy_telling_line(log, error->line, sizeof(error->line));
  return -1;
}

void martlet_log_failed_program(const struct martlet_log *log, char *name, size_t size) {
  const char *found = NULL, *next = log->text;
  size_t length = 0;
  while (next && (next = strstr(next, "prog '"))) {
    const char *end;
    next += strlen("prog '");
    end = strchr(next, '\'');
    if (!end) break;
    found = next;
    length = (size_t)(end - next);
  }
  snprintf(name, size, "%.*s", (int)length, found ? found : "");
}
