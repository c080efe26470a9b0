/* Asks for a token that lives until "soon", to show what errors tell. */
#include <apivideo.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *told(const char *text) {
  return text != NULL ? text : "(not told)";
}

static void show(const av_error *error) {
  /* For a person, or a log: it holds no secret. */
  printf("%s\n", av_error_message(error));

  /* For the program. 0 is no answer, -1 is not told. */
  printf("status: %s\n", av_status_name(av_error_status(error)));
  printf("outcome: %s\n", av_outcome_name(av_error_outcome(error)));
  printf("try again: %s\n", av_error_is_retryable(error) ? "yes" : "no");
  printf("wait: %" PRId64 " ms\n", av_error_retry_after_ms(error));
  printf("HTTP status: %" PRId32 "\n", av_error_http_status(error));

  /* What the service says itself. */
  printf("title: %s\n", told(av_error_problem_title(error)));
  printf("detail: %s\n", told(av_error_problem_detail(error)));
  for (size_t i = 0; i < av_error_problem_count(error); i++) {
    const char *name = av_error_problem_name_at(error, i);
    const char *title = av_error_problem_title_at(error, i);
    printf("problem: %s: %s\n", told(name), told(title));
  }
}

int main(void) {
  const char *payload = "{\"ttl\": \"soon\"}";
  av_client_config config = {0};
  av_client *client = NULL;
  char *json = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_tokens_create_json(client, payload, NULL, &json, &error);
  if (status != AV_STATUS_OK) show(error);

  av_error_free(error);
  av_string_free(json);
  av_client_free(client);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
