/* Another thread cancels a call in whatever it is doing: it is back within 20 ms, tells what may have
 * happened by then, and leaves nothing behind. */
#include "support/call.h"
#include "support/check.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/watch.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#define BACK_WITHIN_MS 20
#define TRIES 5

/* ----------------------------------------------------------------------------- what the peers do */

/* Each says in `reached` when the call has come to where it is to be cancelled. */
static int reached;

static void tell_reached(void) { __atomic_add_fetch(&reached, 1, __ATOMIC_SEQ_CST); }

static void serve_handshake(server *s, int connection, void *data) {
  char first;
  (void)s;
  (void)data;
  if (read(connection, &first, 1) == 1) tell_reached();
  server_swallow(connection);
}

static void serve_no_reading(server *s, int connection, void *data) {
  (void)s;
  (void)data;
  tell_reached();
  server_ignore(connection);
}

static void serve_no_answer(server *s, int connection, void *data) {
  request it;
  (void)data;
  if (server_receive(s, connection, &it)) tell_reached();
  server_swallow(connection);
}

static void serve_half_a_body(server *s, int connection, void *data) {
  request it;
  (void)data;
  if (!server_receive(s, connection, &it)) return;
  server_send(connection, "HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n{\"token\":");
  tell_reached();
  server_swallow(connection);
}

static void serve_503(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it)) {
    server_answer(connection, "503 Service Unavailable", "Retry-After: 10\r\n", "{\"title\":\"Down\"}");
    tell_reached();
  }
}

static void serve_429(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it)) {
    server_answer(connection, "429 Too Many Requests", "X-RateLimit-Retry-After: 30\r\n", "{\"title\":\"Slow down\"}");
    tell_reached();
  }
}

/* ------------------------------------------------------------------------------------- each phase */

typedef enum way { DIRECT, TO_BLACK_HOLE, BY_TLS, BY_SOCKS, BY_PROXY, AFTER_A_429 } way;

typedef struct row {
  const char *name;
  way way;
  serve_fn serve;
  operation op;
  int32_t outcome, http_status;
  uint32_t attempts;
  const char *problem;
} row;

static const row rows[] = {
    {"connecting", TO_BLACK_HOLE, NULL, CREATE, AV_OUTCOME_NOT_APPLIED, 0, 1, NULL},
    {"SOCKS handshake", BY_SOCKS, serve_handshake, CREATE, AV_OUTCOME_NOT_APPLIED, 0, 1, NULL},
    {"CONNECT to a proxy", BY_PROXY, serve_handshake, CREATE, AV_OUTCOME_NOT_APPLIED, 0, 1, NULL},
    {"TLS handshake", BY_TLS, serve_handshake, CREATE, AV_OUTCOME_NOT_APPLIED, 0, 1, NULL},
    {"sending", DIRECT, serve_no_reading, CREATE_JSON, AV_OUTCOME_UNKNOWN, 0, 1, NULL},
    {"waiting, a create", DIRECT, serve_no_answer, CREATE, AV_OUTCOME_UNKNOWN, 0, 1, NULL},
    {"waiting, a delete", DIRECT, serve_no_answer, DELETE, AV_OUTCOME_UNKNOWN, 0, 1, NULL},
    {"waiting, a get", DIRECT, serve_no_answer, GET, AV_OUTCOME_NOT_APPLIED, 0, 1, NULL},
    {"reading, a create", DIRECT, serve_half_a_body, CREATE, AV_OUTCOME_APPLIED, 201, 1, NULL},
    {"reading, a list", DIRECT, serve_half_a_body, LIST, AV_OUTCOME_NOT_APPLIED, 201, 1, NULL},
    {"backing off after a 503", DIRECT, serve_503, DELETE, AV_OUTCOME_UNKNOWN, 503, 1, "Down"},
    {"waiting after its own 429", DIRECT, serve_429, CREATE, AV_OUTCOME_NOT_APPLIED, 429, 1, "Slow down"},
    {"at the rate limit's gate", AFTER_A_429, serve_429, CREATE, AV_OUTCOME_NOT_APPLIED, 0, 0, NULL},
};

