/* Uploads while something runs out: no descriptor to be had, no thread, no memory. Each is told, nothing that was taken
 * is lost, and once there is some again the same upload ends well. */
#include "support/check.h"
#include "support/client.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/uploads.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 256 };

static local_api *service;
static char token[64];
static source film;

/* That what has this title is there once, whole and right. */
static void is_there(const char *title) {
  ledger now = ledger_of(local_api_url(service));
  const stored has = stored_in(now.text, title, &film);
  CHECK_ROW(title, has.videos == 1 && has.whole == 1 && has.right == 1);
  ledger_free(&now);
}

/* ------------------------------------------------------------------------------------------ descriptors */

static int taken[MOST];
static size_t taken_count;

static void take_all(void) {
  struct rlimit limit;
  int descriptor;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) exit(2);
  limit.rlim_cur = MOST;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) exit(2);
  while ((descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) taken[taken_count++] = descriptor;
  if (!CHECK(errno == EMFILE)) exit(1); /* proves nothing */
}

static void give_all_back(void) {
  while (taken_count > 0) close(taken[--taken_count]);
}

/* Takes all once a part is confirmed, and gives them back when that has been noticed. */
typedef struct shortage {
  int begun, noticed;
} shortage;

static void begin_shortage(void *userdata, const char *state) {
  shortage *it = (shortage *)userdata;
  (void)state;
  if (!it->begun++) take_all();
}

static void end_shortage(void *userdata, int32_t level, const char *line) {
  (void)level;
  if (!strstr(line, "open files")) return;
  ((shortage *)userdata)->noticed++;
  give_all_back();
}

/* One connection stands when it begins: with more at once the others cannot be made, and are waited for. */
static void without_descriptors(upload_way way) {
  av_client_config config = keyless_config(local_api_url(service));
  shortage it = {0, 0};
  av_upload_params params;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  av_client *client;
  char title[64];
  const int is_parallel = way == FILE_IN_PARALLEL || way == WRITTEN_IN_PARALLEL;
  snprintf(title, sizeof title, "no descriptor%s", upload_way_name(way));
  config.trace_fn = end_shortage;
  config.trace_level = AV_TRACE_ERROR;
  config.trace_userdata = &it;
  client = client_of(&config);
  params = quick_params(token, title);
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  params.state_fn = begin_shortage;
  params.userdata = &it;
  CHECK_ROW(title, upload_by(way, client, film.path, &params, NULL, &video, &error) == AV_STATUS_OK);
  if (error) fprintf(stderr, "%s\n", av_error_message(error));
  CHECK_ROW(title, it.begun > 0 && (is_parallel ? it.noticed > 0 : it.noticed == 0));
  give_all_back();
  is_there(title);
  av_uploaded_video_free(video);
  av_error_free(error);
  av_client_free(client);
}

