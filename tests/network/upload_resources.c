/* What an upload takes of its host: no more memory than its bound for a file of 30 GiB, of which the first parts are
 * sent, over TLS too, no thread, and no descriptor that stays, however it ends. `make proof-upload` sends UPLOAD_WHOLE_MIB
 * to the end besides. */
#include "support/check.h"
#include "support/client.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/uploads.h"

#include <fcntl.h>
#include <unistd.h>

#define MIB (1024u * 1024)
/* Over a client that is idle. */
#define MOST_MEMORY (MIB + MIB / 4)
enum { UPLOADS = 200 };

/* In KiB, of /proc/self/status. */
static size_t memory(const char *name) {
  char line[200];
  size_t told = 0;
  FILE *status = fopen("/proc/self/status", "r");
  if (!status) exit(2);
  while (fgets(line, sizeof line, status))
    if (strncmp(line, name, strlen(name)) == 0) told = strtoul(line + strlen(name) + 1, NULL, 10);
  fclose(status);
  return told;
}

/* Lets the peak begin anew, from what is resident now. */
static void forget_the_peak(void) {
  int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0 || write(file, "5", 1) != 1) exit(2);
  close(file);
}

typedef struct listener {
  av_cancel *cancel;
  uint64_t enough; /* bytes, after which it is cancelled */
  uint32_t parts;
  uint64_t most;
  size_t threads;
} listener;

static void progress(void *userdata, const av_upload_progress *now) {
  listener *it = (listener *)userdata;
  size_t threads = threads_now();
  uint64_t done = now->bytes_confirmed + now->bytes_sent;
  if (threads > it->threads) it->threads = threads;
  if (done > it->most) it->most = done;
  it->parts = now->parts_total;
  if (done >= it->enough) av_cancel_trigger(it->cancel);
}

static av_status upload(const av_client *client, const char *token, const char *path, listener *it) {
  av_upload_params params = quick_params(token, "film.mp4");
  av_request_options options;
  av_uploaded_video *video = NULL;
  av_status status;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = it->cancel = av_cancel_new();
  params.part_bytes = 0;
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  params.progress_fn = progress;
  params.userdata = it;
  params.progress_interval_ms = 1;
  status = av_upload_file(client, path, &params, &options, &video, NULL);
  av_cancel_free(it->cancel);
  av_uploaded_video_free(video);
  return status;
}

static const char authority[] = "/tmp/apivideo-upload-resources.pem";

/* The memory over `idle` KiB that a file takes which is uploaded until `enough` bytes are sent. */
static void takes_little_memory(const av_client *client, const char *token, const char *way, size_t idle, uint64_t mib, uint64_t enough) {
  source of = source_of(1);
  listener it = {NULL, enough, 0, 0, 0};
  size_t threads = threads_now(), peak;
  av_status status;
  if (truncate(of.path, (off_t)(mib * MIB)) != 0) exit(2);
  forget_the_peak();
  status = upload(client, token, of.path, &it);
  peak = memory("VmHWM");
  printf("uploads take memory for %llu MiB%s: %llu MiB sent of %u parts, %zu KiB at most over an idle client\n",
         (unsigned long long)mib, way, (unsigned long long)(it.most / MIB), (unsigned)it.parts, peak - idle);
  CHECK_ROW(way, status == (enough < mib * MIB ? AV_STATUS_CANCELLED : AV_STATUS_OK));
  CHECK_ROW(way, it.most >= (enough < mib * MIB ? enough : mib * MIB));
  /* The first of 5 MiB, and then by 32; in ten thousand at most. */
  CHECK_ROW(way, it.parts == 1 + (mib - 5 + 31) / 32);
  CHECK_ROW(way, it.threads == threads);
  CHECK_ROW(way, is_slowed() || (peak - idle) * 1024 <= MOST_MEMORY);
  source_delete(&of);
}

/* A service that speaks TLS or not, a client that has uploaded a file, code included, so that what is resident then is
 * what an idle one has, and files that are large. */
static void memory_is_bounded(int over_tls) {
  const char *const arguments[] = {"--api-key", "test-key", "--seed", "1", over_tls ? "--tls" : NULL, "--tls-ca-file", authority, NULL};
  const char *way = over_tls ? " over TLS" : "", *whole = getenv("UPLOAD_WHOLE_MIB");
  local_api *service = local_api_start(arguments);
  av_client_config config = keyless_config(local_api_url(service));
  av_client *client;
  source small = source_of(1000);
  listener it = {NULL, UINT64_MAX, 0, 0, 0};
  char token[64];
  size_t idle;
  if (over_tls) {
    config.ca_file = authority;
    first_token(ledger_over_tls(local_api_url(service), authority), token, sizeof token);
  } else {
    ledger now = ledger_of(local_api_url(service));
    first_token(now.text, token, sizeof token);
    ledger_free(&now);
  }
  client = client_of(&config);
  CHECK(upload(client, token, small.path, &it) == AV_STATUS_OK);
  idle = memory("VmRSS");
  takes_little_memory(client, token, way, idle, 30 * 1024, 100 * (uint64_t)MIB);
  if (whole) takes_little_memory(client, token, way, idle, strtoull(whole, NULL, 10), UINT64_MAX);
  av_client_free(client);
  local_api_stop(service);
  source_delete(&small);
  unlink(authority);
}

static void leaves_nothing_behind(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--seed", "1", NULL};
  local_api *service = local_api_start(arguments);
  av_client_config config = keyless_config(local_api_url(service));
  av_client *client;
  source small = source_of(1000), two = source_of(SMALLEST_PART + 1000);
  const size_t threads = threads_now();
  size_t descriptors;
  char token[64];
  int i, whole = 0, cancelled = 0;
  ledger now = ledger_of(local_api_url(service));
  first_token(now.text, token, sizeof token);
  ledger_free(&now);
  descriptors = open_descriptors();
  client = client_of(&config);
  for (i = 0; i < UPLOADS; i++) {
    /* Some whole, of one part or two, and some that are cancelled on the way. */
    listener it = {NULL, i % 4 == 3 ? SMALLEST_PART / 4 : UINT64_MAX, 0, 0, 0};
    av_status status = upload(client, token, i % 8 == 7 || i % 8 == 3 || i % 20 == 0 ? two.path : small.path, &it);
    whole += status == AV_STATUS_OK;
    cancelled += status == AV_STATUS_CANCELLED;
    CHECK(it.threads == threads);
  }
  CHECK(whole + cancelled == UPLOADS && cancelled > 0);
  /* What is idle is the client's: one connection. */
  CHECK(open_descriptors() <= descriptors + 1);
  printf("uploads take no descriptors or threads: %d uploads, %d of them cancelled; %zu before, %zu after, ", UPLOADS, cancelled, descriptors,
         open_descriptors());
  av_client_free(client);
  printf("%zu with the client freed; threads %zu\n", open_descriptors(), threads_now());
  CHECK(open_descriptors() == descriptors);
  CHECK(threads_now() == threads);
  local_api_stop(service);
  source_delete(&small);
  source_delete(&two);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  memory_is_bounded(0);
  memory_is_bounded(1);
  leaves_nothing_behind();
  return checks_report();
}
