/* look_up TOKEN: tells whether a token is still active, and until when. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void show(const av_token *token) {
  time_t end = (time_t)token->expires_at;
  if (token->expires_at != 0)
    printf("active until %s", asctime(gmtime(&end))); /* in UTC */
  else if (token->ttl_seconds == 0)
    puts("active for ever");
  else
    puts("active, until when is not told");
}

int main(int count, char **arguments) {
  const char *wanted = count > 1 ? arguments[1] : NULL;
  av_client_config config = {0};
  av_client *client = NULL;
  av_token *token = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_tokens_get(client, wanted, NULL, &token, &error);

  if (status == AV_STATUS_OK)
    show(token);
  else if (status == AV_STATUS_NOT_FOUND)
    puts("not active: never made, expired or deleted");
  else
    fprintf(stderr, "%s\n", av_error_message(error));

  av_error_free(error);
  av_token_free(token);
  av_client_free(client);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
