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

enum { THREADS = 32, CALLS = 600, TRIES = 5 };

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
  CHECK(is_slowed() || now_ms() - begin < 1.5 * (CALLS / 60.0 * 2000));
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
  double took[TRIES];
  size_t requests, i;
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
  printf("a %s at a gate closed for longer than its time\n", operation_name(closed));
  for (i = 0; i < TRIES; i++) {
    moment begin = moment_here();
    made = call_make(client, closed, NULL);
    took[i] = since(begin);
    CHECK(made.status == AV_STATUS_RATE_LIMITED);
    CHECK(av_error_attempts(made.error) == 0);
    CHECK(av_error_http_status(made.error) == 0);
    CHECK(av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED);
    CHECK(av_error_is_retryable(made.error) == 1);
    CHECK(av_error_retry_after_ms(made.error) > 5000 && av_error_retry_after_ms(made.error) <= 30000);
    CHECK(server_requests(s) == requests);
    watched(made.error);
    call_free(&made);
  }
  CHECK_WITHIN("  is told so", took, TRIES, 50);

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

/* The count alone closes it: none is left for a while, of so many seconds, so the next call is not
 * sent only to be refused; and it is sent as soon as that while is over. */
static void serve_the_last(server *s, int connection, void *data) {
  char headers[200];
  request it;
  snprintf(headers, sizeof headers, "X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Retry-After: %d\r\n", *(const int *)data);
  while (server_receive(s, connection, &it)) server_answer(connection, "200 OK", headers, TOKEN_BODY);
}

/* A client that has just used up the limit. */
static av_client *client_at_the_limit(const server *s) {
  av_client *client = watched_client(server_url(s));
  call made = call_make(client, GET, NULL);
  CHECK(made.status == AV_STATUS_OK);
  call_free(&made);
  return client;
}

static void counted(void) {
  double at_once[TRIES], after[TRIES];
  int minute = 60, second = 1;
  size_t i;
  for (i = 0; i < TRIES; i++) {
    server *s = server_start(serve_the_last, &minute);
    av_client *client = client_at_the_limit(s);
    av_request_options options;
    moment begin;
    call made;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.timeout_ms = 50;
    begin = moment_here();
    made = call_make(client, GET, &options);
    at_once[i] = since(begin);
    CHECK(made.status == AV_STATUS_RATE_LIMITED && av_error_attempts(made.error) == 0);
    call_free(&made);
    av_client_free(client);
    server_stop(s);

    s = server_start(serve_the_last, &second);
    begin = moment_here();
    client = client_at_the_limit(s);
    made = call_make(client, GET, NULL);
    CHECK(now_ms() - begin.now > 990);
    after[i] = since(begin);
    CHECK(made.status == AV_STATUS_OK);
    call_free(&made);
    av_client_free(client);
    server_stop(s);
  }
  CHECK_WITHIN("none left, and no time", at_once, TRIES, 25);
  CHECK_WITHIN("none left for a second", after, TRIES, 1300);
}

/* A create that the gate lets through shortly before its deadline has time left, or is not sent: it
 * is never sent just to be told as unknown (but where the service takes 100 ms to be run at all). Those
 * that are tried wait beside each other, but do not come to their ends together. */
typedef struct in_time {
  pthread_t thread;
  int is_done, is_not_sent;
} in_time;

static void *create_in_time(void *argument) {
  in_time *it = (in_time *)argument;
  int wait = 5;
  server *s = server_start(serve_the_last, &wait);
  av_client *client = watched_client(server_url(s));
  av_request_options options;
  call made = call_make(client, CREATE, NULL);
  size_t before = server_requests(s);
  if (made.status != AV_STATUS_OK) exit(2);
  call_free(&made);
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.timeout_ms = 5200;
  made = call_make(client, CREATE, &options);
  it->is_done = made.status == AV_STATUS_OK;
  it->is_not_sent = av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED && server_requests(s) == before;
  call_free(&made);
  av_client_free(client);
  server_stop(s);
  return NULL;
}

static void just_in_time(void) {
  in_time all[TRIES];
  int i, done = 0, not_sent = 0;
  for (i = 0; i < TRIES; i++) {
    if (i > 0) usleep(500000);
    if (pthread_create(&all[i].thread, NULL, create_in_time, &all[i]) != 0) exit(2);
  }
  for (i = 0; i < TRIES; i++) {
    pthread_join(all[i].thread, NULL);
    done += all[i].is_done;
    not_sent += !all[i].is_done && all[i].is_not_sent;
  }
  printf("let through 200 ms before the deadline: %d done, %d not sent, %d unknown\n", done, not_sent, TRIES - done - not_sent);
  CHECK(is_slowed() || done + not_sent > TRIES / 2);
}

