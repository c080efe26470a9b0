/* Sixteen parts at once: a cancel and a deadline end them all within their time, and freeing what was begun does not
 * wait for them; the threads handle no signals, and are gone when the call is. The rate limit, and the speed that was
 * asked for, are kept by all of them together. */
#include "support/check.h"
#include "support/client.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/process.h"
#include "support/server.h"
#include "support/uploads.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define TOKEN "to1tcmSFHeYY5KzyhOqVKMKb"
#define AT_ONCE 16
#define TRIES 5
#define BACK_WITHIN_MS 50
#define LATE_BY_MS 50

/* Confirms the first part, and is silent about all others once it has them. */
typedef struct stage {
  int parts;
} stage;

static void serve_the_first(server *s, int connection, void *data) {
  request it;
  while (server_receive_large(s, connection, &it)) {
    if (!strstr(it.text, "part 1/")) {
      __atomic_add_fetch(&((stage *)data)->parts, 1, __ATOMIC_SEQ_CST);
      server_swallow(connection);
      return;
    }
    server_answer(connection, "201 Created", "", "{\"videoId\":\"vi1\"}");
  }
}

/* One upload, on a thread of its own. */
typedef struct uploader {
  stage stage;
  server *server;
  av_client *client;
  const source *of;
  av_request_options options;
  pid_t thread;
  int started;
  av_status status;
  av_error *error;
  moment begun, back;
} uploader;

static void *upload(void *argument) {
  uploader *it = (uploader *)argument;
  av_upload_params params = quick_params(TOKEN, "film.mp4");
  av_uploaded_video *video = NULL;
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  params.parallel_parts = AT_ONCE;
  it->thread = thread_id();
  __atomic_store_n(&it->started, 1, __ATOMIC_SEQ_CST);
  it->begun = moment_here();
  it->status = av_upload_file(it->client, it->of->path, &params, &it->options, &video, &it->error);
  it->back = moment_here();
  CHECK(video == NULL);
  return NULL;
}

static pthread_t begin(uploader *it, const source *of) {
  pthread_t thread;
  av_client_config config;
  it->of = of;
  it->server = server_start(serve_the_first, &it->stage);
  config = keyless_config(server_url(it->server));
  it->client = client_of(&config);
  it->options.struct_size = sizeof it->options;
  if (pthread_create(&thread, NULL, upload, it) != 0) exit(2);
  wait_until(&it->started, 1, "a thread that starts");
  return thread;
}

static void end(uploader *it) {
  CHECK(av_error_outcome(it->error) == AV_OUTCOME_NOT_APPLIED);
  CHECK(av_error_upload_state(it->error) != NULL && strstr(av_error_upload_state(it->error), " done=1 "));
  av_error_free(it->error);
  av_client_free(it->client);
  server_stop(it->server);
}

static void cancelled(const source *of) {
  double took[TRIES];
  int k;
  for (k = 0; k < TRIES; k++) {
    uploader it;
    pthread_t thread;
    moment triggered;
    size_t with_signals;
    memset(&it, 0, sizeof it);
    it.options.cancel = av_cancel_new();
    thread = begin(&it, of);
    wait_until(&it.stage.parts, AT_ONCE, "so many parts at once");
    wait_until_asleep(it.thread);
    CHECK(threads_named("apivideo-upload", &with_signals) == AT_ONCE && with_signals == 0);
    triggered = moment_of(it.thread);
    av_cancel_trigger(it.options.cancel);
    pthread_join(thread, NULL);
    took[k] = between(triggered, it.back);
    CHECK(it.status == AV_STATUS_CANCELLED);
    CHECK(threads_named("apivideo-upload", &with_signals) == 0);
    av_cancel_free(it.options.cancel);
    end(&it);
  }
  CHECK_WITHIN("cancelled with 16 in flight", took, TRIES, BACK_WITHIN_MS);
}

static void ended_in_time(const source *of) {
  double late[TRIES];
  const uint32_t timeout_ms = time_for(1500);
  int k;
  for (k = 0; k < TRIES; k++) {
    uploader it;
    memset(&it, 0, sizeof it);
    it.options.timeout_ms = timeout_ms;
    pthread_join(begin(&it, of), NULL);
    late[k] = between(it.begun, it.back) - timeout_ms;
    if (late[k] < 0) late[k] = 0;
    CHECK(it.status == AV_STATUS_TIMEOUT && it.back.now - it.begun.now >= timeout_ms - 1);
    end(&it);
  }
  CHECK_WITHIN("late with 16 in flight", late, TRIES, LATE_BY_MS);
}

