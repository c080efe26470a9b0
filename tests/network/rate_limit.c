/* Many threads and a service that allows few requests: all calls are done, hardly any is refused on
 * its way, and what cannot be done in time is told at once. */
#include "support/call.h"
#include "support/check.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/watch.h"

#include <pthread.h>
#include <unistd.h>

enum { THREADS = 32, CALLS = 600 };

typedef struct worker {
  const av_client *client;
  pthread_t thread;
  int calls, done, failed;
  double longest;
} worker;

static void *list_pages(void *argument) {
  worker *it = (worker *)argument;
  int i;
  for (i = 0; i < it->calls; i++) {
    double begin = now_ms(), took;
    call made = call_make(it->client, LIST, NULL);
    took = now_ms() - begin;
    if (took > it->longest) it->longest = took;
    if (made.status == AV_STATUS_OK) it->done++;
    else if (it->failed++ == 0) fprintf(stderr, "%s\n", watched(made.error));
    call_free(&made);
  }
  return NULL;
}

static void crowd(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--rate-limit", "60/2", "--seed", "3", NULL};
  local_api *service = local_api_start(arguments);
  av_client_config config = watched_config(local_api_url(service));
  av_client *client;
  worker workers[THREADS];
  ledger ledger;
  double begin = now_ms(), longest = 0;
  int i, done = 0, most = THREADS + CALLS / 20;
  config.timeout_ms = 120000;
  client = client_of(&config);
  memset(workers, 0, sizeof workers);
  for (i = 0; i < THREADS; i++) {
    workers[i].client = client;
    workers[i].calls = CALLS / THREADS + (i < CALLS % THREADS);
    if (pthread_create(&workers[i].thread, NULL, list_pages, &workers[i]) != 0) exit(2);
  }
  for (i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    done += workers[i].done;
    if (workers[i].longest > longest) longest = workers[i].longest;
  }
  ledger = ledger_of(local_api_url(service));
  printf("60 requests in 2 s, %d threads, %d calls: %d done in %.1f s (the limit allows %.0f s), %zu answered 429 (at most %d), the longest call %.1f s\n",
         THREADS, CALLS, done, (now_ms() - begin) / 1000, CALLS / 60.0 * 2 - 2, ledger.rate_limited, most, longest / 1000);
  CHECK(done == CALLS);
  CHECK(ledger.rate_limited <= (size_t)most);
  CHECK(ledger.requests == CALLS + ledger.rate_limited);
  /* Held back, but not for longer than need be. */
  CHECK(now_ms() - begin < 1.5 * (CALLS / 60.0 * 2000));
  ledger_free(&ledger);
  av_client_free(client);
  local_api_stop(service);
}

/* --------------------------------------------------------------------------------- the single gate */

/* Answers GETs well and refuses what writes for 30 s, or the other way round. */
static void serve_one_kind(server *s, int connection, void *data) {
  const char *refused = (const char *)data;
  request it;
  while (server_receive(s, connection, &it)) {
    if (it.method[0] == *refused || (*refused == 'W' && it.method[0] != 'G'))
      server_answer(connection, "429 Too Many Requests",
                    "X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Retry-After: 30\r\n", "{\"title\":\"Slow down\"}");
    else if (it.method[0] == 'D')
      server_send(connection, "HTTP/1.1 204 No Content\r\n\r\n");
    else
      server_answer(connection, "200 OK", "", TOKEN_BODY);
  }
}

static const char reads[] = "G", writes[] = "W";

/* Reads and writes have gates of their own; a closed one is told at once, with nothing sent; and who
 * may make one attempt only passes by. */
