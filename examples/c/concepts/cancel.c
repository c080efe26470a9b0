/* Makes a token, unless Enter is pressed before it is there. */
#include <apivideo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void *cancel_on_enter(void *cancel) {
  getchar();
  av_cancel_trigger((av_cancel *)cancel); /* it never blocks */
  return NULL;
}

int main(void) {
  av_client_config config = {0};
  av_request_options options = {0};
  av_client *client = NULL;
  av_token *token = NULL;
  av_error *error = NULL;
  pthread_t thread;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  /* Never freed: the thread may wait until the program ends. */
  options.struct_size = sizeof options;
  options.cancel = av_cancel_new();
  if (pthread_create(&thread, NULL, cancel_on_enter, options.cancel) != 0)
    return EXIT_FAILURE;

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_tokens_create(client, 3600, &options, &token, &error);

  if (status == AV_STATUS_OK)
    printf("%s\n", token->token);
  else if (status == AV_STATUS_CANCELLED) /* is there a token now? */
    printf("cancelled: %s\n", av_outcome_name(av_error_outcome(error)));
  else
    fprintf(stderr, "%s\n", av_error_message(error));

  av_error_free(error);
  av_token_free(token);
  av_client_free(client);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
