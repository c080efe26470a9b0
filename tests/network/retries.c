/* The table of what is tried again, row by row: what the service answers or does, one after the
 * other, and what becomes of a call. */
#include "support/call.h"
#include "support/check.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/watch.h"

#include <pthread.h>

/* ------------------------------------------------------------------------------ what the peer does */

/* Answers each request with the next word of a script, over all connections:
 *   200 302 404 …    that status; with a token's or a page's body if it is a 2xx
 *   503+1            with Retry-After: 1
 *   429~1            with X-RateLimit-Retry-After: 1
 *   503@1            with Retry-After as a date one second after the answer's own, years ago
 *   404html 404json  that status, with a page, and with JSON that is not the service's
 *   broken           200 and a body that is no JSON
 *   html             200 and a page
 *   half             200 and half of a body, then closes
 *   none             200 and nothing of its body, then closes
 *   halfhead         half of a head, then closes
 *   close            closes */
typedef struct script {
  const char *const *words;
  size_t next;
  operation op;
} script;

static int answer_word(int connection, const char *word, operation op) {
  char status[64], headers[256] = "";
  const char *body = "{\"title\":\"Told by the service\"}";
  const char *after = strlen(word) > 3 ? word + 4 : "";
  if (strcmp(word, "close") == 0) return 0;
  if (strcmp(word, "halfhead") == 0) {
    server_send(connection, "HTTP/1.1 200 OK\r\nContent-");
    return 0;
  }
  if (strcmp(word, "half") == 0) {
    server_send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"token\":");
    return 0;
  }
  if (strcmp(word, "none") == 0) {
    server_send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    return 0;
  }
  if (strcmp(word, "html") == 0) return server_answer(connection, "200 OK", "", "<html>Welcome</html>");
  if (strcmp(word, "404html") == 0) return server_answer(connection, "404 Not Found", "", "<html>404</html>");
  if (strcmp(word, "404json") == 0)
    return server_answer(connection, "404 Not Found", "", "{\"message\":\"no Route matched with those values\"}");
  if (strcmp(word, "broken") == 0) return server_answer(connection, "200 OK", "", "{\"token\":");
  snprintf(status, sizeof status, "%.3s Some Reason", word);
  if (word[3] == '+') snprintf(headers, sizeof headers, "Retry-After: %s\r\n", after);
  if (word[3] == '~') snprintf(headers, sizeof headers, "X-RateLimit-Retry-After: %s\r\n", after);
  if (word[3] == '@')
    snprintf(headers, sizeof headers,
             "Date: Mon, 23 Nov 2020 10:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2020 10:00:0%s GMT\r\n", after);
  if (word[0] == '3') snprintf(headers, sizeof headers, "Location: https://elsewhere.example/\r\n");
  if (word[0] == '2') body = op == LIST || op == LIST_JSON ? PAGE_BODY : TOKEN_BODY;
  if (word[0] == '2' && op == DELETE) return server_send(connection, "HTTP/1.1 204 No Content\r\n\r\n");
  return server_answer(connection, status, headers, body);
}

static void serve_script(server *s, int connection, void *data) {
  script *it = (script *)data;
  request asked;
  while (server_receive(s, connection, &asked)) {
    /* The requests of one call come one after the other, each connection on a thread of its own. */
    size_t now = __atomic_load_n(&it->next, __ATOMIC_SEQ_CST);
    const char *word = it->words[now];
    if (word) __atomic_store_n(&it->next, now + 1, __ATOMIC_SEQ_CST);
    if (!word || !answer_word(connection, word, it->op)) return;
  }
}

/* ------------------------------------------------------------------------------------- the table */

/* Which operations a row is tried with. */
#define READS 1
#define DELETES 2
#define CREATES 4
#define ALL (READS | DELETES | CREATES)

typedef struct row {
  int operations;
  const char *words[8];
  uint32_t max_attempts, timeout_ms;
  av_status status;
  int32_t http_status;
  uint32_t attempts;
  int32_t outcome; /* of what is no read */
  size_t requests;
  double least_ms, most_ms; /* 0: whatever */
} row;

#define NOT_APPLIED AV_OUTCOME_NOT_APPLIED
#define UNKNOWN AV_OUTCOME_UNKNOWN
#define APPLIED AV_OUTCOME_APPLIED
#define S(name) AV_STATUS_##name

