/* avtokens: make, look up, list, delete and purge the upload tokens of an api.video account.
 *
 * A small tool to keep and an example to copy from. It needs nothing but apivideo.h, the library
 * and POSIX: `avtokens --help` tells how it is used. A command is a `run_…` function and a line in
 * `commands`; an option is a line in `options` and a case in `apply`.
 */
#define _POSIX_C_SOURCE 200809L

#include <apivideo.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define AVTOKENS_VERSION "0.1.0"

/* What the program ends with; --help lists them. */
enum {
  CODE_OK = 0,
  CODE_FAILED = 1,
  CODE_USAGE = 2,
  CODE_NOT_FOUND = 3,
  CODE_UNAUTHORIZED = 4,
  CODE_NETWORK = 5,
  CODE_TIMEOUT = 6,
  CODE_RATE_LIMITED = 7,
  CODE_SERVICE = 8,
  CODE_NOT_UNDERSTOOD = 9,
  CODE_INTERRUPTED = 130 /* what a shell tells of a program that Ctrl-C ended */
};

static const char usage_line[] =
    "usage: avtokens [OPTION...] create | get ID | list | delete ID... | purge";

static const char help_of_commands[] =
    "\n"
    "Make, look up, list, delete and purge the upload tokens of an api.video account.\n"
    "\n"
    "Commands:\n"
    "  create          make a token; prints the token alone, so that a script can take it\n"
    "  get ID          show one token\n"
    "  list            show the active tokens, one page of them unless --all\n"
    "  delete ID...    revoke tokens; goes on after one that fails\n"
    "  purge           revoke the tokens that never expire or are old: looks through all pages,\n"
    "                  asks, then deletes as fast as the rate limit allows; when it was\n"
    "                  interrupted or failed, the same command again goes on\n"
    "\n"
    "Options of create:\n"
    "  --ttl DURATION  how long the token is valid: 90, 90s, 15m, 1h, 7d, 2w, at most\n"
    "                  2147483647 seconds; never, 0 or no --ttl: it never expires\n"
    "\n"
    "Options of list:\n"
    "  --all           all pages, oldest token first unless sorted; with --page, from that one on\n"
    "  --sort KEY      ttl (the time left) or created, smallest first\n"
    "  --desc          largest first; without --sort: newest first\n"
    "  --page N        which page, from 1\n"
    "  --page-size N   how many tokens a page holds, 1 to 100 (with --all: 100 unless given)\n"
    "\n"
    "Options of purge, which wants one of the first two, or both to delete what either says:\n"
    "  --never-expiring  tokens that the service tells to have no end\n"
    "  --older-than AGE  tokens made longer ago than 12h, 30d, 8w, by the clock of this computer\n"
    "  --yes             do not ask; has to be given where there is no terminal to ask at\n"
    "  --dry-run         delete nothing, show the tokens that would be deleted\n"
    "\n"
    "Options of every command, before or after it; -- ends the options:\n"
    "  --json          print JSON: create, get and list as the service answers, list --all a\n"
    "                  token a line, delete and purge a line for each deleted token\n"
    "  --timeout DURATION\n"
    "                  how long one request may take, with all that it waits for (30s unless\n"
    "                  given; purge 150s, since a rate limit lasts up to 60s)\n"
    "  --verbose       trace each attempt at a request; given twice, each step of it\n"
    "  --help          print this\n"
    "  --version       print the versions of the tool and of the library\n"
    "\n"
    "Dates are in local time. What is not data goes to standard error.\n";

static const char help_of_surroundings[] =
    "\n"
    "Environment:\n"
    "  APIVIDEO_API_KEY   the API key of the account\n"
    "  APIVIDEO_BASE_URL  the service, unless it is " APIVIDEO_PRODUCTION_URL ";\n"
    "                     the sandbox is " APIVIDEO_SANDBOX_URL "\n"
    "\n"
    "Exit status (of delete and purge: that of the first failure, unless interrupted):\n"
    "  0    done, or not done because the answer to the question was no\n"
    "  1    anything that is not below, such as a full disk under standard output\n"
    "  2    used wrongly: an unknown option, an invalid argument, no API key\n"
    "  3    not found (of purge: only if it was not the service that said so; what is gone\n"
    "       is gone)\n"
    "  4    unauthorized: the API key was refused\n"
    "  5    network: no connection, no TLS, or it broke\n"
    "  6    timed out\n"
    "  7    rate limited: too many requests\n"
    "  8    the service failed, or rejected the request\n"
    "  9    the answer was not understood\n"
    "  130  interrupted by Ctrl-C, told with what was done; a second Ctrl-C ends it at once\n";

/* ---- Telling ---- */

