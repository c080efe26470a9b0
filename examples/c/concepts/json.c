/* json [TOKEN]: makes, lists and looks up tokens in JSON. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>

/* Prints what a call handed out, or what went wrong, and frees both. */
static int show(av_status status, char *json, av_error *error) {
  if (status == AV_STATUS_OK)
    printf("%s\n", json);
  else
    fprintf(stderr, "%s\n", av_error_message(error));
  av_string_free(json); /* not free() */
  av_error_free(error);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int count, char **arguments) {
  const char *payload = "{\"ttl\": 3600}"; /* fields to come, too */
  av_client_config config = {0};
  av_client *client = NULL;
  char *json = NULL;
  av_error *error = NULL;
  int code;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  av_status status = av_client_new(&config, &client, &error);
  if (status != AV_STATUS_OK) return show(status, NULL, error);

  status = av_tokens_create_json(client, payload, NULL, &json, &error);
  code = show(status, json, error);

  status = av_tokens_list_json(client, NULL, NULL, &json, &error);
  code |= show(status, json, error);

  if (count > 1) {
    const char *token = arguments[1];
    status = av_tokens_get_json(client, token, NULL, &json, &error);
    code |= show(status, json, error);
  }

  av_client_free(client);
  return code;
}
