/* A call ends when its time is up, whatever the other side does or leaves undone: five tries at each,
 * and the worst of them is told. The hanging name lookup has a test of its own. */
#include "support/call.h"
#include "support/check.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/watch.h"

#include <pthread.h>

/* In which a call is to come to where its row wants it, and one is to be back that need not wait. */
#define TIMEOUT_MS (1200 + SLACK_MS)
#define LONGEST_MS (TIMEOUT_MS + 50)
#define TRIES 5

/* ----------------------------------------------------------------------------- what the peers do */

static void serve_slow_head(server *s, int connection, void *data) {
  request it;
  (void)data;
  if (server_receive(s, connection, &it) && server_drip(connection, "HTTP/1.1 200 OK\r\nX-Slow: ", 20))
    while (server_drip(connection, "x", 20)) {}
}

static void serve_slow_body(server *s, int connection, void *data) {
  request it;
  (void)data;
  if (server_receive(s, connection, &it) && server_send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"))
    while (server_drip(connection, " ", 20)) {}
}

static void serve_endless_head(server *s, int connection, void *data) {
  request it;
  (void)data;
  if (server_receive(s, connection, &it))
    while (server_drip(connection, "HTTP/1.1 100 Continue\r\n\r\n", 1)) {}
}

static void serve_wait_a_minute(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it))
    server_answer(connection, "429 Too Many Requests",
                  "Retry-After: 60\r\nX-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Retry-After: 60\r\n", "{\"title\":\"Slow down\"}");
}

/* ----------------------------------------------------------------------------------- the deadline */

typedef enum where { SERVED, REFUSED, BLACK_HOLE, SILENT_TLS, SILENT_SOCKS, SILENT_PROXY } where;

typedef struct row {
  const char *name;
  where where;
  serve_fn serve;
  av_status status;
  int32_t create_outcome;
} row;

static const row rows[] = {
    {"refused connect", REFUSED, NULL, AV_STATUS_CONNECT, AV_OUTCOME_NOT_APPLIED},
    {"black-holed connect", BLACK_HOLE, NULL, AV_STATUS_TIMEOUT, AV_OUTCOME_NOT_APPLIED},
    {"silent accept", SERVED, serve_silence, AV_STATUS_TIMEOUT, AV_OUTCOME_UNKNOWN},
    {"silent TLS handshake", SILENT_TLS, serve_silence, AV_STATUS_TIMEOUT, AV_OUTCOME_NOT_APPLIED},
    {"head byte by byte", SERVED, serve_slow_head, AV_STATUS_TIMEOUT, AV_OUTCOME_UNKNOWN},
    {"interim heads without end", SERVED, serve_endless_head, AV_STATUS_TIMEOUT, AV_OUTCOME_UNKNOWN},
    {"body byte by byte", SERVED, serve_slow_body, AV_STATUS_TIMEOUT, AV_OUTCOME_APPLIED},
    {"silent SOCKS proxy", SILENT_SOCKS, serve_silence, AV_STATUS_TIMEOUT, AV_OUTCOME_NOT_APPLIED},
    {"silent HTTP proxy", SILENT_PROXY, serve_silence, AV_STATUS_TIMEOUT, AV_OUTCOME_NOT_APPLIED},
    {"429 that says 60 s", SERVED, serve_wait_a_minute, AV_STATUS_RATE_LIMITED, AV_OUTCOME_NOT_APPLIED},
};

#define ROWS (sizeof rows / sizeof rows[0])

/* A client that comes to where the row says. */
static av_client *client_there(where where, const server *s, uint32_t timeout_ms) {
  char url[64] = "", proxy[64] = "";
  av_client_config config = watched_config(url);
  config.timeout_ms = timeout_ms;
  config.proxy_url = proxy;
  config.ca_file = where == SILENT_TLS ? idle_authority() : NULL;
  switch (where) {
    case SERVED: server_url_as(s, "http", url, sizeof url); break;
    case REFUSED: snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)refusing_port()); break;
    case BLACK_HOLE: snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)black_hole()); break;
    case SILENT_TLS: server_url_as(s, "https", url, sizeof url); break;
    case SILENT_SOCKS:
      server_url_as(s, "socks5", proxy, sizeof proxy);
      snprintf(url, sizeof url, "http://127.0.0.1:1");
      break;
    case SILENT_PROXY:
      server_url_as(s, "http", proxy, sizeof proxy);
      snprintf(url, sizeof url, "http://127.0.0.1:1");
      break;
  }
  return client_of(&config);
}