#define ROWS (sizeof rows / sizeof rows[0])

/* A payload that fits into no socket's buffers. */
static char *large_payload(void) {
  size_t size = 24 * 1024 * 1024;
  char *text = (char *)malloc(size);
  if (!text) exit(2);
  memset(text, 'x', size);
  memcpy(text, "{\"a\":\"", 6);
  memcpy(text + size - 3, "\"}", 3);
  return text;
}

typedef struct caller {
  const av_client *client;
  operation op;
  const char *payload;
  av_request_options options;
  pid_t thread;
  int started;
  call made;
  moment back;
} caller;

static void *make_call(void *argument) {
  caller *it = (caller *)argument;
  it->thread = thread_id();
  __atomic_store_n(&it->started, 1, __ATOMIC_SEQ_CST);
  if (it->op == CREATE_JSON) {
    memset(&it->made, 0, sizeof it->made);
    it->made.op = CREATE_JSON;
    it->made.status = av_tokens_create_json(it->client, it->payload, &it->options, &it->made.json, &it->made.error);
  } else {
    it->made = call_make(it->client, it->op, &it->options);
  }
  it->back = moment_here();
  return NULL;
}

static av_client *client_on_its_way(way way, const server *s) {
  char url[64] = "http://127.0.0.1:1", proxy[64] = "";
  av_client_config config = watched_config(url);
  if (way == TO_BLACK_HOLE) snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)black_hole());
  if (way == DIRECT || way == AFTER_A_429) server_url_as(s, "http", url, sizeof url);
  if (way == BY_TLS) server_url_as(s, "https", url, sizeof url);
  if (way == BY_SOCKS) server_url_as(s, "socks5", proxy, sizeof proxy);
  if (way == BY_PROXY) server_url_as(s, "http", proxy, sizeof proxy);
  if (way == BY_TLS) config.ca_file = idle_authority();
  config.proxy_url = proxy;
  config.timeout_ms = 60000;
  return client_of(&config);
}

/* One call of a row, cancelled; how long it took to come back from that. */
static double cancelled_after(const row *row, const char *payload) {
  server *s = row->serve ? server_start(row->serve, NULL) : NULL;
  av_client *client = client_on_its_way(row->way, s);
  av_cancel *cancel = av_cancel_new();
  caller it;
  pthread_t thread;
  moment triggered;
  memset(&it, 0, sizeof it);
  it.client = client;
  it.op = row->op;
  it.payload = payload;
  it.options.struct_size = sizeof it.options;
  reached = 0;
  if (row->way == AFTER_A_429) {
    /* With no time to wait, it is back at once, and the gate is closed. */
    av_error *error = NULL;
    av_token *token = NULL;
    it.options.timeout_ms = 20000;
    CHECK(av_tokens_create(client, 0, &it.options, &token, &error) == AV_STATUS_RATE_LIMITED);
    av_error_free(error);
    it.options.timeout_ms = 0;
  }
  it.options.cancel = cancel;
  it.options.response = av_response_new();
  if (pthread_create(&thread, NULL, make_call, &it) != 0) exit(2);
  wait_until(&it.started, 1, "a thread that starts");
  if (row->serve) wait_until(&reached, 1, row->name);
  wait_until_asleep(it.thread);
  triggered = moment_of(it.thread);
  av_cancel_trigger(cancel);
  pthread_join(thread, NULL);

  if (!CHECK_ROW(row->name, it.made.status == AV_STATUS_CANCELLED)) fprintf(stderr, "  %s\n", av_status_name(it.made.status));
  if (!CHECK_ROW(row->name, av_error_outcome(it.made.error) == row->outcome)) fprintf(stderr, "  %s\n", watched(it.made.error));
  CHECK_ROW(row->name, av_error_is_retryable(it.made.error) == 0);
  CHECK_ROW(row->name, av_error_http_status(it.made.error) == row->http_status);
  CHECK_ROW(row->name, av_response_http_status(it.options.response) == row->http_status);
  CHECK_ROW(row->name, av_error_attempts(it.made.error) == row->attempts);
  CHECK_ROW(row->name, texts_equal(av_error_problem_title(it.made.error), row->problem));
  CHECK_ROW(row->name, !call_gave(&it.made));
  CHECK_ROW(row->name, strstr(watched(it.made.error), "cancelled") != NULL);
  call_free(&it.made);

  /* Sticky: the next call with it sends nothing. */
  if (row->serve) {
    size_t connections = server_connections(s);
    it.made = call_make(client, LIST, &it.options);
    CHECK_ROW(row->name, it.made.status == AV_STATUS_CANCELLED);
    CHECK_ROW(row->name, av_error_attempts(it.made.error) == 0);
    CHECK_ROW(row->name, server_connections(s) == connections);
    call_free(&it.made);
  }
  av_cancel_free(cancel);
  av_response_free(it.options.response);
  av_client_free(client);
  if (s) server_stop(s);
  return between(triggered, it.back);
}

