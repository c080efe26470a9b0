/* Bounds what a call may take: of a client, and tighter of one call. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  av_client_config config = {0};
  av_request_options options = {0};
  av_client *client = NULL;
  av_token_page *page = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");
  config.timeout_ms = 20000;        /* a call, attempts and waits in all */
  config.connect_timeout_ms = 2000; /* name, TCP, proxy and TLS */
  config.attempt_timeout_ms = 5000; /* then there is time for another */
  config.max_attempts = 4;

  options.struct_size = sizeof options;
  options.timeout_ms = 500; /* someone is waiting for this one */
  options.max_attempts = 1;

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_tokens_list(client, NULL, &options, &page, &error);

  if (status == AV_STATUS_OK)
    printf("%zu tokens\n", page->count);
  else if (status == AV_STATUS_TIMEOUT)
    printf("too late: %s\n", av_error_message(error));
  else
    fprintf(stderr, "%s\n", av_error_message(error));

  av_error_free(error);
  av_token_page_free(page);
  av_client_free(client);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
