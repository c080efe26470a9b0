/* A service that does the work and loses its answer: what the calls report is held against what the
 * service has really done. */
#include "support/call.h"
#include "support/check.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/watch.h"

#include <pthread.h>

enum { THREADS = 16, TOKENS = 2000, EACH = TOKENS / THREADS };

typedef struct worker {
  const av_client *client;
  pthread_t thread;
  size_t number;
  char *tokens[EACH]; /* what creates handed out */
  size_t created, deleted;
  size_t create_unknown, create_not_applied, create_applied;
  size_t delete_unknown, delete_not_applied, delete_wrong;
  char *refused[EACH]; /* tokens whose delete was reported as not done */
  char *gone[EACH];    /* and as done */
} worker;

static void *work(void *argument) {
  worker *it = (worker *)argument;
  av_request_options options;
  size_t i;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  for (i = 0; i < EACH; i++) {
    av_token *token = NULL;
    av_error *error = NULL;
    /* Some try once, so that the outcome is that of a single answer. */
    options.max_attempts = i % 3 == 0 ? 1 : 0;
    if (av_tokens_create(it->client, 3600, &options, &token, &error) == AV_STATUS_OK) {
      it->tokens[it->created++] = strdup(token->token);
    } else {
      it->create_unknown += av_error_outcome(error) == AV_OUTCOME_UNKNOWN;
      it->create_not_applied += av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED;
      it->create_applied += av_error_outcome(error) == AV_OUTCOME_APPLIED;
      watched(error);
    }
    av_error_free(error);
    av_token_free(token);
  }
  return NULL;
}

static void *undo(void *argument) {
  worker *it = (worker *)argument;
  av_request_options options;
  size_t i;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  for (i = 0; i < it->created; i++) {
    av_error *error = NULL;
    options.max_attempts = i % 3 == 0 ? 1 : 0;
    if (av_tokens_delete(it->client, it->tokens[i], &options, &error) == AV_STATUS_OK) {
      it->gone[it->deleted++] = it->tokens[i];
    } else {
      if (av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED) it->refused[it->delete_not_applied++] = it->tokens[i];
      it->delete_unknown += av_error_outcome(error) == AV_OUTCOME_UNKNOWN;
      it->delete_wrong += av_error_outcome(error) == AV_OUTCOME_APPLIED || av_error_status(error) == AV_STATUS_NOT_FOUND;
      watched(error);
    }
    av_error_free(error);
  }
  return NULL;
}

static worker workers[THREADS];

static void in_all_threads(void *(*run)(void *)) {
  size_t i;
  for (i = 0; i < THREADS; i++)
    if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0) exit(2);
  for (i = 0; i < THREADS; i++) pthread_join(workers[i].thread, NULL);
}

/* With a rate limit besides there are calls that really did nothing. */
static void run(const char *title, const char *const *arguments, int is_limited) {
  local_api *service = local_api_start(arguments);
  av_client_config config = watched_config(local_api_url(service));
  av_client *client;
  ledger made, left;
  size_t i, k, known = 0, unknown = 0, not_applied = 0, applied = 0;
  size_t deleted = 0, delete_unknown = 0, delete_not_applied = 0, wrong = 0, lost;
  double begin = now_ms();
  config.timeout_ms = 120000;
  client = client_of(&config);
  memset(workers, 0, sizeof workers);
  for (i = 0; i < THREADS; i++) {
    workers[i].client = client;
    workers[i].number = i;
  }

  in_all_threads(work);
  made = ledger_of(local_api_url(service));
  for (i = 0; i < THREADS; i++) {
    known += workers[i].created;
    unknown += workers[i].create_unknown;
    not_applied += workers[i].create_not_applied;
    applied += workers[i].create_applied;
    for (k = 0; k < workers[i].created; k++) CHECK(ledger_has(&made, workers[i].tokens[k]));
  }
  lost = made.creates_lost + made.others_lost;
  printf("%s: %d creates: %zu succeeded, %zu unknown, %zu not applied; made: %zu; answers lost: %zu; %.1f s\n", title, TOKENS,
         known, unknown, not_applied, made.created, lost, (now_ms() - begin) / 1000);
  CHECK(known + unknown + not_applied == TOKENS);
  CHECK(applied == 0);
  CHECK(made.token_count == made.created);
  CHECK(known <= made.created && made.created <= known + unknown);
  CHECK(unknown <= lost);
  CHECK(lost > TOKENS / 10);
  if (!is_limited) CHECK(not_applied == 0);

  begin = now_ms();
  in_all_threads(undo);
  left = ledger_of(local_api_url(service));
  for (i = 0; i < THREADS; i++) {
    deleted += workers[i].deleted;
    delete_unknown += workers[i].delete_unknown;
    delete_not_applied += workers[i].delete_not_applied;
    wrong += workers[i].delete_wrong;
    for (k = 0; k < workers[i].deleted; k++) CHECK(!ledger_has(&left, workers[i].gone[k]));
    for (k = 0; k < workers[i].delete_not_applied; k++) CHECK(ledger_has(&left, workers[i].refused[k]));
  }
  lost = left.deletes_lost + left.others_lost - made.others_lost;
  printf("%s: %zu deletes: %zu succeeded, %zu unknown, %zu not applied; deleted: %zu; answers lost: %zu; %.1f s\n", title, known,
         deleted, delete_unknown, delete_not_applied, left.deleted, lost, (now_ms() - begin) / 1000);
  CHECK(deleted + delete_unknown + delete_not_applied == known);
  CHECK(wrong == 0);
  CHECK(deleted <= left.deleted && left.deleted <= deleted + delete_unknown);
  CHECK(delete_unknown <= lost);
  CHECK(lost > known / 10);
  /* Where programs are slow, they do not come to the limit. */
  if (is_limited) CHECK(is_slowed() || not_applied + delete_not_applied > 0);
  else CHECK(delete_not_applied == 0);

  for (i = 0; i < THREADS; i++)
    for (k = 0; k < workers[i].created; k++) free(workers[i].tokens[k]);
  ledger_free(&made);
  ledger_free(&left);
  av_client_free(client);
  local_api_stop(service);
}

int main(void) {
  static const char *const dropping[] = {"--api-key", "test-key", "--drop-rate", "20", NULL};
  static const char *const limited[] = {"--api-key", "test-key", "--drop-rate", "20", "--rate-limit", "300/1", NULL};
  run("20 % dropped", dropping, 0);
  run("and 300 a second", limited, 1);
  CHECK(secrets_seen() == 0);
  return checks_report();
}
