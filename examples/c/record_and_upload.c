/* Uploads what comes on standard input while it comes, as from a recorder:
 *
 *   ffmpeg -i CAMERA -c copy -f mpegts - | APIVIDEO_UPLOAD_TOKEN=... record_and_upload [TITLE]
 *
 * MPEG-TS, WebM and fragmented MP4 (-movflags frag_keyframe+empty_moov) may be
 * sent while they are written; plain MP4 may not: its head is written last.
 * Three parts go at once, so that reading goes on while they are under way.
 * What the network loses is sent again, from memory; only after five minutes
 * in which nothing got through is it given up here. */
#include <apivideo.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

static void show(void *unused, const av_upload_progress *progress) {
  (void)unused;
  fprintf(stderr, "\r%" PRIu64 " bytes are there, %" PRIu64 " under way%s   ",
          progress->bytes_confirmed, progress->bytes_sent,
          progress->state == AV_UPLOAD_WAITING_TO_RETRY ? ", waiting for the network" : "");
}

/* Whether it is worth while to call once more, which goes on where it was. */
static int again(av_error **error) {
  if (!av_error_is_retryable(*error)) return 0;
  fprintf(stderr, "\n%s\n", av_error_message(*error));
  av_error_free(*error);
  *error = NULL;
  sleep(1);
  return 1;
}

/* Uploads all that comes; what is not taken by one call is passed to the next. */
static av_status upload_all(av_upload *upload, av_uploaded_video **video, av_error **error) {
  static char data[64 * 1024];
  av_status status;
  ssize_t length;
  while ((length = read(STDIN_FILENO, data, sizeof data)) > 0) {
    const uint64_t from = av_upload_offset(upload);
    do {
      const size_t taken = (size_t)(av_upload_offset(upload) - from);
      status = av_upload_write(upload, data + taken, (size_t)length - taken, NULL, error);
    } while (status != AV_STATUS_OK && again(error));
    if (status != AV_STATUS_OK) return status;
  }
  if (length < 0) { /* what is missing must not pass as the end */
    perror("standard input");
    exit(EXIT_FAILURE);
  }
  do
    status = av_upload_finish(upload, NULL, video, error);
  while (status != AV_STATUS_OK && again(error));
  return status;
}

int main(int argc, char **argv) {
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
  params.token = getenv("APIVIDEO_UPLOAD_TOKEN");
  params.file_name = argc > 1 ? argv[1] : NULL;
  params.parallel_parts = 3;
  params.progress_fn = show;
#ifdef _WIN32
  _setmode(STDIN_FILENO, _O_BINARY); /* or it is taken for text */
#endif

  if (av_client_new(&config, &client, &error) == AV_STATUS_OK &&
      av_upload_begin(client, &params, &upload, &error) == AV_STATUS_OK &&
      upload_all(upload, &video, &error) == AV_STATUS_OK)
    printf("%s is whole: %" PRIu64 " bytes\n", video->video_id, video->bytes);
  else
    fprintf(stderr, "\n%s\n", av_error_message(error));

  int status = error ? EXIT_FAILURE : EXIT_SUCCESS;
  av_error_free(error);
  av_uploaded_video_free(video);
  av_upload_free(upload);
  av_client_free(client);
  return status;
}
