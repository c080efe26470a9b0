/* Traces every attempt at a request to standard error. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>

/* `userdata` is trace_userdata. Calls of several threads may be in it. */
static void trace(void *userdata, int32_t level, const char *line) {
  const char *kind = level == AV_TRACE_ERROR ? "failed" : "info";
  fprintf((FILE *)userdata, "apivideo %s: %s\n", kind, line);
}

int main(void) {
  av_client_config config = {0};
  av_client *client = NULL;
  av_token *token = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");
  config.trace_fn = trace;
  config.trace_userdata = stderr;
  config.trace_level = AV_TRACE_INFO;

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_tokens_create(client, 3600, NULL, &token, &error);

  if (status == AV_STATUS_OK)
    printf("%s\n", token->token);
  else
    fprintf(stderr, "%s\n", av_error_message(error));

  av_error_free(error);
  av_token_free(token);
  av_client_free(client);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
