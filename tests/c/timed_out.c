/* Time runs out for a call whatever its peer does or leaves undone, and then it is told what may have
 * happened by then. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"
#include "support/moment.h"
#include "support/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a call may take, which comes meanwhile to where it is to be stuck, and when it is to be back by
 * promise. */
#define TIMEOUT_MS time_for(1200)
#define BACK_WITHIN_MS (TIMEOUT_MS + 50)
/* Of each; one does where time cannot be bounded. */
enum { MOST_TRIES = 3 };
#define TRIES (is_slowed() ? 1u : (size_t)MOST_TRIES)

/* That it took all of its time: the clock of the library is read in whole milliseconds. */
static void check_time(const char *row, double took) {
  if (!CHECK_ROW(row, took >= TIMEOUT_MS - 1)) fprintf(stderr, "  took %.1f ms\n", took);
}

static void check_timeout(const char *row, const call *made, int32_t outcome, int32_t http_status, int retryable, const char *word) {
  const char *shown = operation_shown(made->op), *message = av_error_message(made->error);
  CHECK_ROW(row, made->status == AV_STATUS_TIMEOUT);
  CHECK_ROW(row, !call_gave(made));
  CHECK_ROW(row, av_error_outcome(made->error) == outcome);
  CHECK_ROW(row, av_error_http_status(made->error) == http_status);
  CHECK_ROW(row, av_error_is_retryable(made->error) == retryable);
  if (!CHECK_ROW(row, strstr(message, word) != NULL && strncmp(message, shown, strlen(shown)) == 0)) fprintf(stderr, "  %s\n", message);
}

/* --------------------------------------------------------------------------- peers that are there */

typedef struct stall_row {
  const char *name;
  operation op;
  const char *answer; /* what comes of it, */
  peer_end end;       /* and then nothing, or next to nothing */
  int32_t outcome, http_status;
  int retryable;
  const char *word;
} stall_row;

#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
#define UNKNOWN AV_OUTCOME_UNKNOWN, 0, 0
#define UNKNOWN_BUT_HARMLESS AV_OUTCOME_UNKNOWN, 0, 1
#define NOTHING_DONE AV_OUTCOME_NOT_APPLIED, 0, 1