static const row rows[] = {
    /* Well at once, and after a 5xx. */
    {ALL, {"200"}, 0, 0, S(OK), 200, 1, 0, 1, 0, 0},
    {READS | DELETES, {"500", "200"}, 0, 0, S(OK), 200, 2, 0, 2, 0, 250},
    {READS | DELETES, {"500", "502", "200"}, 0, 0, S(OK), 200, 3, 0, 3, 0, 650},
    {READS | DELETES, {"599", "504", "503"}, 0, 0, S(SERVER), 503, 3, UNKNOWN, 3, 0, 650},
    {CREATES, {"500", "200"}, 0, 0, S(SERVER), 500, 1, UNKNOWN, 1, 0, 50},
    /* A wait that is asked for. */
    {READS | DELETES, {"503+1", "200"}, 0, 0, S(OK), 200, 2, 0, 2, 999, 1100},
    {READS | DELETES, {"503@1", "200"}, 0, 0, S(OK), 200, 2, 0, 2, 999, 1100},
    {CREATES, {"503+1", "200"}, 0, 0, S(SERVER), 503, 1, UNKNOWN, 1, 0, 50},
    /* Nobody waits as long as that for a wait that the header forbids: it counts on a 429 alone. */
    {READS | DELETES, {"503~9", "200"}, 0, 0, S(OK), 200, 2, 0, 2, 0, 250},
    /* Other statuses. */
    {READS | DELETES, {"408", "200"}, 0, 0, S(OK), 200, 2, 0, 2, 0, 250},
    {CREATES, {"408", "200"}, 0, 0, S(REJECTED), 408, 1, UNKNOWN, 1, 0, 50},
    {ALL, {"501", "200"}, 0, 0, S(SERVER), 501, 1, UNKNOWN, 1, 0, 50},
    {ALL, {"505", "200"}, 0, 0, S(SERVER), 505, 1, UNKNOWN, 1, 0, 50},
    {ALL, {"404", "200"}, 0, 0, S(NOT_FOUND), 404, 1, NOT_APPLIED, 1, 0, 50},
    {ALL, {"400", "200"}, 0, 0, S(REJECTED), 400, 1, NOT_APPLIED, 1, 0, 50},
    {ALL, {"401", "200"}, 0, 0, S(UNAUTHORIZED), 401, 1, NOT_APPLIED, 1, 0, 50},
    {ALL, {"409", "200"}, 0, 0, S(REJECTED), 409, 1, NOT_APPLIED, 1, 0, 50},
    {ALL, {"302", "200"}, 0, 0, S(DECODE), 302, 1, UNKNOWN, 1, 0, 50},
    {ALL, {"307", "200"}, 0, 0, S(DECODE), 307, 1, UNKNOWN, 1, 0, 50},
    {READS, {"broken", "200"}, 0, 0, S(DECODE), 200, 1, 0, 1, 0, 50},
    {CREATES, {"broken", "200"}, 0, 0, S(DECODE), 200, 1, APPLIED, 1, 0, 50},
    {DELETES, {"broken", "200"}, 0, 0, S(DECODE), 200, 1, UNKNOWN, 1, 0, 50},
    {ALL, {"html", "200"}, 0, 0, S(DECODE), 200, 1, UNKNOWN, 1, 0, 50},
    /* A connection that breaks. */
    {READS | DELETES, {"close", "200"}, 0, 0, S(OK), 200, 2, 0, 2, 0, 250},
    {READS | DELETES, {"halfhead", "200"}, 0, 0, S(OK), 200, 2, 0, 2, 0, 250},
    {READS | DELETES, {"close", "close", "close"}, 0, 0, S(TRANSPORT), 0, 3, UNKNOWN, 3, 0, 650},
    {CREATES, {"close", "200"}, 0, 0, S(TRANSPORT), 0, 1, UNKNOWN, 1, 0, 50},
    {CREATES, {"halfhead", "200"}, 0, 0, S(TRANSPORT), 0, 1, UNKNOWN, 1, 0, 50},
    {READS, {"half", "200"}, 0, 0, S(OK), 200, 2, 0, 2, 0, 250},
    {CREATES, {"half", "200"}, 0, 0, S(TRANSPORT), 200, 1, APPLIED, 1, 0, 50},
    {CREATES, {"none", "200"}, 0, 0, S(TRANSPORT), 200, 1, UNKNOWN, 1, 0, 50},
    {DELETES, {"half", "200"}, 0, 0, S(OK), 200, 2, 0, 2, 0, 250},
    {DELETES, {"half", "404"}, 0, 0, S(OK), 404, 2, 0, 2, 0, 250},
    {DELETES, {"none", "half", "none"}, 0, 0, S(TRANSPORT), 200, 3, UNKNOWN, 3, 0, 650},
    /* Deleted by an attempt whose answer was lost, or never there. */
    {DELETES, {"503", "404"}, 0, 0, S(OK), 404, 2, 0, 2, 0, 250},
    {DELETES, {"close", "404"}, 0, 0, S(OK), 404, 2, 0, 2, 0, 250},
    {DELETES, {"408", "404"}, 0, 0, S(OK), 404, 2, 0, 2, 0, 250},
    /* Whoever stands between may say 404 too: that proves nothing. */
    {DELETES, {"503", "404html"}, 0, 0, S(NOT_FOUND), 404, 2, UNKNOWN, 2, 0, 250},
    {DELETES, {"close", "404json"}, 0, 0, S(NOT_FOUND), 404, 2, UNKNOWN, 2, 0, 250},
    {DELETES, {"half", "404html"}, 0, 0, S(NOT_FOUND), 404, 2, UNKNOWN, 2, 0, 250},
    {ALL, {"404html", "200"}, 0, 0, S(NOT_FOUND), 404, 1, NOT_APPLIED, 1, 0, 50},
    {DELETES, {"404"}, 0, 0, S(NOT_FOUND), 404, 1, NOT_APPLIED, 1, 0, 50},
    {DELETES, {"429~1", "404"}, 0, 0, S(NOT_FOUND), 404, 2, NOT_APPLIED, 2, 999, 1300},
    /* What was unknown stays so, whatever comes after. */
    {DELETES, {"503", "400"}, 0, 0, S(REJECTED), 400, 2, UNKNOWN, 2, 0, 250},
    {DELETES, {"close", "429+60"}, 0, 0, S(RATE_LIMITED), 429, 2, UNKNOWN, 2, 0, 250},
    {READS, {"503", "404"}, 0, 0, S(NOT_FOUND), 404, 2, 0, 2, 0, 250},
    /* A 429 does not count, unless one attempt is all there is; even a create waits for it. */
    {ALL, {"429~1", "200"}, 0, 0, S(OK), 200, 2, 0, 2, 999, 1300},
    {ALL, {"429+1", "429+0", "429", "429", "429", "200"}, 2, 0, S(OK), 200, 6, 0, 6, 999, 0},
    {READS | DELETES, {"500", "429+0", "429", "500"}, 2, 0, S(SERVER), 500, 4, UNKNOWN, 4, 0, 0},
    {ALL, {"429~1", "200"}, 1, 0, S(RATE_LIMITED), 429, 1, NOT_APPLIED, 1, 0, 50},
    /* A wait that would pass the deadline is not begun. */
    {ALL, {"429~5", "200"}, 0, 4000, S(RATE_LIMITED), 429, 1, NOT_APPLIED, 1, 0, 50},
    {READS | DELETES, {"503+5", "200"}, 0, 4000, S(SERVER), 503, 1, UNKNOWN, 1, 0, 50},
    {READS | DELETES, {"503+99999999999999999999"}, 0, 4000, S(SERVER), 503, 1, UNKNOWN, 1, 0, 50},
    /* So many attempts and no more. */
    {READS | DELETES, {"500", "200"}, 1, 0, S(SERVER), 500, 1, UNKNOWN, 1, 0, 50},
    {READS | DELETES, {"500", "500", "200"}, 2, 0, S(SERVER), 500, 2, UNKNOWN, 2, 0, 250},
    {READS | DELETES, {"500", "500", "500", "500", "200"}, 5, 0, S(OK), 200, 5, 0, 5, 0, 3050},
    {READS | DELETES, {"500", "500", "500", "500", "500", "200"}, 5, 0, S(SERVER), 500, 5, UNKNOWN, 5, 0, 3050},
    {CREATES, {"500", "200"}, 5, 0, S(SERVER), 500, 1, UNKNOWN, 1, 0, 50},
};

