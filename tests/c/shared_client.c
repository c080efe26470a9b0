/* One client for many threads: each call gets its own answer, none starts a thread, and there are no
 * more connections than threads; and what is under way does not mind that the client is freed. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"
#include "support/moment.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#define THREADS 8
#define CALLS 100

/* ------------------------------------------------------------------------------ what is counted */

/* Every thread that anyone starts in this process: the library's calls of pthread_create come here,
 * whether it is linked or loaded. A thread that ends at once leaves no other trace. */
static int threads_started;

#ifdef __cplusplus
extern "C" int pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) noexcept;
extern "C"
#else
int pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
#endif
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
#ifdef __cplusplus
    noexcept
#endif
{
  typedef int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  create real;
  *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  __atomic_add_fetch(&threads_started, 1, __ATOMIC_SEQ_CST);
  return real(thread, attributes, run, argument);
}

/* Whether there are so many, or come to be: one that was joined may stand there for a moment yet. */
static int threads_become(size_t expected) {
  double begun = now_ms();
  while (threads_now() > expected && now_ms() - begun < 60000) sched_yield();
  return threads_now() == expected;
}

static void *wait_for(void *lock) {
  pthread_mutex_lock((pthread_mutex_t *)lock);
  pthread_mutex_unlock((pthread_mutex_t *)lock);
  return NULL;
}

/* How many threads there are without any of ours: ThreadSanitizer starts one for itself beside the first. */
static size_t usual_threads(void) {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_t ours;
  size_t all;
  pthread_mutex_lock(&lock);
  if (pthread_create(&ours, NULL, wait_for, &lock) != 0) exit(2);
  all = threads_now();
  pthread_mutex_unlock(&lock);
  pthread_join(ours, NULL);
  return all - 1;
}

/* ---------------------------------------------------------------------------------- mixed calls */

/* All sockets that are open are the client's connections: this test has none of its own. */

typedef struct worker {
  const av_client *client;
  pthread_t thread;
  uint32_t number;
  int right, wrong;
} worker;

static void tell(worker *self, int right, const av_error *error) {
  if (right) {
    self->right++;
  } else {
    self->wrong++;
    fprintf(stderr, "thread %u: %s\n", (unsigned)self->number, error ? av_error_message(error) : "a wrong result");
  }
}

/* Five calls about a token of this thread's own, which no other thread's can be taken for: its time
 * to live is told by nobody else. */
static void five_calls(worker *self, uint32_t round) {
  uint32_t ttl = 1000 + self->number * 1000 + round;
  av_tokens_list_params params;
  av_token *made = NULL, *found = NULL;
  av_token_page *page = NULL;
  av_error *error = NULL;
  char *json = NULL, expected[32];
  av_status status = av_tokens_create(self->client, ttl, NULL, &made, &error);
  tell(self, status == AV_STATUS_OK && made && made->ttl_seconds == (int32_t)ttl, error);
  av_error_free(error);
  if (!made) return;

  status = av_tokens_get(self->client, made->token, NULL, &found, &error);
  tell(self, status == AV_STATUS_OK && found && strcmp(found->token, made->token) == 0 && found->ttl_seconds == (int32_t)ttl, error);
  av_error_free(error);
  av_token_free(found);

  if (round % 2 == 0) {
    memset(&params, 0, sizeof params);
    params.struct_size = sizeof params;
    params.page_size = 1 + self->number;
    status = av_tokens_list(self->client, &params, NULL, &page, &error);
    tell(self, status == AV_STATUS_OK && page && page->page_size == 1 + self->number && page->count <= 1 + self->number, error);
    av_token_page_free(page);
  } else {
    status = av_tokens_get_json(self->client, made->token, NULL, &json, &error);
    snprintf(expected, sizeof expected, "\"ttl\":%u", (unsigned)ttl);
    tell(self, status == AV_STATUS_OK && json && strstr(json, expected), error);
    av_string_free(json);
  }
  av_error_free(error);

  status = av_tokens_delete(self->client, made->token, NULL, &error);
  tell(self, status == AV_STATUS_OK, error);
  av_error_free(error);

  status = av_tokens_get(self->client, made->token, NULL, &found, &error);
  tell(self, status == AV_STATUS_NOT_FOUND && !found && av_error_http_status(error) == 404, error);
  av_error_free(error);
  av_token_free(made);
}

static void *work(void *argument) {
  worker *self = (worker *)argument;
  uint32_t round;
  for (round = 0; round < CALLS / 5; round++) five_calls(self, round);
  return NULL;
}

