/* An upload ends when it is told to, whatever it is doing: cancelled it is back within 20 ms, short of time within
 * 50 ms, and either way it tells what may have happened and what to go on from. A connection that has died is
 * given up for another one in its time. */
#include "support/check.h"
#include "support/client.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/uploads.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACK_WITHIN_MS 20
#define LATE_BY_MS 50
#define TRIES 5
#define TOKEN "to1tcmSFHeYY5KzyhOqVKMKb"

/* ----------------------------------------------------------------------------- what the peers do */

/* Each says in `reached` when the upload has come to where it is to end. */
typedef struct stage {
  int reached;
} stage;

static void tell_reached(void *data) { __atomic_add_fetch(&((stage *)data)->reached, 1, __ATOMIC_SEQ_CST); }

static void serve_handshake(server *s, int connection, void *data) {
  char first;
  (void)s;
  if (read(connection, &first, 1) == 1) tell_reached(data);
  server_swallow(connection);
}

static void serve_no_reading(server *s, int connection, void *data) {
  (void)s;
  tell_reached(data);
  server_ignore(connection);
}

static void serve_no_answer(server *s, int connection, void *data) {
  request it;
  if (server_receive_large(s, connection, &it)) tell_reached(data);
  server_swallow(connection);
}

/* Confirms the first part, and is silent about the others. */
static void serve_one_part(server *s, int connection, void *data) {
  request it;
  if (!server_receive_large(s, connection, &it)) return;
  server_answer(connection, "201 Created", "", "{\"videoId\":\"vi1\"}");
  serve_no_answer(s, connection, data);
}

static void serve_half_an_answer(server *s, int connection, void *data) {
  request it;
  if (!server_receive_large(s, connection, &it)) return;
  server_send(connection, "HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n{\"videoId\":");
  tell_reached(data);
  server_swallow(connection);
}

static void serve_503(server *s, int connection, void *data) {
  request it;
  while (server_receive_large(s, connection, &it)) {
    server_answer(connection, "503 Service Unavailable", "Retry-After: 10\r\n", "{\"title\":\"Down\"}");
    tell_reached(data);
  }
}

static void serve_429(server *s, int connection, void *data) {
  request it;
  while (server_receive_large(s, connection, &it)) {
    server_answer(connection, "429 Too Many Requests", "X-RateLimit-Retry-After: 30\r\n", "{\"title\":\"Slow down\"}");
    tell_reached(data);
  }
}

/* As whoever stands before the service may, that limits on its own account. */
static void serve_429_without_a_time(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive_large(s, connection, &it)) server_answer(connection, "429 Too Many Requests", "", "{}");
}

/* ----------------------------------------------------------------------------------- the uploads */

typedef enum way { DIRECT, TO_BLACK_HOLE, BY_TLS, BY_SOCKS, BY_PROXY, AFTER_A_429, AT_A_BYTE_A_SECOND } way;

typedef struct row {
  const char *name;
  way way;
  serve_fn serve;
  uint64_t size;
  const char *video_id;
  int32_t outcome;      /* however it ends */
  int has_state;        /* then */
  av_status in_time;    /* what it is if its time runs out; OK: not tried, for it needs time to get there. And whether */
  int ends_before_that; /* it is told at once, where a wait would be longer than the time that is left. */
} row;

#define SMALL 1000
#define TWO_PARTS (SMALLEST_PART + 1000)

