/* Without a file of authorities the system judges, and a server that it does not know is refused. (One that it knows
 * cannot be tried: Windows asks its user before it trusts another authority, and Wine refuses each certificate that
 * does not tell where it would be revoked, whatever it is asked.) */
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"

#include <windows.h>

static const char authority[] = "/tmp/apivideo-system-trust.pem";

/* What a call comes to, with a client of its own, and what is said. */
static av_status call_with(const char *url, const char *ca_file, char *message, size_t size) {
  av_client_config config = config_for(url);
  av_client *client;
  av_token *token = NULL;
  av_error *error = NULL;
  av_status status;
  config.proxy_url = "";
  config.max_attempts = 1;
  config.ca_file = ca_file;
  client = client_of(&config);
  status = av_tokens_create(client, 60, NULL, &token, &error);
  snprintf(message, size, "%s", error ? av_error_message(error) : "");
  printf("by %s: %s %s\n", ca_file ? "its authority" : "the system", av_status_name(status), message);
  av_error_free(error);
  av_token_free(token);
  av_client_free(client);
  return status;
}

int main(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--tls", "--tls-ca-file", authority, NULL};
  local_api *service = local_api_start(arguments);
  char message[600];
  CHECK(call_with(local_api_url(service), authority, message, sizeof message) == AV_STATUS_OK);
  CHECK(call_with(local_api_url(service), NULL, message, sizeof message) == AV_STATUS_TLS);
  CHECK(strstr(message, "the certificate of 127.0.0.1 ") != NULL);
  DeleteFileA(authority);
  local_api_stop(service);
  return checks_report();
}