typedef struct trial {
  const row *row;
  pthread_t thread;
  server *server;
  av_client *client;
  double whole[TRIES], took[TRIES];
  call made[TRIES];
} trial;

static const operation operations[TRIES] = {CREATE, GET, LIST, CREATE_JSON, LIST_JSON};

static void *try_all(void *argument) {
  trial *it = (trial *)argument;
  size_t i;
  for (i = 0; i < TRIES; i++) {
    moment begin = moment_here();
    it->made[i] = call_make(it->client, operations[i], NULL);
    it->whole[i] = now_ms() - begin.now;
    it->took[i] = since(begin);
  }
  return NULL;
}

/* All rows at once: they only wait. */
static void deadlines(void) {
  trial trials[ROWS];
  size_t i, k;
  for (i = 0; i < ROWS; i++) {
    trials[i].row = &rows[i];
    trials[i].server = rows[i].serve ? server_start(rows[i].serve, NULL) : NULL;
    trials[i].client = client_there(rows[i].where, trials[i].server, TIMEOUT_MS);
    if (pthread_create(&trials[i].thread, NULL, try_all, &trials[i]) != 0) exit(2);
  }
  for (i = 0; i < ROWS; i++) {
    trial *it = &trials[i];
    const char *name = it->row->name;
    pthread_join(it->thread, NULL);
    CHECK_WITHIN(name, it->took, TRIES, it->row->status == AV_STATUS_RATE_LIMITED ? TIMEOUT_MS : LONGEST_MS);
    for (k = 0; k < TRIES; k++) {
      call *made = &it->made[k];
      int32_t outcome = operation_reads(made->op) ? AV_OUTCOME_NOT_APPLIED : it->row->create_outcome;
      if (!CHECK_ROW(name, made->status == it->row->status && av_error_outcome(made->error) == outcome))
        fprintf(stderr, "  %s: %s, %s\n", operation_name(made->op), av_status_name(made->status), av_error_message(made->error));
      CHECK_ROW(name, av_error_is_retryable(made->error) == (outcome == AV_OUTCOME_NOT_APPLIED));
      CHECK_ROW(name, !call_gave(made));
      if (it->row->status == AV_STATUS_TIMEOUT)
        CHECK_ROW(name, it->whole[k] >= TIMEOUT_MS - 1);
      if (it->row->status == AV_STATUS_RATE_LIMITED)
        CHECK_ROW(name, av_error_retry_after_ms(made->error) > 0 && av_error_retry_after_ms(made->error) <= 60000);
      watched(made->error);
      call_free(made);
    }
    av_client_free(it->client);
    if (it->server) server_stop(it->server);
  }
}

/* A 429 that is the first of its client: what it says reaches the caller as it was said. */
static void told_to_wait(void) {
  server *s = server_start(serve_wait_a_minute, NULL);
  av_client *client = client_there(SERVED, s, TIMEOUT_MS);
  call made = call_make(client, CREATE, NULL);
  CHECK(made.status == AV_STATUS_RATE_LIMITED);
  CHECK(av_error_retry_after_ms(made.error) == 60000);
  CHECK(av_error_attempts(made.error) == 1);
  CHECK(av_error_http_status(made.error) == 429);
  CHECK(texts_equal(av_error_problem_title(made.error), "Slow down"));
  call_free(&made);
  av_client_free(client);
  server_stop(s);
}

/* ------------------------------------------------------------------------ the other limits of time */

static av_request_options timeout_of(uint32_t timeout_ms) {
  av_request_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.timeout_ms = timeout_ms;
  return options;
}

/* Several calls with a time of their own, which counts instead of the client's. */
static void check_own_time(const char *what, const server *s, uint32_t of_client_ms, uint32_t of_call_ms) {
  av_client *client = client_there(SERVED, s, of_client_ms);
  av_request_options options = timeout_of(of_call_ms);
  double took[TRIES];
  size_t i;
  for (i = 0; i < TRIES; i++) {
    moment begin = moment_here();
    call made = call_make(client, GET, &options);
    CHECK_ROW(what, now_ms() - begin.now >= of_call_ms - 1);
    took[i] = since(begin);
    CHECK_ROW(what, made.status == AV_STATUS_TIMEOUT);
    call_free(&made);
  }
  CHECK_WITHIN(what, took, TRIES, of_call_ms + 50);
  av_client_free(client);
}