#define ROWS (sizeof rows / sizeof rows[0])

/* A row with one of its operations. */
typedef struct trial {
  const row *row;
  operation op;
  int per_call; /* the limit of attempts is the call's, against the client's own */
  pthread_t thread;
  char name[160];
  script script;
  server *server;
  av_client *client;
  av_response *response;
  call made;
  double whole, took;
} trial;

static void name_of(trial *it) {
  size_t i, length = (size_t)snprintf(it->name, sizeof it->name, "%s:", operation_name(it->op));
  for (i = 0; it->row->words[i]; i++)
    length += (size_t)snprintf(it->name + length, sizeof it->name - length, " %s", it->row->words[i]);
  if (it->row->max_attempts)
    snprintf(it->name + length, sizeof it->name - length, " (at most %u, %s)", (unsigned)it->row->max_attempts,
             it->per_call ? "said by the call" : "said by the client");
}

static void *try_it(void *argument) {
  trial *it = (trial *)argument;
  av_request_options options;
  moment begin = moment_here();
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.response = it->response;
  if (it->per_call) options.max_attempts = it->row->max_attempts;
  it->made = call_make(it->client, it->op, &options);
  it->whole = now_ms() - begin.now;
  it->took = since(begin);
  return NULL;
}

static void begin_trial(trial *it, const row *row, operation op, int per_call) {
  av_client_config config;
  memset(it, 0, sizeof *it);
  it->row = row;
  it->op = op;
  it->per_call = per_call;
  it->script.words = row->words;
  it->script.op = op;
  it->server = server_start(serve_script, &it->script);
  config = watched_config(server_url(it->server));
  config.timeout_ms = row->timeout_ms ? row->timeout_ms : 20000;
  config.max_attempts = per_call ? 3 : row->max_attempts;
  it->client = client_of(&config);
  it->response = av_response_new();
  name_of(it);
  if (pthread_create(&it->thread, NULL, try_it, it) != 0) exit(2);
}

