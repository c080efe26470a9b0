/* A C program that uses FFmpeg and us by turns: an upload token travels as the comment of a clip that
 * FFmpeg encodes, muxes, demuxes and decodes. It finds the service in APIVIDEO_BASE_URL. */
#include "headers.h"

#include "clip.h"
#include "support/check.h"

int main(void) {
  av_client_config config = {0};
  av_client *client = NULL;
  av_token *made = NULL, *found = NULL;
  av_token_iter *tokens = NULL;
  const av_token *each = NULL;
  av_error *error = NULL;
  char *comment = NULL;
  clip it;
  int listed = 0;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");
  CHECK(av_client_new(&config, &client, &error) == AV_STATUS_OK);
  CHECK(av_tokens_create(client, 3600, NULL, &made, &error) == AV_STATUS_OK);
  if (made == NULL) return checks_report();

  it = clip_write(made->token);
  CHECK(it.size > 0);
  CHECK(av_tokens_iterate(client, NULL, &tokens, NULL) == AV_STATUS_OK);
  while (av_token_iter_next(tokens, NULL, &each, NULL) == AV_STATUS_OK && each != NULL)
    listed += strcmp(each->token, made->token) == 0;
  CHECK(listed == 1);
  CHECK(clip_read(&it, &comment) == CLIP_FRAMES);
  CHECK(texts_equal(comment, made->token));
  CHECK(av_tokens_get(client, comment, NULL, &found, &error) == AV_STATUS_OK);
  CHECK(found != NULL && found->created_at == made->created_at);
  CHECK(av_tokens_delete(client, comment, NULL, &error) == AV_STATUS_OK);
  CHECK(av_tokens_delete(client, comment, NULL, &error) == AV_STATUS_NOT_FOUND);
  CHECK(av_error_http_status(error) == 404);

  av_error_free(error);
  av_free(comment);
  av_free(it.bytes);
  av_token_iter_free(tokens);
  av_token_free(found);
  av_token_free(made);
  av_client_free(client);
  return checks_report();
}
