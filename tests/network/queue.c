/* Many threads wait at the rate limit's closed gate, each with a cancel handle: that takes next to no
 * processor time, a trigger ends the wait of whom it concerns alone, and it may come from a signal
 * handler. */
#include "support/call.h"
#include "support/check.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/watch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* valgrind knows no more than 500 threads. */
enum { WAITING = SLACK_MS ? 100 : 500, SHARING = WAITING / 2, SINGLE = 5, WATCHED_MS = 1500, MOST_PROCESSOR_MS = 30 };
/* From here on they share a handle as well: there may be no more than 256 descriptors. */
enum { OTHERS = SHARING + 100 };

/* Refuses everything for a minute. */
static void serve_429(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it))
    server_answer(connection, "429 Too Many Requests", "X-RateLimit-Retry-After: 60\r\n", "{}");
}

typedef struct waiting {
  const av_client *client;
  av_cancel *cancel;
  pthread_t thread;
  pid_t id;
  int began, is_back;
  av_status status;
  moment back_at;
} waiting;

static int back;

static void *wait_at_the_gate(void *argument) {
  waiting *it = (waiting *)argument;
  av_request_options options;
  av_token *token = NULL;
  av_error *error = NULL;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = it->cancel;
  it->id = thread_id();
  __atomic_store_n(&it->began, 1, __ATOMIC_SEQ_CST);
  it->status = av_tokens_get(it->client, TOKEN, &options, &token, &error);
  it->back_at = moment_here();
  watched(error);
  av_error_free(error);
  av_token_free(token);
  /* In this order: who waits for this one counts them all then. */
  __atomic_add_fetch(&back, 1, __ATOMIC_SEQ_CST);
  __atomic_store_n(&it->is_back, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

/* The processor time of this process, in milliseconds. */
static double processor_ms(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

/* A client whose gate is closed for a minute, and whose calls may wait as long. */
static av_client *client_at_a_closed_gate(const server *s) {
  av_client_config config = watched_config(server_url(s));
  av_request_options options;
  av_client *client;
  call made;
  config.timeout_ms = 300000;
  client = client_of(&config);
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.timeout_ms = 20000;
  made = call_make(client, GET, &options);
  if (!CHECK(made.status == AV_STATUS_RATE_LIMITED)) exit(1);
  call_free(&made);
  return client;
}

static void start(waiting *it, const av_client *client, av_cancel *cancel) {
  pthread_attr_t attributes;
  it->client = client;
  it->cancel = cancel;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  if (pthread_create(&it->thread, &attributes, wait_at_the_gate, it) != 0) exit(2);
  pthread_attr_destroy(&attributes);
  wait_until(&it->began, 1, "a thread that starts");
  wait_until_asleep(it->id);
}

static void many(void) {
  static waiting all[WAITING];
  server *s = server_start(serve_429, NULL);
  av_client *client = client_at_a_closed_gate(s);
  av_cancel *shared = av_cancel_new(), *others = av_cancel_new();
  struct timespec watched_for = {WATCHED_MS / 1000, WATCHED_MS % 1000 * 1000000L};
  double before, used, begin, back_after[SINGLE];
  int i, cancelled = 0;
  for (i = 0; i < WAITING; i++) start(&all[i], client, i < SHARING ? shared : i < OTHERS ? av_cancel_new() : others);
  before = processor_ms();
  nanosleep(&watched_for, NULL);
  used = processor_ms() - before;
  printf("%d threads at a closed gate for %d ms: %.1f ms of processor time (at most %d)\n", WAITING, WATCHED_MS, used, MOST_PROCESSOR_MS);
  CHECK(used <= MOST_PROCESSOR_MS + SLACK_MS);
  CHECK(__atomic_load_n(&back, __ATOMIC_SEQ_CST) == 0);
  /* From the middle of the queue, each by its own handle; all others go on waiting. */
  for (i = 0; i < SINGLE; i++) {
    waiting *it = &all[SHARING + WAITING / 10 + i];
    moment triggered = moment_of(it->id);
    av_cancel_trigger(it->cancel);
    wait_until(&it->is_back, 1, "a cancelled call");
    back_after[i] = between(triggered, it->back_at);
    CHECK(__atomic_load_n(&back, __ATOMIC_SEQ_CST) == i + 1);
  }
  CHECK_WITHIN("cancelled one by one", back_after, SINGLE, 20);
  begin = now_ms();
  av_cancel_trigger(shared);
  wait_until(&back, SINGLE + SHARING, "all calls with one handle");
  printf("%d with one handle: back after %.1f ms\n", SHARING, now_ms() - begin);
  CHECK(__atomic_load_n(&back, __ATOMIC_SEQ_CST) == SINGLE + SHARING);
  for (i = SHARING; i < OTHERS && i < WAITING; i++) av_cancel_trigger(all[i].cancel);
  av_cancel_trigger(others);
  for (i = 0; i < WAITING; i++) {
    pthread_join(all[i].thread, NULL);
    cancelled += all[i].status == AV_STATUS_CANCELLED;
    if (i >= SHARING && i < OTHERS) av_cancel_free(all[i].cancel);
  }
  CHECK(cancelled == WAITING);
  av_cancel_free(shared);
  av_cancel_free(others);
  av_client_free(client);
  server_stop(s);
}

/* ------------------------------------------------------------------------------- in a signal handler */

static av_cancel *for_handler;

static void trigger(int number) {
  int before = errno;
  (void)number;
  av_cancel_trigger(__atomic_load_n(&for_handler, __ATOMIC_SEQ_CST));
  errno = before;
}

/* The handler runs on the very thread that is inside the call, first and second in the queue. */
static void in_a_handler(void) {
  server *s = server_start(serve_429, NULL);
  av_client *client = client_at_a_closed_gate(s);
  waiting pair[2];
  struct sigaction action;
  int i;
  memset(&action, 0, sizeof action);
  action.sa_handler = trigger;
  sigaction(SIGUSR1, &action, NULL);
  memset(pair, 0, sizeof pair);
  __atomic_store_n(&back, 0, __ATOMIC_SEQ_CST);
  for (i = 0; i < 2; i++) start(&pair[i], client, av_cancel_new());
  for (i = 1; i >= 0; i--) {
    __atomic_store_n(&for_handler, pair[i].cancel, __ATOMIC_SEQ_CST);
    pthread_kill(pair[i].thread, SIGUSR1);
    pthread_join(pair[i].thread, NULL);
    CHECK(pair[i].status == AV_STATUS_CANCELLED);
    CHECK(__atomic_load_n(&back, __ATOMIC_SEQ_CST) == 2 - i);
    av_cancel_free(pair[i].cancel);
  }
  av_client_free(client);
  server_stop(s);
}

int main(void) {
  alarm(180);
  many();
  in_a_handler();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