/* What the calls of a row took that are bounded, each of which is made several times. */
static struct {
  double took[64];
  size_t count;
} noted[ROWS];

static void note(const row *row, double took) {
  size_t i = (size_t)(row - rows);
  if (row->most_ms > 0) noted[i].took[noted[i].count++ % 64] = took;
}

static void check_times(void) {
  char name[160];
  size_t i, k, length;
  for (i = 0; i < ROWS; i++) {
    if (noted[i].count == 0) continue;
    for (k = length = 0; rows[i].words[k]; k++)
      length += (size_t)snprintf(name + length, sizeof name - length, " %s", rows[i].words[k]);
    /* Beyond what is asked for, the promised 50 ms, and as many for services that all answer at once. */
    CHECK_WITHIN(name, noted[i].took, noted[i].count < 64 ? noted[i].count : 64, rows[i].most_ms + 100);
  }
}

static void end_trial(trial *it) {
  const row *row = it->row;
  int32_t http_status = row->status == AV_STATUS_OK && it->op == DELETE && row->http_status == 200 &&
                                strcmp(row->words[row->requests - 1], "200") == 0
                            ? 204
                            : row->http_status;
  int as_it_should = 1;
  pthread_join(it->thread, NULL);
  as_it_should &= CHECK_ROW(it->name, it->made.status == row->status);
  as_it_should &= CHECK_ROW(it->name, server_requests(it->server) == row->requests);
  as_it_should &= CHECK_ROW(it->name, av_response_attempts(it->response) == row->attempts);
  as_it_should &= CHECK_ROW(it->name, av_response_http_status(it->response) == http_status);
  if (row->status != AV_STATUS_OK) {
    int32_t outcome = operation_reads(it->op) ? NOT_APPLIED : row->outcome;
    int is_temporary = row->status == AV_STATUS_TRANSPORT || row->status == AV_STATUS_RATE_LIMITED ||
                       http_status == 408 || (http_status >= 500 && http_status != 501 && http_status != 505);
    int is_harmless = it->op != CREATE && it->op != CREATE_JSON ? 1 : outcome == NOT_APPLIED;
    as_it_should &= CHECK_ROW(it->name, av_error_outcome(it->made.error) == outcome);
    as_it_should &= CHECK_ROW(it->name, av_error_attempts(it->made.error) == row->attempts);
    as_it_should &= CHECK_ROW(it->name, av_error_http_status(it->made.error) == http_status);
    as_it_should &= CHECK_ROW(it->name, av_error_is_retryable(it->made.error) == (is_temporary && is_harmless));
    watched(it->made.error);
  }
  if (row->least_ms > 0) as_it_should &= CHECK_ROW(it->name, it->whole >= row->least_ms);
  note(row, it->took);
  if (!as_it_should)
    fprintf(stderr, "  %s: %zu requests, %u attempts, %s, %.0f ms: %s\n", av_status_name(it->made.status),
            server_requests(it->server), (unsigned)av_response_attempts(it->response),
            av_outcome_name(av_error_outcome(it->made.error)), it->whole, av_error_message(it->made.error));
  call_free(&it->made);
  av_response_free(it->response);
  av_client_free(it->client);
  server_stop(it->server);
}