static const row rows[] = {
    {"connecting", TO_BLACK_HOLE, NULL, SMALL, NULL, AV_OUTCOME_NOT_APPLIED, 0, AV_STATUS_TIMEOUT, 0},
    {"SOCKS handshake", BY_SOCKS, serve_handshake, SMALL, NULL, AV_OUTCOME_NOT_APPLIED, 0, AV_STATUS_TIMEOUT, 0},
    {"CONNECT to a proxy", BY_PROXY, serve_handshake, SMALL, NULL, AV_OUTCOME_NOT_APPLIED, 0, AV_STATUS_TIMEOUT, 0},
    {"TLS handshake", BY_TLS, serve_handshake, SMALL, NULL, AV_OUTCOME_NOT_APPLIED, 0, AV_STATUS_TIMEOUT, 0},
    {"sending the only part", DIRECT, serve_no_reading, SMALLEST_PART, NULL, AV_OUTCOME_NOT_APPLIED, 0, AV_STATUS_TIMEOUT, 0},
    {"sending the first part", DIRECT, serve_no_reading, TWO_PARTS, NULL, AV_OUTCOME_NOT_APPLIED, 0, AV_STATUS_TIMEOUT, 0},
    {"waiting for its pace", AT_A_BYTE_A_SECOND, serve_no_reading, SMALL, NULL, AV_OUTCOME_NOT_APPLIED, 0, AV_STATUS_TIMEOUT, 0},
    {"waiting, the only part", DIRECT, serve_no_answer, SMALL, NULL, AV_OUTCOME_UNKNOWN, 0, AV_STATUS_TIMEOUT, 0},
    {"waiting, the first part", DIRECT, serve_no_answer, TWO_PARTS, NULL, AV_OUTCOME_NOT_APPLIED, 0, AV_STATUS_TIMEOUT, 0},
    {"waiting, the last part", DIRECT, serve_one_part, TWO_PARTS, NULL, AV_OUTCOME_UNKNOWN, 1, AV_STATUS_OK, 0},
    {"waiting, a middle part", DIRECT, serve_one_part, SMALLEST_PART + TWO_PARTS, NULL, AV_OUTCOME_NOT_APPLIED, 1, AV_STATUS_OK, 0},
    {"waiting, a given video", DIRECT, serve_no_answer, SMALL, "vi1", AV_OUTCOME_UNKNOWN, 1, AV_STATUS_TIMEOUT, 0},
    {"reading, the first part", DIRECT, serve_half_an_answer, TWO_PARTS, NULL, AV_OUTCOME_NOT_APPLIED, 0, AV_STATUS_TIMEOUT, 0},
    {"waiting to retry", DIRECT, serve_503, SMALL, "vi1", AV_OUTCOME_UNKNOWN, 1, AV_STATUS_SERVER, 1},
    {"waiting after its own 429", DIRECT, serve_429, SMALL, NULL, AV_OUTCOME_NOT_APPLIED, 0, AV_STATUS_RATE_LIMITED, 1},
    {"at the rate limit's gate", AFTER_A_429, serve_429, SMALL, NULL, AV_OUTCOME_NOT_APPLIED, 0, AV_STATUS_RATE_LIMITED, 1},
};

#define ROWS (sizeof rows / sizeof rows[0])

static av_client *client_on_its_way(way way, const server *s) {
  char url[64] = "http://127.0.0.1:1", proxy[64] = "";
  av_client_config config = keyless_config(url);
  if (way == TO_BLACK_HOLE) snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)black_hole());
  else if (way == BY_TLS) server_url_as(s, "https", url, sizeof url);
  else if (way == BY_SOCKS) server_url_as(s, "socks5", proxy, sizeof proxy);
  else if (way == BY_PROXY) server_url_as(s, "http", proxy, sizeof proxy);
  else server_url_as(s, "http", url, sizeof url);
  if (way == BY_TLS) config.ca_file = idle_authority();
  config.proxy_url = proxy;
  return client_of(&config);
}

/* One upload of a row, on a thread of its own, and what came of it. */
typedef struct uploader {
  const row *row;
  const source *of;
  stage stage;
  server *server;
  av_client *client;
  av_request_options options;
  pid_t thread;
  int started;
  av_status before, status; /* of the one that closes the gate, and of the one that counts */
  av_uploaded_video *video;
  av_error *error;
  moment begun, back;
} uploader;

static void upload(uploader *it) {
  av_upload_params params = quick_params(TOKEN, "film.mp4");
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  params.video_id = it->row->video_id;
  if (it->row->way == AT_A_BYTE_A_SECOND) params.max_bytes_per_second = 1;
  it->begun = moment_here();
  it->status = av_upload_file(it->client, it->of->path, &params, &it->options, &it->video, &it->error);
  it->back = moment_here();
}

