/* Deletes all tokens that would never end: collects them first. */
#include <apivideo.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 1000 };

int main(void) {
  static av_token *found[MOST];
  size_t count = 0;
  uint64_t seen = 0;
  av_client_config config = {0};
  av_client *client = NULL;
  av_token_iter *iter = NULL;
  const av_token *token = NULL; /* lives until the next call */
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_tokens_iterate(client, NULL, &iter, &error);

  while (status == AV_STATUS_OK && count < MOST) {
    status = av_token_iter_next(iter, NULL, &token, &error);
    if (token == NULL) break; /* the end, or a failure */
    if (token->ttl_seconds == AV_TOKEN_TTL_NEVER)
      status = av_token_copy(token, &found[count++], &error);
    if (++seen % 100 == 0)
      fprintf(stderr, "%" PRIu64 " of %" PRIu64 "\n", seen,
              av_token_iter_total(iter));
  }

  for (size_t i = 0; i < count; i++) {
    if (status == AV_STATUS_OK)
      status = av_tokens_delete(client, found[i]->token, NULL, &error);
    av_token_free(found[i]);
  }

  if (status == AV_STATUS_OK)
    printf("deleted %zu of %" PRIu64 "\n", count, seen);
  else
    fprintf(stderr, "%s\n", av_error_message(error));

  av_error_free(error);
  av_token_iter_free(iter);
  av_client_free(client);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