static int is_in(const row *row, operation op) {
  return row->operations & (op == DELETE ? DELETES : operation_reads(op) ? READS : CREATES);
}

/* Many at once: most of the time they wait. */
static void table(void) {
  enum { AT_ONCE = 16 };
  static trial trials[AT_ONCE];
  size_t begun = 0, ended = 0, i, k, tries;
  operation op;
  int per_call;
  double begin = now_ms();
  for (i = 0; i < ROWS; i++)
    for (op = CREATE; op < OPERATIONS; op = (operation)(op + 1))
      for (per_call = 0; per_call <= (rows[i].max_attempts != 0); per_call++) {
        if (!is_in(&rows[i], op)) continue;
        tries = rows[i].most_ms > 0 && !is_slowed() ? 3 : 1;
        for (k = 0; k < tries; k++) {
          if (begun - ended == AT_ONCE) end_trial(&trials[ended++ % AT_ONCE]);
          begin_trial(&trials[begun++ % AT_ONCE], &rows[i], op, per_call);
        }
      }
  while (ended < begun) end_trial(&trials[ended++ % AT_ONCE]);
  printf("%zu rows of the table, with each of their operations: %zu calls, %.1f s\n", ROWS, begun, (now_ms() - begin) / 1000);
  check_times();
}

/* ---------------------------------------------------------------------------- what a row cannot say */

/* How long to wait is passed on, in the error and in its message. */
static void hint_is_passed_on(void) {
  static const char *const hints[][2] = {{"503+7", NULL}, {"503@7", NULL}, {"429+7", NULL}, {"429~7", NULL}, {"400+7", NULL}, {"429~6.5", NULL}, {"503++7", NULL}};
  size_t i;
  for (i = 0; i < sizeof hints / sizeof hints[0]; i++) {
    script script = {hints[i], 0, CREATE};
    server *s = server_start(serve_script, &script);
    av_client_config config = watched_config(server_url(s));
    av_client *client;
    call made;
    config.timeout_ms = 6000; /* less than that */
    client = client_of(&config);
    made = call_make(client, CREATE, NULL);
    CHECK_ROW(hints[i][0], made.status != AV_STATUS_OK);
    CHECK_ROW(hints[i][0], av_error_retry_after_ms(made.error) == 7000);
    CHECK_ROW(hints[i][0], strstr(watched(made.error), "7 s") != NULL);
    CHECK_ROW(hints[i][0], texts_equal(av_error_problem_title(made.error), "Told by the service"));
    call_free(&made);
    av_client_free(client);
    server_stop(s);
  }
}

/* No connection at all: nothing was sent, so all go again, and a create that failed so did nothing. */
static void not_connected(void) {
  char url[64];
  operation op;
  snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)refusing_port());
  for (op = CREATE; op < OPERATIONS; op = (operation)(op + 1)) {
    av_client *client = watched_client(url);
    call made = call_make(client, op, NULL);
    CHECK_ROW(operation_name(op), made.status == AV_STATUS_CONNECT);
    CHECK_ROW(operation_name(op), av_error_attempts(made.error) == 3);
    CHECK_ROW(operation_name(op), av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED);
    CHECK_ROW(operation_name(op), av_error_is_retryable(made.error) == 1);
    CHECK_ROW(operation_name(op), av_error_retry_after_ms(made.error) == -1);
    watched(made.error);
    call_free(&made);
    av_client_free(client);
  }
}

/* An iteration goes on where it was after a page that came at the second attempt. */
static void iteration(void) {
  static const char *const words[] = {"500", "200", NULL};
  script script = {words, 0, LIST};
  server *s = server_start(serve_script, &script);
  av_client *client = watched_client(server_url(s));
  av_token_iter *iter = NULL;
  const av_token *token = NULL;
  CHECK(av_tokens_iterate(client, NULL, &iter, NULL) == AV_STATUS_OK);
  CHECK(av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK);
  CHECK(token && strcmp(token->token, TOKEN) == 0);
  CHECK(server_requests(s) == 2);
  av_token_iter_free(iter);
  av_client_free(client);
  server_stop(s);
}

int main(void) {
  table();
  hint_is_passed_on();
  not_connected();
  iteration();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
