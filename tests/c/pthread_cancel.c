/* A thread that is cancelled by pthread_cancel() inside a call: the call goes on to its end, and the
 * thread ends after it. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"

#include <pthread.h>
#include <sched.h>

/* What a thread came to. */
typedef struct thread_of {
  av_client *client;
  av_cancel *cancel;
  int type, began, returned, went_on;
  av_status status;
} thread_of;

static int state_now(void) {
  int state = -1;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
  pthread_setcancelstate(state, NULL);
  return state;
}

static int type_now(void) {
  int type = -1;
  pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
  pthread_setcanceltype(type, NULL);
  return type;
}

static void *call_and_go_on(void *argument) {
  thread_of *it = (thread_of *)argument;
  av_request_options options;
  av_token *token = NULL;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = it->cancel;
  pthread_setcanceltype(it->type, NULL);
  it->status = av_tokens_get(it->client, TOKEN, &options, &token, NULL);
  it->returned = 1;
  av_token_free(token);
  pthread_testcancel();
  it->went_on = 1;
  return NULL;
}

/* While the call waits for an answer that does not come, to a service that is called by name, so that
 * the call has a thread of its own besides. */
static void cancelled_while_it_waits(const char *row, int type) {
  peer *p = peer_start();
  char url[64];
  thread_of it;
  pthread_t thread;
  void *result = NULL;
  call again;
  memset(&it, 0, sizeof it);
  snprintf(url, sizeof url, "http://localhost%s", strrchr(peer_url(p), ':'));
  it.client = client_for(url);
  it.cancel = av_cancel_new();
  it.type = type;
  peer_answer(p, "", 0, PEER_STALL);
  if (pthread_create(&thread, NULL, call_and_go_on, &it) != 0) exit(2);
  while (peer_request_count(p) < 1) sched_yield();
  CHECK_ROW(row, pthread_cancel(thread) == 0);
  /* The call does not end by that: something else has to end it. */
  av_cancel_trigger(it.cancel);
  pthread_join(thread, &result);
  CHECK_ROW(row, result == PTHREAD_CANCELED);
  CHECK_ROW(row, it.went_on == 0);
  if (type == PTHREAD_CANCEL_DEFERRED) {
    /* It acts at the next cancellation point, which is none of the library's. */
    CHECK_ROW(row, it.returned == 1);
    CHECK_ROW(row, it.status == AV_STATUS_CANCELLED);
  }
  answer_well(p, GET);
  again = call_make(it.client, GET, NULL);
  CHECK_ROW(row, again.status == AV_STATUS_OK);
  call_free(&again);
  av_cancel_free(it.cancel);
  av_client_free(it.client);
  peer_stop(p);
}

static void cancel_own_thread(void *userdata, int32_t level, const char *line) {
  int *called = (int *)userdata;
  (void)level;
  (void)line;
  if ((*called)++ == 0) pthread_cancel(pthread_self());
  pthread_testcancel();
}

/* Inside a callback it is held back as well, and so it is in all that is called while it is pending. */
static void *cancel_in_callback(void *argument) {
  thread_of *it = (thread_of *)argument;
  av_token *token = NULL;
  av_token_page *page = NULL;
  it->status = av_tokens_get(it->client, TOKEN, NULL, &token, NULL);
  it->began = token != NULL && av_tokens_list(it->client, NULL, NULL, &page, NULL) == AV_STATUS_OK;
  av_token_free(token);
  av_token_page_free(page);
  av_cancel_trigger(it->cancel);
  av_cancel_free(it->cancel);
  av_client_free(it->client); /* closes a connection, which is a cancellation point */
  it->returned = 1;
  pthread_testcancel();
  it->went_on = 1;
  return NULL;
}

static void cancelled_in_a_callback(void) {
  peer *p = peer_start();
  av_client_config config = config_for(peer_url(p));
  thread_of it;
  pthread_t thread;
  void *result = NULL;
  int called = 0;
  memset(&it, 0, sizeof it);
  config.trace_fn = cancel_own_thread;
  config.trace_userdata = &called;
  config.trace_level = AV_TRACE_DEBUG;
  it.client = client_of(&config);
  it.cancel = av_cancel_new();
  answer_well(p, GET);
  answer_well(p, LIST);
  if (pthread_create(&thread, NULL, cancel_in_callback, &it) != 0) exit(2);
  pthread_join(thread, &result);
  CHECK(called > 1);
  CHECK(it.status == AV_STATUS_OK);
  CHECK(it.began == 1);
  CHECK(it.returned == 1);
  CHECK(it.went_on == 0);
  CHECK(result == PTHREAD_CANCELED);
  peer_stop(p);
}

/* Whatever the thread had set is in force again after a call. */
static void set_as_before(void) {
  static const int states[] = {PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DISABLE};
  static const int types[] = {PTHREAD_CANCEL_DEFERRED, PTHREAD_CANCEL_ASYNCHRONOUS};
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  int i;
  for (i = 0; i < 4; i++) {
    call made;
    pthread_setcancelstate(states[i % 2], NULL);
    pthread_setcanceltype(types[i / 2], NULL);
    answer_well(p, GET);
    made = call_make(client, GET, NULL);
    CHECK(made.status == AV_STATUS_OK);
    call_free(&made);
    CHECK(state_now() == states[i % 2]);
    CHECK(type_now() == types[i / 2]);
  }
  pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
  av_client_free(client);
  peer_stop(p);
}

int main(void) {
  cancelled_while_it_waits("deferred", PTHREAD_CANCEL_DEFERRED);
  cancelled_while_it_waits("asynchronous", PTHREAD_CANCEL_ASYNCHRONOUS);
  cancelled_in_a_callback();
  set_as_before();
  return checks_report();
}
