/* What av_response tells of the answer to a call, whether that succeeded or failed: of the last
 * attempt of the last call, and of nothing else. */
#include "support/call.h"
#include "support/check.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/watch.h"

#include <pthread.h>

/* Answers each request with the next text, as it is, and closes after the last. */
typedef struct script {
  const char *const *texts;
  size_t next;
  int hold, held; /* waits, before the first answer, until released */
} script;

static void serve_script(server *s, int connection, void *data) {
  script *it = (script *)data;
  request asked;
  while (server_receive(s, connection, &asked)) {
    /* One request comes after the other, but a connection's thread may go on amid the next one's. */
    size_t now = __atomic_load_n(&it->next, __ATOMIC_SEQ_CST);
    if (!it->texts[now]) return;
    __atomic_store_n(&it->next, now + 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&it->held, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&it->hold, __ATOMIC_SEQ_CST)) wait_until(&it->hold, 2, "the test lets the answer go");
    if (!server_send(connection, it->texts[now]) || !it->texts[now + 1]) return;
  }
}

static av_request_options with(av_response *response) {
  av_request_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.response = response;
  return options;
}

#define NOTHING "\r\nContent-Length: 0\r\n\r\n"

/* ---------------------------------------------------------------------------------- what it tells */

static void success_and_failure(void) {
  static const char *const texts[] = {
      "HTTP/1.1 200 OK\r\nX-Request-Id: one\r\nx-REQUEST-id: two\r\nX-Empty:\r\nX-Bytes: \xff\xc3\r\n"
      "X-Spaces:   a  b   \r\nX-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 41\r\nX-RateLimit-Retry-After: 17\r\n"
      "Content-Length: 36\r\n\r\n{\"token\":\"" TOKEN "\"}",
      "HTTP/1.1 404 Not Found\r\nX-Request-Id: three\r\nContent-Length: 2\r\n\r\n{}",
      NULL};
  script script = {texts, 0, 0, 0};
  server *s = server_start(serve_script, &script);
  av_client *client = watched_client(server_url(s));
  av_response *response = av_response_new();
  av_request_options options = with(response);
  int64_t limit, remaining, reset;
  call made = call_make(client, GET, &options);
  CHECK(made.status == AV_STATUS_OK);
  call_free(&made);
  CHECK(av_response_http_status(response) == 200);
  CHECK(av_response_attempts(response) == 1);
  CHECK(texts_equal(av_response_header(response, "x-request-id"), "one"));
  CHECK(texts_equal(av_response_header(response, "X-REQUEST-ID"), "one"));
  CHECK(texts_equal(av_response_header(response, "X-Request-Id"), "one"));
  CHECK(texts_equal(av_response_header(response, "X-Empty"), ""));
  CHECK(texts_equal(av_response_header(response, "X-Bytes"), "\xff\xc3"));
  CHECK(texts_equal(av_response_header(response, "X-Spaces"), "a  b"));
  CHECK(texts_equal(av_response_header(response, "Content-Length"), "36"));
  CHECK(av_response_header(response, "X-Absent") == NULL);
  CHECK(av_response_header(response, "X-Request") == NULL);
  CHECK(av_response_header(response, "X-Request-Id:") == NULL);
  CHECK(av_response_header(response, "") == NULL);
  CHECK(av_response_header(response, "one") == NULL);
  CHECK(av_response_header(response, "\xff") == NULL);
  CHECK(av_response_header(response, NULL) == NULL);
  CHECK(av_response_rate_limit(response, &limit, &remaining, &reset) == 1);
  CHECK(limit == 60 && remaining == 41 && reset == 17);
  CHECK(av_response_rate_limit(response, NULL, NULL, NULL) == 1);
  limit = 5;
  CHECK(av_response_rate_limit(response, &limit, NULL, NULL) == 1 && limit == 60);

  /* Of the next call only what belongs to that. */
  made = call_make(client, DELETE, &options);
  CHECK(made.status == AV_STATUS_NOT_FOUND);
  CHECK(av_response_http_status(response) == 404);
  CHECK(av_response_attempts(response) == 1);
  CHECK(texts_equal(av_response_header(response, "X-Request-Id"), "three"));
  CHECK(av_response_header(response, "X-Spaces") == NULL);
  limit = remaining = reset = 5;
  CHECK(av_response_rate_limit(response, &limit, &remaining, &reset) == 0);
  CHECK(limit == -1 && remaining == -1 && reset == -1);
  call_free(&made);

  /* The peer closes on it, thrice. */
  made = call_make(client, GET, &options);
  CHECK(made.status == AV_STATUS_TRANSPORT);
  CHECK(av_response_http_status(response) == 0);
  CHECK(av_response_attempts(response) == 3);
  CHECK(av_response_header(response, "X-Request-Id") == NULL);
  call_free(&made);

  /* A call that is refused resets it too. */
  made.status = av_tokens_get(client, "", &options, &made.token, NULL);
  CHECK(made.status == AV_STATUS_INVALID_ARGUMENT);
  CHECK(av_response_attempts(response) == 0);
  av_response_free(response);
  av_client_free(client);
  server_stop(s);
}

