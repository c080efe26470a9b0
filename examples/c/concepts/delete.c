/* delete TOKEN...: revokes tokens. What is gone already is as good. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
  av_client_config config = {0};
  av_client *client = NULL;
  av_error *error = NULL;
  int failures = 0;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  if (av_client_new(&config, &client, &error) != AV_STATUS_OK) {
    fprintf(stderr, "%s\n", av_error_message(error));
    av_error_free(error);
    return EXIT_FAILURE;
  }

  for (int i = 1; i < count; i++) {
    switch (av_tokens_delete(client, arguments[i], NULL, &error)) {
      case AV_STATUS_OK:
        puts("deleted");
        break;
      case AV_STATUS_NOT_FOUND:
        puts("gone already");
        break;
      default: /* whatever the outcome: doing it again does no harm */
        fprintf(stderr, "%s\n", av_error_message(error));
        failures++;
    }
    av_error_free(error); /* the next call overwrites it */
  }

  av_client_free(client);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