/* Whether the cursor stands behind a line of progress. */
static bool progress_is_shown = false;

static void clear_progress(void) {
  if (progress_is_shown) fputs("\r\033[K", stderr);
  progress_is_shown = false;
}

/* Shows how far it is, on a terminal alone, until anything else is told. */
static void show_progress(const char *format, ...) {
  va_list arguments;
  if (!isatty(STDERR_FILENO)) return;
  clear_progress();
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  progress_is_shown = true;
}

/* Prints a line to standard error, after what standard output was given before it. */
static void tell(const char *format, ...) {
  va_list arguments;
  clear_progress();
  fflush(stdout);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

/* Tells what is wrong with the command line and ends the program: nothing was begun yet. */
_Noreturn static void misuse(const char *format, ...) {
  va_list arguments;
  fputs("avtokens: ", stderr);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fprintf(stderr, "\n%s\nhint: avtokens --help tells more\n", usage_line);
  exit(CODE_USAGE);
}

/* What was being done when a call failed. */
enum task { TASK_SET_UP, TASK_CREATE, TASK_ONE_TOKEN, TASK_LIST };

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
static bool is_gone(const av_error *error) {
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
    return "there may be a new token now; look with: avtokens list --desc --page-size 5";
  switch (av_error_status(error)) {
    case AV_STATUS_NOT_FOUND:
      return task == TASK_ONE_TOKEN && is_gone(error)
                 ? "no such token: never made, expired, or deleted already"
                 : "is there a wrong path in APIVIDEO_BASE_URL?";
    case AV_STATUS_UNAUTHORIZED:
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
static int fail(av_error *error, enum task task) {
  const char *hint = hint_for(error, task);
  int code = code_of(av_error_status(error));
  tell("avtokens: %s", av_error_message(error));
  if (hint != NULL) tell("hint: %s", hint);
  av_error_free(error);
  return code;
}

/* ---- Ctrl-C ---- */

/* What Ctrl-C sets off. It is never freed: one may come as long as the program runs. */
static struct {
  sigset_t signals;
  av_cancel *cancel; /* ends the calls of the library */
  int pipe[2];       /* ends poll(): the thread closes [1], which shows at [0] */
} interrupt = {.pipe = {-1, -1}};

static void *wait_for_interrupt(void *unused) {
  int received;
  (void)unused;
  sigwait(&interrupt.signals, &received);
  av_cancel_trigger(interrupt.cancel);
  close(interrupt.pipe[1]);
  pthread_sigmask(SIG_UNBLOCK, &interrupt.signals, NULL); /* a second one ends the program here */
  pause();
  return NULL;
}

/* From here on Ctrl-C ends what is being waited for, and the program tells what was done. A thread
 * waits for the signal, which all others block: it may call any function, a signal handler not. */
static void watch_for_interrupt(void) {
  struct sigaction action;
  pthread_t thread;
  sigaction(SIGINT, NULL, &action);
  if (action.sa_handler == SIG_IGN) return; /* in the background: Ctrl-C is meant for others */
  sigemptyset(&interrupt.signals);
  sigaddset(&interrupt.signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt.signals, NULL); /* while there are no other threads yet */
  interrupt.cancel = av_cancel_new();
  if (pipe(interrupt.pipe) != 0 ||
      pthread_create(&thread, NULL, wait_for_interrupt, NULL) != 0) {
    tell("avtokens: no descriptor or thread is left to wait for Ctrl-C with");
    exit(CODE_FAILED);
  }
}

/* ---- Times, as text ---- */

/* In Unix seconds. time() may lag behind the clock that others read, by a second at its edge. */
static int64_t current_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec;
}

struct text {
  char chars[48];
};

static struct text text(const char *format, ...) {
  struct text result;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(result.chars, sizeof result.chars, format, arguments);
  va_end(arguments);
  return result;
}

static struct text local_date(int64_t seconds) {
  struct text date = text("unknown");
  struct tm parts;
  time_t moment = (time_t)seconds;
  if (localtime_r(&moment, &parts) != NULL)
    strftime(date.chars, sizeof date.chars, "%Y-%m-%d %H:%M:%S", &parts);
  return date;
}

/* In the form of RFC 3339 that the service uses. */
static struct text utc_date(int64_t seconds) {
  struct text date = text("unknown");
  struct tm parts;
  time_t moment = (time_t)seconds;
  if (gmtime_r(&moment, &parts) != NULL)
    strftime(date.chars, sizeof date.chars, "%Y-%m-%dT%H:%M:%S+00:00", &parts);
  return date;
}

static struct text creation(int64_t created_at) {
  return created_at != 0 ? local_date(created_at) : text("unknown");
}

static struct text expiry(int64_t expires_at, int32_t ttl_seconds) {
  if (expires_at != 0) return local_date(expires_at);
  return text(ttl_seconds == 0 ? "never" : "unknown");
}

/* In one unit, as --ttl takes it. */
static struct text time_to_live(int32_t seconds) {
  if (seconds < 0) return text("unknown");
  if (seconds == 0) return text("forever");
  if (seconds % 86400 == 0) return text("%" PRId32 "d", seconds / 86400);
  if (seconds % 3600 == 0) return text("%" PRId32 "h", seconds / 3600);
  if (seconds % 60 == 0) return text("%" PRId32 "m", seconds / 60);
  return text("%" PRId32 "s", seconds);
}

/* In its two largest units: nobody plans by the seconds of next week. */
static struct text time_left(int64_t expires_at, int32_t ttl_seconds, int64_t now) {
  const int64_t minute = 60, hour = 60 * minute, day = 24 * hour;
  int64_t left = expires_at - now;
  if (expires_at == 0) return text(ttl_seconds == 0 ? "forever" : "unknown");
  if (left <= 0) return text("expired"); /* by our clock, which need not be the service's */
  if (left < minute) return text("%" PRId64 "s", left);
  if (left < hour) return text("%" PRId64 "m %" PRId64 "s", left / minute, left % minute);
  if (left < day) return text("%" PRId64 "h %" PRId64 "m", left / hour, left % hour / minute);
  return text("%" PRId64 "d %" PRId64 "h", left / day, left % day / hour);
}

/* ---- Tokens, as a table ---- */

/* What a token of the library says, to be kept when that is gone. */
struct row {
  char *token;
  int64_t created_at;
  int64_t expires_at;
  int32_t ttl_seconds;
};

struct table {
  struct row *rows;
  size_t count;
  size_t capacity;
};

static void table_add(struct table *table, const av_token *token) {
  struct row row = {strdup(token->token), token->created_at, token->expires_at,
                    token->ttl_seconds};
  if (table->count == table->capacity) {
    table->capacity = table->capacity == 0 ? 128 : 2 * table->capacity;
    table->rows = realloc(table->rows, table->capacity * sizeof *table->rows);
  }
  if (row.token == NULL || table->rows == NULL) {
    tell("avtokens: out of memory");
    exit(CODE_FAILED);
  }
  table->rows[table->count++] = row;
}

static void table_free(struct table *table) {
  for (size_t i = 0; i < table->count; i++) free(table->rows[i].token);
  free(table->rows);
}

/* How many characters there are in UTF-8: the bytes that do not continue one. */
static size_t length(const char *text) {
  size_t characters = 0;
  for (; *text != '\0'; text++) characters += ((unsigned char)*text & 0xC0) != 0x80;
  return characters;
}

/* Prints what came from outside without what could play with the terminal: the control characters
   of ASCII, and those that UTF-8 writes as C2 80 to C2 9F. */
static void print_safely(const char *text) {
  for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
    bool is_long_control = c[0] == 0xC2 && c[1] >= 0x80 && c[1] <= 0x9F;
    if (is_long_control) c++;
    putchar(is_long_control || *c < 0x20 || *c == 0x7F ? '?' : *c);
  }
}

static void print_padded(const char *text, size_t width) {
  print_safely(text);
  for (size_t used = length(text); used < width; used++) putchar(' ');
}

static void table_print(const struct table *table) {
  int64_t now = current_time();
  size_t width = length("TOKEN");
  if (table->count == 0) return;
  for (size_t i = 0; i < table->count; i++) {
    size_t needed = length(table->rows[i].token);
    if (needed > width) width = needed;
  }
  print_padded("TOKEN", width);
  printf("  %-11s  %-19s  %-19s  %s\n", "TTL", "CREATED", "EXPIRES", "LEFT");
  for (size_t i = 0; i < table->count; i++) {
    const struct row *row = &table->rows[i];
    print_padded(row->token, width);
    printf("  %-11s  %-19s  %-19s  %s\n", time_to_live(row->ttl_seconds).chars,
           creation(row->created_at).chars, expiry(row->expires_at, row->ttl_seconds).chars,
           time_left(row->expires_at, row->ttl_seconds, now).chars);
  }
}

/* ---- Tokens, as JSON ---- */

static void print_json_string(const char *text) {
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

/* With the service's names; what was not told is left out. */
static void print_json_token(const av_token *token) {
  printf("{\"token\":");
  print_json_string(token->token);
  if (token->ttl_seconds >= 0) printf(",\"ttl\":%" PRId32, token->ttl_seconds);
  if (token->created_at != 0) printf(",\"createdAt\":\"%s\"", utc_date(token->created_at).chars);
  if (token->expires_at != 0) printf(",\"expiresAt\":\"%s\"", utc_date(token->expires_at).chars);
  puts("}");
}

/* ---- The command line ---- */

/* What the command line asks for. */
struct request {
  const struct command *command;
  char **ids;
  int id_count;
  uint32_t ttl_seconds;
  bool all;
  av_tokens_list_params list;
  bool never_expiring;
  bool older;
  uint32_t age_seconds;
  bool yes;
  bool dry_run;
  bool json;
  uint32_t timeout_ms;
  int32_t trace_level;
};

/* What commands work with: the one client, and what holds for each of their calls. */
struct session {
  av_client *client;
  av_request_options call;
};

struct command {
  const char *name;
  int fewest_ids;
  int most_ids;
  int (*run)(const struct session *session, const struct request *request);
};

static int run_create(const struct session *session, const struct request *request);
static int run_get(const struct session *session, const struct request *request);
static int run_list(const struct session *session, const struct request *request);
static int run_delete(const struct session *session, const struct request *request);
static int run_purge(const struct session *session, const struct request *request);

static const struct command commands[] = {
    {"create", 0, 0, run_create},
    {"get", 1, 1, run_get},
    {"list", 0, 0, run_list},
    {"delete", 1, INT_MAX, run_delete},
    {"purge", 0, 0, run_purge},
};

enum option_id {
  OPTION_TTL,
  OPTION_ALL,
  OPTION_SORT,
  OPTION_DESC,
  OPTION_PAGE,
  OPTION_PAGE_SIZE,
  OPTION_NEVER_EXPIRING,
  OPTION_OLDER_THAN,
  OPTION_YES,
  OPTION_DRY_RUN,
  OPTION_JSON,
  OPTION_TIMEOUT,
  OPTION_VERBOSE,
  OPTION_HELP,
  OPTION_VERSION,
  OPTION_COUNT
};

static const struct {
  const char *name;
  const char *command; /* the one it belongs to, or NULL */
  bool takes_value;
} options[OPTION_COUNT] = {
    [OPTION_TTL] = {"--ttl", "create", true},
    [OPTION_ALL] = {"--all", "list", false},
    [OPTION_SORT] = {"--sort", "list", true},
    [OPTION_DESC] = {"--desc", "list", false},
    [OPTION_PAGE] = {"--page", "list", true},
    [OPTION_PAGE_SIZE] = {"--page-size", "list", true},
    [OPTION_NEVER_EXPIRING] = {"--never-expiring", "purge", false},
    [OPTION_OLDER_THAN] = {"--older-than", "purge", true},
    [OPTION_YES] = {"--yes", "purge", false},
    [OPTION_DRY_RUN] = {"--dry-run", "purge", false},
    [OPTION_JSON] = {"--json", NULL, false},
    [OPTION_TIMEOUT] = {"--timeout", NULL, true},
    [OPTION_VERBOSE] = {"--verbose", NULL, false},
    [OPTION_HELP] = {"--help", NULL, false},
    [OPTION_VERSION] = {"--version", NULL, false},
};

/* Ends the program's output: what could not be written is a failure, whatever went well before. */
static int finish(int code) {
  bool written = !ferror(stdout);
  if (fclose(stdout) == 0 && written) return code;
  fputs("avtokens: cannot write to standard output\n", stderr);
  return code == CODE_OK ? CODE_FAILED : code;
}

/* The number that `text` is, with a unit of time behind it if `is_duration`. */
static uint32_t parse_number(const char *text, bool is_duration, uint64_t least, uint64_t most,
                             const char *complaint) {
  static const struct {
    const char *name;
    uint64_t seconds;
  } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}};
  uint64_t number = 0;
  uint64_t factor = 0;
  const char *rest = text;
  for (; *rest >= '0' && *rest <= '9'; rest++)
    if (number <= UINT32_MAX) number = 10 * number + (uint64_t)(*rest - '0');
  for (size_t i = 0; i < (is_duration ? sizeof units / sizeof units[0] : 1); i++)
    if (strcmp(rest, units[i].name) == 0) factor = units[i].seconds;
  number *= factor; /* cannot overflow: the loop stops at 36 bits, a week has 20 */
  if (rest == text || factor == 0 || number < least || number > most) misuse(complaint, text);
  return (uint32_t)number;
}

