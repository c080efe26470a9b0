/* The command upload: sends files with an upload token, shows how far it is, and keeps of each that
 * is not whole what it takes to go on. */
#define _XOPEN_SOURCE 700 /* POSIX with realpath() */

#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One file on its way. */
struct upload {
  char *state_path; /* NULL: there is no such file */
  int64_t began_ms;
  bool is_kept;     /* the state that the library told last */
  bool cannot_keep; /* which was told */
  uint32_t tenths_told;
  int32_t wait_told;
  /* How fast it goes is told by the bytes of the last five to ten seconds. */
  struct moment {
    int64_t at_ms;
    uint64_t bytes;
  } earlier, later;
};

/* ---- Sizes and speeds, as text ---- */

static struct text size(uint64_t bytes) {
  static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
  double amount = (double)bytes / 1024;
  size_t unit = 0;
  if (bytes < 1024) return text("%" PRIu64 " bytes", bytes);
  while (amount >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]) {
    amount /= 1024;
    unit++;
  }
  return text("%.1f %s", amount, units[unit]);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* In bytes a second; 0 is not known yet. */
static uint64_t measure_rate(struct upload *upload, uint64_t bytes) {
  const struct moment now = {now_ms(), bytes};
  if (upload->earlier.at_ms == 0 || bytes < upload->earlier.bytes) {
    upload->earlier = upload->later = now; /* it has begun, or a part of it begins again */
    return 0;
  }
  if (now.at_ms - upload->later.at_ms >= 5000) {
    upload->earlier = upload->later;
    upload->later = now;
  }
  if (now.at_ms - upload->earlier.at_ms < 500) return 0;
  return (bytes - upload->earlier.bytes) * 1000 / (uint64_t)(now.at_ms - upload->earlier.at_ms);
}

/* ---- What it takes to go on ---- */

