/* Uploading what is made while it is sent, as C sees it: when a part goes and what it says, what is told and where to
 * go on, what an upload that was begun may be used for, and what callbacks may do. What follows which failure is
 * tested below the boundary, in src/upload. */
#include "support/check.h"
#include "support/client.h"
#include "support/moment.h"
#include "support/peer.h"

#include <pthread.h>
#include <sched.h>

#define TOKEN "to1tcmSFHeYY5KzyhOqVKMKb"
#define BEGUN "{\"videoId\":\"vi1\"}"
#define WHOLE "{\"videoId\":\"vi1\",\"title\":\"T\"}"
#define FIRST ((size_t)5 * 1024 * 1024)

static char bytes[FIRST + 1000];

static av_client *keyless(const peer *p) {
  av_client_config config = config_for(peer_url(p));
  config.api_key = NULL;
  config.flags = AV_CLIENT_NO_CREDENTIAL;
  return client_of(&config);
}

static av_upload_params params_for(const char *token) {
  av_upload_params params;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.token = token;
  return params;
}

static av_upload *begun(const av_client *client, const av_upload_params *params) {
  av_upload *upload = NULL;
  av_error *error = NULL;
  if (!CHECK(av_upload_begin(client, params, &upload, &error) == AV_STATUS_OK)) {
    fprintf(stderr, "  %s\n", av_error_message(error));
    exit(2);
  }
  return upload;
}

/* Whether the request says that it has this part, and holds `length` bytes of it at least. */
static int is_part(peer *p, size_t index, const char *range, size_t length) {
  size_t whole = 0;
  char header[64];
  const char *request = peer_request(p, index, &whole);
  snprintf(header, sizeof header, "\r\ncontent-range: part %s\r\n", range);
  return request && strstr(request, header) && whole >= length;
}

static void parts_go_once_a_byte_follows_them(void) {
  peer *p = peer_start();
  av_client *client = keyless(p);
  av_upload_params params = params_for(TOKEN);
  av_upload *upload = begun(client, &params);
  av_uploaded_video *video = NULL;
  /* What has begun keeps what it needs. */
  av_client_free(client);
  CHECK(av_upload_offset(upload) == 0 && av_upload_offset(NULL) == 0);
  CHECK(av_upload_write(upload, NULL, 0, NULL, NULL) == AV_STATUS_OK);
  CHECK(av_upload_write(upload, bytes, FIRST - 1, NULL, NULL) == AV_STATUS_OK);
  CHECK(av_upload_write(upload, bytes, 1, NULL, NULL) == AV_STATUS_OK);
  CHECK(av_upload_offset(upload) == FIRST && peer_request_count(p) == 0);
  peer_answer_json(p, "201 Created", BEGUN);
  CHECK(av_upload_write(upload, bytes, 1000, NULL, NULL) == AV_STATUS_OK);
  CHECK(av_upload_offset(upload) == FIRST + 1000 && peer_request_count(p) == 1);
  peer_answer_json(p, "201 Created", WHOLE);
  CHECK(av_upload_finish(upload, NULL, &video, NULL) == AV_STATUS_OK);
  CHECK(video != NULL && av_upload_offset(upload) == video->bytes);
  CHECK(video && texts_equal(video->video_id, "vi1") && texts_equal(video->title, "T"));
  CHECK(video && video->bytes == FIRST + 1000 && texts_equal(video->json, WHOLE));
  CHECK(is_part(p, 0, "1/*", FIRST) && is_part(p, 1, "2/2", 1000));
  CHECK(strstr(peer_request(p, 0, NULL), "filename=\"video\""));
  CHECK(!strstr(peer_request(p, 0, NULL), "uthorization"));
  av_uploaded_video_free(video);
  av_upload_free(upload);
  peer_stop(p);
}

