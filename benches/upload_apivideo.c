/* This library through its C API: a file, or, if the environment has STREAM, as many bytes from memory.
 * PART_MIB there is the size of a part, without which all goes in one, and PARALLEL_PARTS how many go at
 * once. */
#include "uploader.h"

#include <apivideo.h>
#include <string.h>
#include <sys/stat.h>

static av_client *client;

static uint32_t setting(const char *name, uint32_t otherwise) {
  const char *set = getenv(name);
  return set ? (uint32_t)strtoul(set, NULL, 10) : otherwise;
}

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

static av_status upload_stream(const av_upload_params *params, const char *path, av_uploaded_video **video,
                               av_error **error) {
  static char made[256 << 10];
  struct stat found;
  av_upload *upload = NULL;
  memset(made, 1, sizeof made); /* or it would all be the system's one page of zeros */
  if (stat(path, &found) != 0) fail("no such file");
  av_status status = av_upload_begin(client, params, &upload, error);
  for (uint64_t left = (uint64_t)found.st_size; left > 0 && status == AV_STATUS_OK;) {
    size_t some = left < sizeof made ? (size_t)left : sizeof made;
    status = av_upload_write(upload, made, some, NULL, error);
    left -= some;
  }
  if (status == AV_STATUS_OK) status = av_upload_finish(upload, NULL, video, error);
  av_upload_free(upload);
  return status;
}

void uploader_upload(const char *path) {
  av_upload_params params = {0};
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  params.struct_size = sizeof params;
  params.token = TOKEN;
  params.video_id = VIDEO_ID;
  params.part_bytes = (uint64_t)setting("PART_MIB", 200) << 20;
  params.parallel_parts = setting("PARALLEL_PARTS", 0);
  params.progress_fn = told;
  params.state_fn = kept;
  av_status status = getenv("STREAM") ? upload_stream(&params, path, &video, &error)
                                      : av_upload_file(client, path, &params, NULL, &video, &error);
  if (status != AV_STATUS_OK) fail(av_error_message(error));
  av_uploaded_video_free(video);
}

void uploader_close(void) { av_client_free(client); }
