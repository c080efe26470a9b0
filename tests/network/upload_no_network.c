/* A network that is gone for a while does not end an upload which has got bytes through: it is waited for, as long as
 * the upload's patience allows. Who says how many attempts there may be is heard all the same, and where nothing has
 * got through yet, the address may be wrong: that is told soon. */
#include "support/check.h"
#include "support/client.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/uploads.h"

#define TOKEN "to1tcmSFHeYY5KzyhOqVKMKb"
/* More than attempts are allowed where nobody says how many. */
#define WAITS 5

/* Confirms the first part as one of a new video, and what follows as the last. */
static void serve_parts(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive_large(s, connection, &it))
    server_answer(connection, "201 Created", "",
                  strstr(it.text, "part 1/") ? "{\"videoId\":\"vi1\"}" : "{\"videoId\":\"vi1\",\"title\":\"T\"}");
}

/* A service that goes away once the first part is confirmed, and comes back after so many waits. */
typedef struct outage {
  server *service;
  uint16_t port;
  int waits, comes_back_after, has_gone;
} outage;

static void on_state(void *userdata, const char *state) {
  outage *it = (outage *)userdata;
  (void)state;
  if (it->has_gone) return;
  it->has_gone = 1;
  server_stop(it->service);
  it->service = NULL;
}

static void on_progress(void *userdata, const av_upload_progress *now) {
  outage *it = (outage *)userdata;
  if (now->state != AV_UPLOAD_WAITING_TO_RETRY) return;
  if (it->service == NULL && ++it->waits == it->comes_back_after)
    it->service = server_start_at("127.0.0.1", it->port, serve_parts, NULL);
}

typedef struct trial {
  uint32_t of_config, of_options; /* how many attempts these allow */
  uint32_t patience_ms;
  int comes_back_after;
  uint32_t parallel_parts;
} trial;

/* Uploads two parts amid an outage. */
static av_status upload(const source *of, const trial *with, outage *it, av_error **error) {
  av_upload_params params = quick_params(TOKEN, "film.mp4");
  av_uploaded_video *video = NULL;
  av_client_config config;
  av_client *client;
  av_request_options options;
  av_status status;
  memset(it, 0, sizeof *it);
  it->service = server_start(serve_parts, NULL);
  it->port = server_port(it->service);
  it->comes_back_after = with->comes_back_after;
  config = keyless_config(server_url(it->service));
  config.max_attempts = with->of_config;
  client = client_of(&config);
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.max_attempts = with->of_options;
  params.patience_ms = with->patience_ms;
  params.parallel_parts = with->parallel_parts;
  params.progress_interval_ms = 1;
  params.state_fn = on_state;
  params.progress_fn = on_progress;
  params.userdata = it;
  *error = NULL;
  status = av_upload_file(client, of->path, &params, &options, &video, error);
  if (status == AV_STATUS_OK) CHECK(strcmp(video->video_id, "vi1") == 0 && video->videos_abandoned == 0);
  av_uploaded_video_free(video);
  av_client_free(client);
  if (it->service) server_stop(it->service);
  return status;
}

static void is_waited_for(const source *of, uint32_t parallel_parts) {
  const trial with = {0, 0, UINT32_MAX, WAITS, parallel_parts};
  outage it;
  av_error *error;
  av_status status = upload(of, &with, &it, &error);
  if (!CHECK(status == AV_STATUS_OK)) fprintf(stderr, "  %s\n", av_error_message(error));
  /* Threads may have begun to wait before they hear that it is back. */
  CHECK(it.waits >= WAITS && (parallel_parts > 0 || it.waits == WAITS));
  printf("an upload without a network: %s after %d waits\n", av_status_name(status), it.waits);
  av_error_free(error);
}

static void is_not_waited_for_beyond_what_is_allowed(const source *of) {
  static const trial each[] = {{2, 0, UINT32_MAX, 0, 0}, {0, 2, UINT32_MAX, 0, 0}, {9, 2, UINT32_MAX, 0, 0}, {0, 1, UINT32_MAX, 0, 0}};
  static const int waits[] = {1, 1, 1, 0};
  size_t i;
  for (i = 0; i < sizeof each / sizeof *each; i++) {
    outage it;
    av_error *error;
    CHECK(upload(of, &each[i], &it, &error) == AV_STATUS_CONNECT);
    CHECK(it.waits == waits[i]);
    CHECK(av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED && av_error_is_retryable(error));
    CHECK(av_error_upload_state(error) != NULL);
    av_error_free(error);
  }
}

static void is_waited_for_as_long_as_patience_allows(const source *of) {
  const trial with = {0, 0, time_for(3000), 0, 0};
  outage it;
  av_error *error;
  CHECK(upload(of, &with, &it, &error) == AV_STATUS_CONNECT);
  CHECK(it.waits > 0);
  CHECK(strstr(av_error_message(error), "nothing has got through for") != NULL);
  CHECK(av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED && av_error_upload_state(error) != NULL);
  av_error_free(error);
}

static void what_nobody_has_heard_of_is_told_soon(const source *of) {
  char url[64];
  av_upload_params params = quick_params(TOKEN, "film.mp4");
  av_client_config config = keyless_config(url);
  av_client *client;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)refusing_port());
  client = client_of(&config);
  params.patience_ms = UINT32_MAX;
  CHECK(av_upload_file(client, of->path, &params, NULL, &video, &error) == AV_STATUS_CONNECT);
  CHECK(av_error_attempts(error) == 3);
  CHECK(av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED && av_error_is_retryable(error));
  av_error_free(error);
  av_client_free(client);
}

int main(void) {
  source of = source_of(SMALLEST_PART + 1000), several = source_of(4 * SMALLEST_PART);
  is_waited_for(&of, 0);
  is_waited_for(&several, 3);
  is_not_waited_for_beyond_what_is_allowed(&of);
  is_waited_for_as_long_as_patience_allows(&of);
  what_nobody_has_heard_of_is_told_soon(&of);
  source_delete(&of);
  source_delete(&several);
  return checks_report();
}
