/* Goes through all tokens of all pages, the oldest first. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  av_client_config config = {0};
  av_tokens_list_params params = {0};
  av_client *client = NULL;
  av_token_iter *iter = NULL;
  const av_token *token = NULL; /* lives until the next call */
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  params.struct_size = sizeof params;
  params.page_size = 100; /* the fewest requests */

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_tokens_iterate(client, &params, &iter, &error);

  while (status == AV_STATUS_OK) {
    status = av_token_iter_next(iter, NULL, &token, &error);
    if (token == NULL) break; /* the end, or a failure */
    printf("%s\n", token->token);
  }

  if (status != AV_STATUS_OK)
    fprintf(stderr, "%s\n", av_error_message(error));

  av_error_free(error);
  av_token_iter_free(iter);
  av_client_free(client);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
