/* A system that allows few threads, or none: an upload that wants several goes on with those that there are, says so
 * in its trace, and is whole in the end. pthread_create() is found here before that of the system. */
#include "support/check.h"
#include "support/client.h"
#include "support/peer.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define TOKEN "to1tcmSFHeYY5KzyhOqVKMKb"
#define PART ((size_t)5 * 1024 * 1024)

/* How many more threads may be made by the thread that makes the calls; the peer has its own. */
static __thread int allowed = -1;

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

#ifdef __cplusplus
extern "C" {
#endif
int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*work)(void *), void *argument) {
  if (allowed == 0) return EAGAIN;
  if (allowed > 0) allowed--;
  return (__extension__(create_fn *) dlsym(RTLD_NEXT, "pthread_create"))(thread, how, work, argument);
}
#ifdef __cplusplus
}
#endif

typedef struct trace {
  pthread_t thread;
  int elsewhere;
  int tellings;
  char told[200];
} trace;

static void keep_line(void *userdata, int32_t level, const char *line) {
  trace *it = (trace *)userdata;
  (void)level;
  it->elsewhere += !pthread_equal(it->thread, pthread_self());
  if (!strstr(line, "threads for")) return;
  it->tellings++;
  snprintf(it->told, sizeof it->told, "%s", line);
}

static char path[] = "/tmp/apivideo-threads-XXXXXX";

/* Writes as much as the file has. */
static av_status upload_written(const av_client *client, const av_upload_params *params, av_uploaded_video **video, av_error **error) {
  char *bytes = (char *)calloc(1, PART);
  av_upload *upload = NULL;
  av_status status = av_upload_begin(client, params, &upload, error);
  int i;
  for (i = 0; status == AV_STATUS_OK && i < 4; i++) status = av_upload_write(upload, bytes, PART, NULL, error);
  if (status == AV_STATUS_OK) status = av_upload_write(upload, bytes, 1, NULL, error);
  if (status == AV_STATUS_OK) status = av_upload_finish(upload, NULL, video, error);
  av_upload_free(upload);
  free(bytes);
  return status;
}

/* On a connection of its own: the peer serves one at a time. */
static void answer_once(peer *p, const char *body) {
  char text[200];
  snprintf(text, sizeof text, "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
  peer_answer_text(p, text, PEER_CLOSE);
}

static void uploads_with(int is_written, int threads, const char *told) {
  peer *p = peer_start();
  av_client_config config = config_for(peer_url(p));
  av_client *client;
  av_upload_params params;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  trace it;
  int i;
  memset(&it, 0, sizeof it);
  it.thread = pthread_self();
  config.trace_fn = keep_line;
  config.trace_userdata = &it;
  config.trace_level = AV_TRACE_INFO;
  client = client_of(&config);
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.token = TOKEN;
  params.part_bytes = PART;
  params.parallel_parts = 3;
  for (i = 0; i < 4; i++) answer_once(p, "{\"videoId\":\"vi1\"}");
  answer_once(p, "{\"videoId\":\"vi1\",\"title\":\"T\"}");
  allowed = threads;
  if (!CHECK_ROW(told, (is_written ? upload_written(client, &params, &video, &error)
                                   : av_upload_file(client, path, &params, NULL, &video, &error)) == AV_STATUS_OK))
    puts(av_error_message(error));
  allowed = -1;
  CHECK_ROW(told, video && video->bytes == 4 * PART + 1 && peer_request_count(p) == 5);
  if (!CHECK_ROW(told, strcmp(it.told, told) == 0)) puts(it.told);
  CHECK_ROW(told, it.tellings == (*told != '\0'));
  CHECK_ROW(told, it.elsewhere == 0);
  av_error_free(error);
  av_uploaded_video_free(video);
  av_client_free(client);
  peer_stop(p);
}

int main(void) {
  int is_written;
  int file = mkstemp(path);
  CHECK(file >= 0 && ftruncate(file, (off_t)(4 * PART + 1)) == 0 && close(file) == 0);
  for (is_written = 0; is_written < 2; is_written++) {
    uploads_with(is_written, -1, "");
    uploads_with(is_written, 1, "1 threads for 3 parts at once: the system allows no more");
    uploads_with(is_written, 0, "0 threads for 3 parts at once: the system allows no more");
  }
  unlink(path);
  return checks_report();
}
