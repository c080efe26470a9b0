/* Errors keep what the service said, tell what may have happened, and give no secret away. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"
#include "support/peer.h"

#include <time.h>

/* ------------------------------------------------------------------------------------ statuses */

typedef struct status_row {
  const char *line;
  int32_t http_status;
  av_status status;
  int32_t outcome;  /* of a call that writes: a read never changes anything */
  int is_temporary; /* whether the same answer is not to be expected the next time */
} status_row;

static const status_row status_rows[] = {
    {"400 Bad Request", 400, AV_STATUS_REJECTED, AV_OUTCOME_NOT_APPLIED, 0},
    {"401 Unauthorized", 401, AV_STATUS_UNAUTHORIZED, AV_OUTCOME_NOT_APPLIED, 0},
    {"402 Payment Required", 402, AV_STATUS_REJECTED, AV_OUTCOME_NOT_APPLIED, 0},
    {"403 Forbidden", 403, AV_STATUS_UNAUTHORIZED, AV_OUTCOME_NOT_APPLIED, 0},
    {"404 Not Found", 404, AV_STATUS_NOT_FOUND, AV_OUTCOME_NOT_APPLIED, 0},
    {"405 Method Not Allowed", 405, AV_STATUS_REJECTED, AV_OUTCOME_NOT_APPLIED, 0},
    {"407 Proxy Authentication Required", 407, AV_STATUS_REJECTED, AV_OUTCOME_NOT_APPLIED, 0},
    /* Told by whoever waited for the request: it may have gone on meanwhile. */
    {"408 Request Timeout", 408, AV_STATUS_REJECTED, AV_OUTCOME_UNKNOWN, 1},
    {"409 Conflict", 409, AV_STATUS_REJECTED, AV_OUTCOME_NOT_APPLIED, 0},
    {"413 Content Too Large", 413, AV_STATUS_REJECTED, AV_OUTCOME_NOT_APPLIED, 0},
    {"422 Unprocessable Content", 422, AV_STATUS_REJECTED, AV_OUTCOME_NOT_APPLIED, 0},
    {"429 Too Many Requests", 429, AV_STATUS_RATE_LIMITED, AV_OUTCOME_NOT_APPLIED, 1},
    {"499 Client Closed Request", 499, AV_STATUS_REJECTED, AV_OUTCOME_NOT_APPLIED, 0},
    {"500 Internal Server Error", 500, AV_STATUS_SERVER, AV_OUTCOME_UNKNOWN, 1},
    {"501 Not Implemented", 501, AV_STATUS_SERVER, AV_OUTCOME_UNKNOWN, 0},
    {"502 Bad Gateway", 502, AV_STATUS_SERVER, AV_OUTCOME_UNKNOWN, 1},
    {"503 Service Unavailable", 503, AV_STATUS_SERVER, AV_OUTCOME_UNKNOWN, 1},
    {"504 Gateway Timeout", 504, AV_STATUS_SERVER, AV_OUTCOME_UNKNOWN, 1},
    {"505 HTTP Version Not Supported", 505, AV_STATUS_SERVER, AV_OUTCOME_UNKNOWN, 0},
    {"599 Odd", 599, AV_STATUS_SERVER, AV_OUTCOME_UNKNOWN, 1},
};