static void time_of_one_call(void) {
  server *s = server_start(serve_silence, NULL);
  check_own_time("a call's own timeout", s, 20000, 100);
  check_own_time("longer than the client's", s, 50, 200);
  server_stop(s);
}

/* Lets each connection's requests up to `hangs` hang for `for_ms`, counted over all connections. */
typedef struct hanging {
  int hangs, for_ms, seen;
} hanging;

static void serve_hanging(server *s, int connection, void *data) {
  hanging *it = (hanging *)data;
  request asked;
  while (server_receive(s, connection, &asked)) {
    if (__atomic_add_fetch(&it->seen, 1, __ATOMIC_SEQ_CST) <= it->hangs) {
      if (it->for_ms == 0) {
        server_swallow(connection);
        return;
      }
      if (!server_drip(connection, "H", it->for_ms)) return;
      if (!server_send(connection, "TTP/1.1 200 OK\r\nContent-Length: " "120" "\r\n\r\n")) return;
      server_send(connection, "{\"token\":\"" TOKEN "\",\"ttl\":3600}                                                                               ");
    } else if (asked.method[0] == 'D') {
      server_send(connection, "HTTP/1.1 204 No Content\r\n\r\n");
    } else {
      server_answer(connection, "200 OK", "", TOKEN_BODY);
    }
  }
}

typedef struct hang_row {
  const char *name;
  operation op;
  hanging hanging;
  uint32_t timeout_ms, attempt_timeout_ms, max_attempts;
  av_status status;
  uint32_t attempts;
  double least_ms, most_ms;
} hang_row;

#define ATTEMPT_MS (1000 + SLACK_MS) /* in which an attempt is answered that does not hang */
#define SLOW_MS (ATTEMPT_MS + 250) /* longer than an attempt may take */

/* A back-off is at most 200 ms after the first attempt, and nobody knows how long. How late the service
 * is in its turn is told apart from that by a few tries. */
static const hang_row hang_rows[] = {
    {"a hung get, another", GET, {1, 0, 0}, 20000, ATTEMPT_MS, 0, AV_STATUS_OK, 2, ATTEMPT_MS - 1, ATTEMPT_MS + 200 + 50},
    {"a hung delete, another", DELETE, {1, 0, 0}, 20000, ATTEMPT_MS, 0, AV_STATUS_OK, 2, ATTEMPT_MS - 1, ATTEMPT_MS + 200 + 50},
    {"two hung gets, a third", GET_JSON, {2, 0, 0}, 20000, ATTEMPT_MS, 0, AV_STATUS_OK, 3, 2 * ATTEMPT_MS - 1, 2 * ATTEMPT_MS + 600 + 50},
    {"a slow create, left alone", CREATE, {1, SLOW_MS, 0}, 20000, ATTEMPT_MS, 0, AV_STATUS_OK, 1, SLOW_MS - 1, SLOW_MS + 50},
    {"the last attempt, left alone", GET, {2, SLOW_MS, 0}, 20000, ATTEMPT_MS, 2, AV_STATUS_OK, 2, ATTEMPT_MS + SLOW_MS - 1, ATTEMPT_MS + SLOW_MS + 200 + 50},
    {"the only attempt, left alone", GET, {1, SLOW_MS, 0}, 20000, ATTEMPT_MS, 1, AV_STATUS_OK, 1, SLOW_MS - 1, SLOW_MS + 50},
    {"no limit for an attempt", GET, {1, 0, 0}, TIMEOUT_MS, UINT32_MAX, 0, AV_STATUS_TIMEOUT, 1, TIMEOUT_MS - 1, TIMEOUT_MS + 50},
};

#define HANG_ROWS (sizeof hang_rows / sizeof hang_rows[0])
enum { HANG_TRIES = 3 };
static pthread_mutex_t checking = PTHREAD_MUTEX_INITIALIZER;

typedef struct hang_trial {
  const hang_row *row;
  pthread_t thread;
  double whole[HANG_TRIES], took[HANG_TRIES];
} hang_trial;