static void each_phase(void) {
  char *payload = large_payload();
  size_t i, k;
  for (i = 0; i < ROWS; i++) {
    double took[TRIES];
    for (k = 0; k < TRIES; k++) took[k] = cancelled_after(&rows[i], payload);
    CHECK_WITHIN(rows[i].name, took, TRIES, BACK_WITHIN_MS);
  }
  free(payload);
}

/* The connection of a cancelled call carries nothing more. */
static int let_go;

/* Holds its answer until it is let go. */
static void serve_held(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it)) {
    tell_reached();
    wait_until(&let_go, 1, "a server that is let go");
    server_answer(connection, "200 OK", "", TOKEN_BODY);
  }
}

static void not_reused(void) {
  server *s = server_start(serve_held, NULL);
  av_client *client = watched_client(server_url(s));
  av_cancel *cancel = av_cancel_new();
  caller it;
  pthread_t thread;
  call next;
  memset(&it, 0, sizeof it);
  reached = let_go = 0;
  it.client = client;
  it.op = GET;
  it.options.struct_size = sizeof it.options;
  it.options.cancel = cancel;
  if (pthread_create(&thread, NULL, make_call, &it) != 0) exit(2);
  wait_until(&reached, 1, "a request");
  av_cancel_trigger(cancel);
  pthread_join(thread, NULL);
  CHECK(it.made.status == AV_STATUS_CANCELLED);
  call_free(&it.made);
  __atomic_store_n(&let_go, 1, __ATOMIC_SEQ_CST);
  next = call_make(client, GET, NULL);
  CHECK(next.status == AV_STATUS_OK);
  CHECK(server_connections(s) == 2);
  call_free(&next);
  av_cancel_free(cancel);
  av_client_free(client);
  server_stop(s);
}

