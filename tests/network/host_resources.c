/* What the library costs its host: a call that is one of many starts no thread, and there are never
 * more connections than threads that call. */
#include "support/call.h"
#include "support/check.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CALLS = 1000, THREADS = 64, EACH = 50 };

/* How long a connection is kept that nobody uses; there is another one for it then. */
#define KEPT_MS 15000

/* Every thread that anyone starts in this process: the library's calls of pthread_create come here.
 * They may be told that there is none to be had. */
static int started, none_to_be_had;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  typedef int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  create real;
  if (__atomic_load_n(&none_to_be_had, __ATOMIC_SEQ_CST)) return EAGAIN;
  *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  return real(thread, attributes, run, argument);
}

static av_client *client_named(const char *url, const char *ca_file, int by_name) {
  char named[96];
  av_client_config config;
  snprintf(named, sizeof named, "%.*s%s:%s", (int)(strstr(url, "//") - url) + 2, url, by_name ? "localhost" : "127.0.0.1",
           strrchr(url, ':') + 1);
  config = watched_config(named);
  config.ca_file = ca_file;
  return client_of(&config);
}

/* After a first call of each kind, with every limit of time and a cancel handle. */
static void warm_calls(const char *row, const char *url, const char *ca_file, int by_name) {
  av_client *client = client_named(url, ca_file, by_name);
  av_cancel *cancel = av_cancel_new();
  av_request_options options;
  int before = started, after_first, i, failed = 0;
  size_t sockets;
  double begin;
  call made;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = cancel;
  options.timeout_ms = 5000;
  made = call_make(client, LIST, &options);
  if (!CHECK_ROW(row, made.status == AV_STATUS_OK)) fprintf(stderr, "  %s\n", watched(made.error));
  call_free(&made);
  after_first = started;
  sockets = open_sockets();
  begin = now_ms();
  for (i = 0; i < CALLS; i++) {
    made = call_make(client, (operation)(i % 3 == 0 ? CREATE : i % 3 == 1 ? LIST : LIST_JSON), &options);
    failed += made.status != AV_STATUS_OK;
    call_free(&made);
  }
  printf("%-18s the first call started %d threads; %d more calls %d threads, %zu connections, %.0f us a call\n", row,
         after_first - before, CALLS, started - after_first, open_sockets() - sockets, (now_ms() - begin) * 1000 / CALLS);
  CHECK_ROW(row, failed == 0);
  CHECK_ROW(row, started == after_first);
  CHECK_ROW(row, open_sockets() == sockets);
  /* A name is looked up on a thread, an address is not. */
  CHECK_ROW(row, after_first - before == by_name);
  av_cancel_free(cancel);
  av_client_free(client);
}

typedef struct worker {
  const av_client *client;
  pthread_t thread;
  int failed;
} worker;

static void *repeat(void *argument) {
  worker *it = (worker *)argument;
  int i;
  for (i = 0; i < EACH; i++) {
    call made = call_make(it->client, i % 2 ? LIST : CREATE, NULL);
    if (made.status != AV_STATUS_OK && it->failed++ == 0) fprintf(stderr, "%s\n", watched(made.error));
    call_free(&made);
  }
  return NULL;
}

static void one_client_for_all(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--latency-ms", "1", NULL};
  local_api *service = local_api_start(arguments);
  av_client *client = client_named(local_api_url(service), NULL, 1);
  worker workers[THREADS];
  size_t i, sockets = open_sockets(), most;
  int failed = 0, before = started;
  double begin = now_ms(), took;
  ledger ledger;
  memset(workers, 0, sizeof workers);
  for (i = 0; i < THREADS; i++) {
    workers[i].client = client;
    if (pthread_create(&workers[i].thread, NULL, repeat, &workers[i]) != 0) exit(2);
  }
  for (i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    failed += workers[i].failed;
  }
  took = now_ms() - begin;
  ledger = ledger_of(local_api_url(service));
  most = open_sockets() - sockets;
  printf("%d threads, %d calls: %zu connections ever, %zu open at the end, %d threads started by the library\n", THREADS,
         THREADS * EACH, ledger.connections, most, started - before - THREADS);
  CHECK(failed == 0);
  /* A thread that the system does not let run for so long finds its connection closed. */
  CHECK(ledger.connections <= THREADS || took > KEPT_MS);
  CHECK(most <= THREADS);
  CHECK(ledger.requests == THREADS * EACH);
  /* All ask for the same name at once: one lookup serves them. */
  CHECK(started - before - THREADS == 1);
  ledger_free(&ledger);
  av_client_free(client);
  CHECK(open_sockets() == sockets);
  local_api_stop(service);
}

