/* Telling a person: what went well, how far it is, what failed, and what to do then. */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Whether the cursor stands behind a line of progress. */
static bool progress_is_shown = false;

void clear_progress(void) {
  if (progress_is_shown) fputs("\r\033[K", stderr);
  progress_is_shown = false;
}

/* Shows how far it is, on a terminal alone, until anything else is told. As much of it as fits into one
 * line: of one that goes on in the next only the end could be cleared. */
void show_progress(const char *format, ...) {
  char line[256];
  size_t size = sizeof line;
  size_t width = terminal_width();
  va_list arguments;
  if (!is_terminal(stderr)) return;
  clear_progress();
  if (width > 0 && width < size) size = width; /* one less than that, and the NUL */
  va_start(arguments, format);
  vsnprintf(line, size, format, arguments);
  va_end(arguments);
  fputs(line, stderr);
  fflush(stderr);
  progress_is_shown = true;
}

/* Names of files, and what a service says, may hold anything. */
static void vprint_safely(const char *format, va_list arguments) {
  va_list again;
  char *line;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  line = length >= 0 ? malloc((size_t)length + 1) : NULL;
  if (line == NULL) return;
  vsnprintf(line, (size_t)length + 1, format, arguments);
  print_safely(stderr, line);
  free(line);
}

/* Prints a line to standard error, after what standard output was given before it. */
void tell(const char *format, ...) {
  va_list arguments;
  clear_progress();
  fflush(stdout);
  va_start(arguments, format);
  vprint_safely(format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  fflush(stderr);
}

/* Tells what is wrong with the command line and ends the program: nothing was begun yet. */
_Noreturn void misuse(const char *format, ...) {
  va_list arguments;
  fputs("apivideo: ", stderr);
  va_start(arguments, format);
  vprint_safely(format, arguments);
  va_end(arguments);
  fprintf(stderr, "\n%s\nhint: apivideo --help tells more\n", usage_line);
  exit(CODE_USAGE);
}

static int code_of(av_status status) {
  switch (status) {
    case AV_STATUS_OK:
      return CODE_OK;
    case AV_STATUS_INVALID_ARGUMENT:
      return CODE_USAGE;
    case AV_STATUS_NOT_FOUND:
      return CODE_NOT_FOUND;
    case AV_STATUS_UNAUTHORIZED:
      return CODE_UNAUTHORIZED;
    case AV_STATUS_CONNECT:
    case AV_STATUS_TLS:
    case AV_STATUS_TRANSPORT:
      return CODE_NETWORK;
    case AV_STATUS_TIMEOUT:
      return CODE_TIMEOUT;
    case AV_STATUS_RATE_LIMITED:
      return CODE_RATE_LIMITED;
    case AV_STATUS_REJECTED:
    case AV_STATUS_SERVER:
      return CODE_SERVICE;
    case AV_STATUS_DECODE:
      return CODE_NOT_UNDERSTOOD;
    case AV_STATUS_CANCELLED:
      return CODE_INTERRUPTED;
    default: /* a later library may know more kinds of failure */
      return CODE_FAILED;
  }
}

/* Whether it is the service that says that there is no such token. A gateway on the way may say 404
 * too: with a page, JSON of its own, or a problem that is not of the service's kinds. */
bool is_gone(const av_error *error) {
  const char *type = av_error_problem_type(error);
  if (av_error_status(error) != AV_STATUS_NOT_FOUND) return false;
  if (type == NULL) return av_error_problem_title(error) != NULL;
  if (strstr(type, "unrecognized-request-url") != NULL) return false;
  return strstr(type, "://") != NULL ? strstr(type, "api.video/") != NULL
                                     : *type != '\0' && strcmp(type, "about:blank") != 0;
}

/* What to do about a failure, or NULL where its message says it all. */
static const char *hint_for(const av_error *error, enum task task) {
  if (task == TASK_CREATE && av_error_outcome(error) != AV_OUTCOME_NOT_APPLIED)
    return "there may be a new token now; look with: apivideo list --desc --page-size 5";
  switch (av_error_status(error)) {
    case AV_STATUS_NOT_FOUND:
      if (task == TASK_UPLOAD)
        return "is there such a video (--video-id), or a wrong path in APIVIDEO_BASE_URL?";
      return task == TASK_ONE_TOKEN && is_gone(error)
                 ? "no such token: never made, expired, or deleted already"
                 : "is there a wrong path in APIVIDEO_BASE_URL?";
    case AV_STATUS_UNAUTHORIZED:
      if (task == TASK_UPLOAD)
        return "the upload token is wrong, has ended, or is not for the service that "
               "APIVIDEO_BASE_URL names";
      return "APIVIDEO_API_KEY must be a key for the service that APIVIDEO_BASE_URL names";
    case AV_STATUS_CONNECT:
      return "check the network, and APIVIDEO_BASE_URL if it is set";
    case AV_STATUS_TIMEOUT:
    case AV_STATUS_RATE_LIMITED:
      return "--timeout allows more time";
    default:
      return NULL;
  }
}

/* Tells of a failed call, frees its error and returns what the program should end with. */
int fail(av_error *error, enum task task) {
  const char *hint = hint_for(error, task);
  int code = code_of(av_error_status(error));
  tell("apivideo: %s", av_error_message(error));
  if (hint != NULL) tell("hint: %s", hint);
  av_error_free(error);
  return code;
}

/* Prints what came from outside without what could play with the terminal: the control characters
   of ASCII, and those that UTF-8 writes as C2 80 to C2 9F. */
void print_safely(FILE *file, const char *text) {
  for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
    bool is_long_control = c[0] == 0xC2 && c[1] >= 0x80 && c[1] <= 0x9F;
    if (is_long_control) c++;
    putc(is_long_control || *c < 0x20 || *c == 0x7F ? '?' : *c, file);
  }
}

void print_json_string(const char *text) {
  putchar('"');
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\')
      printf("\\%c", c);
    else if (c < 0x20)
      printf("\\u%04x", c);
    else
      putchar(c);
  }
  putchar('"');
}