/* Every status upon every call: the same client and connection serve them all. */
static void statuses(void) {
  static const char body[] = "{\"type\":\"about:blank\",\"title\":\"It went wrong.\"}";
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  size_t i, requests = 0;
  operation op;
  for (i = 0; i < sizeof status_rows / sizeof status_rows[0]; i++) {
    const status_row *it = &status_rows[i];
    for (op = CREATE; op < OPERATIONS; op = (operation)(op + 1)) {
      int32_t outcome = operation_reads(op) ? AV_OUTCOME_NOT_APPLIED : it->outcome;
      int creates = op == CREATE || op == CREATE_JSON;
      int retryable = it->is_temporary && (!creates || outcome == AV_OUTCOME_NOT_APPLIED);
      char row[128], number[16];
      call made;
      snprintf(row, sizeof row, "%s upon %s", it->line, operation_name(op));
      snprintf(number, sizeof number, "%d", (int)it->http_status);
      peer_answer_json(p, it->line, body);
      made = call_make(client, op, NULL);
      requests++;
      CHECK_ROW(row, made.status == it->status);
      CHECK_ROW(row, !call_gave(&made));
      CHECK_ROW(row, av_error_status(made.error) == it->status);
      CHECK_ROW(row, av_error_http_status(made.error) == it->http_status);
      CHECK_ROW(row, av_error_outcome(made.error) == outcome);
      CHECK_ROW(row, av_error_is_retryable(made.error) == retryable);
      CHECK_ROW(row, av_error_attempts(made.error) == 1);
      CHECK_ROW(row, av_error_retry_after_ms(made.error) == -1);
      CHECK_ROW(row, texts_equal(av_error_body(made.error, NULL), body));
      CHECK_ROW(row, texts_equal(av_error_problem_title(made.error), "It went wrong."));
      CHECK_ROW(row, strncmp(av_error_message(made.error), operation_shown(op), strlen(operation_shown(op))) == 0);
      CHECK_ROW(row, strstr(av_error_message(made.error), number) != NULL);
      CHECK_ROW(row, strstr(av_error_message(made.error), "It went wrong") != NULL);
      call_free(&made);
    }
  }
  CHECK(peer_request_count(p) == requests);
  CHECK(peer_connection_count(p) == 1);
  av_client_free(client);
  peer_stop(p);
}

/* ------------------------------------------------------------------------------------ problems */

typedef struct problem {
  const char *type, *title, *detail, *name;
} problem;

typedef struct problem_row {
  const char *name;
  const char *body;
  problem told;
  size_t count;
  problem problems[3];
} problem_row;

#define TYPE "https://docs.api.video/reference/"
#define NOTHING {NULL, NULL, NULL, NULL}
#define NO_PROBLEMS 0, {NOTHING, NOTHING, NOTHING}