static void begin(uploader *it, const row *row, const source *of) {
  memset(it, 0, sizeof *it);
  it->row = row;
  it->of = of;
  it->options.struct_size = sizeof it->options;
  it->server = row->serve ? server_start(row->serve, &it->stage) : NULL;
  it->client = client_on_its_way(row->way, it->server);
  if (row->way == AFTER_A_429) {
    /* With no time to wait, it is back at once, and the gate is closed. */
    it->options.timeout_ms = 20000;
    upload(it);
    it->before = it->status;
    av_error_free(it->error);
    it->error = NULL;
    it->options.timeout_ms = 0;
  }
}

static void end(uploader *it) {
  const char *name = it->row->name;
  CHECK_ROW(name, it->row->way != AFTER_A_429 || it->before == AV_STATUS_RATE_LIMITED);
  CHECK_ROW(name, it->video == NULL);
  CHECK_ROW(name, av_error_outcome(it->error) == it->row->outcome);
  CHECK_ROW(name, (av_error_upload_state(it->error) != NULL) == it->row->has_state);
  if (it->error) CHECK_ROW(name, strstr(av_error_message(it->error), TOKEN) == NULL);
  av_error_free(it->error);
  av_client_free(it->client);
  if (it->server) server_stop(it->server);
}

static void *upload_once(void *argument) {
  uploader *it = (uploader *)argument;
  it->thread = thread_id();
  __atomic_store_n(&it->started, 1, __ATOMIC_SEQ_CST);
  upload(it);
  return NULL;
}

/* How long it takes to come back once it is cancelled where its row says. */
static double cancelled_after(const row *row, const source *of) {
  uploader it;
  pthread_t thread;
  moment triggered;
  begin(&it, row, of);
  it.options.cancel = av_cancel_new();
  if (pthread_create(&thread, NULL, upload_once, &it) != 0) exit(2);
  wait_until(&it.started, 1, "a thread that starts");
  if (row->serve) wait_until(&it.stage.reached, 1, row->name);
  wait_until_asleep(it.thread);
  triggered = moment_of(it.thread);
  av_cancel_trigger(it.options.cancel);
  pthread_join(thread, NULL);
  if (!CHECK_ROW(row->name, it.status == AV_STATUS_CANCELLED)) fprintf(stderr, "  %s\n", av_error_message(it.error));
  CHECK_ROW(row->name, !av_error_is_retryable(it.error));
  av_cancel_free(it.options.cancel);
  end(&it);
  return between(triggered, it.back);
}

/* A source for each row, by its size. */
static const source *sources;
static size_t source_count;

static const source *source_for(const row *row) {
  size_t i;
  for (i = 0; i < source_count; i++)
    if (sources[i].size == row->size) return &sources[i];
  exit(2);
}

static void cancelled_in_each_phase(void) {
  size_t i, k;
  for (i = 0; i < ROWS; i++) {
    double took[TRIES];
    for (k = 0; k < TRIES; k++) took[k] = cancelled_after(&rows[i], source_for(&rows[i]));
    CHECK_WITHIN(rows[i].name, took, TRIES, BACK_WITHIN_MS);
  }
}

/* ----------------------------------------------------------------------------------- in callbacks */

typedef struct canceller {
  av_cancel *cancel;
  int32_t at; /* a state of progress, or -1 for the function that takes what to go on from */
  int is_done;
  moment triggered;
} canceller;

static void cancel_now(canceller *it) {
  if (it->is_done) return;
  it->is_done = 1;
  it->triggered = moment_here();
  av_cancel_trigger(it->cancel);
}

static void on_progress(void *userdata, const av_upload_progress *now) {
  canceller *it = (canceller *)userdata;
  if (now->state == it->at && now->bytes_sent > 0) cancel_now(it);
}

static void on_state(void *userdata, const char *state) {
  canceller *it = (canceller *)userdata;
  (void)state;
  if (it->at < 0) cancel_now(it);
}