/* The file cannot be opened; what was to be gone on from is not lost by that. */
static void without_a_descriptor_for_the_file(void) {
  av_client_config config = keyless_config(local_api_url(service));
  av_client *client = client_of(&config);
  av_upload_params params = quick_params(token, "no descriptor for the file");
  av_request_options options;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = av_cancel_new();
  take_all();
  CHECK(av_upload_file(client, film.path, &params, &options, &video, &error) == AV_STATUS_SOURCE);
  CHECK(strstr(av_error_message(error), "open files") && av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
  give_all_back();
  av_error_free(error);
  CHECK(av_upload_file(client, film.path, &params, NULL, &video, &error) == AV_STATUS_OK);
  is_there("no descriptor for the file");
  av_cancel_free(options.cancel);
  av_uploaded_video_free(video);
  av_client_free(client);
}

/* ---------------------------------------------------------------------------------------------- threads */

static void count_lines(void *userdata, int32_t level, const char *line) {
  (void)level;
  if (strstr(line, "0 threads for 3 parts at once")) ++*(int *)userdata;
}

static void *nothing(void *argument) { return argument; }

/* They go one after the other, and the trace says why. */
static void without_threads(upload_way way) {
  av_client_config config = keyless_config(local_api_url(service));
  av_upload_params params;
  av_uploaded_video *video = NULL;
  av_client *client;
  char title[64];
  int told = 0;
  snprintf(title, sizeof title, "no thread%s", upload_way_name(way));
  config.trace_fn = count_lines;
  config.trace_level = AV_TRACE_ERROR;
  config.trace_userdata = &told;
  client = client_of(&config);
  params = quick_params(token, title);
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  CHECK_ROW(title, upload_by(way, client, film.path, &params, NULL, &video, NULL) == AV_STATUS_OK);
  CHECK_ROW(title, told > 0 && threads_now() == 1);
  is_there(title);
  av_uploaded_video_free(video);
  av_client_free(client);
}

/* As nobody: the limit does not hold for root. Who is not root is it already. */
static int as_nobody(void) {
  struct rlimit none;
  pthread_t thread;
  checks_failed = 0;
  if (getuid() == 0 && setresuid(65534, 65534, 65534) != 0) return 2;
  if (getrlimit(RLIMIT_NPROC, &none) != 0) return 2;
  none.rlim_cur = 0;
  if (setrlimit(RLIMIT_NPROC, &none) != 0) return 2;
  if (!CHECK(pthread_create(&thread, NULL, nothing, NULL) == EAGAIN)) return 1; /* proves nothing */
  without_threads(FILE_IN_PARALLEL);
  without_threads(WRITTEN_IN_PARALLEL);
  return checks_failed > 0;
}

/* ----------------------------------------------------------------------------------------------- memory */

/* The pages that the process has, in bytes. */
static rlim_t mapped(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%lu", &pages) != 1) exit(2);
  fclose(file);
  return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* No memory for a part: what was taken before is not lost, and it goes on when there is some. */
static void without_memory(void) {
  av_client_config config = keyless_config(local_api_url(service));
  av_client *client = client_of(&config);
  av_upload_params params = quick_params(token, "no memory");
  struct rlimit usual, none;
  av_upload *upload = NULL;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  uint64_t taken_before, at;
  char *bytes = malloc(film.size);
  FILE *file = fopen(film.path, "rb");
  if (!bytes || !file || fread(bytes, 1, film.size, file) != film.size || getrlimit(RLIMIT_AS, &usual) != 0) exit(2);
  fclose(file);
  CHECK(av_upload_begin(client, &params, &upload, NULL) == AV_STATUS_OK);
  none = usual;
  none.rlim_cur = mapped() + SMALLEST_PART / 2;
  if (setrlimit(RLIMIT_AS, &none) != 0) exit(2);
  CHECK(av_upload_write(upload, bytes, 1000, NULL, &error) == AV_STATUS_INTERNAL);
  if (setrlimit(RLIMIT_AS, &usual) != 0) exit(2);
  CHECK(strstr(av_error_message(error), "memory") && av_upload_offset(upload) == 0);
  av_error_free(error);
  CHECK(av_upload_write(upload, bytes, 1000, NULL, NULL) == AV_STATUS_OK);
  taken_before = av_upload_offset(upload);
  CHECK(taken_before == 1000);
  for (at = taken_before; at < film.size; at = av_upload_offset(upload)) {
    const size_t some = film.size - at < 1000000 ? (size_t)(film.size - at) : 1000000;
    if (!CHECK(av_upload_write(upload, bytes + at, some, NULL, NULL) == AV_STATUS_OK)) break;
  }
  CHECK(av_upload_finish(upload, NULL, &video, NULL) == AV_STATUS_OK);
  is_there("no memory");
  av_uploaded_video_free(video);
  av_upload_free(upload);
  av_client_free(client);
  free(bytes);
}

int main(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--seed", "1", NULL};
  ledger now;
  int way, status = 0;
  pid_t child;
  setvbuf(stdout, NULL, _IOLBF, 0);
  service = local_api_start(arguments);
  film = source_of(4 * SMALLEST_PART + 1000);
  chmod(film.path, 0444);
  now = ledger_of(local_api_url(service));
  first_token(now.text, token, sizeof token);
  ledger_free(&now);
  for (way = 0; way < UPLOAD_WAYS; way++) without_descriptors((upload_way)way);
  without_a_descriptor_for_the_file();
  without_memory();
  /* A process of its own, for there is no way back to root, who stops the service. */
  child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(as_nobody());
  }
  if (child < 0 || waitpid(child, &status, 0) != child) exit(2);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  local_api_stop(service);
  source_delete(&film);
  return checks_report();
}