static const problem_row problem_rows[] = {
    {"a 400 as published",
     "{\"title\":\"This parameter is out of the allowed range of values.\",\"name\":\"page\",\"status\":400,\"range\":{\"min\":1},"
     "\"problems\":[{\"title\":\"This parameter is out of the allowed range of values.\",\"name\":\"page\",\"range\":{\"min\":1}},"
     "{\"type\":\"" TYPE "invalid-attribute\",\"title\":\"An attribute is invalid.\",\"name\":\"ttl\",\"detail\":\"This value must be of type integer.\"}]}",
     {NULL, "This parameter is out of the allowed range of values.", NULL, "page"},
     2,
     {{NULL, "This parameter is out of the allowed range of values.", NULL, "page"},
      {TYPE "invalid-attribute", "An attribute is invalid.", "This value must be of type integer.", "ttl"},
      NOTHING}},
    {"all of it", "{\"type\":\"" TYPE "x\",\"title\":\"T\",\"detail\":\"D\",\"name\":\"N\"}", {TYPE "x", "T", "D", "N"}, NO_PROBLEMS},
    {"details", "{\"title\":\"T\",\"details\":\"D\",\"problems\":[{\"details\":\"d\"}]}", {NULL, "T", "D", NULL}, 1, {{NULL, NULL, "d", NULL}, NOTHING, NOTHING}},
    {"detail and details", "{\"details\":\"second\",\"detail\":\"first\"}", {NULL, NULL, "first", NULL}, NO_PROBLEMS},
    {"detail null, and details", "{\"detail\":null,\"details\":\"D\"}", {NULL, NULL, "D", NULL}, NO_PROBLEMS},
    {"an empty name", "{\"type\":\"" TYPE "authentication-invalid-user-credentials\",\"title\":\"The user credentials were incorrect.\",\"name\":\"\",\"status\":400}",
     {TYPE "authentication-invalid-user-credentials", "The user credentials were incorrect.", NULL, ""}, NO_PROBLEMS},
    {"all null", "{\"type\":null,\"title\":null,\"detail\":null,\"name\":null,\"problems\":null}", NOTHING, NO_PROBLEMS},
    {"of other types", "{\"type\":5,\"title\":{},\"detail\":[\"D\"],\"name\":true,\"problems\":\"P\"}", NOTHING, NO_PROBLEMS},
    {"empty problems", "{\"title\":\"T\",\"problems\":[]}", {NULL, "T", NULL, NULL}, NO_PROBLEMS},
    {"a problem about nothing", "{\"problems\":[{},{\"name\":\"\"},{\"title\":\"T\"}]}", NOTHING, 3, {NOTHING, {NULL, NULL, NULL, ""}, {NULL, "T", NULL, NULL}}},
    {"another status in the body", "{\"title\":\"T\",\"status\":200}", {NULL, "T", NULL, NULL}, NO_PROBLEMS},
    /* A NUL would hide from C what follows it. */
    {"NUL in it", "{\"title\":\"be\\u0000fore\",\"name\":\"\\u0000\",\"problems\":[{\"detail\":\"a\\u0000b\\u0000\"}]}", {NULL, "be\xEF\xBF\xBD" "fore", NULL, "\xEF\xBF\xBD"},
     1, {{NULL, NULL, "a\xEF\xBF\xBD" "b\xEF\xBF\xBD", NULL}, NOTHING, NOTHING}},
    {"escapes in it", "{\"t\\u0069tle\":\"caf\\u00e9 \\ud83d\\ude00\\n\"}", {NULL, "caf\xC3\xA9 \xF0\x9F\x98\x80\n", NULL, NULL}, NO_PROBLEMS},
    {"a key twice", "{\"title\":\"first\",\"title\":\"last\"}", {NULL, "last", NULL, NULL}, NO_PROBLEMS},
    {"not JSON", "Bad Request", NOTHING, NO_PROBLEMS},
    {"HTML", "<html><head><title>400 Bad Request</title></head></html>", NOTHING, NO_PROBLEMS},
    {"empty", "", NOTHING, NO_PROBLEMS},
    {"null", "null", NOTHING, NO_PROBLEMS},
    {"an array", "[{\"title\":\"T\"}]", NOTHING, NO_PROBLEMS},
    {"a string", "\"T\"", NOTHING, NO_PROBLEMS},
    {"truncated", "{\"title\":\"T\",\"deta", NOTHING, NO_PROBLEMS},
    {"trailing garbage", "{\"title\":\"T\"} x", NOTHING, NO_PROBLEMS},
    {"invalid UTF-8", "{\"title\":\"\xFF\"}", NOTHING, NO_PROBLEMS},
};

static void check_problem(const char *row, const av_error *error, const problem *expected) {
  CHECK_ROW(row, texts_equal(av_error_problem_type(error), expected->type));
  CHECK_ROW(row, texts_equal(av_error_problem_title(error), expected->title));
  CHECK_ROW(row, texts_equal(av_error_problem_detail(error), expected->detail));
  CHECK_ROW(row, texts_equal(av_error_problem_name(error), expected->name));
}

static void check_problem_at(const char *row, const av_error *error, size_t index, const problem *expected) {
  CHECK_ROW(row, texts_equal(av_error_problem_type_at(error, index), expected->type));
  CHECK_ROW(row, texts_equal(av_error_problem_title_at(error, index), expected->title));
  CHECK_ROW(row, texts_equal(av_error_problem_detail_at(error, index), expected->detail));
  CHECK_ROW(row, texts_equal(av_error_problem_name_at(error, index), expected->name));
}