/* Reads, and never answers. */
static void serve_small_reads(server *s, int connection, void *data) {
  char some[1024];
  (void)s;
  (void)data;
  while (recv(connection, some, sizeof some, 0) > 0) {}
}

static void cancelled_in_callbacks(const source *of) {
  static const struct {
    const char *name;
    int32_t at;
    serve_fn serve;
  } each[] = {{"in a callback, sending", AV_UPLOAD_SENDING, serve_small_reads},
              {"in a callback, waiting", AV_UPLOAD_WAITING_FOR_ANSWER, serve_no_answer},
              {"in a callback, with a state", -1, serve_one_part}};
  size_t i, k;
  for (i = 0; i < sizeof each / sizeof *each; i++) {
    double took[TRIES];
    for (k = 0; k < TRIES; k++) {
      stage nowhere = {0};
      server *s = server_start(each[i].serve, &nowhere);
      av_client_config config = keyless_config(server_url(s));
      av_client *client = client_of(&config);
      av_upload_params params = quick_params(TOKEN, "film.mp4");
      av_request_options options;
      av_uploaded_video *video = NULL;
      av_error *error = NULL;
      canceller it = {av_cancel_new(), each[i].at, 0, {0, 0}};
      memset(&options, 0, sizeof options);
      options.struct_size = sizeof options;
      options.cancel = it.cancel;
      params.stall_timeout_ms = params.answer_timeout_ms = 0;
      params.progress_fn = on_progress;
      params.state_fn = on_state;
      params.progress_interval_ms = 1;
      params.userdata = &it;
      CHECK_ROW(each[i].name, av_upload_file(client, of->path, &params, &options, &video, &error) == AV_STATUS_CANCELLED);
      took[k] = since(it.triggered);
      CHECK_ROW(each[i].name, it.is_done);
      CHECK_ROW(each[i].name, av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
      CHECK_ROW(each[i].name, (av_error_upload_state(error) != NULL) == (each[i].at < 0));
      av_error_free(error);
      av_cancel_free(it.cancel);
      av_client_free(client);
      server_stop(s);
    }
    CHECK_WITHIN(each[i].name, took, TRIES, BACK_WITHIN_MS);
  }
}

/* ----------------------------------------------------------------------------------- the deadline */

/* In which an upload is to come to where its row wants it. */
#define TIMEOUT_MS (600 + SLACK_MS)

typedef struct trial {
  pthread_t thread;
  uploader each[TRIES];
} trial;

static void *upload_all(void *argument) {
  trial *t = (trial *)argument;
  size_t k;
  for (k = 0; k < TRIES; k++) upload(&t->each[k]);
  return NULL;
}

/* All rows at once: they only wait. */
static void ended_in_time(void) {
  trial trials[ROWS];
  size_t i, k;
  for (i = 0; i < ROWS; i++) {
    if (rows[i].in_time == AV_STATUS_OK) continue;
    for (k = 0; k < TRIES; k++) {
      begin(&trials[i].each[k], &rows[i], source_for(&rows[i]));
      trials[i].each[k].options.timeout_ms = TIMEOUT_MS;
    }
    if (pthread_create(&trials[i].thread, NULL, upload_all, &trials[i]) != 0) exit(2);
  }
  for (i = 0; i < ROWS; i++) {
    char what[80];
    double late[TRIES];
    if (rows[i].in_time == AV_STATUS_OK) continue;
    pthread_join(trials[i].thread, NULL);
    for (k = 0; k < TRIES; k++) {
      uploader *it = &trials[i].each[k];
      late[k] = between(it->begun, it->back) - TIMEOUT_MS;
      if (late[k] < 0) late[k] = 0;
      if (!CHECK_ROW(rows[i].name, it->status == rows[i].in_time)) fprintf(stderr, "  %s\n", av_error_message(it->error));
      CHECK_ROW(rows[i].name, rows[i].ends_before_that || it->back.now - it->begun.now >= TIMEOUT_MS - 1);
      end(it);
    }
    snprintf(what, sizeof what, "late, %s", rows[i].name);
    CHECK_WITHIN(what, late, TRIES, LATE_BY_MS);
  }
}

/* ----------------------------------------------------------------------------------- a dead link */

#define STALL_MS 500

/* Moments of the thread that uploads: when a connection died, and when another one was made. */
typedef struct links {
  pid_t thread;
  moment died, made_anew;
  int is_dead, is_new;
} links;

/* The first one dies after a MiB of the part, the second works. */
static void serve_after_a_dead_one(server *s, int connection, void *data) {
  links *it = (links *)data;
  request asked;
  if (server_connections(s) == 1) {
    char some[16 * 1024];
    size_t received = 0;
    while (received < 1024 * 1024) {
      ssize_t got = recv(connection, some, sizeof some, 0);
      if (got <= 0) return;
      received += (size_t)got;
    }
    it->died = moment_of(it->thread);
    __atomic_store_n(&it->is_dead, 1, __ATOMIC_SEQ_CST);
    server_ignore(connection);
    return;
  }
  if (!__atomic_exchange_n(&it->is_new, 1, __ATOMIC_SEQ_CST)) it->made_anew = moment_of(it->thread);
  while (server_receive_large(s, connection, &asked))
    server_answer(connection, "201 Created", "", "{\"videoId\":\"vi1\",\"title\":\"T\"}");
}

static void a_dead_connection_is_given_up(const source *of) {
  const uint32_t stall_ms = time_for(STALL_MS);
  double took[TRIES];
  size_t k;
  for (k = 0; k < TRIES; k++) {
    links it;
    server *s;
    av_client_config config;
    av_client *client;
    av_upload_params params = quick_params(TOKEN, "film.mp4");
    av_uploaded_video *video = NULL;
    memset(&it, 0, sizeof it);
    it.thread = thread_id();
    s = server_start(serve_after_a_dead_one, &it);
    config = keyless_config(server_url(s));
    client = client_of(&config);
    params.stall_timeout_ms = stall_ms;
    params.answer_timeout_ms = 0;
    CHECK(av_upload_file(client, of->path, &params, NULL, &video, NULL) == AV_STATUS_OK);
    CHECK(video && video->videos_abandoned == 0);
    CHECK(it.is_dead && it.is_new);
    took[k] = between(it.died, it.made_anew);
    av_uploaded_video_free(video);
    av_client_free(client);
    server_stop(s);
  }
  CHECK_WITHIN("another connection after a dead one", took, TRIES, STALL_MS + 1000);
}

/* Each attempt is sent whole, but refused: that nothing has come of it, patience knows. */
static void refusals_that_tell_no_time_are_borne_as_long_as_patience_allows(const source *of) {
  server *s = server_start(serve_429_without_a_time, NULL);
  av_client_config config = keyless_config(server_url(s));
  av_client *client = client_of(&config);
  av_upload_params params = quick_params(TOKEN, "film.mp4");
  av_request_options options;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.timeout_ms = time_for(20000);
  params.patience_ms = time_for(1000);
  CHECK(av_upload_file(client, of->path, &params, &options, &video, &error) == AV_STATUS_RATE_LIMITED);
  CHECK(strstr(av_error_message(error), "nothing has got through for") != NULL);
  CHECK(av_error_attempts(error) > 1 && av_error_is_retryable(error));
  av_error_free(error);
  av_client_free(client);
  server_stop(s);
}

int main(void) {
  source all[4];
  size_t i;
  setvbuf(stdout, NULL, _IOLBF, 0);
  all[0] = source_of(SMALL);
  all[1] = source_of(SMALLEST_PART);
  all[2] = source_of(TWO_PARTS);
  all[3] = source_of(SMALLEST_PART + TWO_PARTS);
  sources = all;
  source_count = sizeof all / sizeof *all;
  cancelled_in_each_phase();
  cancelled_in_callbacks(&all[2]);
  ended_in_time();
  a_dead_connection_is_given_up(&all[2]);
  refusals_that_tell_no_time_are_borne_as_long_as_patience_allows(&all[0]);
  for (i = 0; i < source_count; i++) source_delete(&all[i]);
  return checks_report();
}
