/* A program with more rights than who runs it (setuid, setgid, capabilities of its own) has its
 * environment from whom it may be attacked by: neither proxies nor certificates are taken from it. Run by
 * privileged.sh, which gives this program the rights. */
#include "support/check.h"
#include "support/outcome.h"

#include <sys/auxv.h>

/* A call to the service by what the environment says, if anything, as one line on standard output. */
static int make_a_call(void) {
  av_client_config config = config_for("https://localhost:4431");
  outcome told;
  config.timeout_ms = 20000;
  config.max_attempts = 1;
  told = try_once(&config);
  printf("%s %s %s\n", getauxval(AT_SECURE) ? "privileged:" : "plain:", av_status_name(told.status), told.message);
  return 0;
}

static int next_line(FILE *calls, char *line, int size) {
  if (!fgets(line, size, calls)) return 0;
  line[strcspn(line, "\n")] = 0;
  return 1;
}

/* Three lines each: what was tried, what is to be told, and what was. */
static void check_calls(FILE *calls) {
  char what[300], expected[300], told[1000];
  size_t count = 0;
  while (next_line(calls, what, sizeof what)) {
    int is_privileged = strncmp(what, "privileged", 10) == 0;
    if (!CHECK(next_line(calls, expected, sizeof expected) && next_line(calls, told, sizeof told))) return;
    printf("  %-46s %s\n", what, told);
    CHECK_ROW(what, strncmp(told, is_privileged ? "privileged:" : "plain:", is_privileged ? 11 : 6) == 0);
    CHECK_ROW(what, strstr(told, expected) != NULL);
    count += (size_t)is_privileged;
  }
  CHECK(count >= 7);
}

int main(int count, char **arguments) {
  FILE *calls;
  if (count != 2) return 2;
  if (strcmp(arguments[1], "call") == 0) return make_a_call();
  calls = fopen(arguments[1], "r");
  if (!calls) return 2;
  check_calls(calls);
  fclose(calls);
  return checks_report();
}
