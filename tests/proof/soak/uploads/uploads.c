/* A soak of uploads: 16 at once through one client, in every way, over a way that breaks (breaker.h), to a service that
 * fails, drops and limits, some of them cancelled; each goes on from its state until it is done. In rounds, each with a
 * service of its own: after each, what every upload was told is held against the ledger, and descriptors, threads and
 * memory are looked at.
 *
 *   uploads SECONDS */
#include "breaker.h"
#include "heap.h"

#include "support/check.h"
#include "support/client.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/uploads.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 16, ROUNDS = 9, SOURCES = 3, MOST_UPLOADS = 20000, MOST_CALLS = 200 };

#define KIB ((size_t)1024)

/* What an upload has come to, as it was told. */
typedef struct upload {
  char title[32];
  const source *of;
  int is_ok;
  /* Nothing to go on from, and nobody can tell whether it is whole. */
  int is_unknown;
  /* Videos that it may have begun. */
  size_t begun;
} upload;

static const uint64_t sizes[SOURCES] = {100 * 1000, SMALLEST_PART + 1000, 3 * SMALLEST_PART + 1000};
static source sources[SOURCES];
static av_client *client;
static char token[64];
static upload *uploads;
static size_t upload_count, calls, resumed, cancelled, told_wrongly;
static int is_round_over;
static pthread_barrier_t begin_round, end_round;
static int is_all_over;

static unsigned drawn(unsigned long *random, unsigned below) {
  *random = *random * 6364136223846793005UL + 1442695040888963407UL;
  return (unsigned)(*random >> 33) % below;
}

static void is_wrong(const upload *it, const char *what, const char *message) {
  /* Enough to see what kind it is. */
  if (__atomic_fetch_add(&told_wrongly, 1, __ATOMIC_SEQ_CST) < 10) fprintf(stderr, "%s: %s: %s\n", it->title, what, message);
}

/* Cancels once so many bytes are on their way or there. */
typedef struct canceller {
  av_cancel *cancel;
  uint64_t after;
} canceller;

static void progress(void *userdata, const av_upload_progress *now) {
  canceller *it = (canceller *)userdata;
  if (now->bytes_confirmed + now->bytes_sent >= it->after) av_cancel_trigger(it->cancel);
}

/* One call for it; `state` is what to go on from, and is that for the next. Returns whether there is to be one. */
static int call(upload *it, upload_way way, unsigned long *random, char *state, size_t room) {
  av_upload_params params = quick_params(token, it->title);
  av_request_options options;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  const int is_cancelled = drawn(random, 5) == 0;
  canceller when = {av_cancel_new(), is_cancelled ? drawn(random, (unsigned)it->of->size) : UINT64_MAX};
  const char *rest;
  av_status status;
  int goes_on = 0;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = when.cancel;
  /* Sixteen on a busy machine are slow, and a silence of the relay's ends by itself. */
  params.stall_timeout_ms = params.answer_timeout_ms = 30000;
  params.resume = state[0] ? state : NULL;
  params.progress_fn = progress;
  params.userdata = &when;
  params.progress_interval_ms = 1;
  __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
  if (state[0]) __atomic_add_fetch(&resumed, 1, __ATOMIC_SEQ_CST);
  else it->begun++;
  status = upload_by(way, client, it->of->path, &params, &options, &video, &error);
  if (status == AV_STATUS_OK) {
    it->is_ok = 1;
    it->begun += video->videos_abandoned;
  } else {
    if (status == AV_STATUS_CANCELLED) __atomic_add_fetch(&cancelled, 1, __ATOMIC_SEQ_CST);
    if (status == AV_STATUS_CANCELLED && !is_cancelled) is_wrong(it, "cancelled by nobody", av_error_message(error));
    /* A refusal whose reason was cut off may be one that a later call explains. */
    if (status == AV_STATUS_INVALID_ARGUMENT || status == AV_STATUS_INTERNAL || status == AV_STATUS_SOURCE ||
        (status == AV_STATUS_REJECTED && !av_error_is_retryable(error)))
      is_wrong(it, "a failure that nothing explains", av_error_message(error));
    rest = av_error_upload_state(error);
    goes_on = rest != NULL || av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED;
    it->is_unknown = !goes_on;
    /* Up to three lost answers to first parts, which a state tells, and an error without one does not. */
    if (!rest) it->begun += 3;
    snprintf(state, room, "%s", rest ? rest : "");
  }
  av_error_free(error);
  av_uploaded_video_free(video);
  av_cancel_free(when.cancel);
  return goes_on;
}

