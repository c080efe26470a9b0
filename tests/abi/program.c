/* A program of the time of 0.1.0, which uses every function that there was. It is built with the
 * oldest recorded header and run with the newest library (test_abi.py), so nothing newer belongs into
 * it. The stand-in service is at APIVIDEO_BASE_URL. */
#include "../c/support/check.h"

#include <apivideo.h>
#include <stdlib.h>

static int lines;

static void count_lines(void *userdata, int32_t level, const char *line) {
  CHECK(userdata == &lines && level <= AV_TRACE_DEBUG && line[0] != '\0');
  lines++;
}

static av_client *make_client(const char *key) {
  av_client_config config = {0};
  av_client *client = NULL;
  config.struct_size = sizeof config;
  config.api_key = key;
  config.base_url = getenv("APIVIDEO_BASE_URL");
  config.app_name = "abi";
  config.app_version = "0.1.0";
  config.proxy_url = "";
  config.trace_fn = count_lines;
  config.trace_userdata = &lines;
  config.trace_level = AV_TRACE_DEBUG;
  config.timeout_ms = 20000;
  config.max_attempts = 2;
  CHECK(av_client_new(&config, &client, NULL) == AV_STATUS_OK);
  return client;
}

static void a_token_lives_and_ends(const av_client *client) {
  av_token *made = NULL, *found = NULL;
  av_error *error = NULL;
  char *json = NULL;
  CHECK(av_tokens_create(client, 3600, NULL, &made, &error) == AV_STATUS_OK && made != NULL);
  CHECK(made->ttl_seconds == 3600 && made->expires_at == made->created_at + 3600);
  CHECK(av_tokens_get(client, made->token, NULL, &found, &error) == AV_STATUS_OK && found != NULL);
  CHECK(texts_equal(found->token, made->token) && found->created_at == made->created_at);
  CHECK(av_tokens_get_json(client, made->token, NULL, &json, &error) == AV_STATUS_OK);
  CHECK(json != NULL && strstr(json, made->token) != NULL);
  av_string_free(json);
  CHECK(av_tokens_delete(client, made->token, NULL, &error) == AV_STATUS_OK && error == NULL);
  CHECK(av_tokens_delete(client, made->token, NULL, &error) == AV_STATUS_NOT_FOUND);
  CHECK(av_error_http_status(error) == 404 && av_error_attempts(error) == 1);
  av_error_free(error);
  av_token_free(found);
  av_token_free(made);
}

static void tokens_are_listed(const av_client *client) {
  av_tokens_list_params params = {0};
  av_token_page *page = NULL;
  av_token_iter *iter = NULL;
  const av_token *token = NULL;
  char *json = NULL;
  int i, count = 0;
  for (i = 0; i < 3; i++) {
    CHECK(av_tokens_create_json(client, "{\"ttl\":60}", NULL, &json, NULL) == AV_STATUS_OK);
    av_string_free(json);
  }
  params.struct_size = sizeof params;
  params.current_page = 1;
  params.page_size = 2;
  params.sort_by = AV_TOKEN_SORT_CREATED_AT;
  params.sort_order = AV_SORT_DESC;
  CHECK(av_tokens_list(client, &params, NULL, &page, NULL) == AV_STATUS_OK && page != NULL);
  CHECK(page->count == 2 && page->items_total == 3 && page->items[1]->ttl_seconds == 60);
  CHECK(page->current_page == 1 && page->pages_total == 2 && page->page_size == 2);
  av_token_page_free(page);
  CHECK(av_tokens_list_json(client, &params, NULL, &json, NULL) == AV_STATUS_OK && json[0] == '{');
  av_string_free(json);
  CHECK(av_tokens_iterate(client, &params, &iter, NULL) == AV_STATUS_OK);
  while (av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK && token != NULL) {
    av_token *copy = NULL;
    CHECK(av_token_copy(token, &copy, NULL) == AV_STATUS_OK && copy != NULL && copy != token);
    CHECK(texts_equal(copy->token, token->token) && av_token_iter_total(iter) == 3);
    av_token_free(copy);
    count++;
  }
  CHECK(count == 3);
  av_token_iter_free(iter);
}

static void a_call_is_watched_and_cancelled(const av_client *client) {
  av_request_options options = {0};
  av_token_page *page = NULL;
  int64_t limit = 0, remaining = 0, reset = 0;
  options.struct_size = sizeof options;
  options.cancel = av_cancel_new();
  options.response = av_response_new();
  options.timeout_ms = 20000;
  options.max_attempts = 1;
  CHECK(av_tokens_list(client, NULL, &options, &page, NULL) == AV_STATUS_OK);
  av_token_page_free(page);
  CHECK(av_response_http_status(options.response) == 200);
  CHECK(av_response_attempts(options.response) == 1);
  CHECK(av_response_header(options.response, "content-type") != NULL);
  CHECK(av_response_rate_limit(options.response, &limit, &remaining, &reset) == 1);
  CHECK(limit > remaining && remaining > 0 && reset > 0);
  av_cancel_trigger(options.cancel);
  CHECK(av_tokens_list(client, NULL, &options, &page, NULL) == AV_STATUS_CANCELLED && page == NULL);
  av_response_free(options.response);
  av_cancel_free(options.cancel);
}

static void an_error_tells_all(const av_client *client) {
  av_error *error = NULL;
  char *json = NULL;
  size_t length = 0;
  CHECK(av_tokens_create_json(client, "{\"ttl\":\"\"}", NULL, &json, &error) == AV_STATUS_REJECTED);
  CHECK(av_error_status(error) == AV_STATUS_REJECTED && av_error_http_status(error) == 400);
  CHECK(av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED && av_error_is_retryable(error) == 0);
  CHECK(av_error_retry_after_ms(error) == -1 && av_error_message(error)[0] != '\0');
  CHECK(av_error_body(error, &length)[0] == '{' && length == strlen(av_error_body(error, NULL)));
  CHECK(av_error_problem_type(error) != NULL && av_error_problem_title(error) != NULL);
  CHECK(av_error_problem_detail(error) != NULL && texts_equal(av_error_problem_name(error), "ttl"));
  CHECK(av_error_problem_count(error) == 1 && av_error_problem_type_at(error, 0) != NULL);
  CHECK(av_error_problem_title_at(error, 0) != NULL);
  CHECK(av_error_problem_detail_at(error, 1) == NULL);
  CHECK(texts_equal(av_error_problem_name_at(error, 0), "ttl"));
  av_error_free(error);
}

static void names_and_versions_are_told(void) {
  CHECK(texts_equal(av_status_name(AV_STATUS_DECODE), "AV_STATUS_DECODE"));
  CHECK(texts_equal(av_outcome_name(AV_OUTCOME_APPLIED), "AV_OUTCOME_APPLIED"));
  CHECK(av_library_version()[0] != '\0');
}

int main(void) {
  av_client *client = make_client(getenv("APIVIDEO_API_KEY"));
  a_token_lives_and_ends(client);
  tokens_are_listed(client);
  a_call_is_watched_and_cancelled(client);
  an_error_tells_all(client);
  names_and_versions_are_told();
  av_client_free(client);
  CHECK(lines > 0);
  return checks_report();
}
