/* What comes on standard input, as from a recorder, is uploaded while it
 * comes: record TOKEN. It must be MPEG-TS, WebM or fragmented MP4. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

int main(int argc, char **argv) {
  static char data[64 * 1024];
  size_t length;
  av_client_config config = {0};
  av_upload_params params = {0};
  av_client *client = NULL;
  av_upload *upload = NULL;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.flags = AV_CLIENT_NO_CREDENTIAL;
  config.base_url = getenv("APIVIDEO_BASE_URL");
  params.struct_size = sizeof params;
  params.token = argc > 1 ? argv[1] : NULL;
  params.parallel_parts = 2; /* reading goes on while they are sent */
#ifdef _WIN32
  _setmode(_fileno(stdin), _O_BINARY); /* or it is taken for text */
#endif

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_upload_begin(client, &params, &upload, &error);
  while (status == AV_STATUS_OK &&
         (length = fread(data, 1, sizeof data, stdin)) > 0)
    status = av_upload_write(upload, data, length, NULL, &error);
  if (status == AV_STATUS_OK && !ferror(stdin)) /* really the end */
    status = av_upload_finish(upload, NULL, &video, &error);

  if (video != NULL)
    printf("%s is whole\n", video->video_id);
  else
    fprintf(stderr, "%s\n", av_error_message(error));
  av_error_free(error);
  av_uploaded_video_free(video);
  av_upload_free(upload);
  av_client_free(client);
  return status == AV_STATUS_OK && !ferror(stdin) ? EXIT_SUCCESS
                                                  : EXIT_FAILURE;
}
