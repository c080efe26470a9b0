/* Iterates over all tokens through the C API, and prints how many there were, and the µs that a page
 * took in the first and in the last quarter of the pages (medians). Usage: iterate URL */
#include "caller.h"

#include <apivideo.h>
#include <string.h>
#include <time.h>

#define MOST_PAGES 10000
static double took_us[MOST_PAGES];

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

static double median(double *values, size_t count) {
  if (count == 0) return 0;
  qsort(values, count, sizeof *values, compare);
  return values[count / 2];
}

int main(int count, char **arguments) {
  av_client_config config = {0};
  av_tokens_list_params params = {0};
  av_request_options options = {0};
  av_client *client = NULL;
  av_token_iter *iter = NULL;
  av_error *error = NULL;
  const av_token *token;
  char last[TOKEN_LENGTH + 1] = "";
  size_t tokens = 0, pages = 0;

  if (count != 2) fail("usage: iterate URL");
  config.struct_size = sizeof config;
  config.api_key = "KEY";
  config.base_url = arguments[1];
  config.proxy_url = "";
  params.struct_size = sizeof params;
  params.page_size = PAGE_SIZE;
  options.struct_size = sizeof options;
  options.cancel = av_cancel_new();
  options.response = av_response_new();
  options.timeout_ms = 30000;
  if (av_client_new(&config, &client, &error) != AV_STATUS_OK) fail(av_error_message(error));
  if (av_tokens_iterate(client, &params, &iter, &error) != AV_STATUS_OK) fail(av_error_message(error));

  double page_begun = now_us();
  for (;;) {
    if (av_token_iter_next(iter, &options, &token, &error) != AV_STATUS_OK) fail(av_error_message(error));
    if (!token) break;
    /* The server counts its tokens up: each is told, once. */
    if (strcmp(token->token, last) <= 0) fail("a token came again");
    snprintf(last, sizeof last, "%s", token->token);
    if (++tokens % PAGE_SIZE != 0) continue;
    double now = now_us();
    if (pages == MOST_PAGES) fail("too many pages");
    took_us[pages++] = now - page_begun;
    page_begun = now;
  }
  size_t quarter = pages / 4;
  double last_quarter = median(took_us + pages - quarter, quarter);
  printf("%zu %.2f %.2f\n", tokens, median(took_us, quarter), last_quarter);

  av_token_iter_free(iter);
  av_client_free(client);
  av_cancel_free(options.cancel);
  av_response_free(options.response);
  return 0;
}
