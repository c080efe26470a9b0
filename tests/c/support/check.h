/* Checks for the C tests: each states one fact, is counted, and says where it stands if it fails.
 * Compiles as C11 and as C++17. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

/* What calls are given beyond the time that they would need: nothing, but programs that are
 * instrumented, or run under valgrind, are slow, and built with a -DSLACK_MS. No bound of time is checked
 * in these: see CHECK_WITHIN in moment.h. */
#ifndef SLACK_MS
#define SLACK_MS 0
#endif

static int checks_passed, checks_failed;

/* Counts a check; tells what failed, and in which row of a table if `row` is not NULL. */
static inline int check_that(int holds, const char *what, const char *row, const char *file, int line) {
  if (holds) {
    checks_passed++;
  } else {
    checks_failed++;
    fprintf(stderr, "%s:%d: failed%s%s: %s\n", file, line, row ? " for " : "", row ? row : "", what);
  }
  return holds;
}

static inline int texts_equal(const char *one, const char *other) {
  return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

#define CHECK(condition) check_that((condition) ? 1 : 0, #condition, NULL, __FILE__, __LINE__)
/* The same in a row of a table, which is named if it fails. */
#define CHECK_ROW(row, condition) check_that((condition) ? 1 : 0, #condition, row, __FILE__, __LINE__)

/* What main returns: 0 if at least one check was made and none failed. */
static inline int checks_report(void) {
  printf("%d passed, %d failed\n", checks_passed, checks_failed);
  return checks_failed == 0 && checks_passed > 0 ? 0 : 1;
}

#endif
