/* An iterator serves one call at a time, wherever a second one comes from, and may be freed by a
 * callback of its own call. Its total is told whenever it is asked for. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"

#include <pthread.h>
#include <sched.h>

#define PAGE(items, numbers) "{\"data\":[" items "],\"pagination\":{" numbers "}}"
#define ITEM(name) "{\"token\":\"" name "\"}"

/* What the trace does to the iterator whose call it is called in. */
typedef struct meddler {
  av_token_iter *iter;
  int called, frees;
  av_status status;
  const av_token *got;
  char message[200];
} meddler;

static void meddle(void *userdata, int32_t level, const char *line) {
  meddler *it = (meddler *)userdata;
  av_error *error = NULL;
  (void)level;
  (void)line;
  if (it->called++) return;
  if (it->frees) {
    av_token_iter_free(it->iter);
    it->iter = NULL;
    return;
  }
  it->got = (const av_token *)&it->called;
  it->status = av_token_iter_next(it->iter, NULL, &it->got, &error);
  snprintf(it->message, sizeof it->message, "%s", av_error_message(error));
  av_error_free(error);
}

static av_token_iter *iterator_of(const av_client *client) {
  av_token_iter *iter = NULL;
  if (!CHECK(av_tokens_iterate(client, NULL, &iter, NULL) == AV_STATUS_OK)) exit(1);
  return iter;
}

static av_client *client_that_meddles(const peer *p, meddler *it) {
  av_client_config config = config_for(peer_url(p));
  config.trace_fn = meddle;
  config.trace_userdata = it;
  config.trace_level = AV_TRACE_INFO;
  return client_of(&config);
}

static void from_its_own_trace(void) {
  peer *p = peer_start();
  meddler it;
  av_client *client;
  const av_token *token = NULL;
  memset(&it, 0, sizeof it);
  client = client_that_meddles(p, &it);
  it.iter = iterator_of(client);
  peer_answer_json(p, "200 OK", PAGE(ITEM("a") "," ITEM("b"), "\"pagesTotal\":1"));
  CHECK(av_token_iter_next(it.iter, NULL, &token, NULL) == AV_STATUS_OK);
  CHECK(token && strcmp(token->token, "a") == 0);
  CHECK(it.called == 1);
  CHECK(it.status == AV_STATUS_INVALID_ARGUMENT);
  CHECK(it.got == NULL);
  CHECK(strstr(it.message, "iter is in use") != NULL);
  /* Nothing was taken by it, and nothing is in its way any more. */
  CHECK(av_token_iter_next(it.iter, NULL, &token, NULL) == AV_STATUS_OK);
  CHECK(token && strcmp(token->token, "b") == 0);
  av_token_iter_free(it.iter);
  av_client_free(client);
  CHECK(peer_request_count(p) == 1);
  peer_stop(p);
}

static void freed_by_its_own_trace(void) {
  peer *p = peer_start();
  meddler it;
  av_client *client;
  const av_token *token;
  av_error *error = NULL;
  memset(&it, 0, sizeof it);
  it.frees = 1;
  client = client_that_meddles(p, &it);
  it.iter = iterator_of(client);
  token = (const av_token *)&it;
  peer_answer_json(p, "200 OK", PAGE(ITEM("a"), "\"pagesTotal\":1"));
  CHECK(av_token_iter_next(it.iter, NULL, &token, &error) == AV_STATUS_INVALID_ARGUMENT);
  CHECK(it.called == 1 && it.iter == NULL);
  CHECK(token == NULL);
  CHECK(strstr(av_error_message(error), "iter was freed") != NULL);
  av_error_free(error);
  av_client_free(client);
  peer_stop(p);
}

typedef struct other_thread {
  av_token_iter *iter;
  av_cancel *cancel;
  av_status status;
} other_thread;

static void *take_next(void *argument) {
  other_thread *it = (other_thread *)argument;
  av_request_options options;
  const av_token *token = NULL;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = it->cancel;
  it->status = av_token_iter_next(it->iter, &options, &token, NULL);
  return NULL;
}

static void from_two_threads(void) {
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  other_thread it;
  pthread_t thread;
  const av_token *token = NULL;
  it.iter = iterator_of(client);
  it.cancel = av_cancel_new();
  CHECK(av_token_iter_total(it.iter) == 0);
  peer_answer_json(p, "200 OK", PAGE(ITEM("a"), "\"pagesTotal\":3,\"itemsTotal\":3"));
  CHECK(av_token_iter_next(it.iter, NULL, &token, NULL) == AV_STATUS_OK);
  CHECK(av_token_iter_total(it.iter) == 3);
  peer_answer(p, "", 0, PEER_STALL);
  if (pthread_create(&thread, NULL, take_next, &it) != 0) exit(2);
  while (peer_request_count(p) < 2) sched_yield();
  CHECK(av_token_iter_next(it.iter, NULL, &token, NULL) == AV_STATUS_INVALID_ARGUMENT);
  CHECK(token == NULL);
  /* That can be asked for meanwhile. */
  CHECK(av_token_iter_total(it.iter) == 3);
  av_cancel_trigger(it.cancel);
  pthread_join(thread, NULL);
  CHECK(it.status == AV_STATUS_CANCELLED);
  /* As each page tells it anew. */
  peer_answer_json(p, "200 OK", PAGE(ITEM("b"), "\"pagesTotal\":3,\"itemsTotal\":18446744073709551615"));
  CHECK(av_token_iter_next(it.iter, NULL, &token, NULL) == AV_STATUS_OK);
  CHECK(av_token_iter_total(it.iter) == UINT64_MAX);
  CHECK(av_token_iter_total(NULL) == 0);
  av_cancel_free(it.cancel);
  av_token_iter_free(it.iter);
  av_client_free(client);
  peer_stop(p);
}

int main(void) {
  from_its_own_trace();
  freed_by_its_own_trace();
  from_two_threads();
  return checks_report();
}