/* Without a thread to be had, a name cannot be looked up, and that is an error like another. */
static void no_thread_to_be_had(void) {
  static const char *const arguments[] = {"--api-key", "test-key", NULL};
  local_api *service = local_api_start(arguments);
  av_client *client;
  av_request_options options;
  call made;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.max_attempts = 1;
  client = client_named(local_api_url(service), NULL, 1);
  none_to_be_had = 1;
  made = call_make(client, CREATE, &options);
  none_to_be_had = 0;
  printf("no thread to be had: %s\n", watched(made.error));
  CHECK(made.status == AV_STATUS_CONNECT);
  CHECK(av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED);
  call_free(&made);
  made = call_make(client, CREATE, &options);
  CHECK(made.status == AV_STATUS_OK);
  call_free(&made);
  av_client_free(client);
  local_api_stop(service);
}

/* Nor a descriptor: the same. */
static void no_descriptor_to_be_had(void) {
  static const char *const arguments[] = {"--api-key", "test-key", NULL};
  local_api *service = local_api_start(arguments);
  struct rlimit before, none;
  av_client *client;
  av_request_options options;
  call made;
  av_cancel *cancel;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.max_attempts = 1;
  client = client_named(local_api_url(service), NULL, 0);
  if (getrlimit(RLIMIT_NOFILE, &before) != 0) exit(2);
  none = before;
  none.rlim_cur = 0;
  if (setrlimit(RLIMIT_NOFILE, &none) != 0) exit(2);
  cancel = av_cancel_new();
  options.cancel = cancel;
  made = call_make(client, CREATE, &options);
  setrlimit(RLIMIT_NOFILE, &before);
  printf("no descriptor to be had: %s\n", watched(made.error));
  CHECK(made.status == AV_STATUS_CONNECT);
  CHECK(av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED);
  CHECK(strstr(watched(made.error), "open files") != NULL);
  call_free(&made);
  /* A cancel handle made meanwhile works without one. */
  CHECK(cancel != NULL);
  made = call_make(client, CREATE, &options);
  CHECK(made.status == AV_STATUS_OK);
  call_free(&made);
  av_cancel_trigger(cancel);
  made = call_make(client, CREATE, &options);
  CHECK(made.status == AV_STATUS_CANCELLED);
  call_free(&made);
  av_cancel_free(cancel);
  av_client_free(client);
  local_api_stop(service);
}

int main(void) {
  static const char *const plain[] = {"--api-key", "test-key", NULL};
  char ca_file[] = "/tmp/apivideo-ca-XXXXXX";
  const char *with_tls[] = {"--api-key", "test-key", "--tls", "--tls-ca-file", ca_file, NULL};
  local_api *service = local_api_start(plain);
  warm_calls("http, by address:", local_api_url(service), NULL, 0);
  warm_calls("http, by name:", local_api_url(service), NULL, 1);
  local_api_stop(service);
  close(mkstemp(ca_file));
  service = local_api_start(with_tls);
  warm_calls("https, by name:", local_api_url(service), ca_file, 1);
  local_api_stop(service);
  unlink(ca_file);
  one_client_for_all();
  no_thread_to_be_had();
  no_descriptor_to_be_had();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