static void gates(const char *refused) {
  static const operation both[2] = {GET, CREATE};
  server *s = server_start(serve_one_kind, (void *)(size_t)refused);
  av_client_config config = watched_config(server_url(s));
  operation closed = both[refused == writes], open = both[refused == reads];
  av_request_options once;
  av_client *client;
  call made;
  double begin;
  size_t requests;
  config.timeout_ms = 5000;
  client = client_of(&config);
  memset(&once, 0, sizeof once);
  once.struct_size = sizeof once;
  once.max_attempts = 1;

  made = call_make(client, closed, NULL);
  CHECK(made.status == AV_STATUS_RATE_LIMITED);
  CHECK(av_error_attempts(made.error) == 1 && av_error_http_status(made.error) == 429);
  CHECK(av_error_retry_after_ms(made.error) == 30000);
  call_free(&made);

  requests = server_requests(s);
  begin = now_ms();
  made = call_make(client, closed, NULL);
  printf("a %s at a gate closed for longer than its time: %s after %.2f ms, %u attempts\n", operation_name(closed),
         av_status_name(made.status), now_ms() - begin, (unsigned)av_error_attempts(made.error));
  CHECK(made.status == AV_STATUS_RATE_LIMITED);
  CHECK(now_ms() - begin < 50);
  CHECK(av_error_attempts(made.error) == 0);
  CHECK(av_error_http_status(made.error) == 0);
  CHECK(av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED);
  CHECK(av_error_is_retryable(made.error) == 1);
  CHECK(av_error_retry_after_ms(made.error) > 25000 && av_error_retry_after_ms(made.error) <= 30000);
  CHECK(server_requests(s) == requests);
  watched(made.error);
  call_free(&made);

  /* The twins and the delete are behind the same gate. */
  made = call_make(client, closed == GET ? LIST_JSON : DELETE, NULL);
  CHECK(made.status == AV_STATUS_RATE_LIMITED && av_error_attempts(made.error) == 0);
  call_free(&made);

  made = call_make(client, open, NULL);
  CHECK(made.status == AV_STATUS_OK);
  call_free(&made);

  requests = server_requests(s);
  made = call_make(client, closed, &once);
  CHECK(made.status == AV_STATUS_RATE_LIMITED);
  CHECK(av_error_attempts(made.error) == 1 && av_error_http_status(made.error) == 429);
  CHECK(server_requests(s) == requests + 1);
  call_free(&made);
  av_client_free(client);
  server_stop(s);
}

/* The count alone closes it: none is left for a while, so the next call is not sent only to be
 * refused; and it is sent as soon as that while is over. */
static void serve_the_last(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it))
    server_answer(connection, "200 OK", "X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Retry-After: 1\r\n", TOKEN_BODY);
}

static void counted(void) {
  server *s = server_start(serve_the_last, NULL);
  av_client *client = watched_client(server_url(s));
  av_request_options options;
  call made = call_make(client, GET, NULL);
  double begin = now_ms(), took;
  CHECK(made.status == AV_STATUS_OK);
  call_free(&made);
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.timeout_ms = 500;
  made = call_make(client, GET, &options);
  CHECK(made.status == AV_STATUS_RATE_LIMITED && av_error_attempts(made.error) == 0);
  CHECK(now_ms() - begin < 100);
  call_free(&made);
  made = call_make(client, GET, NULL);
  took = now_ms() - begin;
  printf("none left for a second: the next is sent after %.0f ms\n", took);
  CHECK(made.status == AV_STATUS_OK);
  CHECK(took > 990 && took < 1300);
  call_free(&made);
  av_client_free(client);
  server_stop(s);
}

/* A create that the gate lets through shortly before its deadline has time left, or is not sent: it
 * is never sent just to be told as unknown. */
static void just_in_time(void) {
  int i, done = 0, not_sent = 0;
  for (i = 0; i < 4; i++) {
    server *s = server_start(serve_the_last, NULL);
    av_client *client = watched_client(server_url(s));
    av_request_options options;
    call made = call_make(client, CREATE, NULL);
    size_t before = server_requests(s);
    CHECK(made.status == AV_STATUS_OK);
    call_free(&made);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.timeout_ms = 1030;
    made = call_make(client, CREATE, &options);
    done += made.status == AV_STATUS_OK;
    not_sent += made.status != AV_STATUS_OK;
    CHECK(made.status == AV_STATUS_OK || (av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED && server_requests(s) == before));
    call_free(&made);
    av_client_free(client);
    server_stop(s);
  }
  printf("let through 30 ms before the deadline: %d done, %d not sent, none unknown\n", done, not_sent);
}