static const stall_row stall_rows[] = {
    {"a create, no answer", CREATE, "", PEER_STALL, UNKNOWN, "waiting for the answer"},
    {"a get, no answer", GET, "", PEER_STALL, NOTHING_DONE, "waiting for the answer"},
    {"a delete, no answer", DELETE, "", PEER_STALL, UNKNOWN_BUT_HARMLESS, "waiting for the answer"},
    {"a create, half a head", CREATE, "HTTP/1.1 200 OK\r\nContent-Le", PEER_STALL, UNKNOWN, "waiting for the answer"},
    {"a create, an interim answer", CREATE_JSON, "HTTP/1.1 100 Continue\r\n\r\n", PEER_STALL, UNKNOWN, "waiting for the answer"},
    {"a create, half a body", CREATE, HEAD "{\"token\":\"", PEER_STALL, AV_OUTCOME_APPLIED, 200, 0, "reading the answer"},
    {"a create, no body", CREATE, HEAD, PEER_STALL, AV_OUTCOME_UNKNOWN, 200, 0, "reading the answer"},
    {"a create, half a page", CREATE_JSON, HEAD "<html>", PEER_STALL, AV_OUTCOME_UNKNOWN, 200, 0, "reading the answer"},
    {"a delete, no body", DELETE, HEAD, PEER_STALL, AV_OUTCOME_UNKNOWN, 200, 1, "reading the answer"},
    {"a list, half a body", LIST, HEAD "{\"data\":[", PEER_STALL, AV_OUTCOME_NOT_APPLIED, 200, 1, "reading the answer"},
    {"a create, half of the chunks", CREATE, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", PEER_STALL, AV_OUTCOME_APPLIED, 200, 0, "reading the answer"},
    {"a create, a dripping head", CREATE, "HTTP/1.1 200 OK\r\nX-Slow: ", PEER_DRIP, UNKNOWN, "waiting for the answer"},
    {"a create, a dripping body", CREATE, HEAD "{\"token\":\"", PEER_DRIP, AV_OUTCOME_APPLIED, 200, 0, "reading the answer"},
    {"a get, a dripping body", GET_JSON, HEAD "{", PEER_DRIP, AV_OUTCOME_NOT_APPLIED, 200, 1, "reading the answer"},
};

#define STALLS (sizeof stall_rows / sizeof stall_rows[0])

/* The client's own time, or on every other row that of the call, which is asked for instead. */
static av_client *client_with_time(const char *url, int of_call) {
  av_client_config config = config_for(url);
  config.max_attempts = 1;
  config.timeout_ms = of_call ? 20000 : TIMEOUT_MS;
  return client_of(&config);
}

static av_request_options options_with_time(int of_call) {
  av_request_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.timeout_ms = of_call ? TIMEOUT_MS : 0;
  return options;
}

/* A row's call, made by a thread of its own. */
typedef struct stalled {
  const stall_row *row;
  int of_call;
  pthread_t thread;
  peer *p;
  av_client *client;
  call made[MOST_TRIES], next[MOST_TRIES];
  double whole[MOST_TRIES], took[MOST_TRIES];
} stalled;

static void *stall(void *argument) {
  stalled *self = (stalled *)argument;
  av_request_options options = options_with_time(self->of_call), long_options = options_with_time(0);
  size_t i;
  long_options.timeout_ms = 60000; /* what this one takes is not the question */
  for (i = 0; i < TRIES; i++) {
    moment begin = moment_here();
    self->made[i] = call_make(self->client, self->row->op, &options);
    self->whole[i] = now_ms() - begin.now;
    self->took[i] = since(begin);
    answer_well(self->p, self->row->op);
    self->next[i] = call_make(self->client, self->row->op, &long_options);
    if (i + 1 < TRIES) peer_answer_text(self->p, self->row->answer, self->row->end);
  }
  return NULL;
}

/* All rows at once: they only wait. */
static void stalls(void) {
  stalled all[STALLS];
  size_t i, k;
  for (i = 0; i < STALLS; i++) {
    stalled *it = &all[i];
    it->row = &stall_rows[i];
    it->of_call = i % 2 == 1;
    it->p = peer_start();
    it->client = client_with_time(peer_url(it->p), it->of_call);
    peer_answer_text(it->p, it->row->answer, it->row->end);
    if (pthread_create(&it->thread, NULL, stall, it) != 0) exit(2);
  }
  for (i = 0; i < STALLS; i++) {
    stalled *it = &all[i];
    const stall_row *row = it->row;
    pthread_join(it->thread, NULL);
    for (k = 0; k < TRIES; k++) {
      check_time(row->name, it->whole[k]);
      check_timeout(row->name, &it->made[k], row->outcome, row->http_status, row->retryable, row->word);
      CHECK_ROW(row->name, it->next[k].status == AV_STATUS_OK);
      call_free(&it->made[k]);
      call_free(&it->next[k]);
    }
    CHECK_WITHIN(row->name, it->took, TRIES, BACK_WITHIN_MS);
    /* A connection that let a call down is not used again. */
    CHECK_ROW(row->name, peer_request_count(it->p) == 2 * TRIES);
    CHECK_ROW(row->name, peer_connection_count(it->p) == 1 + TRIES);
    av_client_free(it->client);
    peer_stop(it->p);
  }
}

/* The head beats the body: what it says is told, late, but as it is. */
static void refused_without_reason(void) {
  peer *p = peer_start();
  av_client *client = client_with_time(peer_url(p), 0);
  call made;
  peer_answer_text(p, "HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n{\"title\":", PEER_STALL);
  made = call_make(client, CREATE, NULL);
  CHECK(made.status == AV_STATUS_NOT_FOUND);
  CHECK(av_error_http_status(made.error) == 404);
  CHECK(av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED);
  CHECK(texts_equal(av_error_body(made.error, NULL), "{\"title\":"));
  call_free(&made);
  av_client_free(client);
  peer_stop(p);
}

/* Nor does a delete wait for the body of a 204, which has none. */
static void deleted_without_body(void) {
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p)); /* with 20 seconds */
  call made;
  double begun;
  peer_answer_text(p, "HTTP/1.1 204 No Content\r\nContent-Length: 1000\r\n\r\n", PEER_STALL);
  begun = now_ms();
  made = call_make(client, DELETE, NULL);
  CHECK(made.status == AV_STATUS_OK);
  CHECK(now_ms() - begun < 10000);
  call_free(&made);
  av_client_free(client);
  peer_stop(p);
}

