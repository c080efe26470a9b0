/* Uploading a file with a token, as C sees it: what goes over the wire, what is handed out, what is told on
 * the way, what an error leaves to go on from, and what callbacks may do. What follows which failure is
 * tested below the boundary, in src/upload. */
#include "support/check.h"
#include "support/client.h"
#include "support/peer.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN "to1tcmSFHeYY5KzyhOqVKMKb"
#define WHOLE                                                                             \
  "{\"videoId\":\"vi1\",\"title\":\"T\",\"public\":true,\"createdAt\":\"1970-01-01T00:00:07Z\"," \
  "\"publishedAt\":\"1970-01-01T00:00:08Z\",\"assets\":{\"player\":\"https://p\","               \
  "\"iframe\":\"<i>\",\"hls\":\"https://h\",\"mp4\":\"https://m\",\"thumbnail\":\"https://t\"}}"
#define MIB (1024 * 1024)

/* A client that knows no key. */
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

static char directory[] = "/tmp/apivideo-upload-XXXXXX";

/* The path of a file in the test's directory; its name may be any bytes. */
static const char *path_of(const char *name) {
  static char path[200];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return path;
}

/* Makes a file of zeros that begins with `text`. */
static const char *file_of(const char *name, const char *text, size_t length) {
  const char *path = path_of(name);
  FILE *file = fopen(path, "wb");
  if (!file || fputs(text, file) < 0 || fclose(file) != 0 || truncate(path, (off_t)length) != 0) {
    perror(path);
    exit(2);
  }
  return path;
}

static int begins(const char *text, const char *beginning) {
  return text && strncmp(text, beginning, strlen(beginning)) == 0;
}

static void one_part(const char *name, int has_key, const char *file_name, const char *shown) {
  peer *p = peer_start();
  av_client *client = has_key ? client_for(peer_url(p)) : keyless(p);
  av_upload_params params = params_for(TOKEN);
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  const char *request;
  char field[200];
  params.file_name = file_name;
  peer_answer_json(p, "201 Created", WHOLE);
  CHECK(av_upload_file(client, file_of(name, "0123456789", 10), &params, NULL, &video, &error) == AV_STATUS_OK);
  CHECK(error == NULL && video != NULL);
  if (video) {
    CHECK(texts_equal(video->video_id, "vi1") && texts_equal(video->title, "T"));
    CHECK(texts_equal(video->player_url, "https://p") && texts_equal(video->iframe_html, "<i>"));
    CHECK(texts_equal(video->hls_url, "https://h") && texts_equal(video->mp4_url, "https://m"));
    CHECK(texts_equal(video->thumbnail_url, "https://t") && texts_equal(video->json, WHOLE));
    CHECK(video->created_at == 7 && video->published_at == 8 && video->bytes == 10);
    CHECK(video->is_public == 1 && video->videos_abandoned == 0);
  }
  request = peer_request(p, 0, NULL);
  CHECK(begins(request, "POST /upload?token=" TOKEN " HTTP/1.1\r\n"));
  CHECK(request && strstr(request, "\r\ncontent-range: part 1/1\r\n"));
  CHECK(request && strstr(request, "\r\ncontent-type: multipart/form-data; boundary=apivideo-"));
  CHECK(request && !strstr(request, "uthorization"));
  snprintf(field, sizeof field,
           "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n"
           "Content-Type: application/octet-stream\r\n\r\n0123456789\r\n--apivideo-",
           shown);
  CHECK_ROW(name, request && strstr(request, field));
  CHECK(peer_request_count(p) == 1);
  av_uploaded_video_free(video);
  av_client_free(client);
  peer_stop(p);
}

static void one_request_uploads_a_small_file(void) {
  one_part("film.mp4", 0, NULL, "film.mp4");
  one_part("film.mp4", 1, "a \"title\" \xC3\xA9", "a %22title%22 \xC3\xA9");
#ifndef _WIN32
  /* What is no UTF-8 is a path all the same. */
  one_part("film\xFF.mp4", 0, NULL, "film\xEF\xBF\xBD.mp4");
#endif
}

static void a_client_without_a_key_calls_nothing_else(void) {
  peer *p = peer_start();
  av_client *client = keyless(p);
  av_token *token = NULL;
  av_error *error = NULL;
  av_client_config config = config_for(peer_url(p));
  av_client *other = NULL;
  CHECK(av_tokens_create(client, 1, NULL, &token, &error) == AV_STATUS_INVALID_ARGUMENT);
  CHECK(error && strstr(av_error_message(error), "AV_CLIENT_NO_CREDENTIAL"));
  av_error_free(error);
  CHECK(av_tokens_delete(client, TOKEN, NULL, NULL) == AV_STATUS_INVALID_ARGUMENT);
  CHECK(peer_connection_count(p) == 0);
  /* Without the flag a key that is missing is a mistake, and with it one that is there. */
  config.api_key = NULL;
  CHECK(av_client_new(&config, &other, NULL) == AV_STATUS_INVALID_ARGUMENT && other == NULL);
  config.api_key = "key";
  config.flags = AV_CLIENT_NO_CREDENTIAL;
  CHECK(av_client_new(&config, &other, NULL) == AV_STATUS_INVALID_ARGUMENT && other == NULL);
  av_client_free(client);
  peer_stop(p);
}

