/* A program of somebody else's, in C: makes a token, looks it up and revokes it. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what, av_error *error) {
  fprintf(stderr, "%s: %s\n", what, error ? av_error_message(error) : "not as expected");
  av_error_free(error);
  return EXIT_FAILURE;
}

int main(void) {
  av_client_config config = {0};
  av_client *client = NULL;
  av_token *made = NULL;
  av_token *found = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  if (strcmp(av_library_version(), APIVIDEO_VERSION) != 0) return fail("version", NULL);
  if (av_client_new(&config, &client, &error)) return fail("client", error);
  if (av_tokens_create(client, 3600, NULL, &made, &error)) return fail("create", error);
  if (av_tokens_get(client, made->token, NULL, &found, &error)) return fail("get", error);
  if (strcmp(found->token, made->token) != 0 || found->ttl_seconds != 3600) return fail("get", NULL);
  if (av_tokens_delete(client, made->token, NULL, &error)) return fail("delete", error);
  av_token_free(found);
  found = NULL;
  if (av_tokens_get(client, made->token, NULL, &found, &error) != AV_STATUS_NOT_FOUND)
    return fail("get after delete", error);

  av_error_free(error);
  av_token_free(made);
  av_client_free(client);
  return EXIT_SUCCESS;
}
