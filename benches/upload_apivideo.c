/* This library through its C API, as it is without any setting but the size of a part. */
#include "uploader.h"

#include <apivideo.h>

static av_client *client;

static void told(void *unused, const av_upload_progress *progress) {
  (void)unused;
  (void)progress;
}

static void kept(void *unused, const char *state) {
  (void)unused;
  (void)state;
}

void uploader_open(const char *url) {
  av_client_config config = {0};
  av_error *error = NULL;
  config.struct_size = sizeof config;
  config.flags = AV_CLIENT_NO_CREDENTIAL;
  config.base_url = url;
  config.proxy_url = "";
  if (av_client_new(&config, &client, &error) != AV_STATUS_OK) fail(av_error_message(error));
}

void uploader_upload(const char *path) {
  av_upload_params params = {0};
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  params.struct_size = sizeof params;
  params.token = TOKEN;
  params.video_id = VIDEO_ID;
  params.part_bytes = 200 << 20;
  params.progress_fn = told;
  params.state_fn = kept;
  if (av_upload_file(client, path, &params, NULL, &video, &error) != AV_STATUS_OK) fail(av_error_message(error));
  av_uploaded_video_free(video);
}

void uploader_close(void) { av_client_free(client); }