/* "At once" is no time at all to wait: a service that says so again and again is not hammered. */
static void serve_at_once(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it))
    server_answer(connection, "429 Too Many Requests", "Retry-After: 0\r\n", "{}");
}

static void *cancel_in_a_second(void *cancel) {
  usleep(1000000);
  av_cancel_trigger((av_cancel *)cancel);
  return NULL;
}

static void at_once(void) {
  server *s = server_start(serve_at_once, NULL);
  av_client *client = watched_client(server_url(s));
  av_cancel *cancel = av_cancel_new();
  av_request_options options;
  pthread_t thread;
  call made;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = cancel;
  options.timeout_ms = 60000; /* so long that no wait is too late */
  if (pthread_create(&thread, NULL, cancel_in_a_second, cancel) != 0) exit(2);
  made = call_make(client, GET, &options);
  pthread_join(thread, NULL);
  printf("429 with Retry-After: 0 for a second: %zu requests\n", server_requests(s));
  CHECK(made.status == AV_STATUS_CANCELLED && av_error_http_status(made.error) == 429);
  CHECK(server_requests(s) > 1 && server_requests(s) < 50);
  call_free(&made);
  av_cancel_free(cancel);
  av_client_free(client);
  server_stop(s);
}

/* The trace tells of the wait, and what is told may call again: it is not held up by its own call. */
typedef struct again {
  av_client *client;
  int told, calls;
  av_status status;
} again;

static void call_again(void *userdata, int32_t level, const char *line) {
  again *it = (again *)userdata;
  (void)level;
  if (strstr(line, "rate limit") == NULL || it->told++ > 0) return;
  it->status = av_tokens_delete(it->client, TOKEN, NULL, NULL);
  it->calls++;
}

static void called_while_waiting(void) {
  server *s = server_start(serve_the_last, NULL);
  av_client_config config = config_for(server_url(s));
  again it;
  call made;
  double begin;
  memset(&it, 0, sizeof it);
  config.trace_fn = call_again;
  config.trace_userdata = &it;
  config.trace_level = AV_TRACE_INFO;
  it.client = client_of(&config);
  made = call_make(it.client, DELETE, NULL);
  CHECK(made.status == AV_STATUS_OK);
  call_free(&made);
  begin = now_ms();
  made = call_make(it.client, DELETE, NULL);
  printf("a call from within the trace of a wait: both are back after %.0f ms\n", now_ms() - begin);
  CHECK(made.status == AV_STATUS_OK && it.calls == 1 && it.status == AV_STATUS_OK);
  CHECK(now_ms() - begin < 5000);
  call_free(&made);
  av_client_free(it.client);
  server_stop(s);
}

/* More than a minute is told to the one who got it, and to nobody else. */
static void serve_an_hour(server *s, int connection, void *data) {
  request it;
  int *answered = (int *)data;
  while (server_receive(s, connection, &it)) {
    if (__atomic_add_fetch(answered, 1, __ATOMIC_SEQ_CST) == 1)
      server_answer(connection, "429 Too Many Requests", "Retry-After: 3600\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Retry-After: 3600\r\n", "{}");
    else
      server_answer(connection, "200 OK", "", TOKEN_BODY);
  }
}

static void an_hour(void) {
  int answered = 0;
  server *s = server_start(serve_an_hour, &answered);
  av_client *client = watched_client(server_url(s));
  call made = call_make(client, GET, NULL);
  CHECK(made.status == AV_STATUS_RATE_LIMITED);
  CHECK(av_error_retry_after_ms(made.error) == 3600000);
  call_free(&made);
  made = call_make(client, GET, NULL);
  CHECK(made.status == AV_STATUS_OK);
  call_free(&made);
  av_client_free(client);
  server_stop(s);
}

int main(void) {
  crowd();
  gates(writes);
  gates(reads);
  counted();
  just_in_time();
  at_once();
  called_while_waiting();
  an_hour();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
