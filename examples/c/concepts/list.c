/* Lists the ten newest tokens: one page, one request. */
#include <apivideo.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void show(const av_token_page *page) {
  printf("%zu of %" PRIu64 " tokens\n", page->count, page->items_total);
  for (size_t i = 0; i < page->count; i++)
    printf("%s\n", page->items[i]->token);
}

int main(void) {
  av_client_config config = {0};
  av_tokens_list_params params = {0};
  av_client *client = NULL;
  av_token_page *page = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");

  params.struct_size = sizeof params;
  params.page_size = 10;
  params.sort_by = AV_TOKEN_SORT_CREATED_AT;
  params.sort_order = AV_SORT_DESC;

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_tokens_list(client, &params, NULL, &page, &error);

  if (status == AV_STATUS_OK)
    show(page);
  else
    fprintf(stderr, "%s\n", av_error_message(error));

  av_error_free(error);
  av_token_page_free(page); /* and its tokens */
  av_client_free(client);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
