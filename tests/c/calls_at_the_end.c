/* Calls at the very end: as a thread ends, after what threads keep is gone, and as the process does. */
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"

#include <pthread.h>
#include <unistd.h>

static local_api *service;
static av_client *client;
static pthread_key_t key;
static int ended;

/* Whether a token can be made now. */
static int works(void) {
  av_token *token = NULL;
  av_status status = av_tokens_create(client, 60, NULL, &token, NULL);
  av_token_free(token);
  return status == AV_STATUS_OK;
}

/* Called as the thread ends, and set anew each time: the last time is after all else has been ended. */
static void at_thread_end(void *round) {
  ended++;
  CHECK(works());
  if (round == &key) pthread_setspecific(key, &ended);
}

static void *thread(void *unused) {
  (void)unused;
  CHECK(pthread_setspecific(key, &key) == 0);
  CHECK(works());
  return NULL;
}

static void at_process_end(void) {
  CHECK(works());
  av_client_free(client);
  local_api_stop(service);
  int failed = checks_report();
  fflush(stdout);
  _exit(failed);
}

int main(void) {
  static const char *const arguments[] = {"--api-key", "test-key", NULL};
  pthread_t ending;
  CHECK(atexit(at_process_end) == 0);
  service = local_api_start(arguments);
  client = client_for(local_api_url(service));
  CHECK(pthread_key_create(&key, at_thread_end) == 0);
  CHECK(pthread_create(&ending, NULL, thread, NULL) == 0);
  CHECK(pthread_join(ending, NULL) == 0);
  CHECK(ended == 2);
  CHECK(works());
  return 1; /* at_process_end says otherwise */
}