/* What is passed that is wrong, and what its message says. */
static void refused(const av_client *client, const char *path, const av_upload_params *params, av_status status,
                    const char *words) {
  av_uploaded_video *video = (av_uploaded_video *)&status;
  av_error *error = NULL;
  CHECK_ROW(words, av_upload_file(client, path, params, NULL, &video, &error) == status);
  CHECK_ROW(words, video == NULL && error && strstr(av_error_message(error), words));
  CHECK_ROW(words, av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED && !av_error_is_retryable(error));
  CHECK_ROW(words, av_error_upload_state(error) == NULL && av_error_upload_video_id(error) == NULL);
  av_error_free(error);
}

static void bad_arguments(void) {
  peer *p = peer_start();
  av_client *client = keyless(p);
  char file[200];
  av_upload_params params = params_for(TOKEN), bad;
  const av_status argument = AV_STATUS_INVALID_ARGUMENT;
  snprintf(file, sizeof file, "%s", file_of("film.mp4", "x", 10));
  CHECK(av_upload_file(client, file, &params, NULL, NULL, NULL) == argument);
  refused(NULL, file, &params, argument, "client must not be NULL");
  refused(client, NULL, &params, argument, "path must not be NULL");
  refused(client, file, NULL, argument, "params must not be NULL");
  refused(client, file_of("empty", "", 0), &params, argument, "is an empty file");
  refused(client, directory, &params, argument, "is a directory");
#ifndef _WIN32
  CHECK(mkfifo(path_of("fifo"), 0600) == 0);
  refused(client, path_of("fifo"), &params, argument, "is no regular file");
#endif
  refused(client, path_of("nothing"), &params, AV_STATUS_SOURCE, "cannot be opened");
#define REFUSED(member, value, words)            \
  bad = params;                                  \
  bad.member = value;                            \
  refused(client, file, &bad, argument, words)
  REFUSED(struct_size, 0, "params.struct_size is 0");
  REFUSED(struct_size, 8, "params.struct_size is not the size");
  REFUSED(token, NULL, "params.token must not be NULL");
  REFUSED(token, "", "params.token is empty");
  REFUSED(token, "\xFF", "params.token is not UTF-8");
  REFUSED(video_id, "", "params.video_id must be");
  REFUSED(video_id, "a\nb", "params.video_id must be");
  REFUSED(file_name, "", "params.file_name is empty");
  REFUSED(file_name, "\xFF", "params.file_name is not UTF-8");
  REFUSED(resume, "", "params.resume is not the state of an upload");
  REFUSED(resume, "apivideo-upload/9 x", "params.resume is of another version");
  REFUSED(part_bytes, 5 * MIB - 1, "params.part_bytes must be from 5242880 to 209715200");
  REFUSED(part_bytes, 200 * MIB + 1, "params.part_bytes must be");
  REFUSED(parallel_parts, 17, "params.parallel_parts must be from 0 to 16");
  REFUSED(flags, 1, "params.flags has an unknown bit set");
  CHECK(peer_connection_count(p) == 0);
  CHECK(av_error_upload_state(NULL) == NULL && av_error_upload_video_id(NULL) == NULL);
  av_uploaded_video_free(NULL);
  av_client_free(client);
  peer_stop(p);
}

/* What callbacks were told. */
typedef struct listener {
  pthread_t thread;
  int elsewhere, calls, states;
  av_upload_progress last;
  uint64_t confirmed;
  int went_back;
  char state[4200];
} listener;

static void progress(void *userdata, const av_upload_progress *told) {
  listener *it = (listener *)userdata;
  it->calls++;
  it->elsewhere += !pthread_equal(it->thread, pthread_self());
  it->went_back += told->bytes_confirmed < it->confirmed;
  it->confirmed = told->bytes_confirmed;
  it->last = *told;
}

static void keep_state(void *userdata, const char *state) {
  listener *it = (listener *)userdata;
  it->states++;
  it->elsewhere += !pthread_equal(it->thread, pthread_self());
  snprintf(it->state, sizeof it->state, "%s", state);
}

