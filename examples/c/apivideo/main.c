/* apivideo: make, look up, list, delete and purge upload tokens, and upload files with them.
 *
 * A small tool to keep and an example to copy from. It needs nothing but apivideo.h, the library
 * and POSIX, or Windows: `apivideo --help` tells how it is used. This file is its command line: a command is a
 * `run_` function and a line in `commands`; an option is a line in `options` and a case in `apply`.
 */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define TOOL_VERSION "0.1.0"

const char usage_line[] =
    "usage: apivideo [OPTION...] create | get ID | list | delete ID... | purge | upload FILE...";

static const char help_of_commands[] =
    "\n"
    "Make, look up, list, delete and purge the upload tokens of an api.video account, and upload\n"
    "files with them.\n"
    "\n"
    "Commands:\n"
    "  create          make a token; prints the token alone, so that a script can take it\n"
    "  get ID          show one token\n"
    "  list            show the active tokens, one page of them unless --all\n"
    "  delete ID...    revoke tokens; goes on after one that fails\n"
    "  purge           revoke the tokens that never expire or are old: looks through all pages,\n"
    "                  asks, then deletes as fast as the rate limit allows; when it was\n"
    "                  interrupted or failed, the same command again goes on\n"
    "  upload FILE...  upload files with a token, without the key; prints the ID of each video;\n"
    "                  when it was interrupted or failed, the same command again goes on\n"
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
    "Options of upload:\n"
    "  --token TOKEN   the upload token, which others on this computer can see in the list of\n"
    "                  processes: better in APIVIDEO_UPLOAD_TOKEN\n"
    "  --title TITLE   what the video is called, unless as the file\n"
    "  --video-id ID   a video that was made before, to upload the file to\n"
    "  --part-size SIZE\n"
    "                  how much is sent with one request, 5M to 200M (32M unless given)\n"
    "  --limit-rate RATE\n"
    "                  how much is sent in a second at most: 500k, 2M\n"
    "  --state-dir DIR\n"
    "                  where to keep what it takes to go on, unless beside the file, as\n"
    "                  FILE.apivideo-upload\n"
    "\n"
    "Options of every command, before or after it; -- ends the options:\n"
    "  --json          print JSON: create, get and list as the service answers, list --all a\n"
    "                  token a line, delete and purge a line for each deleted token,\n"
    "                  upload a line for each video, as the service answers\n"
    "  --timeout DURATION\n"
    "                  how long one request may take, with all that it waits for (30s unless\n"
    "                  given; purge 150s, since a rate limit lasts up to 60s); of upload, how\n"
    "                  long one file may take (no limit unless given)\n"
    "  --verbose       trace each attempt at a request; given twice, each step of it\n"
    "  --help          print this\n"
    "  --version       print the versions of the tool and of the library\n"
    "\n"
    "Dates are in local time. What is not data goes to standard error.\n";

static const char help_of_surroundings[] =
    "\n"
    "Environment:\n"
    "  APIVIDEO_API_KEY   the API key of the account, of which upload knows nothing\n"
    "  APIVIDEO_UPLOAD_TOKEN\n"
    "                     the upload token, unless --token says it\n"
    "  APIVIDEO_BASE_URL  the service, unless it is " APIVIDEO_PRODUCTION_URL ";\n"
    "                     the sandbox is " APIVIDEO_SANDBOX_URL "\n"
    "\n"
    "Exit status (of delete, purge and upload: that of the first failure, unless interrupted):\n"
    "  0    done, or not done because the answer to the question was no\n"
    "  1    anything that is not below, such as a full disk under standard output, or a\n"
    "       file that cannot be read or changes while it is uploaded\n"
    "  2    used wrongly: an unknown option, an invalid argument, no API key or token\n"
    "  3    not found (of purge: only if it was not the service that said so; what is gone\n"
    "       is gone)\n"
    "  4    unauthorized: the API key or upload token was refused\n"
    "  5    network: no connection, no TLS, or it broke\n"
    "  6    timed out\n"
    "  7    rate limited: too many requests\n"
    "  8    the service failed, or rejected the request\n"
    "  9    the answer was not understood\n"
    "  130  interrupted by Ctrl-C, told with what was done; a second Ctrl-C ends it at once\n";

/* ---- The command line ---- */