static void problems(void) {
  static const problem nothing = NOTHING;
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  size_t i, at;
  for (i = 0; i < sizeof problem_rows / sizeof problem_rows[0]; i++) {
    const problem_row *it = &problem_rows[i];
    size_t length = 7;
    const char *body;
    call made;
    peer_answer_json(p, "400 Bad Request", it->body);
    made = call_make(client, LIST, NULL);
    CHECK_ROW(it->name, made.status == AV_STATUS_REJECTED);
    CHECK_ROW(it->name, av_error_http_status(made.error) == 400);
    check_problem(it->name, made.error, &it->told);
    CHECK_ROW(it->name, av_error_problem_count(made.error) == it->count);
    for (at = 0; at < it->count; at++) check_problem_at(it->name, made.error, at, &it->problems[at]);
    check_problem_at(it->name, made.error, it->count, &nothing);
    check_problem_at(it->name, made.error, SIZE_MAX, &nothing);
    body = av_error_body(made.error, &length);
    CHECK_ROW(it->name, texts_equal(body, it->body) && length == strlen(it->body));
    /* One line, whatever the service says. */
    CHECK_ROW(it->name, strpbrk(av_error_message(made.error), "\r\n") == NULL);
    CHECK_ROW(it->name, strncmp(av_error_message(made.error), "GET /upload-tokens: 400", 23) == 0);
    /* The title is in the message, up to where its sentence ends. */
    if (it->told.title) {
      char title[128];
      snprintf(title, sizeof title, "%.*s", (int)strcspn(it->told.title, ".\n\xEF"), it->told.title);
      CHECK_ROW(it->name, strstr(av_error_message(made.error), title) != NULL);
    }
    call_free(&made);
  }
  av_client_free(client);
  peer_stop(p);
}

/* Every single problem is kept, however many. */
static void many_problems(void) {
  char body[16384], expected[16];
  size_t length = (size_t)snprintf(body, sizeof body, "{\"title\":\"T\",\"problems\":[");
  size_t i;
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  call made;
  for (i = 0; i < 500; i++)
    length += (size_t)snprintf(body + length, sizeof body - length, "%s{\"name\":\"p%zu\"}", i ? "," : "", i);
  snprintf(body + length, sizeof body - length, "]}");
  peer_answer_json(p, "400 Bad Request", body);
  made = call_make(client, CREATE, NULL);
  CHECK(av_error_problem_count(made.error) == 500);
  for (i = 0; i < 500; i += 499) {
    snprintf(expected, sizeof expected, "p%zu", i);
    CHECK(texts_equal(av_error_problem_name_at(made.error, i), expected));
  }
  CHECK(av_error_problem_name_at(made.error, 500) == NULL);
  call_free(&made);
  av_client_free(client);
  peer_stop(p);
}

/* ---------------------------------------------------------------------------------- retry-after */

typedef struct wait_row {
  const char *name;
  const char *head;
  int64_t wait_ms;
} wait_row;

#define DATE "Date: Mon, 23 Nov 2026 10:00:00 GMT\r\n"