static void apply(struct request *request, enum option_id option, const char *value) {
  switch (option) {
    case OPTION_TTL:
      request->ttl_seconds =
          strcmp(value, "never") == 0
              ? AV_TOKEN_TTL_NEVER
              : parse_number(value, true, 0, INT32_MAX,
                             "--ttl wants never or a duration such as 90s, 15m, 1h or 7d, at most "
                             "2147483647 seconds, not '%s'");
      break;
    case OPTION_ALL:
      request->all = true;
      break;
    case OPTION_SORT:
      if (strcmp(value, "ttl") == 0)
        request->list.sort_by = AV_TOKEN_SORT_TTL;
      else if (strcmp(value, "created") == 0)
        request->list.sort_by = AV_TOKEN_SORT_CREATED_AT;
      else
        misuse("--sort wants ttl or created, not '%s'", value);
      break;
    case OPTION_DESC:
      request->list.sort_order = AV_SORT_DESC;
      break;
    case OPTION_PAGE:
      request->list.current_page =
          parse_number(value, false, 1, UINT32_MAX, "--page wants a number from 1, not '%s'");
      break;
    case OPTION_PAGE_SIZE:
      request->list.page_size =
          parse_number(value, false, 1, 100, "--page-size wants a number from 1 to 100, not '%s'");
      break;
    case OPTION_NEVER_EXPIRING:
      request->never_expiring = true;
      break;
    case OPTION_OLDER_THAN:
      request->older = true;
      request->age_seconds =
          parse_number(value, true, 0, UINT32_MAX,
                       "--older-than wants an age such as 12h, 30d or 8w, not '%s'");
      break;
    case OPTION_YES:
      request->yes = true;
      break;
    case OPTION_DRY_RUN:
      request->dry_run = true;
      break;
    case OPTION_JSON:
      request->json = true;
      break;
    case OPTION_TIMEOUT:
      request->timeout_ms = 1000 * parse_number(value, true, 1, UINT32_MAX / 1000,
                                                "--timeout wants a duration such as 30s or 2m, "
                                                "1s to 49d, not '%s'");
      break;
    case OPTION_VERBOSE:
      request->trace_level = request->trace_level == AV_TRACE_OFF ? AV_TRACE_INFO : AV_TRACE_DEBUG;
      break;
    case OPTION_HELP:
      printf("%s\n%s%s", usage_line, help_of_commands, help_of_surroundings);
      exit(finish(CODE_OK));
    case OPTION_VERSION:
      printf("avtokens %s (libapivideo %s)\n", AVTOKENS_VERSION, av_library_version());
      exit(finish(CODE_OK));
    case OPTION_COUNT:
      break;
  }
}