struct command {
  const char *name;
  int fewest;
  int most;
  int (*run)(const struct session *session, const struct request *request);
};

static const struct command commands[] = {
    {"create", 0, 0, run_create},
    {"get", 1, 1, run_get},
    {"list", 0, 0, run_list},
    {"delete", 1, INT_MAX, run_delete},
    {"purge", 0, 0, run_purge},
    {"upload", 1, INT_MAX, run_upload},
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
  OPTION_TOKEN,
  OPTION_TITLE,
  OPTION_VIDEO_ID,
  OPTION_PART_SIZE,
  OPTION_LIMIT_RATE,
  OPTION_STATE_DIR,
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
    [OPTION_TOKEN] = {"--token", "upload", true},
    [OPTION_TITLE] = {"--title", "upload", true},
    [OPTION_VIDEO_ID] = {"--video-id", "upload", true},
    [OPTION_PART_SIZE] = {"--part-size", "upload", true},
    [OPTION_LIMIT_RATE] = {"--limit-rate", "upload", true},
    [OPTION_STATE_DIR] = {"--state-dir", "upload", true},
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
  fputs("apivideo: cannot write to standard output\n", stderr);
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

/* The bytes that `text` says, with k, M or G behind it for what is 1024, or its square or cube. */
static uint64_t parse_size(const char *text, uint64_t least, uint64_t most, const char *complaint) {
  static const char units[] = "kMG";
  uint64_t number = 0;
  const char *rest = text;
  for (; *rest >= '0' && *rest <= '9'; rest++)
    if (number <= UINT32_MAX) number = 10 * number + (uint64_t)(*rest - '0');
  if (rest != text && *rest != '\0' && rest[1] == '\0') {
    const char *unit = strchr(units, *rest == 'K' ? 'k' : *rest);
    if (unit != NULL) {
      number <<= 10 * (unit - units + 1); /* cannot overflow: 36 bits, and 30 */
      rest++;
    }
  }
  if (rest == text || *rest != '\0' || number < least || number > most) misuse(complaint, text);
  return number;
}

/* Takes a secret out of the command line, which others on this machine can read. */
static const char *take_secret(char *argument) {
  char *copy = strdup(argument);
  if (copy == NULL) misuse("out of memory");
  memset(argument, 'x', strlen(argument));
  return copy;
}

static void apply(struct request *request, enum option_id option, char *value) {
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
    case OPTION_TOKEN:
      request->upload_token = take_secret(value);
      break;
    case OPTION_TITLE:
      request->title = value;
      break;
    case OPTION_VIDEO_ID:
      request->video_id = value;
      break;
    case OPTION_PART_SIZE:
      request->part_bytes = parse_size(value, 5 << 20, 200 << 20,
                                       "--part-size wants a size from 5M to 200M, not '%s'");
      break;
    case OPTION_LIMIT_RATE:
      request->bytes_per_second =
          parse_size(value, 1, UINT64_C(1) << 40,
                     "--limit-rate wants the bytes a second, such as 500k or 2M, not '%s'");
      break;
    case OPTION_STATE_DIR:
      request->state_directory = value;
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
      printf("apivideo %s (libapivideo %s)\n", TOOL_VERSION, av_library_version());
      exit(finish(CODE_OK));
    case OPTION_COUNT:
      break;
  }
}

/* The option that `argument` names, by itself or before a '='. */
static enum option_id find_option(char *argument) {
  size_t name_length = strcspn(argument, "=");
  for (int i = 0; i < OPTION_COUNT; i++)
    if (strlen(options[i].name) == name_length &&
        strncmp(options[i].name, argument, name_length) == 0)
      return (enum option_id)i;
  if (name_length > 2) argument[name_length] = '\0'; /* the value of a mistyped --token is a secret */
  misuse("unknown option '%s'", argument);
}

static const struct command *find_command(const char *name) {
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
    if (strcmp(commands[i].name, name) == 0) return &commands[i];
  misuse("unknown command '%s'", name);
}

/* What the environment says, taking "" for nothing. */
static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

static void complete_purge(struct request *request) {
  bool can_ask = is_terminal(stdin) && is_terminal(stderr);
  if (!request->never_expiring && !request->older)
    misuse("purge wants --never-expiring, --older-than AGE or both");
  if (!can_ask && !request->yes && !request->dry_run)
    misuse("purge has no terminal to ask at: add --yes, or --dry-run to see what it would delete");
  request->list.page_size = 100;
  if (request->timeout_ms == 0) request->timeout_ms = 150000; /* two windows of a rate limit */
}

