/* A link of 12 KB/s, behind a send buffer that takes all of a part at once: for longer than nothing may move the system
 * takes nothing more, and yet it is no standstill, since what arrives is what counts. What is told on the way is that. */
#include "support/check.h"
#include "support/client.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/uploads.h"

#include <poll.h>
#include <sys/socket.h>

enum { BYTES_PER_SECOND = 12000, TURNS_PER_SECOND = 20, SIZE = 60000, STALL_MS = 1500 };

/* How much has come through, and how much may have, which a busy machine may find out later; and how much of it waits
 * there to be read, at most (0 until that is known). */
typedef struct slow_link {
  uint64_t passed, may_have_passed;
  int buffer;
} slow_link;

static void serve_slowly(server *s, int connection, void *data) {
  slow_link *it = (slow_link *)data;
  int buffer;
  socklen_t size = sizeof buffer;
  struct pollfd gone = {connection, POLLRDHUP, 0};
  char some[BYTES_PER_SECOND / TURNS_PER_SECOND];
  (void)s;
  getsockopt(connection, SOL_SOCKET, SO_RCVBUF, &buffer, &size);
  __atomic_store_n(&it->buffer, buffer, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&it->passed, __ATOMIC_SEQ_CST) < SIZE) {
    ssize_t got;
    /* This is the link, which is slow. */
    if (poll(&gone, 1, 1000 / TURNS_PER_SECOND) != 0) return;
    __atomic_store_n(&it->may_have_passed, it->passed + sizeof some, __ATOMIC_SEQ_CST);
    got = recv(connection, some, sizeof some, 0);
    if (got <= 0) return;
    __atomic_add_fetch(&it->passed, (uint64_t)got, __ATOMIC_SEQ_CST);
  }
  /* What is left is the frame. */
  server_answer(connection, "201 Created", "", "{\"videoId\":\"vi1\",\"title\":\"T\"}");
  server_swallow(connection);
}

typedef struct listener {
  slow_link *link;
  uint64_t last, repeated;
  int steps, went_back, too_much;
} listener;

static void progress(void *userdata, const av_upload_progress *now) {
  listener *it = (listener *)userdata;
  uint64_t buffer = (uint64_t)__atomic_load_n(&it->link->buffer, __ATOMIC_SEQ_CST);
  uint64_t most = __atomic_load_n(&it->link->may_have_passed, __ATOMIC_SEQ_CST) + buffer;
  it->steps += now->bytes_sent > it->last;
  it->went_back += now->bytes_confirmed == 0 && now->bytes_sent < it->last;
  it->too_much += buffer > 0 && now->bytes_confirmed == 0 && now->bytes_sent > most;
  it->repeated = now->bytes_repeated;
  it->last = now->bytes_sent;
}

int main(void) {
  source of = source_of(SIZE);
  slow_link link = {0, 0, 0};
  server *s = server_start(serve_slowly, &link);
  av_client_config config = keyless_config(server_url(s));
  av_client *client = client_of(&config);
  av_upload_params params = quick_params("to1tcmSFHeYY5KzyhOqVKMKb", "film.mp4");
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  listener it = {&link, 0, 0, 0, 0, 0};
  double begun = now_ms(), took;
  params.stall_timeout_ms = time_for(STALL_MS);
  params.answer_timeout_ms = 0;
  params.progress_fn = progress;
  params.progress_interval_ms = 20;
  params.userdata = &it;
  if (!CHECK(av_upload_file(client, of.path, &params, NULL, &video, &error) == AV_STATUS_OK))
    fprintf(stderr, "  %s\n", av_error_message(error));
  took = now_ms() - begun;
  printf("uploads, a slow link: %d bytes in %.0f ms, told in %d steps; nothing may move for %u ms\n", SIZE, took, it.steps,
         (unsigned)params.stall_timeout_ms);
  CHECK(server_connections(s) == 1);
  CHECK(it.repeated == 0);
  CHECK(it.went_back == 0);
#ifndef _WIN32
  /* Windows does not tell how much the other side has of what it has taken. */
  CHECK(it.steps >= 10);
  CHECK(it.too_much == 0);
#endif
  /* It was slow, longer than a standstill may be. */
  CHECK(took >= 2 * STALL_MS);
  av_error_free(error);
  av_uploaded_video_free(video);
  av_client_free(client);
  server_stop(s);
  source_delete(&of);
  return checks_report();
}
