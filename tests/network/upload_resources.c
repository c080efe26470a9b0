/* What an upload takes of its host: no more memory than its bound for a file of 30 GiB, of which the first parts are
 * sent, over TLS too, and for what is written as long; no thread but those that were asked for, and no descriptor that
 * stays, however it ends. `make proof-upload` sends UPLOAD_WHOLE_MIB to the end besides. */
#include "support/check.h"
#include "support/client.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/uploads.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1024u * 1024)
/* Over a client that is idle. */
#define MOST_MEMORY (MIB + MIB / 4)
enum { UPLOADS = 200, AT_ONCE = 3 };
/* What av_upload_params.part_bytes 0 is for what is written. */
#define WRITTEN_PART (8 * (size_t)MIB)

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

/* Writes `size` bytes, in pieces as they come from a camera. */
static av_status write_all(const av_client *client, const av_upload_params *params, const av_request_options *options, uint64_t size,
                           av_uploaded_video **video) {
  static char some[100 * 1000];
  av_upload *upload = NULL;
  av_status status = av_upload_begin(client, params, &upload, NULL);
  while (status == AV_STATUS_OK && av_upload_offset(upload) < size) {
    uint64_t left = size - av_upload_offset(upload);
    status = av_upload_write(upload, some, left < sizeof some ? (size_t)left : sizeof some, options, NULL);
  }
  if (status == AV_STATUS_OK) status = av_upload_finish(upload, options, video, NULL);
  av_upload_free(upload);
  return status;
}

static av_status upload(upload_way way, const av_client *client, const char *token, const char *path, uint64_t size, listener *it) {
  av_upload_params params = quick_params(token, "film.mp4");
  av_request_options options;
  av_uploaded_video *video = NULL;
  av_status status;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = it->cancel = av_cancel_new();
  params.part_bytes = 0;
  params.parallel_parts = way == FILE_IN_PARALLEL || way == WRITTEN_IN_PARALLEL ? AT_ONCE : 0;
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  params.progress_fn = progress;
  params.userdata = it;
  params.progress_interval_ms = 1;
  status = way < WRITTEN ? av_upload_file(client, path, &params, &options, &video, NULL) : write_all(client, &params, &options, size, &video);
  av_cancel_free(it->cancel);
  av_uploaded_video_free(video);
  return status;
}

/* The memory over an idle client that an upload takes, until `enough` bytes are sent. */
static void takes_little_memory(upload_way way, const av_client_config *config, const char *token, uint64_t mib, uint64_t enough) {
  source of = source_of(1000);
  listener warm = {NULL, UINT64_MAX, 0, 0, 0}, it = {NULL, enough, 0, 0, 0};
  const size_t threads = threads_now(), at_once = way == FILE_IN_PARALLEL || way == WRITTEN_IN_PARALLEL ? AT_ONCE : 0;
  const size_t kept = way < WRITTEN ? 0 : (at_once + 1) * WRITTEN_PART, most = kept + (at_once ? at_once : 1) * MOST_MEMORY;
  const int is_whole = enough >= mib * MIB;
  av_client *client = client_of(config);
  char row[64];
  size_t idle, peak;
  av_status status;
  snprintf(row, sizeof row, "%llu MiB%s%s", (unsigned long long)mib, upload_way_name(way), config->ca_file ? " over TLS" : "");
  /* Code included, what is resident then is what an idle client has. */
  CHECK_ROW(row, upload(way, client, token, of.path, of.size, &warm) == AV_STATUS_OK);
  idle = memory("VmRSS");
  if (truncate(of.path, (off_t)(mib * MIB)) != 0) exit(2);
  forget_the_peak();
  status = upload(way, client, token, of.path, mib * MIB, &it);
  peak = memory("VmHWM");
  printf("uploads take memory for %s: %llu MiB sent, %zu KiB at most over an idle client, of %zu\n", row, (unsigned long long)(it.most / MIB),
         peak - idle, most / 1024);
  CHECK_ROW(row, status == (is_whole ? AV_STATUS_OK : AV_STATUS_CANCELLED));
  CHECK_ROW(row, it.most >= (is_whole ? mib * MIB : enough));
  /* The first of 5 MiB, and then by 32; in ten thousand at most. */
  if (way < WRITTEN) CHECK_ROW(row, it.parts == 1 + (mib - 5 + 31) / 32);
  CHECK_ROW(row, it.threads == threads + at_once);
  CHECK_ROW(row, is_slowed() || (peak - idle) * 1024 <= most);
  av_client_free(client);
  source_delete(&of);
}

/* In a process of its own: what malloc keeps of one upload would be another's. */
static void in_a_child(upload_way way, const av_client_config *config, const char *token, uint64_t mib, uint64_t enough) {
  int status;
  const pid_t child = fork();
  if (child < 0) exit(2);
  if (child == 0) {
    checks_failed = 0;
    takes_little_memory(way, config, token, mib, enough);
    fflush(stdout);
    _exit(checks_failed > 0);
  }
  if (waitpid(child, &status, 0) != child) exit(2);
  CHECK_ROW(upload_way_name(way), WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A service that speaks TLS or not, and files that are large. */
static void memory_is_bounded(int over_tls) {
  char authority[] = "/tmp/apivideo-authority-XXXXXX";
  const char *const arguments[] = {"--api-key", "test-key", "--seed", "1", over_tls ? "--tls" : NULL, "--tls-ca-file", authority, NULL};
  const char *whole = getenv("UPLOAD_WHOLE_MIB");
  av_client_config config;
  local_api *service;
  char token[64];
  int way;
  close(mkstemp(authority));
  service = local_api_start(arguments);
  config = keyless_config(local_api_url(service));
  if (over_tls) {
    config.ca_file = authority;
    first_token(ledger_over_tls(local_api_url(service), authority), token, sizeof token);
  } else {
    ledger now = ledger_of(local_api_url(service));
    first_token(now.text, token, sizeof token);
    ledger_free(&now);
  }
  for (way = 0; way < UPLOAD_WAYS; way++) {
    in_a_child((upload_way)way, &config, token, 30 * 1024, 100 * (uint64_t)MIB);
    if (whole) in_a_child((upload_way)way, &config, token, strtoull(whole, NULL, 10), UINT64_MAX);
  }
  local_api_stop(service);
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
    const source *of = i % 8 == 7 || i % 8 == 3 || i % 20 == 0 ? &two : &small;
    av_status status = upload(WHOLE_FILE, client, token, of->path, of->size, &it);
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
