/* A peer that closes its connections without saying so: what can be repeated goes on as if nothing
 * had happened, and a create is never sent twice. */
#include "support/call.h"
#include "support/check.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/watch.h"

#include <pthread.h>
#include <time.h>

enum { THREADS = 4, CALLS = 10000, CREATES = 4000 };

/* How often each create came, by the time to live that it asks for, of which each has its own. */
static int came[CREATES];
static int requests_died;

/* Answers one request and closes at once. The answer does not say so. */
static void serve_one_each(server *s, int connection, void *data) {
  request it;
  (void)data;
  if (!server_receive(s, connection, &it)) return;
  if (it.method[0] == 'P') {
    const char *ttl = strstr(it.body, "\"ttl\":");
    int number = ttl ? atoi(ttl + 6) - 1 : -1;
    if (number >= 0 && number < CREATES) __atomic_add_fetch(&came[number], 1, __ATOMIC_SEQ_CST);
  }
  if (it.method[0] == 'D') server_send(connection, "HTTP/1.1 204 No Content\r\n\r\n");
  else server_answer(connection, "200 OK", "", TOKEN_BODY);
}

/* Answers one request, takes another, and closes upon that. */
static void serve_and_die(server *s, int connection, void *data) {
  request it;
  (void)data;
  if (!server_receive(s, connection, &it)) return;
  server_answer(connection, "200 OK", "", TOKEN_BODY);
  if (server_receive(s, connection, &it)) __atomic_add_fetch(&requests_died, 1, __ATOMIC_SEQ_CST);
}

/* Answers whatever comes. */
static void serve_well(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it)) server_answer(connection, "200 OK", "", TOKEN_BODY);
}

typedef struct worker {
  const av_client *client;
  operation op;
  int from, to;
  pthread_t thread;
  int failed, repeated, unknown, not_sent, other;
} worker;

static void *repeat(void *argument) {
  worker *it = (worker *)argument;
  av_request_options options;
  int i;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.response = av_response_new();
  for (i = it->from; i < it->to; i++) {
    call made = call_make(it->client, it->op, &options);
    if (made.status != AV_STATUS_OK) {
      if (it->failed++ == 0) fprintf(stderr, "%s\n", watched(made.error));
    }
    it->repeated += av_response_attempts(options.response) != 1;
    call_free(&made);
  }
  av_response_free(options.response);
  return NULL;
}

static void *create(void *argument) {
  worker *it = (worker *)argument;
  int i;
  for (i = it->from; i < it->to; i++) {
    av_token *token = NULL;
    av_error *error = NULL;
    av_status status = av_tokens_create(it->client, (uint32_t)i + 1, NULL, &token, &error);
    if (status != AV_STATUS_OK) {
      if (status == AV_STATUS_TRANSPORT && av_error_outcome(error) == AV_OUTCOME_UNKNOWN) it->unknown++;
      else if (it->other++ == 0) fprintf(stderr, "%s\n", watched(error));
      it->repeated += av_error_attempts(error) != 1 || av_error_is_retryable(error);
    }
    av_error_free(error);
    av_token_free(token);
  }
  return NULL;
}

static void work(const av_client *client, operation op, int calls, void *(*run)(void *), worker *sum) {
  worker workers[THREADS];
  int i;
  memset(workers, 0, sizeof workers);
  memset(sum, 0, sizeof *sum);
  for (i = 0; i < THREADS; i++) {
    workers[i].client = client;
    workers[i].op = op;
    workers[i].from = calls / THREADS * i;
    workers[i].to = calls / THREADS * (i + 1);
    if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0) exit(2);
  }
  for (i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    sum->failed += workers[i].failed;
    sum->repeated += workers[i].repeated;
    sum->unknown += workers[i].unknown;
    sum->other += workers[i].other;
  }
}

/* One attempt each, however many connections it took. */
static void repeatable(operation op) {
  server *s = server_start(serve_one_each, NULL);
  av_client_config config = watched_config(server_url(s));
  av_client *client;
  worker sum;
  double begin = now_ms();
  /* Not even the second attempt is needed. */
  config.max_attempts = op == DELETE ? 1 : 0;
  client = client_of(&config);
  work(client, op, CALLS, repeat, &sum);
  printf("%d %s calls, closed after each: %d errors, %d with more than one attempt, %zu connections, %.1f s\n", CALLS,
         operation_name(op), sum.failed, sum.repeated, server_connections(s), (now_ms() - begin) / 1000);
  CHECK_ROW(operation_name(op), sum.failed == 0);
  CHECK_ROW(operation_name(op), sum.repeated == 0);
  CHECK_ROW(operation_name(op), server_requests(s) == CALLS);
  av_client_free(client);
  server_stop(s);
}