/* FNV-1a: files of one name in several directories must not share a state. */
static uint64_t hash_of(const char *text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (; *text != '\0'; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
  return hash;
}

static char *joined(const char *beginning, const char *middle, const char *end) {
  size_t size = strlen(beginning) + strlen(middle) + strlen(end) + 1;
  char *whole = malloc(size);
  if (whole == NULL) {
    tell("apivideo: out of memory");
    exit(CODE_FAILED);
  }
  snprintf(whole, size, "%s%s%s", beginning, middle, end);
  return whole;
}

/* Beside the file, or in the directory for states, where it is found from anywhere. */
static char *state_path_of(const char *path, const char *directory) {
  char *whole, *name, *result;
  if (directory == NULL) return joined(path, "", ".apivideo-upload");
  whole = realpath(path, NULL);
  if (whole == NULL) return NULL; /* the library says why */
  name = joined(strrchr(whole, '/'), "-", text("%016" PRIx64 ".apivideo-upload", hash_of(whole)).chars);
  result = joined(directory, name, "");
  free(name);
  free(whole);
  return result;
}

/* The state that an earlier run left; NULL if there is none. */
static char *read_state(const char *path) {
  FILE *file = path != NULL ? fopen(path, "r") : NULL;
  char *state = file != NULL ? calloc(1, 8192) : NULL; /* it is a line of at most 4096 bytes */
  if (state != NULL && fgets(state, 8192, file) == NULL) state[0] = '\0';
  if (state != NULL) state[strcspn(state, "\n")] = '\0';
  if (file != NULL) fclose(file);
  return state;
}

/* Puts a whole new file in the place of the old one: a crash leaves one or the other. */
static bool write_state(const char *path, const char *state) {
  char *new_path = joined(path, ".new", "");
  int descriptor = open(new_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
  bool written = file != NULL && fprintf(file, "%s\n", state) > 0 && fflush(file) == 0 &&
                 fsync(descriptor) == 0;
  if (file != NULL)
    written = fclose(file) == 0 && written;
  else if (descriptor >= 0)
    close(descriptor);
  written = written && rename(new_path, path) == 0;
  if (!written && descriptor >= 0) {
    int reason = errno;
    unlink(new_path);
    errno = reason;
  }
  free(new_path);
  return written;
}

/* An upload that cannot be gone on with is better than none. */
static void keep_state(void *userdata, const char *state) {
  struct upload *upload = userdata;
  if (upload->state_path == NULL) return;
  upload->is_kept = write_state(upload->state_path, state);
  if (!upload->is_kept && !upload->cannot_keep) {
    tell("apivideo: what it takes to go on cannot be kept in %s: %s", upload->state_path,
         strerror(errno));
    tell("hint: --state-dir says where else");
    upload->cannot_keep = true;
  }
}

/* ---- How far it is ---- */

/* What it waits for, where that is more than the network. */
static struct text waiting_for(const av_upload_progress *progress) {
  uint32_t seconds = progress->wait_ms / 1000 + (progress->wait_ms % 1000 != 0);
  switch (progress->state) {
    case AV_UPLOAD_WAITING_FOR_ANSWER:
      return text(", waiting for the answer");
    case AV_UPLOAD_WAITING_TO_RETRY:
      return text(", trying again in %" PRIu32 " s", seconds);
    case AV_UPLOAD_WAITING_FOR_RATE_LIMIT:
      return text(", waiting for the rate limit, about %" PRIu32 " s", seconds);
    default:
      return text("%s", "");
  }
}

/* On a terminal a line that changes; elsewhere a line for each tenth of the file, and for each wait
 * that is worth one. */
static void follow(void *userdata, const av_upload_progress *progress) {
  struct upload *upload = userdata;
  uint64_t arrived = progress->bytes_confirmed + progress->bytes_sent;
  uint64_t rate = measure_rate(upload, arrived);
  uint64_t left = progress->bytes_total - arrived;
  uint32_t tenths = (uint32_t)(progress->bytes_confirmed / (progress->bytes_total / 10 + 1));
  bool waits = progress->state == AV_UPLOAD_WAITING_TO_RETRY ||
               progress->state == AV_UPLOAD_WAITING_FOR_RATE_LIMIT;
  struct text confirmed = text("%s of %s confirmed", size(progress->bytes_confirmed).chars,
                               size(progress->bytes_total).chars);

  if (isatty(STDERR_FILENO)) {
    show_progress("%s, %s sent%s%s%s%s%s", confirmed.chars, size(arrived).chars,
                  rate > 0 ? ", " : "", rate > 0 ? text("%s/s", size(rate).chars).chars : "",
                  rate > 0 ? ", " : "",
                  rate > 0 ? text("%s left", duration((int64_t)(left / rate)).chars).chars : "",
                  waiting_for(progress).chars);
    return;
  }
  if (tenths > upload->tenths_told || (waits && progress->state != upload->wait_told))
    tell("%s%s", confirmed.chars, waiting_for(progress).chars);
  upload->tenths_told = tenths;
  upload->wait_told = progress->state;
}

/* ---- The command ---- */

static void print_video(const av_uploaded_video *video, const struct request *request) {
  clear_progress(); /* both may be on one terminal */
  if (!request->json) {
    print_safely(stdout, video->video_id);
  } else if (video->json != NULL) {
    fputs(video->json, stdout);
  } else { /* the answer was lost; that the video is whole was proved otherwise */
    fputs("{\"videoId\":", stdout);
    print_json_string(video->video_id);
    putchar('}');
  }
  putchar('\n');
}

/* Tells of an upload that failed, and how to go on. */
static int fail_upload(av_error *error, struct upload *upload, bool went_on) {
  const char *state = av_error_upload_state(error);
  bool may_be_whole = av_error_outcome(error) == AV_OUTCOME_UNKNOWN && state == NULL;
  bool is_another = went_on && state == NULL && av_error_attempts(error) == 0 &&
                    (av_error_status(error) == AV_STATUS_SOURCE ||
                     av_error_status(error) == AV_STATUS_INVALID_ARGUMENT);
  int code;

  if (state != NULL) keep_state(upload, state);
  code = fail(error, TASK_UPLOAD);
  if (may_be_whole)
    tell("hint: there may be a video now; look before you upload it again");
  else if (is_another)
    tell("hint: to upload it from the beginning, remove %s", upload->state_path);
  else if (upload->is_kept)
    tell("hint: the same command again goes on where it was; that is kept in %s",
         upload->state_path);
  return code;
}

static int upload_file(const struct session *session, const struct request *request,
                       const char *path, bool *others_would_fail) {
  struct upload upload = {.began_ms = now_ms()};
  av_upload_params params = {.struct_size = sizeof params};
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  char *state;
  int code = CODE_OK;

  upload.state_path = state_path_of(path, request->state_directory);
  state = read_state(upload.state_path);
  params.token = request->upload_token;
  params.video_id = request->video_id;
  params.file_name = request->title;
  params.resume = state;
  params.progress_fn = follow;
  params.state_fn = keep_state;
  params.userdata = &upload;
  params.part_bytes = request->part_bytes;
  params.max_bytes_per_second = request->bytes_per_second;

  if (state != NULL) tell("going on with %s", path);
  if (av_upload_file(session->client, path, &params, &session->call, &video, &error) ==
      AV_STATUS_OK) {
    print_video(video, request);
    tell("uploaded %s: %s in %s%s", path, size(video->bytes).chars,
         duration((now_ms() - upload.began_ms + 999) / 1000).chars,
         video->videos_abandoned > 0
             ? text(", %" PRIu32 " unfinished left behind", video->videos_abandoned).chars
             : "");
    if (upload.state_path != NULL) unlink(upload.state_path);
    av_uploaded_video_free(video);
  } else {
    av_status status = av_error_status(error);
    *others_would_fail = status != AV_STATUS_SOURCE && status != AV_STATUS_INVALID_ARGUMENT &&
                         status != AV_STATUS_REJECTED && status != AV_STATUS_DECODE;
    code = fail_upload(error, &upload, state != NULL);
    if (request->argument_count > 1) tell("that was %s", path);
  }
  free(state);
  free(upload.state_path);
  return code;
}

int run_upload(const struct session *session, const struct request *request) {
  int first_failure = CODE_OK;
  for (int i = 0; i < request->argument_count; i++) {
    bool others_would_fail = false;
    int code = upload_file(session, request, request->arguments[i], &others_would_fail);
    if (first_failure == CODE_OK || code == CODE_INTERRUPTED) first_failure = code;
    if (others_would_fail && i + 1 < request->argument_count) {
      tell("not tried: the last %d", request->argument_count - i - 1);
      break;
    }
  }
  return first_failure;
}
