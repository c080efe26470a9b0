/* A callback of an upload that forks: the child must not go on with what is its parent's, and is told so, whenever
 * it was forked; its parent's upload is untouched. So it is if another thread forks, whose child may upload by the
 * same client; and between the calls of one that is written, threads under way or not. */
#include "support/check.h"
#include "support/client.h"
#include "support/moment.h"
#include "support/peer.h"
#include "support/server.h"
#include "support/uploads.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE (5 * 1024 * 1024 + 1)

/* At which of its calls the callback forks. */
typedef struct forker {
  int at, called, child_status;
  pid_t child;
} forker;

static void fork_then(void *userdata, const av_upload_progress *progress) {
  forker *it = (forker *)userdata;
  (void)progress;
  if (it->called++ != it->at) return;
  it->child = fork();
  if (it->child > 0) waitpid(it->child, &it->child_status, 0);
}

static void keep_nothing(void *userdata, const char *state) {
  (void)state;
  fork_then(userdata, NULL);
}

/* Uploads two parts, and forks at the call `at` of the callbacks; whether there was such a call. */
static int forks_at(int at, const char *path) {
  peer *p = peer_start();
  av_client_config config = config_for(peer_url(p));
  av_client *client;
  av_upload_params params;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  av_status status;
  forker it;
  memset(&it, 0, sizeof it);
  it.at = at;
  it.child = -1;
  config.api_key = NULL;
  config.flags = AV_CLIENT_NO_CREDENTIAL;
  client = client_of(&config);
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.token = "to1tcmSFHeYY5KzyhOqVKMKb";
  params.progress_fn = fork_then;
  params.state_fn = keep_nothing;
  params.userdata = &it;
  params.progress_interval_ms = 1;
  peer_answer_json(p, "201 Created", "{\"videoId\":\"vi1\"}");
  peer_answer_json(p, "201 Created", "{\"videoId\":\"vi1\",\"title\":\"T\"}");
  status = av_upload_file(client, path, &params, NULL, &video, &error);
  if (it.child == 0) {
    int is_refused = status == AV_STATUS_INVALID_ARGUMENT && strstr(av_error_message(error), "forked") != NULL;
    if (!is_refused) fprintf(stderr, "child %d: %d %s\n", at, (int)status, av_error_message(error));
    av_error_free(error);
    av_client_free(client);
    _exit(is_refused ? 0 : 1);
  }
  if (it.child > 0) CHECK(WIFEXITED(it.child_status) && WEXITSTATUS(it.child_status) == 0);
  CHECK(status == AV_STATUS_OK && error == NULL);
  CHECK(peer_request_count(p) == 2 && peer_connection_count(p) == 1);
  av_uploaded_video_free(video);
  av_client_free(client);
  peer_stop(p);
  return it.child > 0;
}

/* Holds the answer to its first request until it is let go. */
typedef struct holder {
  int come, let_go;
} holder;

static void serve_held(server *s, int connection, void *data) {
  holder *it = (holder *)data;
  request asked;
  while (server_receive_large(s, connection, &asked)) {
    if (__atomic_add_fetch(&it->come, 1, __ATOMIC_SEQ_CST) == 1) wait_until(&it->let_go, 1, "an answer that is let go");
    server_answer(connection, "201 Created", "", "{\"videoId\":\"vi1\",\"title\":\"T\"}");
  }
}

typedef struct uploader {
  const av_client *client;
  const char *path;
  av_status status;
} uploader;

static void *upload(void *argument) {
  uploader *it = (uploader *)argument;
  av_upload_params params = quick_params("to1tcmSFHeYY5KzyhOqVKMKb", "film.mp4");
  av_uploaded_video *video = NULL;
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  it->status = av_upload_file(it->client, it->path, &params, NULL, &video, NULL);
  av_uploaded_video_free(video);
  return NULL;
}

static void another_thread_forks(const char *path) {
  holder held = {0, 0};
  server *s = server_start(serve_held, &held);
  av_client_config config = keyless_config(server_url(s));
  av_client *client = client_of(&config);
  uploader of_parent = {client, path, AV_STATUS_INTERNAL}, of_child = {client, path, AV_STATUS_INTERNAL};
  pthread_t thread;
  pid_t child;
  int status = -1;
  if (pthread_create(&thread, NULL, upload, &of_parent) != 0) exit(2);
  wait_until(&held.come, 1, "a part that is sent");
  child = fork();
  if (child == 0) {
    upload(&of_child);
    _exit(of_child.status == AV_STATUS_OK ? 0 : 1);
  }
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  __atomic_store_n(&held.let_go, 1, __ATOMIC_SEQ_CST);
  pthread_join(thread, NULL);
  CHECK(of_parent.status == AV_STATUS_OK);
  /* Two parts each, and a connection each. */
  CHECK(server_requests(s) == 4 && server_connections(s) == 2);
  av_client_free(client);
  server_stop(s);
}

static int is_refused(av_status status, av_error **error) {
  const int is_it = status == AV_STATUS_INVALID_ARGUMENT && strstr(av_error_message(*error), "forked") != NULL;
  av_error_free(*error);
  return is_it;
}

/* The child may do nothing with it but free it, while threads of its parent's send. */
static void between_two_calls(void) {
  holder held = {-1, 0}; /* the second request, which is a thread's */
  server *s = server_start(serve_held, &held);
  av_client_config config = keyless_config(server_url(s));
  av_client *client = client_of(&config);
  av_upload_params params = quick_params("to1tcmSFHeYY5KzyhOqVKMKb", "film.mp4");
  av_upload *upload = NULL;
  av_uploaded_video *video = NULL;
  char *bytes = (char *)calloc(1, 2 * SMALLEST_PART + 1);
  pid_t child;
  int status = -1;
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  params.parallel_parts = 2;
  CHECK(av_upload_begin(client, &params, &upload, NULL) == AV_STATUS_OK);
  CHECK(av_upload_write(upload, bytes, 2 * SMALLEST_PART + 1, NULL, NULL) == AV_STATUS_OK);
  wait_until(&held.come, 1, "a part that a thread sends");
  child = fork();
  if (child == 0) {
    av_error *error = NULL;
    int is_right = av_upload_offset(upload) == 2 * SMALLEST_PART + 1;
    is_right &= is_refused(av_upload_write(upload, bytes, 1, NULL, &error), &error);
    is_right &= is_refused(av_upload_finish(upload, NULL, &video, &error), &error);
    av_upload_free(upload);
    av_client_free(client);
    _exit(is_right ? 0 : 1);
  }
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  __atomic_store_n(&held.let_go, 1, __ATOMIC_SEQ_CST);
  CHECK(av_upload_finish(upload, NULL, &video, NULL) == AV_STATUS_OK);
  CHECK(server_requests(s) == 3);
  av_uploaded_video_free(video);
  av_upload_free(upload);
  av_client_free(client);
  server_stop(s);
  free(bytes);
}

int main(void) {
  char path[] = "/tmp/apivideo-fork-XXXXXX";
  int file = mkstemp(path), at = 0;
  if (file < 0 || ftruncate(file, SIZE) != 0) return 2;
  close(file);
  /* The last one is after all is done. */
  while (at < 20 && forks_at(at, path)) at++;
  printf("forked at %d moments\n", at);
  /* At the least as it begins, and after each part. */
  CHECK(at >= 4);
  another_thread_forks(path);
  between_two_calls();
  unlink(path);
  return checks_report();
}
