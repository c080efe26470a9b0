/* A C program that uses FFmpeg and us by turns: an upload token travels as the comment of a clip that
 * FFmpeg encodes and muxes, and that is uploaded with it while it is written; what was uploaded is demuxed
 * and decoded. It finds the service in APIVIDEO_BASE_URL, and tells what it uploaded. */
#include "headers.h"

#include "clip.h"
#include "support/check.h"

/* An upload, and a copy of what is uploaded. */
typedef struct recording {
  av_upload *upload;
  clip copy;
  av_error *error;
} recording;

static int take(void *opaque, clip_byte *bytes, int size) {
  recording *to = (recording *)opaque;
  clip_append(&to->copy, bytes, size);
  if (av_upload_write(to->upload, bytes, (size_t)size, NULL, &to->error) == AV_STATUS_OK) return size;
  return AVERROR(EIO);
}

/* Uploads the clip while it is muxed, and returns a copy of it. */
static clip upload_clip(const av_client *client, const char *token) {
  recording it = {NULL, {NULL, 0, 0}, NULL};
  av_upload_params params = {0};
  av_uploaded_video *video = NULL;
  char digest[65];

  params.struct_size = sizeof params;
  params.token = token;
  params.file_name = "clip.mkv";
  CHECK(av_upload_begin(client, &params, &it.upload, &it.error) == AV_STATUS_OK);
  CHECK(clip_write(token, take, &it) == 0);
  CHECK(it.copy.size > 0 && av_upload_offset(it.upload) == (uint64_t)it.copy.size);
  CHECK(av_upload_finish(it.upload, NULL, &video, &it.error) == AV_STATUS_OK);
  CHECK(video != NULL && video->bytes == (uint64_t)it.copy.size);
  CHECK(video != NULL && texts_equal(video->title, "clip.mkv"));
  clip_digest(&it.copy, digest);
  printf("uploaded %s %s\n", video != NULL ? video->video_id : "nothing", digest);

  av_uploaded_video_free(video);
  av_upload_free(it.upload);
  av_error_free(it.error);
  return it.copy;
}

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

  it = upload_clip(client, made->token);
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