/* The option that `argument` names, by itself or before a '='. */
static enum option_id find_option(const char *argument) {
  size_t name_length = strcspn(argument, "=");
  for (int i = 0; i < OPTION_COUNT; i++)
    if (strlen(options[i].name) == name_length &&
        strncmp(options[i].name, argument, name_length) == 0)
      return (enum option_id)i;
  misuse("unknown option '%s'", argument);
}

static const struct command *find_command(const char *name) {
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
    if (strcmp(commands[i].name, name) == 0) return &commands[i];
  misuse("unknown command '%s'", name);
}

static void complete_purge(struct request *request) {
  bool can_ask = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
  if (!request->never_expiring && !request->older)
    misuse("purge wants --never-expiring, --older-than AGE or both");
  if (!can_ask && !request->yes && !request->dry_run)
    misuse("purge has no terminal to ask at: add --yes, or --dry-run to see what it would delete");
  request->list.page_size = 100;
  if (request->timeout_ms == 0) request->timeout_ms = 150000; /* two windows of a rate limit */
}

/* Reads the command line; the IDs are gathered at the front of `argv`. */
static struct request parse(int argc, char **argv) {
  struct request request = {.ids = argv, .list = {.struct_size = sizeof request.list}};
  bool given[OPTION_COUNT] = {false};
  bool options_ended = false;

