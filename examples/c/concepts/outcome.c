/* Makes a token, never two: if the answer is lost, it looks first. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Shows the tokens made since then. The one that was lost is the newest,
 * if nobody else makes any. */
static void look(const av_client *client, time_t since) {
  av_tokens_list_params params = {0};
  av_token_page *page = NULL;

  params.struct_size = sizeof params;
  params.sort_by = AV_TOKEN_SORT_CREATED_AT;
  params.sort_order = AV_SORT_DESC;
  if (av_tokens_list(client, &params, NULL, &page, NULL) != AV_STATUS_OK)
    return;
  for (size_t i = 0; i < page->count; i++)
    if (page->items[i]->created_at >= since - 60) /* clocks differ */
      printf("it may be %s\n", page->items[i]->token);
  av_token_page_free(page);
}

int main(void) {
  time_t begun = time(NULL);
  av_client_config config = {0};
  av_client *client = NULL;
  av_token *token = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_tokens_create(client, 3600, NULL, &token, &error);

  if (status == AV_STATUS_OK) {
    printf("made %s\n", token->token);
  } else {
    printf("%s\n", av_error_message(error));
    if (av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED)
      puts("nothing was made: it can be asked for again");
    else
      look(client, begun);
  }

  av_error_free(error);
  av_token_free(token);
  av_client_free(client);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
