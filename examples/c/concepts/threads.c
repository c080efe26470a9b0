/* Four threads share a client, and make a token each. */
#include <apivideo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4 };

static void *make_a_token(void *userdata) {
  const av_client *client = (const av_client *)userdata;
  av_token *token = NULL;
  av_error *error = NULL; /* of this call alone */

  if (av_tokens_create(client, 3600, NULL, &token, &error) == AV_STATUS_OK)
    printf("%s\n", token->token);
  else
    fprintf(stderr, "%s\n", av_error_message(error));

  av_error_free(error);
  av_token_free(token);
  return NULL;
}

int main(void) {
  av_client_config config = {0};
  av_client *client = NULL;
  av_error *error = NULL;
  pthread_t threads[THREADS];
  int started = 0;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  if (av_client_new(&config, &client, &error) != AV_STATUS_OK) {
    fprintf(stderr, "%s\n", av_error_message(error));
    av_error_free(error);
    return EXIT_FAILURE;
  }

  while (started < THREADS) {
    pthread_t *thread = &threads[started];
    if (pthread_create(thread, NULL, make_a_token, client) != 0) break;
    started++;
  }
  while (started > 0) pthread_join(threads[--started], NULL);

  av_client_free(client); /* now that no thread may begin a call with it */
  return EXIT_SUCCESS;
}