  for (int i = 1; i < argc; i++) {
    char *argument = argv[i];
    if (!options_ended && strcmp(argument, "--") == 0) {
      options_ended = true;
    } else if (!options_ended && argument[0] == '-' && argument[1] != '\0') {
      enum option_id option = find_option(argument);
      const char *value = strchr(argument, '=');
      if (value != NULL && !options[option].takes_value)
        misuse("%s takes no value", options[option].name);
      if (value != NULL)
        value++;
      else if (options[option].takes_value && (value = argv[++i]) == NULL)
        misuse("%s wants a value", options[option].name);
      given[option] = true;
      apply(&request, option, value);
    } else if (request.command == NULL) {
      request.command = find_command(argument);
    } else {
      request.ids[request.id_count++] = argument;
    }
  }

  if (request.command == NULL) misuse("which command?");
  for (int i = 0; i < OPTION_COUNT; i++)
    if (given[i] && options[i].command != NULL &&
        strcmp(options[i].command, request.command->name) != 0)
      misuse("%s is no option of %s", options[i].name, request.command->name);
  if (request.id_count < request.command->fewest_ids)
    misuse("%s wants the ID of a token", request.command->name);
  if (request.id_count > request.command->most_ids)
    misuse("one argument too many: '%s'", request.ids[request.command->most_ids]);

