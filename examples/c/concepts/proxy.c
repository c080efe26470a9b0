/* proxy PROXY_URL [CA_FILE]: lists tokens through a proxy. */
#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
  av_client_config config = {0};
  av_client *client = NULL;
  av_token_page *page = NULL;
  av_error *error = NULL;

  config.struct_size = sizeof config;
  config.api_key = getenv("APIVIDEO_API_KEY");
  config.base_url = getenv("APIVIDEO_BASE_URL");
  /* Such as "http://proxy.example:3128", or
   * "socks5h://user:password@proxy.example:1080". "" is none; NULL is what
   * HTTPS_PROXY, ALL_PROXY and NO_PROXY say. */
  config.proxy_url = count > 1 ? arguments[1] : NULL;
  /* The authorities to trust, in PEM. NULL is the system's. */
  config.ca_file = count > 2 ? arguments[2] : NULL;

  av_status status = av_client_new(&config, &client, &error);
  if (status == AV_STATUS_OK)
    status = av_tokens_list(client, NULL, NULL, &page, &error);

  if (status == AV_STATUS_OK)
    printf("%zu tokens\n", page->count);
  else if (status == AV_STATUS_CONNECT)
    fprintf(stderr, "no way there: %s\n", av_error_message(error));
  else if (status == AV_STATUS_TLS)
    fprintf(stderr, "not trusted: %s\n", av_error_message(error));
  else
    fprintf(stderr, "%s\n", av_error_message(error));

  av_error_free(error);
  av_token_page_free(page);
  av_client_free(client);
  return status == AV_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