static const wait_row wait_rows[] = {
    {"seconds", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n", 7000},
    {"no time at all", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\n", 0},
    {"the service's own", "HTTP/1.1 429 Too Many Requests\r\nX-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Retry-After: 12\r\n", 12000},
    {"in small letters", "HTTP/1.1 429 Too Many Requests\r\nx-ratelimit-retry-after: 12\r\n", 12000},
    {"both, the one is longer", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 9\r\nX-RateLimit-Retry-After: 3\r\n", 9000},
    {"both, the other is longer", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nX-RateLimit-Retry-After: 9\r\n", 9000},
    {"a date", "HTTP/1.1 429 Too Many Requests\r\n" DATE "Retry-After: Mon, 23 Nov 2026 10:01:30 GMT\r\n", 90000},
    {"a date that has passed", "HTTP/1.1 429 Too Many Requests\r\n" DATE "Retry-After: Mon, 23 Nov 2026 09:59:59 GMT\r\n", 0},
    {"a date, and the service's own", "HTTP/1.1 429 Too Many Requests\r\n" DATE "Retry-After: Mon, 23 Nov 2026 10:00:05 GMT\r\nX-RateLimit-Retry-After: 3\r\n", 5000},
    {"of a 503", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 120\r\n", 120000},
    {"of a 503, a date", "HTTP/1.1 503 Service Unavailable\r\n" DATE "Retry-After: Mon, 23 Nov 2026 10:00:01 GMT\r\n", 1000},
    {"of a 403", "HTTP/1.1 403 Forbidden\r\nRetry-After: 5\r\n", 5000},
    {"the service's own, but no 429", "HTTP/1.1 503 Service Unavailable\r\nX-RateLimit-Retry-After: 12\r\n", -1},
    {"no header", "HTTP/1.1 429 Too Many Requests\r\n", -1},
    {"empty", "HTTP/1.1 429 Too Many Requests\r\nRetry-After:\r\n", -1},
    {"a word", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: soon\r\n", -1},
    {"negative", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: -5\r\n", -1},
    {"a fraction", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1.5\r\n", 2000},
    {"a fraction of the service's own", "HTTP/1.1 429 Too Many Requests\r\nX-RateLimit-Retry-After: 0.2\r\n", 1000},
    {"a sign", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: +5\r\n", 5000},
    {"a sign of the service's own", "HTTP/1.1 429 Too Many Requests\r\nX-RateLimit-Retry-After: +5\r\n", 5000},
    {"a date as in ISO 8601", "HTTP/1.1 503 Service Unavailable\r\n" DATE "Retry-After: 2026-11-23T10:01:30Z\r\n", 90000},
    {"the same with an offset", "HTTP/1.1 429 Too Many Requests\r\n" DATE "Retry-After: 2026-11-23 11:01:30+0100\r\n", 90000},
    {"a date without offset", "HTTP/1.1 429 Too Many Requests\r\n" DATE "Retry-After: 2026-11-23T10:01:30\r\n", -1},
    {"a number and more", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5s\r\n", -1},
    {"nonsense beside a number", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: soon\r\nX-RateLimit-Retry-After: 4\r\n", 4000},
    {"longer than a year is a year", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 999999999999999999999999\r\n", INT64_C(31536000000)},
    {"long, but told", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 31535999\r\n", INT64_C(31535999000)},
};

static void waits(void) {
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  size_t i;
  for (i = 0; i < sizeof wait_rows / sizeof wait_rows[0]; i++) {
    const wait_row *it = &wait_rows[i];
    char answer[512];
    call made;
    snprintf(answer, sizeof answer, "%sContent-Length: 2\r\n\r\n{}", it->head);
    peer_answer_text(p, answer, PEER_KEEP);
    made = call_make(client, GET, NULL);
    CHECK_ROW(it->name, !call_gave(&made));
    if (!CHECK_ROW(it->name, av_error_retry_after_ms(made.error) == it->wait_ms))
      fprintf(stderr, "  %lld\n", (long long)av_error_retry_after_ms(made.error));
    call_free(&made);
  }
  av_client_free(client);
  peer_stop(p);
}

/* Without the answer's own Date, a date is one by the clock here. */
static void date_by_this_clock(void) {
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  time_t soon = time(NULL) + 100;
  char answer[256], date[64];
  call made;
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&soon));
  snprintf(answer, sizeof answer, "HTTP/1.1 503 Busy\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
  peer_answer_text(p, answer, PEER_KEEP);
  made = call_make(client, GET, NULL);
  CHECK(av_error_retry_after_ms(made.error) > 80000);
  CHECK(av_error_retry_after_ms(made.error) <= 100000);
  call_free(&made);
  av_client_free(client);
  peer_stop(p);
}

/* ---------------------------------------------------------------------------------------- bodies */

/* Sends `head` and `length` bytes of `body`, told to be `told`, and returns the error of a create. */
static av_error *error_of(const char *head, const char *body, size_t length, size_t told) {
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  size_t head_length;
  char *answer = (char *)malloc(strlen(head) + length + 64);
  call made;
  if (!answer) exit(2);
  head_length = (size_t)sprintf(answer, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", head, told);
  memcpy(answer + head_length, body, length);
  peer_answer(p, answer, head_length + length, told > length ? PEER_CLOSE : PEER_KEEP);
  made = call_make(client, CREATE, NULL);
  CHECK(!call_gave(&made));
  /* What the error holds outlives all else. */
  av_client_free(client);
  peer_stop(p);
  free(answer);
  return made.error;
}

static void bodies(void) {
  static const char with_nul[] = "a\0b\0\xFF\0";
  static const char cut[] = "{\"title\":\"The service is being";
  static const size_t cap = 65536;
  size_t lengths[4];
  size_t length = 7, i;
  char *large = (char *)malloc(200000);
  av_error *error;
  const char *body;
  if (!large) exit(2);

  error = error_of("500 Oops", with_nul, sizeof with_nul - 1, sizeof with_nul - 1);
  body = av_error_body(error, &length);
  CHECK(length == sizeof with_nul - 1);
  CHECK(body != NULL && length == sizeof with_nul - 1 && memcmp(body, with_nul, sizeof with_nul) == 0);
  CHECK(av_error_body(error, NULL) == body);
  av_error_free(error);

  /* No byte is an answer too, another one than none. */
  error = error_of("500 Oops", "", 0, 0);
  body = av_error_body(error, &length);
  CHECK(texts_equal(body, "") && length == 0);
  av_error_free(error);

  lengths[0] = cap - 1, lengths[1] = cap, lengths[2] = cap + 1, lengths[3] = 200000;
  for (i = 0; i < 200000; i++) large[i] = (char)('a' + i % 26);
  for (i = 0; i < 4; i++) {
    size_t expected = lengths[i] < cap ? lengths[i] : cap;
    error = error_of("502 Bad Gateway", large, lengths[i], lengths[i]);
    CHECK(av_error_status(error) == AV_STATUS_SERVER && av_error_http_status(error) == 502);
    body = av_error_body(error, &length);
    CHECK(length == expected);
    CHECK(body != NULL && length == expected && memcmp(body, large, length) == 0 && body[length] == 0);
    av_error_free(error);
  }

  /* The head beats the body: what the status says holds even if the rest never comes. */
  error = error_of("503 Service Unavailable\r\nRetry-After: 5", cut, sizeof cut - 1, 1000);
  CHECK(av_error_status(error) == AV_STATUS_SERVER);
  CHECK(av_error_http_status(error) == 503);
  CHECK(av_error_outcome(error) == AV_OUTCOME_UNKNOWN);
  CHECK(av_error_retry_after_ms(error) == 5000);
  CHECK(texts_equal(av_error_body(error, &length), cut) && length == sizeof cut - 1);
  av_error_free(error);
  error = error_of("404 Not Found", "", 0, 1000);
  CHECK(av_error_status(error) == AV_STATUS_NOT_FOUND);
  CHECK(av_error_http_status(error) == 404);
  CHECK(av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
  av_error_free(error);
  free(large);
}

/* Chunks that make no sense do not hide the status either. */
static void bad_chunks(void) {
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  call made;
  peer_answer_text(p, "HTTP/1.1 429 Slow\r\nRetry-After: 2\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", PEER_CLOSE);
  made = call_make(client, CREATE, NULL);
  CHECK(made.status == AV_STATUS_RATE_LIMITED);
  CHECK(av_error_http_status(made.error) == 429);
  CHECK(av_error_retry_after_ms(made.error) == 2000);
  CHECK(av_error_is_retryable(made.error) == 1);
  call_free(&made);
  av_client_free(client);
  peer_stop(p);
}

/* What a gateway says is no problem document, but it is there to be looked at. */
static void html(void) {
  static const char page[] = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body></body>\r\n</html>\r\n";
  av_error *error = error_of("502 Bad Gateway\r\nContent-Type: text/html", page, sizeof page - 1, sizeof page - 1);
  CHECK(av_error_status(error) == AV_STATUS_SERVER);
  CHECK(av_error_problem_title(error) == NULL);
  CHECK(texts_equal(av_error_body(error, NULL), page));
  CHECK(strstr(av_error_message(error), "502") != NULL);
  CHECK(strpbrk(av_error_message(error), "\r\n") == NULL);
  av_error_free(error);
}

/* Nothing came: there is nothing to tell, and every question has its answer. */
static void without_answer(void) {
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  size_t length = 7;
  call made;
  peer_answer_text(p, "", PEER_CLOSE);
  made = call_make(client, DELETE, NULL);
  CHECK(made.status == AV_STATUS_TRANSPORT);
  CHECK(av_error_http_status(made.error) == 0);
  CHECK(av_error_body(made.error, &length) == NULL && length == 0);
  CHECK(av_error_problem_type(made.error) == NULL && av_error_problem_title(made.error) == NULL);
  CHECK(av_error_problem_detail(made.error) == NULL && av_error_problem_name(made.error) == NULL);
  CHECK(av_error_problem_count(made.error) == 0 && av_error_problem_title_at(made.error, 0) == NULL);
  CHECK(av_error_retry_after_ms(made.error) == -1);
  CHECK(av_error_attempts(made.error) == 1);
  call_free(&made);
  av_client_free(client);
  peer_stop(p);
}

/* --------------------------------------------------------------------------------------- secrets */

#define KEY "sk_live_0123456789abcdef"
#define KEY_ENCODED "c2tfbGl2ZV8wMTIzNDU2Nzg5YWJjZGVmOg=="
#define BEARER "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.signature"
#define AWKWARD_TOKEN "to:1t cm\xC3\xA9SFHeYY5KzyhO"
#define AWKWARD_TOKEN_ENCODED "to%3A1t%20cm%C3%A9SFHeYY5KzyhO"
#define DOTTED_TOKEN "to1tcmSFHeYY5KzyhOqVKM.."
#define SHORT_TOKEN "to45678901234xy"

/* What the service repeats, wherever it can. */
static const char *const repeated[] = {
    "{\"title\":\"No access for %s.\"}",
    "{\"title\":\"No access for %s\"}",
    "{\"title\":\"T\",\"detail\":\"%s %s\"}",
    "{\"detail\":\"(%s)\"}",
    "{\"title\":\"T\",\"name\":\"%s\"}",
    "{\"title\":\"T\",\"problems\":[{\"title\":\"x\",\"detail\":\"of %s\"},{\"name\":\"%s\"}]}",
    "{\"type\":\"https://x/%s\",\"title\":\"%s\",\"problems\":[{\"type\":\"%s\",\"title\":\"%s\"}]}",
    "<html>%s</html>",
};

typedef struct secret_row {
  const char *name;
  const char *token;     /* what is asked for */
  const char *repeated;  /* what the service says */
  const char *forbidden; /* what the message must not hold */
  const char *allowed;   /* what it may hold, and does at its beginning */
} secret_row;

static const secret_row secret_rows[] = {
    {"the key", TOKEN, KEY, KEY, "GET /upload-tokens/to1t"},
    {"the key as sent", TOKEN, "Basic " KEY_ENCODED, KEY_ENCODED, "GET /upload-tokens/to1t"},
    {"the key in two ways", TOKEN, KEY ":" KEY_ENCODED, KEY, "GET /upload-tokens/to1t"},
    {"the key in itself", TOKEN, "sk_live_" KEY "0123456789abcdef", KEY, "GET /upload-tokens/to1t"},
    {"the bearer", TOKEN, "Bearer " BEARER, BEARER, "GET /upload-tokens/to1t"},
    {"the token", TOKEN, TOKEN, "to1tc", "GET /upload-tokens/to1t"},
    {"the token's end", TOKEN, TOKEN, "MKb", "GET /upload-tokens/to1t"},
    {"the token in a path", TOKEN, "/upload-tokens/" TOKEN "?x", TOKEN, "GET /upload-tokens/to1t"},
    {"an awkward token", AWKWARD_TOKEN, AWKWARD_TOKEN, "cm\xC3\xA9SFHeYY5Kzyh", "GET /upload-tokens/to:1"},
    {"an awkward token as sent", AWKWARD_TOKEN, AWKWARD_TOKEN_ENCODED, "SFHeYY5Kzyh", "GET /upload-tokens/to:1"},
    {"a token that ends as a sentence", DOTTED_TOKEN, DOTTED_TOKEN, "SFHeYY5Kzyh", "GET /upload-tokens/to1t"},
    {"a short token", SHORT_TOKEN, SHORT_TOKEN, "to4", "GET /upload-tokens/"},
    {"a short token's end", SHORT_TOKEN, SHORT_TOKEN, "4xy", "GET /upload-tokens/"},
    {"a token of 16", "to456789012345xy", "to456789012345xy", "to4567", "GET /upload-tokens/to45"},
};

static void check_secret(const secret_row *it, const av_client *client) {
  av_token *token = NULL;
  av_error *error = NULL;
  const char *message;
  CHECK_ROW(it->name, av_tokens_get(client, it->token, NULL, &token, &error) != AV_STATUS_OK);
  message = av_error_message(error);
  if (!CHECK_ROW(it->name, strstr(message, it->forbidden) == NULL)) fprintf(stderr, "  %s\n", message);
  CHECK_ROW(it->name, strncmp(message, it->allowed, strlen(it->allowed)) == 0);
  CHECK_ROW(it->name, strstr(message, KEY) == NULL && strstr(message, KEY_ENCODED) == NULL);
  CHECK_ROW(it->name, strstr(message, BEARER) == NULL);
  CHECK_ROW(it->name, strstr(message, it->token) == NULL);
  av_error_free(error);
}

/* Whatever the service says, the message holds no credential, and of a token the first 4 and last 2
 * characters at most. */
static void secrets(void) {
  size_t i, at, of;
  for (of = 0; of < 2; of++) {
    peer *p = peer_start();
    av_client_config config = config_for(peer_url(p));
    av_client *client;
    config.api_key = of == 0 ? KEY : NULL;
    config.access_token = of == 0 ? NULL : BEARER;
    config.max_attempts = 1;
    client = client_of(&config);
    for (i = 0; i < sizeof secret_rows / sizeof secret_rows[0]; i++) {
      const secret_row *it = &secret_rows[i];
      const char *said = it->repeated;
      char text[1024];
      /* A client knows its own credential alone, and so what to hide. */
      if ((of == 0 && strstr(said, BEARER)) || (of == 1 && (strstr(said, KEY) || strstr(said, KEY_ENCODED)))) continue;
      for (at = 0; at < sizeof repeated / sizeof repeated[0]; at++) {
        const char *from = repeated[at];
        char *to = text;
        while (*from) {
          if (from[0] == '%' && from[1] == 's') {
            to += sprintf(to, "%s", said);
            from += 2;
          } else {
            *to++ = *from++;
          }
        }
        *to = 0;
        peer_answer_json(p, "403 Forbidden", text);
        check_secret(it, client);
      }
      snprintf(text, sizeof text, "HTTP/1.1 302 Found\r\nLocation: https://x.example/?%s\r\nContent-Length: 0\r\n\r\n", said);
      peer_answer_text(p, text, PEER_KEEP);
      check_secret(it, client);
      /* Where the service puts it into what should be HTTP or JSON. */
      snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%s\r\nContent-Length: 0\r\n\r\n", said);
      peer_answer_text(p, text, PEER_CLOSE);
      check_secret(it, client);
      snprintf(text, sizeof text, "{\"token\":5,\"%s\":1}", said);
      peer_answer_json(p, "200 OK", text);
      check_secret(it, client);
    }
    av_client_free(client);
    peer_stop(p);
  }
}

/* Hiding a token of a letter or two must not make nonsense of what is said. */
static void short_tokens_leave_the_words_alone(void) {
  static const char *const tokens[] = {"a", "e", "on", " ", "the"};
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  size_t i;
  for (i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
    av_token *token = NULL;
    av_error *error = NULL;
    peer_answer_text(p, "", PEER_CLOSE);
    CHECK_ROW(tokens[i], av_tokens_get(client, tokens[i], NULL, &token, &error) == AV_STATUS_TRANSPORT);
    CHECK_ROW(tokens[i], strstr(av_error_message(error), "the connection broke while waiting for the answer") != NULL);
    av_error_free(error);
    error = NULL;
    peer_answer_json(p, "404 Not Found", "");
    CHECK_ROW(tokens[i], av_tokens_get(client, tokens[i], NULL, &token, &error) == AV_STATUS_NOT_FOUND);
    if (!CHECK_ROW(tokens[i], strstr(av_error_message(error), "404 Not Found") != NULL))
      fprintf(stderr, "  %s\n", av_error_message(error));
    av_error_free(error);
  }
  av_client_free(client);
  peer_stop(p);
}

int main(void) {
  statuses();
  problems();
  many_problems();
  waits();
  date_by_this_clock();
  bodies();
  bad_chunks();
  html();
  without_answer();
  secrets();
  short_tokens_leave_the_words_alone();
  return checks_report();
}
