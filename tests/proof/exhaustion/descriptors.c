/* No descriptor left: all that the process may have are really taken. Each way to need one fails with
 * an error that names the shortage, what needs none goes on, and with the shortage it is all over.
 * (tests/network/host_resources.c has the short form: a limit of 0.) */
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST = 256 };

static int taken[MOST];
static size_t taken_count;

static void take_all(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) exit(2);
  limit.rlim_cur = MOST;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) exit(2);
  for (;;) {
    int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) break;
    taken[taken_count++] = descriptor;
  }
  if (!CHECK(errno == EMFILE)) exit(1); /* proves nothing */
}

static void give_back(size_t count) {
  while (count-- > 0 && taken_count > 0) close(taken[--taken_count]);
}

static void give_all_back(void) { give_back(MOST); }

static av_client_config by_name(const char *url, char *named, size_t size) {
  snprintf(named, size, "%.*slocalhost%s", (int)(strstr(url, "//") + 2 - url), url, strrchr(url, ':'));
  return config_for(named);
}

static av_request_options once(void) {
  av_request_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.max_attempts = 1;
  return options;
}

/* Whether it is an error that anyone can make sense of. */
static int names_the_shortage(const char *row, const outcome *told, uint32_t attempts) {
  printf("  %-34s %s\n", row, told->message);
  return CHECK_ROW(row, is_failure(told, AV_STATUS_CONNECT, 1, attempts)) & CHECK_ROW(row, told->outcome == AV_OUTCOME_NOT_APPLIED) &
         CHECK_ROW(row, says(told, "open files"));
}

/* A call of each kind of client during the shortage, and right after it with the same client. */
static void each_way(const char *row, const av_client_config *config) {
  av_client *client = client_of(config);
  av_request_options options = once();
  outcome told;
  take_all();
  told = try_create(client, &options);
  names_the_shortage(row, &told, 1);
  /* Tried as often as anything that sent nothing. */
  told = try_create(client, NULL);
  names_the_shortage(row, &told, 3);
  give_all_back();
  told = try_create(client, &options);
  if (!CHECK_ROW(row, told.status == AV_STATUS_OK)) fprintf(stderr, "  %s\n", told.message);
  av_client_free(client);
}

/* One descriptor is enough for a call. */
static void one_is_enough(const char *url) {
  av_client *client = client_for(url);
  av_request_options options = once();
  outcome told;
  take_all();
  give_back(1);
  told = try_create(client, &options);
  CHECK(told.status == AV_STATUS_OK);
  give_all_back();
  av_client_free(client);
}

/* A kept connection needs no new one, nor does a call that has one start anything else. */
static void a_warm_client(const char *url) {
  av_client *client = client_for(url);
  int i;
  CHECK(try_create(client, NULL).status == AV_STATUS_OK);
  take_all();
  for (i = 0; i < 100; i++) CHECK(try_create(client, NULL).status == AV_STATUS_OK);
  give_all_back();
  av_client_free(client);
}

/* The shortage ends while the call waits for its next attempt: the caller never learns of it. */
static void end_it(void *userdata, int32_t level, const char *line) {
  (void)userdata;
  (void)level;
  if (strstr(line, "again in")) give_all_back();
}

static void over_during_the_call(const char *url) {
  av_client_config config = config_for(url);
  av_client *client;
  av_request_options options = once();
  av_response *response = av_response_new();
  config.trace_fn = end_it;
  config.trace_level = AV_TRACE_ERROR;
  client = client_of(&config);
  options.max_attempts = 0;
  options.response = response;
  take_all();
  CHECK(try_create(client, &options).status == AV_STATUS_OK);
  CHECK(taken_count == 0);
  CHECK(av_response_attempts(response) == 2);
  av_response_free(response);
  av_client_free(client);
}

/* An iterator goes on where it was. */
static void an_iterator(const char *url) {
  av_client *client = client_for(url);
  av_token_iter *iterator = NULL;
  const av_token *token = NULL;
  av_error *error = NULL;
  av_request_options options = once();
  size_t count = 0;
  CHECK(av_tokens_iterate(client, NULL, &iterator, &error) == AV_STATUS_OK);
  take_all();
  CHECK(av_token_iter_next(iterator, &options, &token, &error) == AV_STATUS_CONNECT);
  CHECK(strstr(av_error_message(error), "open files"));
  av_error_free(error);
  give_all_back();
  while (av_token_iter_next(iterator, &options, &token, &error) == AV_STATUS_OK && token) count++;
  CHECK(error == NULL && count > 0);
  av_token_iter_free(iterator);
  av_client_free(client);
}

