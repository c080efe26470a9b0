/* Without a file of authorities the system judges, and a server that it does not know is refused; what it says of one
 * in its own words is handed on. (One that it knows cannot be tried: Windows asks its user before it trusts another
 * authority, and Wine refuses each certificate that does not tell where it would be revoked, whatever it is asked.) */
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"
#include "support/talk.h"

#include <posix.h>

/* Its own: other runs of this test may be under way. */
static char authority[] = "/tmp/apivideo-authority-XXXXXX";

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

/* In the directory that it is given, a certificate and one of its issuer; but it was another one of that name that
 * signed it. */
static const char forged[] =
    "exec 2>/dev/null; cd %s && printf '[req]\\ndistinguished_name = name\\n[name]\\n' >openssl.cnf && "
    "for key in issuer forger; do openssl req -x509 -config openssl.cnf -newkey rsa:2048 -nodes -days 30 -subj /CN=issuer "
    "-addext 'basicConstraints = critical, CA:TRUE' -addext 'subjectKeyIdentifier = none' -keyout $key.key -out $key.pem; "
    "done && openssl req -new -config openssl.cnf -newkey rsa:2048 -nodes -subj /CN=server -keyout key.pem -out request && "
    "printf 'subjectAltName = IP:127.0.0.1\\nbasicConstraints = CA:FALSE\\nauthorityKeyIdentifier = none\\n' >extensions && "
    "openssl x509 -req -in request -CA forger.pem -CAkey forger.key -set_serial 1 -days 30 -extfile extensions -out server.pem";

static void what_the_system_says(void) {
  char directory[] = "/tmp/apivideo-forged-XXXXXX", command[1200], text[400] = "", message[600];
  char url[64], *at;
  size_t length = 0;
  talk server;
  if (!mkdtemp(directory)) exit(2);
  snprintf(command, sizeof command, forged, directory);
  if (system(command) != 0) exit(2);
  snprintf(command, sizeof command,
           "exec openssl s_server -accept 127.0.0.1:0 -cert %s/server.pem -key %s/key.pem -cert_chain %s/issuer.pem 2>/dev/null",
           directory, directory, directory);
  server = talk_start(command);
  while (!(at = strstr(text, "ACCEPT 127.0.0.1:")) || !strchr(at, '\n'))
    if (length == sizeof text - 1 || read(server.descriptor, &text[length++], 1) != 1) exit(2);
  snprintf(url, sizeof url, "https://127.0.0.1:%d", atoi(strchr(at, ':') + 1));
  CHECK(call_with(url, NULL, message, sizeof message) == AV_STATUS_TLS);
  CHECK(strstr(message, "the certificate of 127.0.0.1 is refused by this system, which says: ") != NULL);
  /* TRUST_E_CERT_SIGNATURE, as programmers look it up. */
  CHECK(strstr(message, "(os error -2146869244)") != NULL && strstr(message, "in ca_file") != NULL);
  talk_end(&server);
  close(server.descriptor);
  snprintf(command, sizeof command, "rm -r %s", directory);
  system(command);
}

int main(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--tls", "--tls-ca-file", authority, NULL};
  local_api *service;
  char message[600];
  close(mkstemp(authority));
  service = local_api_start(arguments);
  CHECK(call_with(local_api_url(service), authority, message, sizeof message) == AV_STATUS_OK);
  CHECK(call_with(local_api_url(service), NULL, message, sizeof message) == AV_STATUS_TLS);
  CHECK(strstr(message, "the certificate of 127.0.0.1 ") != NULL);
  remove(authority);
  local_api_stop(service);
  what_the_system_says();
  return checks_report();
}