/* Each page of an iteration has a time of its own, and comes in the end. */
static void iteration(void) {
  peer *p = peer_start();
  av_client *client = client_with_time(peer_url(p), 0);
  av_token_iter *iter = NULL;
  const av_token *token = NULL;
  av_request_options options = options_with_time(0);
  double took[MOST_TRIES];
  size_t i;
  CHECK(av_tokens_iterate(client, NULL, &iter, NULL) == AV_STATUS_OK);
  for (i = 0; i < TRIES; i++) peer_answer_text(p, "", PEER_STALL);
  peer_answer_json(p, "200 OK", PAGE_BODY);
  for (i = 0; i < TRIES; i++) {
    av_error *error = NULL;
    moment begin = moment_here();
    CHECK(av_token_iter_next(iter, NULL, &token, &error) == AV_STATUS_TIMEOUT);
    check_time("an iteration", now_ms() - begin.now);
    took[i] = since(begin);
    CHECK(token == NULL);
    CHECK(av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
    av_error_free(error);
  }
  CHECK_WITHIN("an iteration", took, TRIES, BACK_WITHIN_MS);
  options.timeout_ms = 20000;
  CHECK(av_token_iter_next(iter, &options, &token, NULL) == AV_STATUS_OK);
  CHECK(token != NULL && texts_equal(token->token, TOKEN));
  av_token_iter_free(iter);
  av_client_free(client);
  peer_stop(p);
}

/* ----------------------------------------------------------------------- peers that hardly are there */

static void fail(const char *what) {
  perror(what);
  exit(2);
}

/* A socket on a port of its own, and its URL. */
static int bound(struct sockaddr_in *address, char *url, size_t size) {
  socklen_t length = sizeof *address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(address, 0, sizeof *address);
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (listener < 0 || bind(listener, (struct sockaddr *)address, length) != 0 ||
      getsockname(listener, (struct sockaddr *)address, &length) != 0)
    fail("bind");
  snprintf(url, size, "http://127.0.0.1:%u", (unsigned)ntohs(address->sin_port));
  return listener;
}

/* The system accepts, but no program does: the longest payload is never read, nor its end sent. */
static void never_reads(void) {
  static const size_t length = 4 * 1024 * 1024;
  struct sockaddr_in address;
  char url[64], *payload = (char *)malloc(length + 1);
  int listener, small = 4096;
  av_client *client;
  call made;
  double took[MOST_TRIES];
  size_t i;
  if (!payload) fail("malloc");
  memset(payload, ' ', length);
  payload[0] = '{';
  payload[length - 1] = '}';
  payload[length] = 0;
  listener = bound(&address, url, sizeof url);
  setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (listen(listener, 16) != 0) fail("listen");
  client = client_with_time(url, 0);
  for (i = 0; i < TRIES; i++) {
    moment begin = moment_here();
    memset(&made, 0, sizeof made);
    made.op = CREATE_JSON;
    made.status = av_tokens_create_json(client, payload, NULL, &made.json, &made.error);
    check_time("never reads", now_ms() - begin.now);
    took[i] = since(begin);
    check_timeout("never reads", &made, UNKNOWN, "sending the request");
    call_free(&made);
  }
  CHECK_WITHIN("never reads", took, TRIES, BACK_WITHIN_MS);
  av_client_free(client);
  close(listener);
  free(payload);
}

/* Fills a listener's backlog until the next connection is left waiting, and returns how many it took. */
static size_t fill(const struct sockaddr_in *address, int *taken, size_t most) {
  size_t count = 0;
  while (count < most) {
    struct pollfd connecting;
    connecting.fd = taken[count++] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    connecting.events = POLLOUT;
    (void)!connect(connecting.fd, (const struct sockaddr *)address, sizeof *address);
    if (poll(&connecting, 1, 30) == 0) return count;
  }
  fprintf(stderr, "the backlog takes everything\n");
  exit(2);
}

/* Nobody accepts: the time for the call runs out, or that for connecting. */
static void never_accepts(void) {
  static const operation operations[] = {CREATE, GET, DELETE};
  struct sockaddr_in address;
  char url[64];
  int taken[32], listener = bound(&address, url, sizeof url);
  double took[3];
  size_t count, i;
  if (listen(listener, 0) != 0) fail("listen");
  count = fill(&address, taken, sizeof taken / sizeof taken[0]);
  for (i = 0; i < 3; i++) {
    av_client_config config = config_for(url);
    av_client *client;
    call made;
    moment begin;
    config.max_attempts = 1;
    if (i == 0)
      config.timeout_ms = TIMEOUT_MS;
    else
      config.connect_timeout_ms = TIMEOUT_MS;
    client = client_of(&config);
    begin = moment_here();
    made = call_make(client, operations[i], NULL);
    check_time(operation_name(operations[i]), now_ms() - begin.now);
    took[i] = since(begin);
    /* Nothing was sent: even a create may be made again. */
    check_timeout(operation_name(operations[i]), &made, NOTHING_DONE, "connecting");
    call_free(&made);
    av_client_free(client);
  }
  CHECK_WITHIN("never accepts", took, 3, BACK_WITHIN_MS);
  for (i = 0; i < count; i++) close(taken[i]);
  close(listener);
}

/* Nobody listens: that is known at once. */
static void never_listens(void) {
  struct sockaddr_in address;
  char url[64];
  int holder = bound(&address, url, sizeof url); /* keeps the port from anyone who would listen */
  av_client_config config = config_for(url);
  av_client *client;
  double took[OPERATIONS];
  operation op;
  config.max_attempts = 1;
  client = client_of(&config);
  for (op = CREATE; op < OPERATIONS; op = (operation)(op + 1)) {
    const char *row = operation_name(op);
    moment begin = moment_here();
    call made = call_make(client, op, NULL);
    took[op] = since(begin);
    CHECK_ROW(row, made.status == AV_STATUS_CONNECT);
    CHECK_ROW(row, !call_gave(&made));
    CHECK_ROW(row, av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED);
    CHECK_ROW(row, av_error_is_retryable(made.error) == 1);
    CHECK_ROW(row, av_error_http_status(made.error) == 0);
    CHECK_ROW(row, av_error_attempts(made.error) == 1);
    CHECK_ROW(row, strstr(av_error_message(made.error), strrchr(url, ':')) != NULL);
    CHECK_ROW(row, strstr(av_error_message(made.error), "refused") != NULL);
    call_free(&made);
  }
  CHECK_WITHIN("never listens", took, OPERATIONS, 50);
  av_client_free(client);
  close(holder);
}

int main(void) {
  stalls();
  refused_without_reason();
  deleted_without_body();
  iteration();
  never_reads();
  never_accepts();
  never_listens();
  return checks_report();
}
