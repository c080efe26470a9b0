/* A device that knows no key uploads a file: upload TOKEN FILE. */
#include <apivideo.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void show(void *unused, const av_upload_progress *progress) {
  (void)unused;
  printf("%" PRIu64 " of %" PRIu64 " bytes\n", progress->bytes_confirmed,
         progress->bytes_total);
}

int main(int argc, char **argv) {
  av_client_config config = {0};
  av_upload_params params = {0};
  av_client *client = NULL;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.flags = AV_CLIENT_NO_CREDENTIAL;
  config.base_url = getenv("APIVIDEO_BASE_URL");
  params.struct_size = sizeof params;
  params.token = argc > 1 ? argv[1] : NULL;
  params.progress_fn = show;

  if (av_client_new(&config, &client, &error) == AV_STATUS_OK &&
      av_upload_file(client, argc > 2 ? argv[2] : NULL, &params, NULL,
                     &video, &error) == AV_STATUS_OK)
    printf("%s is whole\n", video->video_id);
  else
    fprintf(stderr, "%s\n", av_error_message(error));

  int status = error ? EXIT_FAILURE : EXIT_SUCCESS;
  av_error_free(error);
  av_uploaded_video_free(video);
  av_client_free(client);
  return status;
}