/* "At once" is no time at all to wait: a service that says so again and again is not hammered. */
static void serve_at_once(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it))
    server_answer(connection, "429 Too Many Requests", "Retry-After: 0\r\n", "{}");
}

typedef struct later {
  const server *s;
  av_cancel *cancel;
} later;

/* After a second, and more than one request. */
static void *cancel_later(void *argument) {
  const later *it = (const later *)argument;
  do usleep(1000000);
  while (server_requests(it->s) < 2);
  av_cancel_trigger(it->cancel);
  return NULL;
}

static void at_once(void) {
  server *s = server_start(serve_at_once, NULL);
  av_client *client = watched_client(server_url(s));
  av_cancel *cancel = av_cancel_new();
  av_request_options options;
  later it = {s, cancel};
  double begin = now_ms(), seconds;
  pthread_t thread;
  call made;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = cancel;
  options.timeout_ms = 60000; /* so long that no wait is too late */
  if (pthread_create(&thread, NULL, cancel_later, &it) != 0) exit(2);
  made = call_make(client, GET, &options);
  seconds = (now_ms() - begin) / 1000;
  pthread_join(thread, NULL);
  printf("429 with Retry-After: 0 for %.1f s: %zu requests\n", seconds, server_requests(s));
  CHECK(made.status == AV_STATUS_CANCELLED && av_error_http_status(made.error) == 429);
  CHECK((double)server_requests(s) < 50 * seconds);
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
  int second = 1, i;
  server *s = server_start(serve_the_last, &second);
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
  /* Another one has to wait, unless the second has passed by then. */
  for (i = 0; i < TRIES && it.told == 0; i++) {
    begin = now_ms();
    made = call_make(it.client, DELETE, NULL);
    printf("a call from within the trace of a wait: both are back after %.0f ms\n", now_ms() - begin);
    CHECK(made.status == AV_STATUS_OK);
    CHECK(now_ms() - begin < 15000);
    call_free(&made);
  }
  CHECK(it.calls == 1 && it.status == AV_STATUS_OK);
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

/* ----------------------------------------------------- a gate that another thread's answer has closed */

/* The first request of all fails, and asks to wait a second; the second one closes the gate. */
static void serve_a_failure_then_close(server *s, int connection, void *data) {
  request it;
  int *answered = (int *)data;
  while (server_receive(s, connection, &it)) {
    if (__atomic_add_fetch(answered, 1, __ATOMIC_SEQ_CST) == 1)
      server_answer(connection, "503 Service Unavailable", "Retry-After: 1\r\n", "{\"title\":\"Busy\"}");
    else
      server_answer(connection, "429 Too Many Requests", "X-RateLimit-Remaining: 0\r\nX-RateLimit-Retry-After: 30\r\n", "{\"title\":\"Slow down\"}");
  }
}

typedef struct getter {
  const av_client *client;
  av_request_options options;
  call made;
} getter;

static void *get_once(void *argument) {
  getter *it = (getter *)argument;
  it->made = call_make(it->client, GET, &it->options);
  return NULL;
}

/* Told that the first call is to be tried again, it waits until the other one has closed the gate. */
static void hold_the_first(void *userdata, int32_t level, const char *line) {
  (void)level;
  if (strstr(line, "status 503")) wait_until((const int *)userdata, 1, "a gate closed by another");
}

/* What the call's own attempt came to is told, and how long the gate stays closed. */
static void closed_by_another(void) {
  int answered = 0, is_closed = 0;
  server *s = server_start(serve_a_failure_then_close, &answered);
  av_client_config config = config_for(server_url(s));
  av_client *client;
  getter first;
  call other;
  pthread_t thread;
  config.trace_fn = hold_the_first;
  config.trace_userdata = &is_closed;
  config.trace_level = AV_TRACE_INFO;
  client = client_of(&config);
  memset(&first, 0, sizeof first);
  first.client = client;
  first.options.struct_size = sizeof first.options;
  if (pthread_create(&thread, NULL, get_once, &first) != 0) exit(2);
  wait_until(&answered, 1, "the first attempt");
  other = call_make(client, GET, NULL);
  __atomic_store_n(&is_closed, 1, __ATOMIC_SEQ_CST);
  pthread_join(thread, NULL);
  CHECK(other.status == AV_STATUS_RATE_LIMITED);
  CHECK(first.made.status == AV_STATUS_SERVER && av_error_http_status(first.made.error) == 503);
  CHECK(av_error_retry_after_ms(first.made.error) > 25000);
  CHECK(av_error_attempts(first.made.error) == 1 && server_requests(s) == 2);
  printf("  the gate closed by another while it waits to try again: %s\n", watched(first.made.error));
  call_free(&first.made);
  call_free(&other);
  av_client_free(client);
  server_stop(s);
}

/* ------------------------------------------------------------------- an answer that does not come */

/* Allows one more, and never answers that. */
static void serve_one_and_no_more(server *s, int connection, void *data) {
  request it;
  int *asked = (int *)data;
  while (server_receive(s, connection, &it)) {
    if (__atomic_add_fetch(asked, 1, __ATOMIC_SEQ_CST) == 1)
      server_answer(connection, "200 OK", "X-RateLimit-Limit: 2\r\nX-RateLimit-Remaining: 1\r\nX-RateLimit-Retry-After: 30\r\n", TOKEN_BODY);
    else
      server_swallow(connection);
  }
}

/* The last that is allowed is under way: what it will tell is waited for, but not beyond one's time. */
static void behind_one_without_an_answer(void) {
  int asked = 0;
  server *s = server_start(serve_one_and_no_more, &asked);
  av_client *client = watched_client(server_url(s));
  av_request_options short_time;
  getter it;
  call made = call_make(client, GET, NULL);
  pthread_t thread;
  double took[TRIES];
  size_t i;
  CHECK(made.status == AV_STATUS_OK);
  call_free(&made);
  memset(&it, 0, sizeof it);
  it.client = client;
  it.options.struct_size = sizeof it.options;
  it.options.cancel = av_cancel_new();
  if (pthread_create(&thread, NULL, get_once, &it) != 0) exit(2);
  wait_until(&asked, 2, "the last that is allowed");
  memset(&short_time, 0, sizeof short_time);
  short_time.struct_size = sizeof short_time;
  short_time.timeout_ms = 300;
  for (i = 0; i < TRIES; i++) {
    moment begin = moment_here();
    made = call_make(client, GET, &short_time);
    CHECK(now_ms() - begin.now >= 299);
    took[i] = since(begin);
    CHECK(made.status == AV_STATUS_RATE_LIMITED && av_error_attempts(made.error) == 0);
    CHECK(server_requests(s) == 2);
    watched(made.error);
    call_free(&made);
  }
  CHECK_WITHIN("  behind one without an answer", took, TRIES, 350);
  av_cancel_trigger(it.options.cancel);
  pthread_join(thread, NULL);
  call_free(&it.made);
  av_cancel_free(it.options.cancel);
  av_client_free(client);
  server_stop(s);
}

/* --------------------------------------------------------- a trace function that takes all the time */

enum { SHORT_MS = 1900, LONG_MS = 3000 };

static void serve_two_seconds(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it))
    server_answer(connection, "429 Too Many Requests", "X-RateLimit-Remaining: 0\r\nX-RateLimit-Retry-After: 2\r\n", "{}");
}

