/* What an upload says, held against the stand-in's ledger, whatever goes wrong at whichever byte of whichever part:
 * OK means one whole video that is the file; no upload makes two; an outcome is true; and what an error leaves
 * to go on from completes the same file. By a relay that does wrong (support/faulty_relay.h), plain and behind TLS. The
 * service's smallest part is the library's too: what has several parts is 5 MiB and more. */
#include "support/check.h"
#include "support/client.h"
#include "support/faulty_relay.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/tls_front.h"
#include "support/uploads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKERS = 8, MOST_CALLS = 12 };

/* One upload with what goes wrong, and what came of it. */
typedef struct trial {
  const source *of;
  upload_way way;
  script it;
  char title[48], words[160]; /* what is wrong with it, or "" */
  int calls, is_ok;
  int is_told_last; /* an error with nothing to go on from, which may be true or not known */
} trial;

static local_api *service;
static tls_front *front; /* or NULL: plain */
static const char *service_url;
static char token[64];
static trial *trials;
static size_t trial_count, next_trial;

static void wrong(trial *t, const char *what, const char *message) {
  if (!t->words[0]) snprintf(t->words, sizeof t->words, "%s: %s", what, message);
}

static void search_line(void *userdata, int32_t level, const char *line) {
  (void)level;
  if (strstr(line, token)) wrong((trial *)userdata, "the token in the trace", line);
}

/* Where something is held back it is given up soon, and in each further call later: a busy machine must not look as if
 * it were held for ever. */
static void limit_silence(const trial *t, av_upload_params *params) {
  uint32_t factor = 1u << (t->calls < 6 ? t->calls : 6);
  int number, is_held = 0;
  for (number = 0; number < MOST_FAULTS; number++)
    is_held |= t->it.what[number] == HOLD || t->it.what[number] == BYTE_A_SECOND;
  params->stall_timeout_ms = is_held ? params->stall_timeout_ms * factor : 0;
  params->answer_timeout_ms = is_held ? params->answer_timeout_ms * factor : 0;
}

/* Uploads until it is done, or until nothing is left to go on from; holds each call to its promise. */
static void try_it(trial *t) {
  server *s = server_start(relay_with_faults, &t->it);
  av_client_config config = keyless_config(server_url(s));
  av_client *client;
  uint16_t port = front ? tls_front_open(front, server_port(s)) : 0;
  char state[4200] = "", url[64];
  int goes_on = 1;
  if (front) {
    snprintf(url, sizeof url, "https://127.0.0.1:%u", (unsigned)port);
    config.base_url = url;
    config.ca_file = tls_front_authority(front);
  }
  config.max_attempts = 2;
  config.trace_fn = search_line;
  config.trace_level = AV_TRACE_DEBUG;
  config.trace_userdata = t;
  client = client_of(&config);
  while (goes_on) {
    av_upload_params params = quick_params(token, t->title);
    av_uploaded_video *video = NULL;
    av_error *error = NULL;
    av_status status;
    ledger now;
    stored has;
    const char *message;
    limit_silence(t, &params);
    params.resume = state[0] ? state : NULL;
    status = upload_by(t->way, client, t->of->path, &params, NULL, &video, &error);
    message = error ? av_error_message(error) : "";
    now = ledger_of(service_url);
    has = stored_in(now.text, t->title, t->of);
    ledger_free(&now);
    t->calls++;
    goes_on = 0;
    if (has.whole > 1) wrong(t, "two whole videos", message);
    if (has.whole != has.right) wrong(t, "another video than the file", message);
    if (status == AV_STATUS_OK) {
      t->is_ok = 1;
      if (has.whole != 1) wrong(t, "OK without a video", message);
      if (!video || video->bytes != t->of->size) wrong(t, "OK that tells another size", message);
      /* One for each that may have been made. */
      if (video && t->calls == 1 && has.videos > 1u + video->videos_abandoned) wrong(t, "more videos than told", message);
    } else {
      const char *rest = av_error_upload_state(error);
      int32_t outcome = av_error_outcome(error);
      if (outcome == AV_OUTCOME_NOT_APPLIED && has.whole > 0) wrong(t, "not whole, though it is", message);
      if (outcome == AV_OUTCOME_APPLIED && has.whole != 1) wrong(t, "whole, though it is not", message);
      if (rest) {
        snprintf(state, sizeof state, "%s", rest);
        goes_on = 1;
      } else {
        state[0] = 0;
        goes_on = outcome == AV_OUTCOME_NOT_APPLIED;
        t->is_told_last = !goes_on;
      }
      if (strstr(message, token)) wrong(t, "the token in a message", "");
      if (rest && strstr(rest, token)) wrong(t, "the token in a state", "");
    }
    if (t->calls == MOST_CALLS && goes_on) {
      wrong(t, "it never ends", message);
      goes_on = 0;
    }
    av_uploaded_video_free(video);
    av_error_free(error);
  }
  av_client_free(client);
  if (front) tls_front_close(front, port);
  server_stop(s);
}

