/* A disk that is slow, gives little at a time, is interrupted, or fails: what is read from it meanwhile is uploaded
 * or told as the source's failure, and never taken for the network's. pread() is found here before that of the
 * system. */
#include "support/check.h"
#include "support/client.h"
#include "support/moment.h"
#include "support/peer.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TOKEN "to1tcmSFHeYY5KzyhOqVKMKb"
#define SIZE ((size_t)1200 * 1024)

/* What the disk is like, on the thread that makes the calls. */
static __thread struct {
  unsigned slow_by_ms, interrupted;
  size_t at_once;      /* so many bytes at most, if not 0 */
  off_t fails_from;    /* if not 0 */
} disk;

/* As Rust calls it: musl has no other offsets than those of 64 bits, and one name. */
#ifdef __GLIBC__
#define PREAD pread64
#define PREAD_NAME "pread64"
#else
#define PREAD pread
#define PREAD_NAME "pread"
#endif
typedef ssize_t pread_fn(int, void *, size_t, off_t);

#ifdef __cplusplus
extern "C" {
#endif
ssize_t PREAD(int from, void *bytes, size_t length, off_t at) {
  struct timespec time = {disk.slow_by_ms / 1000, (long)(disk.slow_by_ms % 1000) * 1000000};
  if (disk.slow_by_ms) nanosleep(&time, NULL);
  if (disk.interrupted) return disk.interrupted--, errno = EINTR, -1;
  if (disk.fails_from && at + (off_t)length > disk.fails_from) return errno = EIO, -1;
  if (disk.at_once && length > disk.at_once) length = disk.at_once;
  return (__extension__(pread_fn *) dlsym(RTLD_NEXT, PREAD_NAME))(from, bytes, length, at);
}
#ifdef __cplusplus
}
#endif

static char path[] = "/tmp/apivideo-disk-XXXXXX";

static av_status upload(peer *p, uint32_t stall_timeout_ms, av_error **error) {
  av_client_config config = config_for(peer_url(p));
  av_client *client = client_of(&config);
  av_upload_params params;
  av_uploaded_video *video = NULL;
  av_status status;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.token = TOKEN;
  params.stall_timeout_ms = stall_timeout_ms;
  *error = NULL;
  status = av_upload_file(client, path, &params, NULL, &video, error);
  CHECK((status == AV_STATUS_OK) == (video != NULL));
  if (video) CHECK(video->bytes == SIZE);
  av_uploaded_video_free(video);
  av_client_free(client);
  return status;
}

static void uploads(const char *like) {
  peer *p = peer_start();
  av_error *error = NULL;
  peer_answer_json(p, "201 Created", "{\"videoId\":\"vi1\",\"title\":\"T\"}");
  if (!CHECK_ROW(like, upload(p, time_for(1000), &error) == AV_STATUS_OK)) puts(av_error_message(error));
  CHECK_ROW(like, peer_request_count(p) == 1);
  av_error_free(error);
  memset(&disk, 0, sizeof disk);
  peer_stop(p);
}

static void fails(const char *like, off_t from) {
  peer *p = peer_start();
  av_error *error = NULL;
  disk.fails_from = from;
  CHECK_ROW(like, upload(p, 0, &error) == AV_STATUS_SOURCE);
  CHECK_ROW(like, error && strstr(av_error_message(error), strerror(EIO)));
  CHECK_ROW(like, av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED && !av_error_is_retryable(error));
  CHECK_ROW(like, peer_request_count(p) == 0);
  av_error_free(error);
  memset(&disk, 0, sizeof disk);
  peer_stop(p);
}

int main(void) {
  int file = mkstemp(path);
  CHECK(file >= 0 && ftruncate(file, (off_t)SIZE) == 0 && close(file) == 0);
  disk.interrupted = 3;
  uploads("interrupted");
  disk.at_once = 1000;
  uploads("little at a time");
  /* For longer than a connection may stand still: that is not the network's fault. */
  disk.slow_by_ms = time_for(1500);
  uploads("slow");
  fails("broken at the beginning", 1);
  fails("broken at the end", (off_t)SIZE - 1);
  fails("broken in the middle", (off_t)SIZE / 2);
  unlink(path);
  return checks_report();
}
