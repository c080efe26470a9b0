/* A process that uploads, in whichever way, is killed at any moment: going on from the last state that it told completes
 * the file, and what is sent again is one part at most, or those that were under way side by side. UPLOAD_KILLS is how
 * many are killed, a few unless `make proof-upload` says 500. */
#include "support/check.h"
#include "support/client.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/uploads.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The longest line that a pipe takes whole. */
enum { LONGEST_STATE = 4096 };

static const char title[] = "film.mp4";

static void write_state(void *userdata, const char *state) {
  char line[LONGEST_STATE + 1];
  int length = snprintf(line, sizeof line, "%s\n", state);
  if (write(*(int *)userdata, line, (size_t)length) != length) _exit(3);
}

/* Uploads on, and tells its states to `pipe`, unless that is -1. */
static av_status upload(upload_way way, const char *url, const char *token, const source *of, const char *state, int pipe) {
  av_client_config config = keyless_config(url);
  av_client *client = client_of(&config);
  av_upload_params params = quick_params(token, title);
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  av_status status;
  /* Nothing goes wrong here but by the kill: a busy machine is no fault. */
  params.stall_timeout_ms = params.answer_timeout_ms = 0;
  /* As much of the time for each part as it has of the bytes. */
  if (pipe >= 0) params.max_bytes_per_second = 50000000;
  params.resume = state;
  params.state_fn = pipe < 0 ? NULL : write_state;
  params.userdata = &pipe;
  status = upload_by(way, client, of->path, &params, NULL, &video, &error);
  if (error) fprintf(stderr, "%s\n", av_error_message(error));
  av_error_free(error);
  av_uploaded_video_free(video);
  av_client_free(client);
  return status;
}

/* The last whole line of a pipe whose writers have gone. */
static int last_line(int pipe, char *line) {
  char text[16 * 1024];
  size_t length = 0;
  ssize_t got;
  char *end, *begin;
  while ((got = read(pipe, text + length, sizeof text - 1 - length)) > 0) length += (size_t)got;
  text[length] = 0;
  end = strrchr(text, '\n');
  if (!end) return 0;
  *end = 0;
  begin = strrchr(text, '\n');
  snprintf(line, LONGEST_STATE + 1, "%.*s", LONGEST_STATE, begin ? begin + 1 : text);
  return 1;
}

/* What became of all of a way. */
static struct {
  size_t killed, done_before, without_state, most_in_vain, all_in_vain;
} became[UPLOAD_WAYS];

/* Kills one `after` so many ms, never if that is negative; how long it ran. */
static double kill_one(upload_way way, const source *of, double after) {
  static const char *const arguments[] = {"--api-key", "test-key", "--seed", "1", NULL};
  local_api *service = local_api_start(arguments);
  const char *url = local_api_url(service);
  /* The first goes alone, and so does the last. */
  const size_t at_once = way == FILE_IN_PARALLEL || way == WRITTEN_IN_PARALLEL ? of->size / SMALLEST_PART - 1 : 1;
  char token[64], state[LONGEST_STATE + 1], row[200];
  int pipes[2], status, has_state;
  double begun, took;
  pid_t child;
  ledger now = ledger_of(url);
  stored has;
  uint64_t in_vain;
  first_token(now.text, token, sizeof token);
  ledger_free(&now);
  if (pipe(pipes) != 0) exit(2);
  begun = now_ms();
  child = fork();
  if (child < 0) exit(2);
  if (child == 0) {
    close(pipes[0]);
    _exit(upload(way, url, token, of, NULL, pipes[1]) == AV_STATUS_OK ? 0 : 1);
  }
  close(pipes[1]);
  if (after >= 0) {
    struct timespec moment = {(time_t)(after / 1000), (long)((after - 1000 * (double)(time_t)(after / 1000)) * 1e6)};
    nanosleep(&moment, NULL);
    kill(child, SIGKILL);
  }
  if (waitpid(child, &status, 0) != child) exit(2);
  took = now_ms() - begun;
  has_state = last_line(pipes[0], state);
  close(pipes[0]);
  snprintf(row, sizeof row, "killed after %.3f ms%s, %s", after, upload_way_name(way), has_state ? "with a state" : "without");
  CHECK_ROW(row, WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  CHECK_ROW(row, upload(way, url, token, of, has_state ? state : NULL, -1) == AV_STATUS_OK);
  now = ledger_of(url);
  has = stored_in(now.text, title, of);
  in_vain = uploads_number(now.text, "bytes_in_vain");
  CHECK_ROW(row, has.whole == 1 && has.right == 1);
  /* What was begun and never told is another video; its first part is what is sent again. */
  CHECK_ROW(row, has.videos == 1 || (has.videos == 2 && !has_state));
  in_vain += has.bytes - of->size;
  CHECK_ROW(row, in_vain <= at_once * SMALLEST_PART);
  if (after >= 0) {
    became[way].killed++;
    became[way].done_before += !WIFSIGNALED(status);
    became[way].without_state += !has_state;
    became[way].all_in_vain += (size_t)in_vain;
    if (in_vain > became[way].most_in_vain) became[way].most_in_vain = (size_t)in_vain;
  }
  ledger_free(&now);
  local_api_stop(service);
  return took;
}

int main(void) {
  const char *kills = getenv("UPLOAD_KILLS"), *seeded = getenv("UPLOAD_SEED");
  const int count = kills ? atoi(kills) : is_slowed() ? 4 : 24;
  unsigned seed = seeded ? (unsigned)atoi(seeded) : 1;
  source of = source_of(3 * SMALLEST_PART + 1000);
  static const char *const amid[UPLOAD_WAYS] = {"amid a file", "amid a file, side by side", "amid writing", "amid writing, side by side"};
  double whole[UPLOAD_WAYS];
  int way, i;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (way = 0; way < UPLOAD_WAYS; way++) whole[way] = kill_one((upload_way)way, &of, -1);
  for (i = 0; i < count; i++) {
    way = i % UPLOAD_WAYS;
    kill_one((upload_way)way, &of, whole[way] * 1.05 * rand_r(&seed) / RAND_MAX);
  }
  for (way = 0; way < UPLOAD_WAYS; way++) {
    const size_t killed = became[way].killed;
    printf("uploads killed %s: %zu gone on with, before the first state %zu, too late %zu, and sent again %zu bytes at most, "
           "%zu on average, of parts of %u\n",
           amid[way], killed, became[way].without_state, became[way].done_before,
           became[way].most_in_vain, killed ? became[way].all_in_vain / killed : 0, SMALLEST_PART);
  }
  source_delete(&of);
  return checks_report();
}