/* Told that the call waits for the gate, it comes back when the call's time is over. */
static void come_back_too_late(void *userdata, int32_t level, const char *line) {
  double over = *(const double *)userdata + LONG_MS + 50;
  (void)level;
  if (!strstr(line, "for the rate limit")) return;
  while (now_ms() < over) usleep(1000);
}

/* Then nothing is sent any more; what the call's last attempt came to is told, if it has made one. */
static void late_by_its_own_trace(void) {
  server *s = server_start(serve_two_seconds, NULL);
  av_client_config config = config_for(server_url(s));
  av_request_options short_time;
  av_client *client;
  call made;
  double begin;
  config.timeout_ms = LONG_MS;
  config.trace_fn = come_back_too_late;
  config.trace_userdata = &begin;
  config.trace_level = AV_TRACE_INFO;
  client = client_of(&config);
  memset(&short_time, 0, sizeof short_time);
  short_time.struct_size = sizeof short_time;
  short_time.timeout_ms = SHORT_MS;
  begin = now_ms();
  made = call_make(client, GET, &short_time); /* closes the gate */
  CHECK(made.status == AV_STATUS_RATE_LIMITED && av_error_attempts(made.error) == 1);
  call_free(&made);

  begin = now_ms();
  made = call_make(client, GET, NULL);
  CHECK(made.status == AV_STATUS_TIMEOUT && av_error_attempts(made.error) == 0);
  CHECK(av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED && server_requests(s) == 1);
  printf("  late by its own trace function: %s\n", watched(made.error));
  call_free(&made);

  begin = now_ms();
  made = call_make(client, GET, NULL);
  CHECK(made.status == AV_STATUS_RATE_LIMITED && av_error_attempts(made.error) == 1);
  CHECK(server_requests(s) == 2);
  printf("  the same after an attempt: %s\n", watched(made.error));
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
  closed_by_another();
  behind_one_without_an_answer();
  late_by_its_own_trace();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