static void complete_upload(struct request *request) {
  if (request->argument_count > 1 && (request->title != NULL || request->video_id != NULL))
    misuse("%s is for one file", request->title != NULL ? "--title" : "--video-id");
  if (request->upload_token == NULL) request->upload_token = environment("APIVIDEO_UPLOAD_TOKEN");
}

/* Reads the command line; the arguments are gathered at the front of `argv`. */
static struct request parse(int argc, char **argv) {
  struct request request = {.arguments = argv, .list = {.struct_size = sizeof request.list}};
  bool given[OPTION_COUNT] = {false};
  bool options_ended = false;

  for (int i = 1; i < argc; i++) {
    char *argument = argv[i];
    if (!options_ended && strcmp(argument, "--") == 0) {
      options_ended = true;
    } else if (!options_ended && argument[0] == '-' && argument[1] != '\0') {
      enum option_id option = find_option(argument);
      char *value = strchr(argument, '=');
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
      request.arguments[request.argument_count++] = argument;
    }
  }

  if (request.command == NULL) misuse("which command?");
  for (int i = 0; i < OPTION_COUNT; i++)
    if (given[i] && options[i].command != NULL &&
        strcmp(options[i].command, request.command->name) != 0)
      misuse("%s is no option of %s", options[i].name, request.command->name);
  if (request.argument_count < request.command->fewest)
    misuse("%s wants %s", request.command->name,
           request.command->run == run_upload ? "a file" : "the ID of a token");
  if (request.argument_count > request.command->most)
    misuse("one argument too many: '%s'", request.arguments[request.command->most]);

  if (given[OPTION_DESC] && !given[OPTION_SORT]) request.list.sort_by = AV_TOKEN_SORT_CREATED_AT;
  if (given[OPTION_SORT] && !given[OPTION_DESC]) request.list.sort_order = AV_SORT_ASC;
  if (given[OPTION_ALL] && !given[OPTION_PAGE_SIZE]) request.list.page_size = 100;
  if (request.command->run == run_purge) complete_purge(&request);
  if (request.command->run == run_upload) complete_upload(&request);
  return request;
}

/* ---- From the beginning to the end ---- */

static void trace(void *unused, int32_t level, const char *line) {
  (void)unused;
  tell("trace: %s%s", level >= AV_TRACE_DEBUG ? "  " : "", line);
}

static int open_session(struct session *session, const struct request *request) {
  av_client_config config = {0};
  av_error *error = NULL;

  config.struct_size = sizeof config;
  if (request->command->run == run_upload)
    config.flags = AV_CLIENT_NO_CREDENTIAL;
  else
    config.api_key = environment("APIVIDEO_API_KEY");
  config.base_url = environment("APIVIDEO_BASE_URL"); /* NULL is the production service */
  config.app_name = "apivideo";
  config.app_version = TOOL_VERSION;
  config.trace_fn = trace;
  config.trace_level = request->trace_level;
  if (request->command->run == run_upload && request->upload_token == NULL) {
    tell("apivideo: there is no upload token");
    tell("hint: --token says it, or export APIVIDEO_UPLOAD_TOKEN=... with one made by: "
         "apivideo create --ttl 1h");
    return CODE_USAGE;
  }
  if (request->command->run != run_upload && config.api_key == NULL) {
    tell("apivideo: APIVIDEO_API_KEY is not set");
    tell("hint: export APIVIDEO_API_KEY=... with a key from the api.video dashboard");
    return CODE_USAGE;
  }
  if (av_client_new(&config, &session->client, &error) != AV_STATUS_OK)
    return fail(error, TASK_SET_UP);

  session->call.struct_size = sizeof session->call;
  session->call.cancel = interrupt_cancel();
  session->call.timeout_ms = request->timeout_ms;
  return CODE_OK;
}

int main(int argc, char **argv) {
  struct request request;
  struct session session = {0};
  int code;

  prepare(&argc, &argv);
  request = parse(argc, argv);
  watch_for_interrupt();
  code = open_session(&session, &request);
  if (code == CODE_OK) code = request.command->run(&session, &request);
  av_client_free(session.client);
  return finish(code);
}
