/* Shows what an answer tells besides the result. */
#include <apivideo.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* After a failure too. 0 and NULL are no answer, -1 is not told. */
static void show(const av_response *response) {
  const char *type = av_response_header(response, "Content-Type");
  int64_t limit, remaining, reset;

  printf("HTTP status: %" PRId32 "\n", av_response_http_status(response));
  printf("attempts: %" PRIu32 "\n", av_response_attempts(response));
  printf("type: %s\n", type != NULL ? type : "(not told)");
  if (av_response_rate_limit(response, &limit, &remaining, &reset)) {
    printf("requests left: %" PRId64 " of %" PRId64, remaining, limit);
    printf(", anew in %" PRId64 " s\n", reset);
  }
}

int main(void) {
  av_client_config config = {0};
  av_request_options options = {0};
  av_client *client = NULL;
  av_token_page *page = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  options.struct_size = sizeof options;
  options.response = av_response_new();

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_tokens_list(client, NULL, &options, &page, &error);

  if (status != AV_STATUS_OK)
    fprintf(stderr, "%s\n", av_error_message(error));
  show(options.response);

  av_error_free(error);
  av_token_page_free(page);
  av_response_free(options.response);
  av_client_free(client);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