typedef struct cancelled {
  const av_client *client;
  av_cancel *cancel;
  pid_t thread;
  int begun;
  outcome told;
  moment returned;
} cancelled;

static void *call_to_cancel(void *argument) {
  cancelled *it = (cancelled *)argument;
  av_request_options options = once();
  options.cancel = it->cancel;
  it->thread = thread_id();
  __atomic_store_n(&it->begun, 1, __ATOMIC_SEQ_CST);
  it->told = try_create(it->client, &options);
  it->returned = moment_here();
  return NULL;
}

/* A cancel handle made without a descriptor wakes nobody: waits look at it in slices of 10 ms. */
static void a_cancel_without_a_descriptor(void) {
  static const char *const slow[] = {"--api-key", "test-key", "--latency-ms", "60000", NULL};
  local_api *service = local_api_start(slow);
  av_client *client = client_for(local_api_url(service));
  double took[10];
  int i;
  for (i = 0; i < 10; i++) {
    cancelled it;
    pthread_t thread;
    moment triggered;
    size_t before;
    memset(&it, 0, sizeof it);
    take_all();
    it.cancel = av_cancel_new();
    give_all_back();
    /* It takes none later either. */
    before = open_descriptors();
    it.client = client;
    CHECK(it.cancel != NULL);
    if (pthread_create(&thread, NULL, call_to_cancel, &it) != 0) exit(2);
    wait_until(&it.begun, 1, "a call to begin");
    wait_until_asleep(it.thread);
    CHECK(open_descriptors() <= before + 1);
    triggered = moment_of(it.thread);
    av_cancel_trigger(it.cancel);
    pthread_join(thread, NULL);
    took[i] = between(triggered, it.returned);
    CHECK(it.told.status == AV_STATUS_CANCELLED);
    /* And it stays triggered. */
    CHECK(call_to_cancel(&it) == NULL && it.told.status == AV_STATUS_CANCELLED && it.told.attempts == 0);
    av_cancel_free(it.cancel);
  }
  printf("proof: cancel without a descriptor to wake by: %.1f ms median (bound 20 ms)\n", median(took, 10));
  CHECK_WITHIN("  a cancel handle made without one", took, 10, 20);
  av_client_free(client);
  local_api_stop(service);
}

/* The system's certificates, and a file of them, cannot be read; once they can, they are. It is the
 * first https client of this process: nothing may be remembered of the failure. */
static void certificates(void) {
  char ca_file[] = "/tmp/apivideo-ca-XXXXXX", named[96];
  const char *arguments[] = {"--api-key", "test-key", "--tls", "--tls-ca-file", ca_file, NULL};
  av_client_config config = config_for(NULL);
  av_client *client = NULL;
  local_api *service;
  outcome told;
  close(mkstemp(ca_file));
  service = local_api_start(arguments);

  take_all();
  told = try_client(&config, &client);
  give_all_back();
  printf("  %-34s %s\n", "the system's certificates", told.message);
  CHECK(told.status == AV_STATUS_TLS && told.outcome == AV_OUTCOME_NOT_APPLIED && client == NULL);
  CHECK(says(&told, "open files"));
  told = try_client(&config, &client);
  CHECK(told.status == AV_STATUS_OK && client);
  av_client_free(client);

  config = by_name(local_api_url(service), named, sizeof named);
  config.ca_file = ca_file;
  take_all();
  told = try_client(&config, &client);
  give_all_back();
  printf("  %-34s %s\n", "a file of certificates", told.message);
  CHECK(told.status == AV_STATUS_INVALID_ARGUMENT && client == NULL);
  CHECK(says(&told, "open files"));
  /* The first lookup of this process: the C library has read none of its files yet. */
  each_way("https, by name", &config);
  config.base_url = local_api_url(service);
  each_way("https, by address", &config);

  local_api_stop(service);
  unlink(ca_file);
}

int main(void) {
  static const char *const plain[] = {"--api-key", "test-key", "--seed", "30", NULL};
  local_api *service;
  av_client_config config;
  char named[96];
  size_t before;
  setvbuf(stdout, NULL, _IOLBF, 0);
  certificates();
  service = local_api_start(plain);
  before = open_descriptors();
  config = config_for(local_api_url(service));
  each_way("http, by address", &config);
  config = by_name(local_api_url(service), named, sizeof named);
  each_way("http, by name", &config);
  one_is_enough(local_api_url(service));
  a_warm_client(local_api_url(service));
  over_during_the_call(local_api_url(service));
  over_during_the_call(named);
  an_iterator(local_api_url(service));
  a_cancel_without_a_descriptor();
  CHECK(open_descriptors() == before);
  local_api_stop(service);
  return checks_report();
}
