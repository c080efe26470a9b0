/* What the files of the tool have of each other. */
#ifndef TOOL_H
#define TOOL_H

#include <apivideo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- The command line: main.c ---- */

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

extern const char usage_line[];

/* What the command line asks for. */
struct request {
  const struct command *command;
  char **arguments; /* the IDs of tokens, or the files */
  int argument_count;
  uint32_t ttl_seconds;
  bool all;
  av_tokens_list_params list;
  bool never_expiring;
  bool older;
  uint32_t age_seconds;
  bool yes;
  bool dry_run;
  const char *upload_token;
  const char *video_id;
  const char *title;
  const char *state_directory;
  uint64_t part_bytes;
  uint64_t bytes_per_second;
  bool json;
  uint32_t timeout_ms;
  int32_t trace_level;
};

/* What commands work with: the one client, and what holds for each of their calls. */
struct session {
  av_client *client;
  av_request_options call;
};

/* ---- The commands: tokens.c and upload.c ---- */

int run_create(const struct session *session, const struct request *request);
int run_get(const struct session *session, const struct request *request);
int run_list(const struct session *session, const struct request *request);
int run_delete(const struct session *session, const struct request *request);
int run_purge(const struct session *session, const struct request *request);
int run_upload(const struct session *session, const struct request *request);

/* ---- Telling: tell.c ---- */

/* What was being done when a call failed. */
enum task { TASK_SET_UP, TASK_CREATE, TASK_ONE_TOKEN, TASK_LIST, TASK_UPLOAD };

void clear_progress(void);
void show_progress(const char *format, ...);
void tell(const char *format, ...);
_Noreturn void misuse(const char *format, ...);
int fail(av_error *error, enum task task);
bool is_gone(const av_error *error);
void print_safely(FILE *file, const char *text);
void print_json_string(const char *text);

/* ---- The system: files of the same names in unix/ and windows/ ---- */

/* Ctrl-C: interrupt.c */
void watch_for_interrupt(void);
av_cancel *interrupt_cancel(void);
bool is_interrupted(void);
bool wait_for_input(void);

/* What the program begins with, terminals and clocks: system.c */
void prepare(int *argc, char ***argv);
bool is_terminal(FILE *stream);
size_t terminal_width(void);
void forget_input(void);
int64_t current_time(void);
int64_t now_ms(void);

/* What it takes to go on with an upload, in a file that one run has at a time: state.c */
struct state {
  char *path;       /* NULL: there is no such file */
  intptr_t held;    /* what this run holds it by; -1 if there is none */
  char reason[256]; /* why something failed */
};

enum hold { HOLD_GOT, HOLD_NONE, HOLD_TAKEN, HOLD_FAILED };

char *whole_path(const char *path);
enum hold hold_state(struct state *state);
char *read_state(const struct state *state);
bool write_state(struct state *state, const char *text);
bool empty_state(struct state *state);
void close_state(struct state *state, bool is_uploaded);

/* ---- Times: times.c ---- */

struct text {
  char chars[48];
};

struct text text(const char *format, ...);
struct text local_date(int64_t seconds);
struct text utc_date(int64_t seconds);
struct text creation(int64_t created_at);
struct text expiry(int64_t expires_at, int32_t ttl_seconds);
struct text time_to_live(int32_t seconds);
struct text duration(int64_t seconds);
struct text time_left(int64_t expires_at, int32_t ttl_seconds, int64_t now);

#endif