/* One handle ends many calls at once, and may be gone before any of them is: they go on without it. */
static void one_for_many(int freed_first) {
  enum { MANY = 8 };
  server *s = server_start(serve_held, NULL);
  av_client *client = watched_client(server_url(s));
  av_cancel *cancel = av_cancel_new();
  caller all[MANY];
  pthread_t threads[MANY];
  double triggered_at = 0, last = 0;
  size_t i;
  memset(all, 0, sizeof all);
  reached = let_go = 0;
  for (i = 0; i < MANY; i++) {
    all[i].client = client;
    all[i].op = i % 2 ? CREATE : GET;
    all[i].options.struct_size = sizeof all[i].options;
    all[i].options.cancel = cancel;
    if (pthread_create(&threads[i], NULL, make_call, &all[i]) != 0) exit(2);
  }
  wait_until(&reached, MANY, "as many requests as calls");
  triggered_at = now_ms();
  if (!freed_first) av_cancel_trigger(cancel);
  av_cancel_free(cancel);
  if (freed_first) __atomic_store_n(&let_go, 1, __ATOMIC_SEQ_CST);
  for (i = 0; i < MANY; i++) {
    pthread_join(threads[i], NULL);
    if (all[i].back.now > last) last = all[i].back.now;
    CHECK(all[i].made.status == (freed_first ? AV_STATUS_OK : AV_STATUS_CANCELLED));
    call_free(&all[i].made);
  }
  __atomic_store_n(&let_go, 1, __ATOMIC_SEQ_CST);
  if (!freed_first) printf("one handle, %d calls           the last back in %5.2f ms\n", MANY, last - triggered_at);
  av_client_free(client);
  server_stop(s);
}

/* Triggered before: nothing is sent, and nothing connected. */
static void triggered_already(void) {
  server *s = server_start(serve_no_answer, NULL);
  av_client *client = watched_client(server_url(s));
  av_cancel *cancel = av_cancel_new();
  av_request_options options;
  operation op;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = cancel;
  av_cancel_trigger(cancel);
  av_cancel_trigger(cancel);
  for (op = CREATE; op < OPERATIONS; op = (operation)(op + 1)) {
    call made = call_make(client, op, &options);
    CHECK_ROW(operation_name(op), made.status == AV_STATUS_CANCELLED);
    CHECK_ROW(operation_name(op), av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED);
    CHECK_ROW(operation_name(op), av_error_attempts(made.error) == 0);
    CHECK_ROW(operation_name(op), av_error_is_retryable(made.error) == 0);
    call_free(&made);
  }
  CHECK(server_connections(s) == 0);
  av_cancel_free(cancel);
  av_cancel_trigger(NULL);
  av_cancel_free(NULL);
  av_client_free(client);
  server_stop(s);
}

/* ----------------------------------------------------------------------------- at random moments */

enum { CALLERS = 8, CALLS_EACH = 500, TOKENS = 16 };

/* A caller and its own canceller, who take turns: the caller puts a handle into the slot, the
 * canceller triggers it after a while, and says that it has let go of it. The while is longer after a
 * call that was cancelled, and shorter after one that was not: so that both stay as common, however
 * long calls take on this machine. */
typedef struct pair {
  const av_client *client;
  av_token *const *tokens;
  pthread_t caller, canceller;
  av_cancel *slot;
  int let_go, done;
  unsigned within_us, seed, random;
  size_t succeeded, cancelled, wrong;
} pair;

static unsigned next_random(unsigned *state) { return *state = *state * 1103515245u + 12345u, *state >> 8; }

static void *cancel_at_random(void *argument) {
  pair *it = (pair *)argument;
  while (!__atomic_load_n(&it->done, __ATOMIC_SEQ_CST)) {
    av_cancel *cancel = __atomic_exchange_n(&it->slot, NULL, __ATOMIC_SEQ_CST);
    if (cancel) {
      double until = now_ms() + (double)(next_random(&it->random) % it->within_us) / 1000;
      while (now_ms() < until) sched_yield();
      av_cancel_trigger(cancel);
      __atomic_store_n(&it->let_go, 1, __ATOMIC_SEQ_CST);
    } else {
      sched_yield();
    }
  }
  return NULL;
}