/* Two parts, of which the second is refused, and then goes on from the state of the error. */
static void what_was_confirmed_is_not_sent_again(void) {
  peer *p = peer_start();
  av_client *client = keyless(p);
  const size_t size = 5 * MIB + 1;
  av_upload_params params = params_for(TOKEN);
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  const char *request;
  char state[4200], path[200], moved[204];
  listener it;
  memset(&it, 0, sizeof it);
  it.thread = pthread_self();
  params.progress_fn = progress;
  params.state_fn = keep_state;
  params.userdata = &it;
  snprintf(path, sizeof path, "%s", file_of("film.mp4", "x", size));
  snprintf(moved, sizeof moved, "%s.old", path);
  peer_answer_json(p, "201 Created", "{\"videoId\":\"vi1\"}");
  peer_answer_json(p, "401 Unauthorized", "{\"title\":\"Ended.\"}");
  CHECK(av_upload_file(client, path, &params, NULL, &video, &error) == AV_STATUS_UNAUTHORIZED);
  CHECK(video == NULL && av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
  CHECK(!av_error_is_retryable(error) && av_error_http_status(error) == 401);
  CHECK(texts_equal(av_error_upload_video_id(error), "vi1"));
  CHECK(av_error_upload_state(error) && !strstr(av_error_upload_state(error), TOKEN));
  CHECK(texts_equal(av_error_upload_state(error), it.state) && it.states == 1);
  CHECK(!strstr(av_error_message(error), TOKEN));
  snprintf(state, sizeof state, "%s", it.state);
  av_error_free(error);
  CHECK(it.elsewhere == 0 && it.went_back == 0 && it.calls >= 2);
  CHECK(it.last.parts_confirmed == 1 && it.last.parts_total == 2);
  CHECK(it.last.bytes_confirmed == 5 * MIB && it.last.bytes_total == size);

  /* By another token. */
  params = params_for("another");
  params.resume = state;
  peer_answer_json(p, "201 Created", WHOLE);
  CHECK(av_upload_file(client, path, &params, NULL, &video, NULL) == AV_STATUS_OK);
  CHECK(video && texts_equal(video->video_id, "vi1") && video->bytes == size);
  av_uploaded_video_free(video);
  request = peer_request(p, 2, NULL);
  CHECK(begins(request, "POST /upload?token=another HTTP/1.1\r\n"));
  CHECK(request && strstr(request, "\r\ncontent-range: part 2/2\r\n"));
  CHECK(request && strstr(request, "name=\"videoId\"\r\n\r\nvi1\r\n--apivideo-"));
  CHECK(peer_request_count(p) == 3);

  /* Of a file that cannot be opened now, as on a disk that is away for a while. */
  CHECK(rename(path, moved) == 0);
  CHECK(av_upload_file(client, path, &params, NULL, &video, &error) == AV_STATUS_SOURCE);
  CHECK(strstr(av_error_message(error), "cannot be opened"));
  CHECK(texts_equal(av_error_upload_state(error), state));
  CHECK(texts_equal(av_error_upload_video_id(error), "vi1"));
  CHECK(av_error_outcome(error) == AV_OUTCOME_UNKNOWN && av_error_attempts(error) == 0);
  av_error_free(error);
  CHECK(rename(moved, path) == 0);

  /* Of another file. */
  file_of("film.mp4", "x", size - 1);
  CHECK(av_upload_file(client, path, &params, NULL, &video, &error) == AV_STATUS_SOURCE);
  CHECK(strstr(av_error_message(error), "is not the one that params.resume is about"));
  CHECK(av_error_upload_state(error) == NULL);
  CHECK(peer_request_count(p) == 3);
  av_error_free(error);
  av_client_free(client);
  peer_stop(p);
}

/* What might be lost with a connection that was given up unnoticed cannot be sent again: the first part goes
 * over a new one, and only what follows over one that is there. */
static void what_makes_a_video_goes_over_a_new_connection(void) {
  peer *p = peer_start();
  av_client *client = keyless(p);
  const av_upload_params params = params_for(TOKEN);
  int round;
  for (round = 1; round <= 3; round++) {
    av_uploaded_video *video = NULL;
    const char *path = file_of("film.mp4", "x", round == 2 ? 1000 : 5 * MIB + 1);
    if (round != 2) peer_answer_json(p, "201 Created", "{\"videoId\":\"vi1\"}");
    peer_answer_json(p, "201 Created", WHOLE);
    CHECK(av_upload_file(client, path, &params, NULL, &video, NULL) == AV_STATUS_OK);
    CHECK(peer_connection_count(p) == (size_t)round);
    av_uploaded_video_free(video);
  }
  av_client_free(client);
  peer_stop(p);
}

/* What a callback does to the upload that calls it. */
typedef struct meddler {
  av_client *client, *other;
  av_cancel *cancel;
  const char *path;
  av_status inside;
  int frees, called;
} meddler;

static void meddle(void *userdata, const av_upload_progress *told) {
  meddler *it = (meddler *)userdata;
  (void)told;
  if (it->called++ > 0) return;
  if (it->cancel) av_cancel_trigger(it->cancel);
  if (it->path) {
    av_upload_params params = params_for(TOKEN);
    av_uploaded_video *video = NULL;
    it->inside = av_upload_file(it->other, it->path, &params, NULL, &video, NULL);
    av_uploaded_video_free(video);
  }
  if (it->frees) av_client_free(it->client);
}

/* Uploads a file to `p` while its progress is meddled with. */
static av_status meddled(peer *p, meddler *it, const char *path, av_error **error) {
  av_upload_params params = params_for(TOKEN);
  av_request_options options;
  av_uploaded_video *video = NULL;
  av_status status;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = it->cancel;
  params.progress_fn = meddle;
  params.userdata = it;
  params.progress_interval_ms = 1;
  it->client = keyless(p);
  status = av_upload_file(it->client, path, &params, &options, &video, error);
  av_uploaded_video_free(video);
  if (!it->frees) av_client_free(it->client);
  return status;
}

static void note_rate_limit(void *userdata, const av_upload_progress *told) {
  *(int *)userdata += told->state == AV_UPLOAD_WAITING_FOR_RATE_LIMIT;
}

/* Refused for a while that is over at once, it waits a little by itself; for longer, at the gate of all calls. */
static void a_rate_limit_is_waited_for(void) {
  static const char *const seconds[] = {"0", "1"};
  size_t i;
  for (i = 0; i < sizeof seconds / sizeof *seconds; i++) {
    char refused_for[200];
    peer *p = peer_start();
    av_client *client = keyless(p);
    av_upload_params params = params_for(TOKEN);
    av_uploaded_video *video = NULL;
    int waits = 0;
    params.progress_fn = note_rate_limit;
    params.userdata = &waits;
    snprintf(refused_for, sizeof refused_for,
             "HTTP/1.1 429 Too Many Requests\r\nX-RateLimit-Retry-After: %s\r\nContent-Length: 2\r\n\r\n{}", seconds[i]);
    peer_answer_text(p, refused_for, PEER_KEEP);
    peer_answer_json(p, "201 Created", WHOLE);
    CHECK_ROW(seconds[i], av_upload_file(client, file_of("film.mp4", "x", 9), &params, NULL, &video, NULL) == AV_STATUS_OK);
    CHECK_ROW(seconds[i], waits == 1);
    av_uploaded_video_free(video);
    av_client_free(client);
    peer_stop(p);
  }
}

static void callbacks_may_cancel(void) {
  peer *p = peer_start();
  av_error *error = NULL;
  meddler it;
  memset(&it, 0, sizeof it);
  it.cancel = av_cancel_new();
  CHECK(meddled(p, &it, file_of("film.mp4", "x", 9), &error) == AV_STATUS_CANCELLED);
  CHECK(av_error_outcome(error) != AV_OUTCOME_APPLIED && !av_error_is_retryable(error));
  av_error_free(error);
  av_cancel_free(it.cancel);
  peer_stop(p);
}

static void callbacks_may_upload_and_free(void) {
  peer *p = peer_start(), *other = peer_start();
  char path[200];
  meddler it;
  memset(&it, 0, sizeof it);
  it.path = path;
  snprintf(path, sizeof path, "%s", file_of("film.mp4", "x", 9));
  it.other = keyless(other);
  peer_answer_json(p, "201 Created", WHOLE);
  peer_answer_json(other, "201 Created", WHOLE);
  CHECK(meddled(p, &it, path, NULL) == AV_STATUS_OK);
  CHECK(it.inside == AV_STATUS_OK);
  CHECK(peer_request_count(p) == 1 && peer_request_count(other) == 1);
  av_client_free(it.other);
  memset(&it, 0, sizeof it);
  it.frees = 1;
  peer_answer_json(other, "201 Created", WHOLE);
  CHECK(meddled(other, &it, path, NULL) == AV_STATUS_OK);
  peer_stop(other);
  peer_stop(p);
}

int main(void) {
  if (!mkdtemp(directory)) return 2;
  one_request_uploads_a_small_file();
  a_client_without_a_key_calls_nothing_else();
  bad_arguments();
  what_was_confirmed_is_not_sent_again();
  what_makes_a_video_goes_over_a_new_connection();
  a_rate_limit_is_waited_for();
  callbacks_may_cancel();
  callbacks_may_upload_and_free();
  {
    static const char *const names[] = {"film.mp4", "film\xFF.mp4", "empty", "fifo"};
    size_t i;
    for (i = 0; i < sizeof names / sizeof *names; i++) unlink(path_of(names[i]));
    CHECK(rmdir(directory) == 0);
  }
  return checks_report();
}
