/* Uploads a file with a token that a backend has made:
 * APIVIDEO_UPLOAD_TOKEN=... upload FILE */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>

static void show(void *userdata, const av_upload_progress *progress) {
  (void)userdata;
  printf("%u of %u parts\n", (unsigned)progress->parts_confirmed, (unsigned)progress->parts_total);
}

int main(int argc, char **argv) {
  av_client_config config = {.struct_size = sizeof config, .flags = AV_CLIENT_NO_CREDENTIAL};
  av_upload_params params = {.struct_size = sizeof params, .progress_fn = show};
  av_client *client = NULL;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;

  config.base_url = getenv("APIVIDEO_BASE_URL"); /* NULL is production */
  params.token = getenv("APIVIDEO_UPLOAD_TOKEN");
  if (av_client_new(&config, &client, &error) == AV_STATUS_OK &&
      av_upload_file(client, argc > 1 ? argv[1] : NULL, &params, NULL, &video, &error) == AV_STATUS_OK)
    printf("%s is whole\n", video->video_id);
  else
    fprintf(stderr, "%s\n", av_error_message(error));

  int status = error ? EXIT_FAILURE : EXIT_SUCCESS;
  av_error_free(error);
  av_uploaded_video_free(video);
  av_client_free(client);
  return status;
}