  if (given[OPTION_DESC] && !given[OPTION_SORT]) request.list.sort_by = AV_TOKEN_SORT_CREATED_AT;
  if (given[OPTION_SORT] && !given[OPTION_DESC]) request.list.sort_order = AV_SORT_ASC;
  if (given[OPTION_ALL] && !given[OPTION_PAGE_SIZE]) request.list.page_size = 100;
  if (request.command->run == run_purge) complete_purge(&request);
  return request;
}

/* ---- The commands ---- */

static int print_answer(char *json) {
  puts(json);
  av_string_free(json);
  return CODE_OK;
}

static int run_create(const struct session *session, const struct request *request) {
  av_token *token = NULL;
  av_error *error = NULL;

  if (request->json) {
    char payload[32];
    char *answer = NULL;
    snprintf(payload, sizeof payload, "{\"ttl\":%" PRIu32 "}", request->ttl_seconds);
    if (av_tokens_create_json(session->client, payload, &session->call, &answer, &error) !=
        AV_STATUS_OK)
      return fail(error, TASK_CREATE);
    return print_answer(answer);
  }

  if (av_tokens_create(session->client, request->ttl_seconds, &session->call, &token, &error) !=
      AV_STATUS_OK)
    return fail(error, TASK_CREATE);
  print_safely(token->token);
  putchar('\n');
  if (token->expires_at != 0)
    tell("expires %s (time left: %s)", local_date(token->expires_at).chars,
         time_left(token->expires_at, token->ttl_seconds, current_time()).chars);
  else if (token->ttl_seconds == 0)
    tell("never expires");
  av_token_free(token);
  return CODE_OK;
}

static int run_get(const struct session *session, const struct request *request) {
  struct table table = {0};
  av_token *token = NULL;
  av_error *error = NULL;

  if (request->json) {
    char *answer = NULL;
    if (av_tokens_get_json(session->client, request->ids[0], &session->call, &answer, &error) !=
        AV_STATUS_OK)
      return fail(error, TASK_ONE_TOKEN);
    return print_answer(answer);
  }

  if (av_tokens_get(session->client, request->ids[0], &session->call, &token, &error) !=
      AV_STATUS_OK)
    return fail(error, TASK_ONE_TOKEN);
  table_add(&table, token);
  table_print(&table);
  table_free(&table);
  av_token_free(token);
  return CODE_OK;
}

/* Tells how much of the whole a page is. */
static void tell_page(const av_token_page *page, const struct request *request) {
  if (page->count == 0 && request->list.current_page > 1)
    tell("page %" PRIu32 " is empty", request->list.current_page);
  else if (page->count == 0)
    tell("no active tokens");
  else if (page->pages_total > 1 && page->items_total > 0 && page->current_page > 0)
    tell("%zu of %" PRIu64 " tokens, page %" PRIu32 " of %" PRIu32 " (--all for all of them)",
         page->count, page->items_total, page->current_page, page->pages_total);
  else
    tell("%zu %s", page->count, page->count == 1 ? "token" : "tokens");
}

static int list_page(const struct session *session, const struct request *request) {
  struct table table = {0};
  av_token_page *page = NULL;
  av_error *error = NULL;

  if (request->json) {
    char *answer = NULL;
    if (av_tokens_list_json(session->client, &request->list, &session->call, &answer, &error) !=
        AV_STATUS_OK)
      return fail(error, TASK_LIST);
    return print_answer(answer);
  }

  if (av_tokens_list(session->client, &request->list, &session->call, &page, &error) !=
      AV_STATUS_OK)
    return fail(error, TASK_LIST);
  for (size_t i = 0; i < page->count; i++) table_add(&table, page->items[i]);
  table_print(&table);
  tell_page(page, request);
  table_free(&table);
  av_token_page_free(page);
  return CODE_OK;
}

