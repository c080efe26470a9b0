#include "support/outcome.h"

#include "support/moment.h"

#include <ctype.h>
#include <pthread.h>

static char all_told[8 << 20];
static size_t all_told_length;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void remember(const char *text) {
  size_t length = strlen(text) + 1;
  pthread_mutex_lock(&lock);
  if (length > sizeof all_told - all_told_length) {
    fprintf(stderr, "too much was told to remember it\n");
    exit(2);
  }
  memcpy(all_told + all_told_length, text, length);
  all_told_length += length;
  pthread_mutex_unlock(&lock);
}

static void remember_line(void *userdata, int32_t level, const char *line) {
  (void)userdata;
  (void)level;
  remember(line);
}

static outcome outcome_of(av_status status, av_error *error, av_token *token, moment begun) {
  outcome told;
  memset(&told, 0, sizeof told);
  told.ms = now_ms() - begun.now;
  told.own_ms = since(begun);
  told.status = status;
  told.outcome = av_error_outcome(error);
  told.is_retryable = av_error_is_retryable(error);
  told.attempts = av_error_attempts(error);
  if (error) {
    remember(av_error_message(error));
    snprintf(told.message, sizeof told.message, "%s", av_error_message(error));
  }
  if (token) snprintf(told.token, sizeof told.token, "%s", token->token);
  av_error_free(error);
  av_token_free(token);
  return told;
}

outcome try_client(const av_client_config *config, av_client **client) {
  moment begun = moment_here();
  av_error *error = NULL;
  av_status status = av_client_new(config, client, &error);
  return outcome_of(status, error, NULL, begun);
}

outcome try_get(const av_client *client, const av_request_options *options) {
  moment begun = moment_here();
  char *json = NULL;
  av_error *error = NULL;
  av_status status = av_tokens_list_json(client, NULL, options, &json, &error);
  outcome told = outcome_of(status, error, NULL, begun);
  const char *token = json ? strstr(json, "\"token\":\"") : NULL;
  if (token) snprintf(told.token, sizeof told.token, "%.*s", (int)strcspn(token + 9, "\""), token + 9);
  av_string_free(json);
  return told;
}

outcome try_create(const av_client *client, const av_request_options *options) {
  moment begun = moment_here();
  av_token *token = NULL;
  av_error *error = NULL;
  av_status status = av_tokens_create(client, 0, options, &token, &error);
  return outcome_of(status, error, token, begun);
}

outcome try_once(const av_client_config *config) {
  av_client *client = NULL;
  outcome told = try_client(config, &client);
  if (client) told = try_get(client, NULL);
  av_client_free(client);
  return told;
}

void print_outcome(const char *what, const outcome *told) {
  printf("  %-48s %s%s%s\n", what, av_status_name(told->status), told->message[0] ? ": " : "",
         told->message);
}

int says(const outcome *told, const char *text) { return strstr(told->message, text) != NULL; }

int is_in_words(const outcome *told) {
  const char *at = told->message;
  if (strpbrk(at, "{}[]()\"")) return 0;
  /* A path of names, unlike an IPv6 address. */
  while ((at = strstr(at, "::")) != NULL)
    if (isalpha((unsigned char)*(at += 2))) return 0;
  return 1;
}

int is_failure(const outcome *told, av_status status, int is_retryable, uint32_t attempts) {
  return told->status == status && told->outcome == AV_OUTCOME_NOT_APPLIED &&
         told->is_retryable == is_retryable && told->attempts == attempts && told->token[0] == 0;
}

av_client_config remembered_config(const char *url) {
  av_client_config config = config_for(url);
  config.trace_fn = remember_line;
  config.trace_level = AV_TRACE_DEBUG;
  return config;
}

int was_told(const char *secret) {
  return memmem(all_told, all_told_length, secret, strlen(secret)) != NULL;
}

size_t told_bytes(void) { return all_told_length; }
