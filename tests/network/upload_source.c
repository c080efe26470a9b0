/* A file that is uploaded, and what becomes of it meanwhile: one that grows, shrinks or is written to is no source of a
 * video, which is said plainly, and nothing is made of it; one that is replaced or deleted goes on as it was opened.
 * (Windows lets nobody replace one that is open, and has no mode of a file that forbids to read it.) */
#include "support/check.h"
#include "support/client.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/uploads.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TITLE "film.mp4"

static void grow(const char *path) {
  if (truncate(path, 2 * SMALLEST_PART + 1001) != 0) exit(2);
}
static void shrink(const char *path) {
  if (truncate(path, SMALLEST_PART + 1) != 0) exit(2);
}
static void empty(const char *path) {
  if (truncate(path, 0) != 0) exit(2);
}
static void write_to(const char *path) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  /* Where it is sent already. */
  if (file < 0 || pwrite(file, "x", 1, 10) != 1) exit(2);
  close(file);
}
#ifndef _WIN32
static void replace(const char *path) {
  char other[80];
  int file;
  snprintf(other, sizeof other, "%s.new", path);
  file = open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, 3 * SMALLEST_PART) != 0 || rename(other, path) != 0) exit(2);
  close(file);
}
static void lock_up(const char *path) {
  if (chmod(path, 0) != 0) exit(2);
}
#endif
static void delete(const char *path) {
  if (unlink(path) != 0) exit(2);
}

typedef struct change {
  const char *path;
  void (*make)(const char *path);
  uint32_t after; /* so many parts */
} change;

static void meddle(void *userdata, const av_upload_progress *now) {
  change *it = (change *)userdata;
  if (!it->make || now->parts_confirmed < it->after) return;
  it->make(it->path);
  it->make = NULL;
}

static void changed(const char *row, void (*make)(const char *path), uint32_t after, const char *words) {
  static const char *const arguments[] = {"--api-key", "test-key", "--seed", "1", NULL};
  local_api *service = local_api_start(arguments);
  av_client_config config = keyless_config(local_api_url(service));
  av_client *client = client_of(&config);
  source of = source_of(2 * SMALLEST_PART + 1000);
  change it = {of.path, make, after};
  av_upload_params params;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  av_status status;
  stored has;
  ledger now = ledger_of(local_api_url(service));
  char token[64];
  first_token(now.text, token, sizeof token);
  ledger_free(&now);
  params = quick_params(token, TITLE);
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  params.progress_fn = meddle;
  params.userdata = &it;
  params.progress_interval_ms = 1;
  status = av_upload_file(client, of.path, &params, NULL, &video, &error);
  now = ledger_of(local_api_url(service));
  has = stored_in(now.text, TITLE, &of);
  ledger_free(&now);
  printf("%s after %u parts: %s %s\n", row, (unsigned)after, av_status_name(status), error ? av_error_message(error) : "");
  CHECK_ROW(row, it.make == NULL);
  if (words) {
    CHECK_ROW(row, status == AV_STATUS_SOURCE && strstr(av_error_message(error), words));
    CHECK_ROW(row, av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED && !av_error_is_retryable(error));
    /* What is there now is another file. */
    CHECK_ROW(row, av_error_upload_state(error) == NULL);
    CHECK_ROW(row, (av_error_upload_video_id(error) != NULL) == (after > 0));
    CHECK_ROW(row, has.whole == 0);
  } else {
    CHECK_ROW(row, status == AV_STATUS_OK);
    CHECK_ROW(row, has.whole == 1 && has.right == 1);
  }
  av_error_free(error);
  av_uploaded_video_free(video);
  av_client_free(client);
  local_api_stop(service);
  source_delete(&of);
}

#ifndef _WIN32
/* One that may not be read: who may read all asks as somebody else. */
static void unreadable(void) {
  source of = source_of(10);
  av_client_config config = keyless_config("http://127.0.0.1:9");
  av_client *client = client_of(&config);
  av_upload_params params = quick_params("token", TITLE);
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  av_status status;
  const int is_root = geteuid() == 0;
  lock_up(of.path);
  if (is_root && seteuid(65534) != 0) exit(2);
  status = av_upload_file(client, of.path, &params, NULL, &video, &error);
  if (is_root && seteuid(0) != 0) exit(2);
  CHECK(status == AV_STATUS_SOURCE && strstr(av_error_message(error), "cannot be opened"));
  CHECK(av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED && !av_error_is_retryable(error));
  printf("unreadable: %s\n", error ? av_error_message(error) : "");
  av_error_free(error);
  av_client_free(client);
  source_delete(&of);
}
#endif

int main(void) {
  uint32_t after;
  for (after = 0; after <= 2; after++) {
    changed("grows", grow, after, "had 10486760 bytes when the upload began, and has 10486761");
    changed("shrinks", shrink, after, "and has 5242881");
    changed("is emptied", empty, after, "and has 0");
    changed("is written to", write_to, after, "was written to after the upload had begun");
    changed("is deleted", delete, after, NULL);
#ifndef _WIN32
    changed("is replaced", replace, after, NULL);
    changed("may not be read any more", lock_up, after, NULL);
#endif
  }
#ifndef _WIN32
  unreadable();
#endif
  return checks_report();
}