/* JSON is printed as the pages come; a table only when its widest token is known. */
static int list_all(const struct session *session, const struct request *request) {
  struct table table = {0};
  size_t count = 0;
  int code = CODE_OK;
  av_token_iter *tokens = NULL;
  const av_token *token = NULL;
  av_error *error = NULL;

  if (av_tokens_iterate(session->client, &request->list, &tokens, &error) != AV_STATUS_OK)
    return fail(error, TASK_LIST);
  while (av_token_iter_next(tokens, &session->call, &token, &error) == AV_STATUS_OK &&
         token != NULL && !ferror(stdout)) {
    count++;
    if (request->json)
      print_json_token(token);
    else
      table_add(&table, token);
  }
  av_token_iter_free(tokens);

  table_print(&table);
  if (error != NULL) {
    code = fail(error, TASK_LIST);
    if (count > 0) tell("hint: the list is not complete, it breaks off after %zu tokens", count);
  } else if (!request->json) {
    if (count == 0)
      tell("no active tokens%s", request->list.current_page > 1 ? " from this page on" : "");
    else
      tell("%zu %s", count, count == 1 ? "token" : "tokens");
  }
  table_free(&table);
  return code;
}

static int run_list(const struct session *session, const struct request *request) {
  return request->all ? list_all(session, request) : list_page(session, request);
}

static void print_json_deleted(const char *id) {
  printf("{\"token\":");
  print_json_string(id);
  puts(",\"deleted\":true}");
}

static int run_delete(const struct session *session, const struct request *request) {
  int first_failure = CODE_OK;
  for (int i = 0; i < request->id_count; i++) {
    av_error *error = NULL;
    if (av_tokens_delete(session->client, request->ids[i], &session->call, &error) !=
        AV_STATUS_OK) {
      int code = fail(error, TASK_ONE_TOKEN);
      /* The message does not show the whole token, which is a secret. */
      if (request->id_count > 1) tell("that was argument %d of %d", i + 1, request->id_count);
      if (code == CODE_INTERRUPTED) {
        if (i + 1 < request->id_count) tell("not tried: the last %d", request->id_count - i - 1);
        return code;
      }
      if (first_failure == CODE_OK) first_failure = code;
    } else if (request->json) {
      print_json_deleted(request->ids[i]);
    } else {
      printf("deleted ");
      print_safely(request->ids[i]);
      putchar('\n');
    }
  }
  return first_failure;
}

/* ---- Purging ---- */

/* What was not told is no reason to delete anything. */
static bool is_to_go(const av_token *token, const struct request *request, int64_t now) {
  bool never_expires = token->ttl_seconds == 0;
  bool is_older = token->created_at != 0 && now - token->created_at > request->age_seconds;
  return (request->never_expiring && never_expires) || (request->older && is_older);
}

/* Goes through all pages before anything is deleted: a deletion moves what is on later pages to
 * earlier ones. */
static int collect(const struct session *session, const struct request *request,
                   struct table *doomed, size_t *seen) {
  int64_t now = current_time();
  av_token_iter *tokens = NULL;
  const av_token *token = NULL;
  av_error *error = NULL;
  int code;

  if (av_tokens_iterate(session->client, &request->list, &tokens, &error) != AV_STATUS_OK)
    return fail(error, TASK_LIST);
  while (av_token_iter_next(tokens, &session->call, &token, &error) == AV_STATUS_OK &&
         token != NULL) {
    if (++*seen % 100 == 0) show_progress("looked at %zu tokens", *seen);
    if (!is_to_go(token, request, now)) continue;
    table_add(doomed, token);
    if (request->dry_run && request->json) print_json_token(token);
  }
  av_token_iter_free(tokens);
  if (error == NULL) return CODE_OK;
  code = fail(error, TASK_LIST);
  tell("nothing was deleted");
  return code;
}

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_INTERRUPTED };

/* Neither fgets nor read would end with Ctrl-C, which the thread for it takes: poll does. */
static enum answer ask(const char *question) {
  struct pollfd events[] = {{STDIN_FILENO, POLLIN, 0}, {interrupt.pipe[0], POLLIN, 0}};
  char line[8] = "";

  clear_progress();
  tcflush(STDIN_FILENO, TCIFLUSH); /* what was typed before the question is no answer to it */
  fprintf(stderr, "%s [y/N] ", question);
  while (poll(events, 2, -1) < 0 && errno == EINTR) continue;
  if (events[1].revents == 0 && fgets(line, sizeof line, stdin) != NULL)
    return strcasecmp(line, "y\n") == 0 || strcasecmp(line, "yes\n") == 0 ? ANSWER_YES : ANSWER_NO;
  fputc('\n', stderr);
  return events[1].revents != 0 ? ANSWER_INTERRUPTED : ANSWER_NO;
}

/* The library waits for the rate limit by itself; somebody who watches should know. */
static void show_deletions(size_t deleted, size_t all, const av_response *last) {
  int64_t remaining = -1, seconds = -1;
  av_response_rate_limit(last, NULL, &remaining, &seconds);
  if (remaining == 0 && seconds > 0)
    show_progress("deleted %zu of %zu; waiting for the rate limit, about %" PRId64 " s", deleted,
                  all, seconds);
  else
    show_progress("deleted %zu of %zu", deleted, all);
}