static void upload_one(unsigned long *random) {
  const size_t number = __atomic_fetch_add(&upload_count, 1, __ATOMIC_SEQ_CST);
  const upload_way way = (upload_way)drawn(random, UPLOAD_WAYS);
  char state[4200] = "";
  upload *it = &uploads[number];
  int made = 0;
  if (number >= MOST_UPLOADS) {
    fprintf(stderr, "more uploads than there is room for\n");
    exit(2);
  }
  memset(it, 0, sizeof *it);
  snprintf(it->title, sizeof it->title, "film %zu.mp4", number);
  it->of = &sources[drawn(random, SOURCES)];
  while (call(it, way, random, state, sizeof state))
    if (++made == MOST_CALLS) {
      is_wrong(it, "it never ends", state);
      return;
    }
}

static void *work(void *argument) {
  unsigned long random = *(unsigned long *)argument;
  for (;;) {
    pthread_barrier_wait(&begin_round);
    if (is_all_over) return NULL;
    while (!__atomic_load_n(&is_round_over, __ATOMIC_SEQ_CST)) upload_one(&random);
    pthread_barrier_wait(&end_round);
  }
}

typedef struct sum {
  size_t uploads, ok, unknown, unknown_whole, videos, whole;
  uint64_t bytes, in_vain;
} sum;

/* What all uploads of a round were told, against what the service has. */
static void audit(const char *url, sum *all) {
  ledger now = ledger_of(url);
  size_t number, known = 0;
  for (number = 0; number < upload_count; number++) {
    const upload *it = &uploads[number];
    const stored has = stored_in(now.text, it->title, it->of);
    if (has.whole > 1) is_wrong(it, "two whole videos", "");
    if (has.whole != has.right) is_wrong(it, "another video than the file", "");
    if (it->is_ok && has.whole != 1) is_wrong(it, "OK, and not whole", "");
    if (has.videos > it->begun) is_wrong(it, "more videos than it may have begun", "");
    all->ok += (size_t)it->is_ok;
    all->unknown += (size_t)it->is_unknown;
    all->unknown_whole += it->is_unknown && has.whole == 1;
    all->whole += has.whole;
    all->bytes += has.bytes;
    known += has.videos;
  }
  all->uploads += upload_count;
  all->videos += known;
  all->in_vain += uploads_number(now.text, "bytes_in_vain");
  ledger_free(&now);
}

/* Threads of a session that was freed end by themselves. */
static size_t threads_once_they_are(size_t expected) {
  const double begun = now_ms();
  while (threads_now() != expected && now_ms() - begun < 60000) usleep(1000);
  return threads_now();
}

/* How much a figure grows over the last two thirds of the rounds: the line that fits it best. */
static double growth(const double *values) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  int i;
  for (i = ROUNDS / 3; i < ROUNDS; i++) {
    n++;
    x += i;
    y += values[i];
    xx += (double)i * i;
    xy += i * values[i];
  }
  return (n * xy - x * y) / (n * xx - x * x) * (ROUNDS - ROUNDS / 3 - 1);
}

