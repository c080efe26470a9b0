/* The command upload: sends files with an upload token, shows how far it is, and keeps of each that
 * is not whole what it takes to go on. */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One file on its way. */
struct upload {
  struct state state; /* held as long as it is on its way */
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
  whole = whole_path(path);
  if (whole == NULL) return NULL; /* the library says why */
  name = joined(strrchr(whole, '/'), "-", text("%016" PRIx64 ".apivideo-upload", hash_of(whole)).chars);
  result = joined(directory, name, "");
  free(name);
  free(whole);
  return result;
}

/* Of two runs with one file only the first sends anything. */
static int open_state(struct state *state) {
  switch (hold_state(state)) {
    case HOLD_TAKEN:
      tell("apivideo: another run is uploading this file, with %s", state->path);
      return CODE_FAILED;
    case HOLD_FAILED:
      tell("apivideo: what it takes to go on cannot be read from %s: %s", state->path, state->reason);
      tell("hint: to upload it from the beginning, remove that");
      return CODE_FAILED;
    default: /* where no file can be made an upload does without */
      return CODE_OK;
  }
}

/* An upload that cannot be gone on with is better than none. */
static void keep_state(void *userdata, const char *state) {
  struct upload *upload = userdata;
  if (upload->state.path == NULL) return;
  upload->is_kept = write_state(&upload->state, state);
  if (!upload->is_kept && !upload->cannot_keep) {
    tell("apivideo: what it takes to go on cannot be kept in %s: %s", upload->state.path,
         upload->state.reason);
    tell("hint: --state-dir says where else");
    upload->cannot_keep = true;
  }
}

/* What was kept before holds no more: gone on with from there, what somebody else sends to the same video
 * would pass for this file's. An empty file is removed in the end. */
static void drop_state(struct upload *upload) {
  upload->is_kept = !empty_state(&upload->state);
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

  if (is_terminal(stderr)) {
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

  if (state != NULL)
    keep_state(upload, state);
  else if (av_error_attempts(error) > 0)
    drop_state(upload);
  code = fail(error, TASK_UPLOAD);
  if (may_be_whole)
    tell("hint: there may be a video now; look before you upload it again");
  else if (is_another)
    tell("hint: to upload it from the beginning, remove %s", upload->state.path);
  else if (upload->is_kept)
    tell("hint: the same command again goes on where it was; that is kept in %s",
         upload->state.path);
  return code;
}

static int upload_file(const struct session *session, const struct request *request,
                       const char *path, bool *others_would_fail) {
  struct upload upload = {.state = {.held = -1}, .began_ms = now_ms()};
  av_upload_params params = {.struct_size = sizeof params};
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  char *state;
  int code = CODE_OK;

  upload.state.path = state_path_of(path, request->state_directory);
  if (upload.state.path != NULL) code = open_state(&upload.state);
  if (code != CODE_OK) {
    if (request->argument_count > 1) tell("that was %s", path);
    free(upload.state.path);
    return code;
  }
  state = read_state(&upload.state);
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
    if (fflush(stdout) != 0) tell("the video is %s", video->video_id); /* nobody else could find it */
    tell("uploaded %s: %s in %s%s", path, size(video->bytes).chars,
         duration((now_ms() - upload.began_ms + 999) / 1000).chars,
         video->videos_abandoned > 0
             ? text(", may have left behind %" PRIu32 " unfinished", video->videos_abandoned).chars
             : "");
    close_state(&upload.state, true);
    av_uploaded_video_free(video);
  } else {
    av_status status = av_error_status(error);
    *others_would_fail = status != AV_STATUS_SOURCE && status != AV_STATUS_INVALID_ARGUMENT &&
                         status != AV_STATUS_REJECTED && status != AV_STATUS_DECODE;
    code = fail_upload(error, &upload, state != NULL);
    close_state(&upload.state, false);
    if (request->argument_count > 1) tell("that was %s", path);
  }
  free(state);
  free(upload.state.path);
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
