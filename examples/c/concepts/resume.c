/* An upload goes on where it was: resume TOKEN FILE STATE. What that takes
 * is kept in the file STATE after each part, and removed at the end. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>

static void keep(void *path, const char *state) {
  FILE *file = fopen((const char *)path, "w");
  if (file == NULL || fputs(state, file) < 0 || fclose(file) != 0)
    fprintf(stderr, "the state cannot be kept in %s\n", (const char *)path);
}

int main(int argc, char **argv) {
  char state[4097] = "";
  av_client_config config = {0};
  av_upload_params params = {0};
  av_client *client = NULL;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  if (argc < 4) return EXIT_FAILURE;

  FILE *file = fopen(argv[3], "r");
  config.struct_size = sizeof config;
  config.flags = AV_CLIENT_NO_CREDENTIAL;
  config.base_url = getenv("APIVIDEO_BASE_URL");
  params.struct_size = sizeof params;
  params.token = argv[1];
  params.part_bytes = 5 * 1024 * 1024; /* the least: little is sent again */
  params.state_fn = keep;
  params.userdata = argv[3];
  params.resume = file && fgets(state, sizeof state, file) ? state : NULL;
  if (file) fclose(file);

  if (av_client_new(&config, &client, &error) == AV_STATUS_OK &&
      av_upload_file(client, argv[2], &params, NULL, &video, &error) ==
          AV_STATUS_OK) {
    printf("%s is whole\n", video->video_id);
    remove(argv[3]);
  } else {
    fprintf(stderr, "%s\n", av_error_message(error));
    if (av_error_upload_state(error))
      keep(argv[3], av_error_upload_state(error));
    else if (av_error_attempts(error) > 0)
      remove(argv[3]); /* what was kept before holds no more */
  }

  int status = error ? EXIT_FAILURE : EXIT_SUCCESS;
  av_error_free(error);
  av_uploaded_video_free(video);
  av_client_free(client);
  return status;
}