static void freed(void) {
  char *some = (char *)calloc(1, SMALLEST_PART);
  double took[TRIES];
  int k;
  for (k = 0; k < TRIES; k++) {
    stage at = {0};
    server *s = server_start(serve_the_first, &at);
    av_client_config config = keyless_config(server_url(s));
    av_client *client = client_of(&config);
    av_upload_params params = quick_params(TOKEN, "film.mp4");
    av_upload *upload = NULL;
    moment begin;
    int i;
    params.stall_timeout_ms = params.answer_timeout_ms = 0;
    params.parallel_parts = 4;
    CHECK(av_upload_begin(client, &params, &upload, NULL) == AV_STATUS_OK);
    for (i = 0; i < 6; i++) CHECK(av_upload_write(upload, some, SMALLEST_PART, NULL, NULL) == AV_STATUS_OK);
    wait_until(&at.parts, 4, "four parts at once");
    begin = moment_here();
    av_upload_free(upload);
    took[k] = since(begin);
    av_client_free(client);
    server_stop(s);
  }
  CHECK_WITHIN("freed with 4 in flight", took, TRIES, 10);
  free(some);
}

/* Says with the first part that no more may come for a second, and notes when more do. */
typedef struct limited {
  double answered, next; /* the latter 0 until then */
} limited;

static void serve_limited(server *s, int connection, void *data) {
  limited *it = (limited *)data;
  request what;
  while (server_receive_large(s, connection, &what)) {
    if (strstr(what.text, "part 1/")) {
      it->answered = now_ms();
      server_answer(connection, "201 Created",
                    "X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Retry-After: 1\r\n", "{\"videoId\":\"vi1\"}");
    } else {
      double none = 0, now = now_ms();
      __atomic_compare_exchange(&it->next, &none, &now, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
      server_answer(connection, "201 Created", "", "{\"videoId\":\"vi1\",\"title\":\"film.mp4\"}");
    }
  }
}

static void the_rate_limit_is_kept_by_all(const source *of) {
  limited it = {0, 0};
  server *s = server_start(serve_limited, &it);
  av_client_config config = keyless_config(server_url(s));
  av_client *client = client_of(&config);
  av_upload_params params = quick_params(TOKEN, "film.mp4");
  av_uploaded_video *video = NULL;
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  params.parallel_parts = AT_ONCE;
  CHECK(av_upload_file(client, of->path, &params, NULL, &video, NULL) == AV_STATUS_OK);
  CHECK(it.answered > 0 && it.next - it.answered >= 999);
  av_uploaded_video_free(video);
  av_client_free(client);
  server_stop(s);
}

static void the_speed_is_kept_by_all(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--seed", "1", NULL};
  local_api *service = local_api_start(arguments);
  source of = source_of(4 * SMALLEST_PART);
  av_client_config config = keyless_config(local_api_url(service));
  av_client *client = client_of(&config);
  av_upload_params params;
  av_uploaded_video *video = NULL;
  ledger now = ledger_of(local_api_url(service));
  moment begin;
  char token[64];
  first_token(now.text, token, sizeof token);
  ledger_free(&now);
  params = quick_params(token, "film.mp4");
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  params.parallel_parts = 4;
  params.max_bytes_per_second = 20 * 1024 * 1024;
  begin = moment_here();
  CHECK(av_upload_file(client, of.path, &params, NULL, &video, NULL) == AV_STATUS_OK);
  /* A second for all of it, but for what may go at once. */
  CHECK(since(begin) > 800);
  av_uploaded_video_free(video);
  av_client_free(client);
  local_api_stop(service);
  source_delete(&of);
}

int main(void) {
  source of = source_of((2 + AT_ONCE) * SMALLEST_PART);
  cancelled(&of);
  ended_in_time(&of);
  freed();
  the_rate_limit_is_kept_by_all(&of);
  the_speed_is_kept_by_all();
  source_delete(&of);
  return checks_report();
}