/* Whether a failure to delete one token says nothing about the next. */
static bool is_about_one_token(av_status status) {
  return status == AV_STATUS_INVALID_ARGUMENT || status == AV_STATUS_NOT_FOUND ||
         status == AV_STATUS_REJECTED || status == AV_STATUS_SERVER || status == AV_STATUS_DECODE;
}

static int delete_doomed(const struct session *session, const struct request *request,
                         const struct table *doomed) {
  av_response *response = av_response_new();
  av_request_options call = session->call;
  size_t deleted = 0, gone = 0, failed = 0, left;
  bool stopped = false;
  int code = CODE_OK;

  call.response = response;
  for (size_t i = 0; i < doomed->count && !stopped && !ferror(stdout); i++) {
    const char *token = doomed->rows[i].token;
    av_error *error = NULL;
    av_status status;

    show_deletions(deleted, doomed->count, response);
    status = av_tokens_delete(session->client, token, &call, &error);
    if (status == AV_STATUS_OK) {
      deleted++;
      if (!request->json) continue;
      clear_progress(); /* both may be on one terminal */
      print_json_deleted(token);
    } else if (is_gone(error)) {
      gone++; /* expired, or deleted by somebody else meanwhile */
      av_error_free(error);
    } else {
      int failure = fail(error, TASK_ONE_TOKEN);
      if (code == CODE_OK || failure == CODE_INTERRUPTED) code = failure;
      stopped = !is_about_one_token(status);
      failed += !stopped;
    }
  }
  av_response_free(response);

  left = doomed->count - deleted - gone - failed;
  tell("%zu deleted%s%s%s", deleted, gone > 0 ? text(", %zu already gone", gone).chars : "",
       failed > 0 ? text(", %zu failed", failed).chars : "",
       left > 0 ? text(", %zu left", left).chars : "");
  if (left > 0) tell("hint: the same command again goes on with those that are left");
  return code;
}

static int purge(const struct session *session, const struct request *request,
                 const struct table *doomed, size_t seen) {
  struct text share = text("%zu of %zu %s", doomed->count, seen, seen == 1 ? "token" : "tokens");
  enum answer answer = ANSWER_YES;

  if (request->dry_run) {
    if (!request->json) table_print(doomed);
    tell("%s would be deleted", share.chars);
    return CODE_OK;
  }
  if (doomed->count > 0 && !request->yes)
    answer = ask(text("Delete %s?", share.chars).chars);
  if (answer == ANSWER_YES) return delete_doomed(session, request, doomed);
  tell("nothing was deleted");
  return answer == ANSWER_INTERRUPTED ? CODE_INTERRUPTED : CODE_OK;
}

static int run_purge(const struct session *session, const struct request *request) {
  struct table doomed = {0};
  size_t seen = 0;
  int code = collect(session, request, &doomed, &seen);
  if (code == CODE_OK) code = purge(session, request, &doomed, seen);
  table_free(&doomed);
  return code;
}

/* ---- From the beginning to the end ---- */

/* What the environment says, taking "" for nothing. */
static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

static void trace(void *unused, int32_t level, const char *line) {
  (void)unused;
  tell("trace: %s%s", level >= AV_TRACE_DEBUG ? "  " : "", line);
}

static int open_session(struct session *session, const struct request *request) {
  av_client_config config = {0};
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = environment("APIVIDEO_API_KEY");
  config.base_url = environment("APIVIDEO_BASE_URL"); /* NULL is the production service */
  config.app_name = "avtokens";
  config.app_version = AVTOKENS_VERSION;
  config.trace_fn = trace;
  config.trace_level = request->trace_level;
  if (config.api_key == NULL) {
    tell("avtokens: APIVIDEO_API_KEY is not set");
    tell("hint: export APIVIDEO_API_KEY=... with a key from the api.video dashboard");
    return CODE_USAGE;
  }
  if (av_client_new(&config, &session->client, &error) != AV_STATUS_OK)
    return fail(error, TASK_SET_UP);

  session->call.struct_size = sizeof session->call;
  session->call.cancel = interrupt.cancel;
  session->call.timeout_ms = request->timeout_ms;
  return CODE_OK;
}

int main(int argc, char **argv) {
  struct request request;
  struct session session = {0};
  int code;

  signal(SIGPIPE, SIG_IGN); /* a closed pipe may swallow a new token: that has to be told */
  tzset();                  /* localtime_r need not do it */
  request = parse(argc, argv);
  watch_for_interrupt();
  code = open_session(&session, &request);
  if (code == CODE_OK) code = request.command->run(&session, &request);
  av_client_free(session.client);
  return finish(code);
}