static void creates(void) {
  server *s = server_start(serve_one_each, NULL);
  av_client *client = watched_client(server_url(s));
  worker sum;
  int i, twice = 0, never = 0;
  work(client, CREATE, CREATES, create, &sum);
  av_client_free(client);
  server_stop(s);
  for (i = 0; i < CREATES; i++) {
    twice += came[i] > 1;
    never += came[i] == 0;
  }
  printf("%d creates, closed after each: %d sent twice, %d of unknown outcome, %d never came, %d other errors\n", CREATES,
         twice, sum.unknown, never, sum.other);
  CHECK(twice == 0);
  CHECK(sum.other == 0);
  CHECK(sum.repeated == 0);
  /* What is said to be unknown is what was lost, no more. */
  CHECK(never == sum.unknown);
}

/* The pooled connection takes the request with it: a get goes again, a create does not. */
static void died_with_request(void) {
  static const operation operations[] = {GET, LIST_JSON, CREATE, CREATE_JSON};
  size_t i;
  for (i = 0; i < 4; i++) {
    operation op = operations[i];
    server *s = server_start(serve_and_die, NULL);
    av_client *client = watched_client(server_url(s));
    av_request_options options;
    call made = call_make(client, GET, NULL);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.response = av_response_new();
    CHECK(made.status == AV_STATUS_OK);
    call_free(&made);
    requests_died = 0;
    made = call_make(client, op, &options);
    CHECK_ROW(operation_name(op), __atomic_load_n(&requests_died, __ATOMIC_SEQ_CST) == 1);
    CHECK_ROW(operation_name(op), av_response_attempts(options.response) == 1);
    if (operation_reads(op)) {
      CHECK_ROW(operation_name(op), made.status == AV_STATUS_OK);
      CHECK_ROW(operation_name(op), server_connections(s) == 2);
    } else {
      CHECK_ROW(operation_name(op), made.status == AV_STATUS_TRANSPORT);
      CHECK_ROW(operation_name(op), av_error_outcome(made.error) == AV_OUTCOME_UNKNOWN);
      CHECK_ROW(operation_name(op), av_error_is_retryable(made.error) == 0);
      CHECK_ROW(operation_name(op), server_connections(s) == 1);
      watched(made.error);
    }
    call_free(&made);
    av_response_free(options.response);
    av_client_free(client);
    server_stop(s);
  }
}

/* A create takes a pooled connection that was used just now, but none that has been idle for 2 s,
 * which the service may have given up unnoticed; a get takes either. */
static void idle_connections(void) {
  struct timespec two_seconds = {2, 50000000};
  server *s[2];
  av_client *clients[2];
  const operation op[2] = {CREATE, GET};
  size_t i, connections[2];
  for (i = 0; i < 2; i++) {
    double begun = now_ms();
    call made;
    s[i] = server_start(serve_well, NULL);
    clients[i] = watched_client(server_url(s[i]));
    made = call_make(clients[i], op[i], NULL);
    call_free(&made);
    made = call_make(clients[i], op[i], NULL);
    CHECK(made.status == AV_STATUS_OK);
    connections[i] = server_connections(s[i]);
    /* "Just now" it was not, where the machine stood still meanwhile. */
    CHECK(connections[i] == 1 || (op[i] == CREATE && now_ms() - begun >= 2000));
    call_free(&made);
  }
  nanosleep(&two_seconds, NULL);
  for (i = 0; i < 2; i++) {
    call made = call_make(clients[i], op[i], NULL);
    CHECK(made.status == AV_STATUS_OK);
    printf("a %s after 2 s of rest: %zu connections\n", operation_name(op[i]), server_connections(s[i]));
    CHECK(server_connections(s[i]) == connections[i] + (op[i] == CREATE));
    call_free(&made);
    av_client_free(clients[i]);
    server_stop(s[i]);
  }
}

int main(void) {
  repeatable(GET);
  repeatable(DELETE);
  creates();
  died_with_request();
  idle_connections();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
