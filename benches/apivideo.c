/* This library through its C API. Deadline, cancel, response and retries are on in every call. */
#include "caller.h"

#include <apivideo.h>
#include <string.h>

struct caller {
  av_client *client;
  int shares;
  av_request_options options;
};

caller *caller_open(const char *url, caller *sharing) {
  caller *it = calloc(1, sizeof *it);
  av_client_config config = {0};
  av_error *error = NULL;
  if (!it) fail("out of memory");
  config.struct_size = sizeof config;
  config.api_key = "KEY";
  config.base_url = url;
  config.proxy_url = "";
  it->shares = sharing != NULL;
  if (sharing) it->client = sharing->client;
  else if (av_client_new(&config, &it->client, &error) != AV_STATUS_OK) fail(av_error_message(error));
  it->options.struct_size = sizeof it->options;
  it->options.cancel = av_cancel_new();
  it->options.response = av_response_new();
  it->options.timeout_ms = 30000;
  it->options.max_attempts = 3;
  return it;
}

void caller_get(caller *it) {
  av_token *token = NULL;
  av_error *error = NULL;
  if (av_tokens_get(it->client, TOKEN, &it->options, &token, &error) != AV_STATUS_OK) fail(av_error_message(error));
  if (av_response_http_status(it->options.response) != 200 || strlen(token->token) != TOKEN_LENGTH) fail("another token");
  av_token_free(token);
}

void caller_list(caller *it) {
  av_tokens_list_params params = {0};
  av_token_page *page = NULL;
  av_error *error = NULL;
  params.struct_size = sizeof params;
  params.current_page = 1;
  params.page_size = PAGE_SIZE;
  if (av_tokens_list(it->client, &params, &it->options, &page, &error) != AV_STATUS_OK) fail(av_error_message(error));
  if (av_response_http_status(it->options.response) != 200 || page->count != PAGE_SIZE) fail("another page");
  av_token_page_free(page);
}

void caller_close(caller *it) {
  av_cancel_free(it->options.cancel);
  av_response_free(it->options.response);
  if (!it->shares) av_client_free(it->client);
  free(it);
}

const char *caller_version(void) {
  static char version[32];
  snprintf(version, sizeof version, "apivideo %s", av_library_version());
  return version;
}