static void what_is_short_is_one_part(void) {
  peer *p = peer_start();
  av_client *client = keyless(p);
  av_upload_params params = params_for(TOKEN);
  av_upload *upload;
  av_uploaded_video *video = NULL;
  params.file_name = "film.ts";
  upload = begun(client, &params);
  CHECK(av_upload_write(upload, "0123456789", 10, NULL, NULL) == AV_STATUS_OK);
  peer_answer_json(p, "201 Created", WHOLE);
  CHECK(av_upload_finish(upload, NULL, &video, NULL) == AV_STATUS_OK);
  CHECK(is_part(p, 0, "1/1", 10) && strstr(peer_request(p, 0, NULL), "filename=\"film.ts\""));
  CHECK(strstr(peer_request(p, 0, NULL), "\r\n\r\n0123456789\r\n--"));
  av_uploaded_video_free(video);
  av_upload_free(upload);
  av_client_free(client);
  peer_stop(p);
}

/* A write that fails tells what was taken; the same session goes on, and so does another one from the state. */
static void what_was_taken_is_not_lost(void) {
  int in_another;
  for (in_another = 0; in_another < 2; in_another++) {
    const char *row = in_another ? "another session" : "the same session";
    peer *p = peer_start();
    av_client *client = keyless(p);
    av_upload_params params = params_for(TOKEN);
    av_upload *upload;
    av_uploaded_video *video = NULL;
    av_error *error = NULL;
    char state[4200] = "";
    uint64_t from;
    params.video_id = "vi1";
    params.part_bytes = FIRST;
    upload = begun(client, &params);
    peer_answer_json(p, "401 Unauthorized", "{\"title\":\"Ended.\"}");
    CHECK_ROW(row, av_upload_write(upload, bytes, FIRST + 7, NULL, &error) == AV_STATUS_UNAUTHORIZED);
    CHECK_ROW(row, av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
    /* With the byte that made the part a full one. */
    CHECK_ROW(row, av_upload_offset(upload) == FIRST + 1);
    if (CHECK_ROW(row, av_error_upload_state(error) != NULL)) snprintf(state, sizeof state, "%s", av_error_upload_state(error));
    av_error_free(error);
    CHECK_ROW(row, !strstr(state, TOKEN) && strlen(state) < 4096);
    if (in_another) {
      av_upload_free(upload);
      params.resume = state;
      upload = begun(client, &params);
      CHECK_ROW(row, av_upload_offset(upload) == 0);
    }
    from = av_upload_offset(upload);
    peer_answer_json(p, "201 Created", BEGUN);
    peer_answer_json(p, "201 Created", WHOLE);
    CHECK_ROW(row, av_upload_write(upload, bytes + from, (size_t)(FIRST + 7 - from), NULL, NULL) == AV_STATUS_OK);
    CHECK_ROW(row, av_upload_finish(upload, NULL, &video, NULL) == AV_STATUS_OK);
    CHECK_ROW(row, video && video->bytes == FIRST + 7);
    CHECK_ROW(row, is_part(p, 1, "1/*", FIRST) && is_part(p, 2, "2/2", 7));
    av_uploaded_video_free(video);
    av_upload_free(upload);
    av_client_free(client);
    peer_stop(p);
  }
}

static void refused(av_status status, av_error *error, const char *words) {
  CHECK_ROW(words, status == AV_STATUS_INVALID_ARGUMENT);
  if (!CHECK_ROW(words, error && strstr(av_error_message(error), words)) && error)
    fprintf(stderr, "  %s\n", av_error_message(error));
  av_error_free(error);
}

#define REFUSED(call, words)           \
  do {                                 \
    const av_status refused_ = (call); \
    refused(refused_, error, words);   \
  } while (0)

static void bad_arguments(void) {
  peer *p = peer_start();
  av_client *client = keyless(p);
  av_upload_params params = params_for(TOKEN), bad = params;
  av_upload *upload = (av_upload *)p;
  av_uploaded_video *video = (av_uploaded_video *)p;
  av_error *error = NULL;
  REFUSED(av_upload_begin(NULL, &params, &upload, &error), "client must not be NULL");
  CHECK(upload == NULL);
  REFUSED(av_upload_begin(client, NULL, &upload, &error), "params must not be NULL");
  REFUSED(av_upload_begin(client, &params, NULL, &error), "out must not be NULL");
  bad.token = NULL;
  REFUSED(av_upload_begin(client, &bad, &upload, &error), "params.token must not be NULL");
  bad = params;
  bad.part_bytes = 1;
  REFUSED(av_upload_begin(client, &bad, &upload, &error), "params.part_bytes must be from 5242880");
  bad = params;
  bad.parallel_parts = 17;
  REFUSED(av_upload_begin(client, &bad, &upload, &error), "params.parallel_parts must be from 0 to 16");
  REFUSED(av_upload_write(NULL, "x", 1, NULL, &error), "upload must not be NULL");
  REFUSED(av_upload_finish(NULL, NULL, &video, &error), "upload must not be NULL");
  CHECK(video == NULL);
  upload = begun(client, &params);
  REFUSED(av_upload_write(upload, NULL, 1, NULL, &error), "data must not be NULL");
  REFUSED(av_upload_write(upload, "x", SIZE_MAX, NULL, &error), "data cannot have");
  REFUSED(av_upload_finish(upload, NULL, NULL, &error), "out must not be NULL");
  REFUSED(av_upload_finish(upload, NULL, &video, &error), "nothing was written");
  CHECK(av_upload_offset(upload) == 0);
  CHECK(av_upload_write(upload, "x", 1, NULL, NULL) == AV_STATUS_OK);
  peer_answer_json(p, "201 Created", WHOLE);
  CHECK(av_upload_finish(upload, NULL, &video, NULL) == AV_STATUS_OK);
  av_uploaded_video_free(video);
  REFUSED(av_upload_finish(upload, NULL, &video, &error), "upload is finished");
  REFUSED(av_upload_write(upload, "x", 1, NULL, &error), "upload is finished");
  CHECK(peer_request_count(p) == 1);
  av_upload_free(upload);
  av_upload_free(NULL);
  av_client_free(client);
  peer_stop(p);
}

/* Whatever makes the bytes has failed: nobody has told a state, which is asked for. */
static void what_it_can_be_gone_on_from_is_told_when_asked(void) {
  peer *p = peer_start();
  av_client *client = keyless(p);
  av_upload_params params = params_for(TOKEN);
  av_upload *upload = begun(client, &params), *other;
  av_uploaded_video *video = NULL;
  char state[4097];
  CHECK(av_upload_state(NULL) == NULL && av_upload_state(upload) == NULL);
  CHECK(av_upload_write(upload, bytes, FIRST, NULL, NULL) == AV_STATUS_OK);
  CHECK(av_upload_state(upload) == NULL);
  peer_answer_json(p, "201 Created", BEGUN);
  CHECK(av_upload_write(upload, bytes, 1000, NULL, NULL) == AV_STATUS_OK);
  if (!CHECK(av_upload_state(upload) != NULL)) return;
  snprintf(state, sizeof state, "%s", av_upload_state(upload));
  CHECK(texts_equal(av_upload_state(upload), state));
  av_upload_free(upload);
  params.resume = state;
  other = begun(client, &params);
  CHECK(av_upload_offset(other) == FIRST && texts_equal(av_upload_state(other), state));
  CHECK(av_upload_write(other, bytes, 1000, NULL, NULL) == AV_STATUS_OK);
  peer_answer_json(p, "201 Created", WHOLE);
  CHECK(av_upload_finish(other, NULL, &video, NULL) == AV_STATUS_OK);
  CHECK(av_upload_state(other) == NULL);
  av_uploaded_video_free(video);
  av_upload_free(other);
  av_client_free(client);
  peer_stop(p);
}

/* Does something to the upload that calls it. */
typedef struct meddler {
  av_upload *upload;
  int frees, called;
  av_status inside;
  uint64_t offset;
  const char *state;
} meddler;

static void meddle(void *userdata, const av_upload_progress *told) {
  meddler *it = (meddler *)userdata;
  (void)told;
  if (it->called++ > 0) return;
  it->offset = av_upload_offset(it->upload);
  it->state = av_upload_state(it->upload);
  it->inside = av_upload_write(it->upload, "x", 1, NULL, NULL);
  if (it->frees) av_upload_free(it->upload);
}

static void callbacks_may_not_use_the_upload_and_may_free_it(void) {
  int frees;
  for (frees = 0; frees < 2; frees++) {
    peer *p = peer_start();
    av_client *client = keyless(p);
    av_upload_params params = params_for(TOKEN);
    av_error *error = NULL;
    av_status status;
    meddler it;
    memset(&it, 0, sizeof it);
    it.frees = frees;
    params.progress_fn = meddle;
    params.userdata = &it;
    params.video_id = "vi1";
    params.part_bytes = FIRST;
    it.upload = begun(client, &params);
    peer_answer_json(p, "201 Created", BEGUN);
    status = av_upload_write(it.upload, bytes, FIRST + 1, NULL, &error);
    CHECK(it.called > 0 && it.inside == AV_STATUS_INVALID_ARGUMENT && it.offset == 0 && it.state == NULL);
    if (frees) {
      refused(status, error, "upload was freed");
    } else {
      CHECK(status == AV_STATUS_OK);
      av_upload_free(it.upload);
    }
    av_client_free(client);
    peer_stop(p);
  }
}

/* With threads: told on this thread alone, and free in their midst. */
typedef struct watcher {
  pthread_t thread;
  int elsewhere, calls, states;
  uint64_t confirmed;
  int went_back;
} watcher;

static void watch(void *userdata, const av_upload_progress *told) {
  watcher *it = (watcher *)userdata;
  it->calls++;
  it->elsewhere += !pthread_equal(it->thread, pthread_self());
  it->went_back += told->bytes_confirmed < it->confirmed;
  it->confirmed = told->bytes_confirmed;
}

static void watch_state(void *userdata, const char *state) {
  watcher *it = (watcher *)userdata;
  it->states += state != NULL;
  it->elsewhere += !pthread_equal(it->thread, pthread_self());
}

static void threads_send_and_this_one_is_told(void) {
  peer *p = peer_start();
  av_client *client = keyless(p);
  av_upload_params params = params_for(TOKEN);
  av_upload *upload;
  av_uploaded_video *video = NULL;
  watcher it;
  size_t threads;
  int i;
  memset(&it, 0, sizeof it);
  it.thread = pthread_self();
  params.parallel_parts = 2;
  params.part_bytes = FIRST;
  params.progress_fn = watch;
  params.state_fn = watch_state;
  params.userdata = &it;
  upload = begun(client, &params);
  for (i = 0; i < 4; i++) peer_answer_json(p, "201 Created", BEGUN);
  peer_answer_json(p, "201 Created", WHOLE);
  for (i = 0; i < 4; i++) CHECK(av_upload_write(upload, bytes, FIRST, NULL, NULL) == AV_STATUS_OK);
  CHECK(av_upload_write(upload, bytes, 3, NULL, NULL) == AV_STATUS_OK);
  CHECK(av_upload_finish(upload, NULL, &video, NULL) == AV_STATUS_OK);
  CHECK(video && video->bytes == 4 * FIRST + 3);
  CHECK(is_part(p, 0, "1/*", FIRST) && is_part(p, 4, "5/5", 3) && peer_request_count(p) == 5);
  CHECK(it.elsewhere == 0 && it.went_back == 0 && it.states == 4 && it.confirmed == 4 * FIRST + 3);
  av_uploaded_video_free(video);
  av_upload_free(upload);

  /* Nobody answers: free does not wait for that, and the threads end by themselves. */
  threads = threads_now();
  upload = begun(client, &params);
  peer_answer_json(p, "201 Created", BEGUN);
  peer_answer_text(p, "", PEER_STALL);
  peer_answer_text(p, "", PEER_STALL);
  for (i = 0; i < 3; i++) CHECK(av_upload_write(upload, bytes, FIRST, NULL, NULL) == AV_STATUS_OK);
  CHECK(threads_now() == threads + 2);
  av_upload_free(upload);
  while (threads_now() > threads) sched_yield();
  av_client_free(client);
  peer_stop(p);
}

int main(void) {
  parts_go_once_a_byte_follows_them();
  what_is_short_is_one_part();
  what_was_taken_is_not_lost();
  bad_arguments();
  what_it_can_be_gone_on_from_is_told_when_asked();
  callbacks_may_not_use_the_upload_and_may_free_it();
  threads_send_and_this_one_is_told();
  return checks_report();
}