static void *hang(void *argument) {
  hang_trial *it = (hang_trial *)argument;
  const hang_row *row = it->row;
  size_t i;
  for (i = 0; i < HANG_TRIES; i++) {
    hanging hanging = row->hanging;
    server *s = server_start(serve_hanging, &hanging);
    av_client_config config = watched_config(server_url(s));
    av_request_options options = timeout_of(0);
    av_client *client;
    call made;
    moment begin;
    config.timeout_ms = row->timeout_ms;
    config.attempt_timeout_ms = row->attempt_timeout_ms;
    config.max_attempts = row->max_attempts;
    client = client_of(&config);
    options.response = av_response_new();
    begin = moment_here();
    made = call_make(client, row->op, &options);
    it->whole[i] = now_ms() - begin.now;
    it->took[i] = since(begin);
    pthread_mutex_lock(&checking);
    if (!CHECK_ROW(row->name, made.status == row->status)) fprintf(stderr, "  %s\n", watched(made.error));
    CHECK_ROW(row->name, av_response_attempts(options.response) == row->attempts);
    CHECK_ROW(row->name, (uint32_t)__atomic_load_n(&hanging.seen, __ATOMIC_SEQ_CST) == row->attempts);
    CHECK_ROW(row->name, it->whole[i] >= row->least_ms);
    pthread_mutex_unlock(&checking);
    call_free(&made);
    av_response_free(options.response);
    av_client_free(client);
    server_stop(s);
  }
  return NULL;
}

/* All rows at once: they only wait. */
static void time_of_an_attempt(void) {
  hang_trial trials[HANG_ROWS];
  size_t i;
  for (i = 0; i < HANG_ROWS; i++) {
    trials[i].row = &hang_rows[i];
    if (pthread_create(&trials[i].thread, NULL, hang, &trials[i]) != 0) exit(2);
  }
  for (i = 0; i < HANG_ROWS; i++) {
    pthread_join(trials[i].thread, NULL);
    CHECK_WITHIN(hang_rows[i].name, trials[i].took, HANG_TRIES, hang_rows[i].most_ms);
  }
}

/* Nothing was sent while there was no connection, so even a create goes again. */
static void time_for_connecting(void) {
  static const where places[] = {BLACK_HOLE, SILENT_TLS, SILENT_SOCKS, SILENT_PROXY};
  static const char *const names[] = {"connecting", "TLS handshake", "SOCKS handshake", "proxy's answer"};
  server *s = server_start(serve_silence, NULL);
  size_t i;
  for (i = 0; i < 4; i++) {
    char url[64] = "http://127.0.0.1:1", proxy[64] = "";
    av_client_config config = watched_config(url);
    av_client *client;
    double took[TRIES];
    size_t k;
    if (places[i] == BLACK_HOLE) snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)black_hole());
    if (places[i] == SILENT_TLS) server_url_as(s, "https", url, sizeof url);
    if (places[i] == SILENT_SOCKS) server_url_as(s, "socks5h", proxy, sizeof proxy);
    if (places[i] == SILENT_PROXY) server_url_as(s, "http", proxy, sizeof proxy);
    config.ca_file = idle_authority();
    config.proxy_url = proxy;
    config.connect_timeout_ms = 100;
    config.max_attempts = 2;
    config.timeout_ms = 20000;
    client = client_of(&config);
    for (k = 0; k < TRIES; k++) {
      moment begin = moment_here();
      call made = call_make(client, CREATE, NULL);
      CHECK_ROW(names[i], now_ms() - begin.now >= 199);
      took[k] = since(begin);
      CHECK_ROW(names[i], made.status == AV_STATUS_TIMEOUT);
      CHECK_ROW(names[i], av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED);
      CHECK_ROW(names[i], av_error_attempts(made.error) == 2);
      CHECK_ROW(names[i], av_error_is_retryable(made.error) == 1);
      watched(made.error);
      call_free(&made);
    }
    CHECK_WITHIN(names[i], took, TRIES, 200 + 200 + 50);
    av_client_free(client);
  }
  server_stop(s);
}

int main(void) {
  deadlines();
  told_to_wait();
  time_of_one_call();
  time_of_an_attempt();
  time_for_connecting();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