static void *work(void *nothing) {
  size_t number;
  while ((number = __atomic_fetch_add(&next_trial, 1, __ATOMIC_SEQ_CST)) < trial_count) try_it(&trials[number]);
  return nothing;
}

static trial *add(const source *of) {
  trial *t;
  trials = (trial *)realloc(trials, (trial_count + 1) * sizeof *trials);
  if (!trials) exit(2);
  t = &trials[trial_count];
  memset(t, 0, sizeof *t);
  t->of = of;
  /* In turn. */
  t->way = (upload_way)(trial_count % UPLOAD_WAYS);
  snprintf(t->title, sizeof t->title, "film%zu.mp4", trial_count++);
  return t;
}

static uint16_t port_of(const char *url) { return (uint16_t)atoi(strrchr(url, ':') + 1); }

/* Makes all uploads that were added, several at once, with a new service. */
static void try_all(const char *what, int must_be_played) {
  static const char *const arguments[] = {"--api-key", "test-key", "--seed", "1", NULL};
  pthread_t threads[WORKERS];
  size_t i, at_once = 0, ok = 0, calls = 0, ended = 0, played = 0;
  ledger now;
  service = local_api_start(arguments);
  service_url = local_api_url(service);
  now = ledger_of(service_url);
  first_token(now.text, token, sizeof token);
  ledger_free(&now);
  for (i = 0; i < trial_count; i++) trials[i].it.service = port_of(service_url);
  next_trial = 0;
  for (i = 0; i < WORKERS; i++)
    if (pthread_create(&threads[i], NULL, work, NULL) != 0) exit(2);
  for (i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
  for (i = 0; i < trial_count; i++) {
    trial *t = &trials[i];
    char row[300], scripted[120] = "";
    int number;
    for (number = 0; number < MOST_FAULTS; number++)
      if (t->it.what[number] != NO_FAULT && strlen(scripted) < 80)
        snprintf(scripted + strlen(scripted), sizeof scripted - strlen(scripted), "%s%d: %s at %s", scripted[0] ? ", " : "",
                 number + 1, fault_name(t->it.what[number]), place_name(t->it.at[number]));
    snprintf(row, sizeof row, "%s%s%s, %llu bytes, %s: %s", what, front ? " over TLS" : "", upload_way_name(t->way),
             (unsigned long long)t->of->size, scripted, t->words);
    CHECK_ROW(row, t->words[0] == 0);
    if (must_be_played) CHECK_ROW(row, t->it.played == 1);
    CHECK_ROW(row, t->is_ok || t->is_told_last);
    at_once += t->is_ok && t->calls == 1;
    ok += (size_t)t->is_ok;
    ended += (size_t)t->is_told_last;
    calls += (size_t)t->calls;
    played += (size_t)t->it.played;
  }
  now = ledger_of(service_url);
  CHECK(uploads_number(now.text, "with_authorization") == 0);
  ledger_free(&now);
  printf("uploads broken in %s%s: %zu, faults %zu; whole %zu (in one call %zu), told to be so or unknown %zu; %zu calls\n", what,
         front ? " over TLS" : "", trial_count, played, ok, at_once, ended, calls);
  fflush(stdout);
  local_api_stop(service);
  free(trials);
  trials = NULL;
  trial_count = 0;
}

/* A fault of each kind at each place of the request with this number, from 0. */
static void add_faults(const source *of, int number, int every) {
  int at, what, count = 0;
  for (what = NO_FAULT + 1; what < FAULTS; what++)
    for (at = 0; at < PLACES; at++) {
      trial *t;
      if (!fault_is_possible((fault)what, (place)at)) continue;
      /* Which video is new nothing tells but the answer: a lie about that is believed. */
      if (number == 0 && what == OTHER_VIDEO) continue;
      if (count++ % every != 0) continue;
      t = add(of);
      t->it.at[number] = (place)at;
      t->it.what[number] = (fault)what;
    }
}

/* What goes wrong by chance, several times. */
static void add_random(const source *of, int count, unsigned seed) {
  while (count-- > 0) {
    trial *t = add(of);
    int number;
    for (number = 0; number < MOST_FAULTS; number++) {
      fault what = NO_FAULT;
      place at = AT_ANSWER;
      if (rand_r(&seed) % 2) continue;
      while (what == OTHER_VIDEO || !fault_is_possible(what, at)) {
        what = (fault)(rand_r(&seed) % FAULTS);
        at = (place)(rand_r(&seed) % PLACES);
      }
      t->it.what[number] = what;
      t->it.at[number] = at;
    }
  }
}

static int of_environment(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text ? atoi(text) : otherwise;
}

/* All that can go wrong, with one in `every` faults of what has several parts, and so many sequences. */
static void uploads_in_all_ways(const source *files, size_t count, const source *small, int every, int sequences) {
  const source *two = &files[3], *three = &files[6];
  size_t i;
  for (i = 0; i < count * UPLOAD_WAYS; i++) add(&files[i / UPLOAD_WAYS]);
  try_all("nothing", 0);
  add_faults(small, 0, 1);
  try_all("the only part", 1);
  add_faults(two, 0, every);
  try_all("the first of two parts", 1);
  add_faults(three, 1, every);
  try_all("a part in the middle", 1);
  add_faults(two, 1, every);
  try_all("the last of two parts", 1);
  add_random(small, sequences, 1);
  add_random(two, sequences / 4, 2);
  try_all("several places, by chance", 0);
}

int main(void) {
  static const uint64_t sizes[] = {1,
                                   SMALLEST_PART - 1,
                                   SMALLEST_PART,
                                   SMALLEST_PART + 1,
                                   2 * SMALLEST_PART - 1,
                                   2 * SMALLEST_PART,
                                   2 * SMALLEST_PART + 1};
  source files[sizeof sizes / sizeof *sizes], small = source_of(1000);
  /* `make proof-upload` moves large files for each fault, `make test` for one in so many. */
  const int every = of_environment("UPLOAD_FAULTS_EVERY", is_slowed() ? 16 : 4);
  const int sequences = of_environment("UPLOAD_SEQUENCES", is_slowed() ? 20 : 200);
  size_t i;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (i = 0; i < sizeof sizes / sizeof *sizes; i++) files[i] = source_of(sizes[i]);
  uploads_in_all_ways(files, sizeof sizes / sizeof *sizes, &small, every, sequences);
  /* What is so whichever way it goes is tried a little less. */
  front = tls_front_start();
  uploads_in_all_ways(files, sizeof sizes / sizeof *sizes, &small, every == 1 ? 1 : 3 * every, sequences / 4);
  tls_front_stop(front);
  for (i = 0; i < sizeof sizes / sizeof *sizes; i++) source_delete(&files[i]);
  source_delete(&small);
  return checks_report();
}