static void mixed_calls(void) {
  static const char *const arguments[] = {"--api-key", "test-key", NULL};
  local_api *service = local_api_start(arguments);
  av_client *client = client_for(local_api_url(service));
  worker workers[THREADS], warm;
  size_t i, threads_before = usual_threads(), sockets_before = open_sockets();
  int started_before = threads_started;

  memset(&warm, 0, sizeof warm);
  warm.client = client;
  five_calls(&warm, 0);
  CHECK(warm.right == 5);
  /* A call that is one of many starts no thread; nor did the first. */
  CHECK(threads_become(threads_before));
  CHECK(threads_started == started_before);
  CHECK(open_sockets() == sockets_before + 1);
  five_calls(&warm, 1);
  CHECK(warm.right == 10);
  CHECK(threads_become(threads_before));
  CHECK(open_sockets() == sockets_before + 1);

  started_before = threads_started;
  memset(workers, 0, sizeof workers);
  for (i = 0; i < THREADS; i++) {
    workers[i].client = client;
    workers[i].number = (uint32_t)i + 1;
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) exit(2);
  }
  for (i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    CHECK(workers[i].right == CALLS && workers[i].wrong == 0);
  }
  CHECK(threads_started == started_before + THREADS);
  CHECK(threads_become(threads_before));
  CHECK(open_sockets() > sockets_before && open_sockets() <= sockets_before + THREADS);
  av_client_free(client);
  CHECK(open_sockets() == sockets_before);
  local_api_stop(service);
}

/* ------------------------------------------------------------------ freed while calls are under way */

static void *call_once(void *argument) {
  worker *self = (worker *)argument;
  call made = call_make(self->client, self->number % 2 ? CREATE : LIST, NULL);
  tell(self, made.status == AV_STATUS_OK && call_gave(&made), made.error);
  call_free(&made);
  return NULL;
}

static void count_connected(void *userdata, int32_t level, const char *line) {
  (void)level;
  if (strstr(line, "connected to")) __atomic_add_fetch((int *)userdata, 1, __ATOMIC_SEQ_CST);
}

/* A thread is inside its call once that tells of its connection: only then may the client be freed.
 * The service answers late enough for all of them still to wait for it: who came when another has its
 * answer would take that one's connection. */
static void freed_under_way(void) {
  const char *const arguments[] = {"--api-key", "test-key", "--latency-ms", is_slowed() ? "10000" : "3000", NULL};
  local_api *service = local_api_start(arguments);
  av_client_config config = config_for(local_api_url(service));
  av_client *client;
  worker workers[THREADS];
  size_t i, sockets_before = open_sockets();
  int connected = 0;
  config.trace_fn = count_connected;
  config.trace_userdata = &connected;
  config.trace_level = AV_TRACE_DEBUG;
  config.timeout_ms = 120000;
  config.attempt_timeout_ms = 60000;
  client = client_of(&config);
  memset(workers, 0, sizeof workers);
  for (i = 0; i < THREADS; i++) {
    workers[i].client = client;
    workers[i].number = (uint32_t)i;
    if (pthread_create(&workers[i].thread, NULL, call_once, &workers[i]) != 0) exit(2);
  }
  wait_until(&connected, THREADS, "calls that have come together");
  av_client_free(client);
  for (i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    CHECK(workers[i].right == 1);
  }
  /* The last call took the connections with it. */
  CHECK(open_sockets() == sockets_before);
  local_api_stop(service);
}

/* A result and an error belong to nobody's thread: made in one, read in another, freed in a third. */
static call handed_over;

static void *read_it(void *client) {
  (void)client;
  CHECK(handed_over.status == AV_STATUS_NOT_FOUND);
  CHECK(strstr(av_error_message(handed_over.error), "404") != NULL);
  return NULL;
}

static void *make_it(void *client) {
  handed_over = call_make((const av_client *)client, GET, NULL);
  return NULL;
}

static void *free_it(void *client) {
  call_free(&handed_over);
  av_client_free((av_client *)client);
  return NULL;
}

static void handed_from_thread_to_thread(void) {
  static const char *const arguments[] = {"--api-key", "test-key", NULL};
  void *(*const steps[])(void *) = {make_it, read_it, free_it};
  local_api *service = local_api_start(arguments);
  av_client *client = client_for(local_api_url(service));
  size_t i;
  for (i = 0; i < 3; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, steps[i], client) != 0) exit(2);
    pthread_join(thread, NULL);
  }
  local_api_stop(service);
}

int main(void) {
  mixed_calls();
  freed_under_way();
  handed_from_thread_to_thread();
  return checks_report();
}
