/* A shared library of somebody else's that has our static one inside: one function, no name of ours. */
#include <apivideo.h>
#include <stdlib.h>

int plugin_run(void);

/* 0 once a token was made and revoked. */
int plugin_run(void) {
  av_client_config config = {0};
  av_client *client = NULL;
  av_token *token = NULL;
  int failed;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");
  failed = av_client_new(&config, &client, NULL) ||
           av_tokens_create(client, 60, NULL, &token, NULL) ||
           av_tokens_delete(client, token->token, NULL, NULL);
  av_token_free(token);
  av_client_free(client);
  return failed;
}
