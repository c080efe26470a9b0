/* A child process goes on with its parent's client. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void make_a_token(const av_client *client, const char *who) {
  av_token *token = NULL;
  av_error *error = NULL;

  if (av_tokens_create(client, 3600, NULL, &token, &error) == AV_STATUS_OK)
    printf("%s made %s\n", who, token->token);
  else
    fprintf(stderr, "%s: %s\n", who, av_error_message(error));
  fflush(stdout); /* what is left would be printed by the child too */

  av_error_free(error);
  av_token_free(token);
}

int main(void) {
  av_client_config config = {0};
  av_client *client = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  if (av_client_new(&config, &client, &error) != AV_STATUS_OK) {
    fprintf(stderr, "%s\n", av_error_message(error));
    av_error_free(error);
    return EXIT_FAILURE;
  }
  make_a_token(client, "the parent");

  pid_t child = fork();
  if (child == 0)
    make_a_token(client, "the child"); /* over a connection of its own */
  else if (child > 0)
    waitpid(child, NULL, 0);

  av_client_free(client); /* each process frees what is its own */
  return EXIT_SUCCESS;
}