int main(int argc, char **argv) {
  static const char *const arguments[] = {"--api-key", "test-key", "--seed", "1", "--fail-rate", "5", "--drop-rate", "5",
                                          "--upload-rate-limit", "600/1", NULL};
  const double seconds = argc > 1 ? atof(argv[1]) : 0;
  unsigned long seed = getenv("SOAK_SEED") ? strtoul(getenv("SOAK_SEED"), NULL, 10) : (unsigned long)time(NULL), seeds[WORKERS];
  double heap[ROUNDS], resident[ROUNDS], descriptors[ROUNDS], begun;
  const size_t before = open_descriptors();
  pthread_t threads[WORKERS];
  av_client_config config;
  breaker *way;
  sum all;
  int round, i;
  if (seconds <= 0) {
    fprintf(stderr, "usage: uploads SECONDS\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("soak of uploads: SOAK_SEED=%lu\n", seed);
  memset(&all, 0, sizeof all);
  uploads = calloc(MOST_UPLOADS, sizeof *uploads);
  if (!uploads) return 2;
  for (i = 0; i < SOURCES; i++) sources[i] = source_of(sizes[i]);
  way = breaker_start(seed);
  config = keyless_config(breaker_url(way));
  client = client_of(&config);
  pthread_barrier_init(&begin_round, NULL, WORKERS + 1);
  pthread_barrier_init(&end_round, NULL, WORKERS + 1);
  for (i = 0; i < WORKERS; i++) {
    seeds[i] = seed * 1000 + (unsigned long)i;
    if (pthread_create(&threads[i], NULL, work, &seeds[i]) != 0) return 2;
  }
  begun = now_ms();
  for (round = 0; round < ROUNDS; round++) {
    local_api *service = local_api_start(arguments);
    const char *url = local_api_url(service);
    ledger books = ledger_of(url);
    double left;
    first_token(books.text, token, sizeof token);
    ledger_free(&books);
    breaker_lead_to(way, (uint16_t)atoi(strrchr(url, ':') + 1));
    upload_count = 0;
    __atomic_store_n(&is_round_over, 0, __ATOMIC_SEQ_CST);
    pthread_barrier_wait(&begin_round);
    left = begun + seconds * 1000 * (round + 1) / ROUNDS - now_ms();
    usleep((useconds_t)(left > 100 ? left * 1000 : 100 * 1000)); /* the length of the load */
    __atomic_store_n(&is_round_over, 1, __ATOMIC_SEQ_CST);
    pthread_barrier_wait(&end_round);
    audit(url, &all);
    local_api_stop(service);
    CHECK(threads_once_they_are(1 + WORKERS) == 1 + WORKERS);
    heap[round] = (double)heap_bytes();
    resident[round] = (double)resident_bytes();
    descriptors[round] = (double)open_descriptors();
    /* One idle connection for each part that may be sent at once. */
    CHECK(open_descriptors() <= before + 4 * WORKERS);
  }
  is_all_over = 1;
  pthread_barrier_wait(&begin_round);
  for (i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
  av_client_free(client);
  breaker_wait_until_quiet(way);

  printf("proof: soak of uploads: %.0f s, %d at once, %zu uploads in %zu calls, %llu MiB stored, %llu in vain\n", seconds, WORKERS,
         all.uploads, calls, (unsigned long long)(all.bytes >> 20), (unsigned long long)(all.in_vain >> 20));
  printf("proof: soak of uploads, faults: %zu of %zu connections broken off; 5 %% failed, 5 %% of the answers dropped; %zu calls cancelled\n",
         breaker_broken(way), breaker_connections(way), cancelled);
  printf("proof: soak of uploads, by the ledger: %zu told whole, %zu not known, of which %zu were; %zu whole of %zu videos; %zu gone on with, %zu told wrongly\n",
         all.ok, all.unknown, all.unknown_whole, all.whole, all.videos, resumed, told_wrongly);
  printf("proof: soak of uploads, growth after the first third: heap %+.0f KiB, resident %+.0f KiB, descriptors %+.1f\n",
         growth(heap) / 1024, growth(resident) / 1024, growth(descriptors));
  CHECK(told_wrongly == 0);
  CHECK(all.ok + all.unknown == all.uploads);
  CHECK(all.whole == all.ok + all.unknown_whole);
  CHECK(all.ok > WORKERS && resumed > 0 && cancelled > 0 && breaker_broken(way) > WORKERS);
  /* How many connections are idle when all is quiet is chance: 33 KiB each. A leak of a block an upload is seen in ten
   * minutes. */
  CHECK(growth(heap) < 1.0 * 1024 * KIB);
  CHECK(growth(resident) < 8.0 * 1024 * KIB);
  CHECK(open_descriptors() == before);
  CHECK(threads_once_they_are(1) == 1);
  breaker_stop(way);
  for (i = 0; i < SOURCES; i++) source_delete(&sources[i]);
  pthread_barrier_destroy(&begin_round);
  pthread_barrier_destroy(&end_round);
  free(uploads);
  return checks_report();
}