static void *call_at_random(void *argument) {
  pair *it = (pair *)argument;
  av_request_options options;
  unsigned within_us = 4000;
  size_t i;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  for (i = 0; i < CALLS_EACH; i++) {
    const av_token *wanted = it->tokens[next_random(&it->seed) % TOKENS];
    uint32_t ttl = 100000 + next_random(&it->seed) % 1000000;
    av_token *got = NULL;
    av_error *error = NULL;
    av_status status;
    int right;
    options.cancel = av_cancel_new();
    it->within_us = within_us;
    __atomic_store_n(&it->let_go, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&it->slot, options.cancel, __ATOMIC_SEQ_CST);
    if (i % 4 == 0) {
      status = av_tokens_create(it->client, ttl, &options, &got, &error);
      right = status == AV_STATUS_OK ? got && got->ttl_seconds == (int32_t)ttl : status == AV_STATUS_CANCELLED;
    } else {
      status = av_tokens_get(it->client, wanted->token, &options, &got, &error);
      right = status == AV_STATUS_OK ? got && strcmp(got->token, wanted->token) == 0 : status == AV_STATUS_CANCELLED;
      right = right && (status == AV_STATUS_OK || av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
    }
    it->succeeded += right && status == AV_STATUS_OK;
    it->cancelled += right && status == AV_STATUS_CANCELLED;
    within_us = status == AV_STATUS_CANCELLED ? within_us + within_us / 8 + 1 : within_us - within_us / 8;
    if (!right) {
      it->wrong++;
      fprintf(stderr, "a wrong end: %s\n", error ? watched(error) : "another's token");
    }
    while (!__atomic_load_n(&it->let_go, __ATOMIC_SEQ_CST)) sched_yield();
    av_cancel_free(options.cancel);
    av_token_free(got);
    av_error_free(error);
  }
  __atomic_store_n(&it->done, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void random_moments(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--latency-ms", "1", NULL};
  local_api *service = local_api_start(arguments);
  av_client *client = watched_client(local_api_url(service));
  av_token *tokens[TOKENS];
  pair pairs[CALLERS];
  size_t i, before, after, succeeded = 0, cancelled = 0, wrong = 0;
  for (i = 0; i < TOKENS; i++) CHECK(av_tokens_create(client, 0, NULL, &tokens[i], NULL) == AV_STATUS_OK);
  before = open_descriptors();
  memset(pairs, 0, sizeof pairs);
  for (i = 0; i < CALLERS; i++) {
    pairs[i].client = client;
    pairs[i].tokens = tokens;
    pairs[i].seed = (unsigned)i + 1;
    pairs[i].random = (unsigned)i + 1000;
    if (pthread_create(&pairs[i].canceller, NULL, cancel_at_random, &pairs[i]) != 0 ||
        pthread_create(&pairs[i].caller, NULL, call_at_random, &pairs[i]) != 0)
      exit(2);
  }
  for (i = 0; i < CALLERS; i++) {
    pthread_join(pairs[i].caller, NULL);
    pthread_join(pairs[i].canceller, NULL);
    succeeded += pairs[i].succeeded;
    cancelled += pairs[i].cancelled;
    wrong += pairs[i].wrong;
  }
  after = open_descriptors();
  printf("%d calls cancelled at random moments: %zu succeeded, %zu cancelled, %zu wrong; descriptors %zu before, %zu after\n",
         CALLERS * CALLS_EACH, succeeded, cancelled, wrong, before, after);
  CHECK(wrong == 0);
  CHECK(succeeded + cancelled == CALLERS * CALLS_EACH);
  /* Both must have happened often for this to say anything. */
  CHECK(succeeded > CALLERS * CALLS_EACH / 20 && cancelled > CALLERS * CALLS_EACH / 20);
  /* One connection is open before; each caller can have left one in the pool. */
  CHECK(after <= before - 1 + CALLERS);
  for (i = 0; i < TOKENS; i++) {
    av_token *found = NULL;
    CHECK(av_tokens_get(client, tokens[i]->token, NULL, &found, NULL) == AV_STATUS_OK);
    av_token_free(found);
    av_token_free(tokens[i]);
  }
  av_client_free(client);
  CHECK(open_descriptors() == before - 1);
  local_api_stop(service);
}

int main(void) {
  each_phase();
  not_reused();
  one_for_many(0);
  one_for_many(1);
  triggered_already();
  random_moments();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