/* Each row's answers to a GET: of which the last is told, and how many there were. */
static void last_attempt(void) {
  static const char *const retried[] = {"HTTP/1.1 503 Oh\r\nX-Which: first\r\nX-First: 1\r\nX-RateLimit-Limit: 7" NOTHING,
                                        "HTTP/1.1 200 OK\r\nX-Which: second\r\nContent-Length: 36\r\n\r\n{\"token\":\"" TOKEN "\"}", NULL};
  static const char *const broken_off[] = {"HTTP/1.1 503 Oh\r\nX-Which: first" NOTHING, "HTTP/1.1 50", NULL};
  static const char *const odd_limits[] = {"HTTP/1.1 200 OK\r\nX-RateLimit-Limit: -5\r\nX-RateLimit-Remaining: many\r\n"
                                           "X-RateLimit-Retry-After: 99999999999999999999999\r\n"
                                           "Content-Length: 36\r\n\r\n{\"token\":\"" TOKEN "\"}", NULL};
  static const char *const redirected[] = {"HTTP/1.1 302 Found\r\nLocation: /elsewhere" NOTHING, NULL};
  static const char *const no_json[] = {"HTTP/1.1 200 OK\r\nX-Which: only\r\nContent-Length: 2\r\n\r\n{]", NULL};
  static const struct {
    const char *name;
    const char *const *texts;
    av_status status;
    int32_t http_status;
    uint32_t attempts, max_attempts;
    const char *header, *value;
    int32_t limits_told;
  } rows[] = {
      {"retried", retried, AV_STATUS_OK, 200, 2, 0, "x-which", "second", 0},
      {"nothing of the first", retried, AV_STATUS_OK, 200, 2, 0, "X-First", NULL, 0},
      {"broken off", broken_off, AV_STATUS_TRANSPORT, 0, 2, 2, "X-Which", NULL, 0},
      {"odd limits", odd_limits, AV_STATUS_OK, 200, 1, 0, "X-RateLimit-Remaining", "many", 0},
      {"redirected", redirected, AV_STATUS_DECODE, 302, 1, 0, "location", "/elsewhere", 0},
      {"no JSON", no_json, AV_STATUS_DECODE, 200, 1, 0, "x-which", "only", 0},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    script script = {rows[i].texts, 0, 0, 0};
    server *s = server_start(serve_script, &script);
    av_client *client = watched_client(server_url(s));
    av_response *response = av_response_new();
    av_request_options options = with(response);
    call made;
    options.max_attempts = rows[i].max_attempts;
    made = call_make(client, GET, &options);
    CHECK_ROW(rows[i].name, made.status == rows[i].status);
    CHECK_ROW(rows[i].name, av_response_http_status(response) == rows[i].http_status);
    CHECK_ROW(rows[i].name, av_response_attempts(response) == rows[i].attempts);
    CHECK_ROW(rows[i].name, texts_equal(av_response_header(response, rows[i].header), rows[i].value));
    CHECK_ROW(rows[i].name, av_response_rate_limit(response, NULL, NULL, NULL) == rows[i].limits_told);
    call_free(&made);
    av_response_free(response);
    av_client_free(client);
    server_stop(s);
  }
}

/* ------------------------------------------------------------------------------- how it may be used */

typedef struct caller {
  const av_client *client;
  av_request_options options;
  call made;
} caller;

static void *make_call(void *argument) {
  caller *it = (caller *)argument;
  it->made = call_make(it->client, GET, &it->options);
  return NULL;
}

/* While one call has it, another is refused, and the first is none the worse for it; freed meanwhile,
 * the call goes on. */
static void in_use(int freed) {
  static const char *const texts[] = {"HTTP/1.1 200 OK\r\nX-Which: first\r\nContent-Length: 36\r\n\r\n{\"token\":\"" TOKEN "\"}", NULL};
  script script = {texts, 0, 1, 0};
  server *s = server_start(serve_script, &script);
  av_client *client = watched_client(server_url(s));
  av_response *response = av_response_new();
  caller first = {client, with(response), {GET, 0, NULL, NULL, NULL, NULL}};
  pthread_t thread;
  if (pthread_create(&thread, NULL, make_call, &first) != 0) exit(2);
  wait_until(&script.held, 1, "the first call's request");
  if (freed) {
    av_response_free(response);
  } else {
    call second = call_make(client, GET, &first.options);
    CHECK(second.status == AV_STATUS_INVALID_ARGUMENT);
    CHECK(strstr(av_error_message(second.error), "response") != NULL);
    CHECK(av_error_outcome(second.error) == AV_OUTCOME_NOT_APPLIED);
    call_free(&second);
    CHECK(server_requests(s) == 1);
    /* It may be read meanwhile. */
    CHECK(av_response_attempts(response) == 1);
  }
  __atomic_store_n(&script.hold, 2, __ATOMIC_SEQ_CST);
  pthread_join(thread, NULL);
  CHECK(first.made.status == AV_STATUS_OK);
  call_free(&first.made);
  if (!freed) {
    CHECK(texts_equal(av_response_header(response, "x-which"), "first"));
    av_response_free(response);
  }
  av_client_free(client);
  server_stop(s);
}

static void null_everywhere(void) {
  int64_t limit = 5, remaining = 5, reset = 5;
  av_response *response = av_response_new();
  CHECK(response != NULL);
  CHECK(av_response_http_status(NULL) == 0);
  CHECK(av_response_attempts(NULL) == 0);
  CHECK(av_response_header(NULL, "Date") == NULL);
  CHECK(av_response_header(NULL, NULL) == NULL);
  CHECK(av_response_rate_limit(NULL, &limit, &remaining, &reset) == 0);
  CHECK(limit == -1 && remaining == -1 && reset == -1);
  CHECK(av_response_rate_limit(NULL, NULL, NULL, NULL) == 0);
  av_response_free(NULL);
  /* A new one knows nothing either. */
  CHECK(av_response_http_status(response) == 0);
  CHECK(av_response_attempts(response) == 0);
  CHECK(av_response_header(response, "Date") == NULL);
  CHECK(av_response_rate_limit(response, &limit, &remaining, &reset) == 0);
  av_response_free(response);
}

/* It is a handle of its own: one that was used with a client outlives it, and serves another. */
static void outlives_its_client(void) {
  static const char *const texts[] = {"HTTP/1.1 200 OK\r\nX-Which: a\r\nContent-Length: 36\r\n\r\n{\"token\":\"" TOKEN "\"}",
                                      "HTTP/1.1 200 OK\r\nX-Which: b\r\nContent-Length: 36\r\n\r\n{\"token\":\"" TOKEN "\"}", NULL};
  script script = {texts, 0, 0, 0};
  server *s = server_start(serve_script, &script);
  av_response *response = av_response_new();
  av_request_options options = with(response);
  int i;
  for (i = 0; i < 2; i++) {
    av_client *client = watched_client(server_url(s));
    call made = call_make(client, GET, &options);
    CHECK(made.status == AV_STATUS_OK);
    call_free(&made);
    av_client_free(client);
    CHECK(texts_equal(av_response_header(response, "x-which"), i == 0 ? "a" : "b"));
  }
  av_response_free(response);
  server_stop(s);
}

int main(void) {
  success_and_failure();
  last_attempt();
  in_use(0);
  in_use(1);
  null_everywhere();
  outlives_its_client();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
