/* Without a file of authorities the system judges: a server that it does not know is refused, one that its store
 * of authorities has is trusted, and a certificate for another host is not. */
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"
#include "support/tls_front.h"

#include <windows.h>

#include <wincrypt.h>

static uint16_t port_of(const char *url) { return (uint16_t)atoi(strrchr(url, ':') + 1); }

/* The certificate of a PEM file. */
static PCCERT_CONTEXT certificate_in(const char *path) {
  char text[8192];
  BYTE bytes[8192];
  DWORD length = sizeof bytes;
  FILE *file = fopen(path, "rb");
  size_t got = file ? fread(text, 1, sizeof text, file) : 0;
  if (file) fclose(file);
  if (!CryptStringToBinaryA(text, (DWORD)got, CRYPT_STRING_BASE64HEADER, bytes, &length, NULL, NULL)) exit(2);
  return CertCreateCertificateContext(X509_ASN_ENCODING, bytes, length);
}

/* What a call to this host comes to, with a client of its own; and what is said. */
static av_status status_at(const char *host, uint16_t port, char *message, size_t size) {
  char url[64];
  av_client_config config;
  av_client *client;
  av_token *token = NULL;
  av_error *error = NULL;
  av_status status;
  snprintf(url, sizeof url, "https://%s:%u", host, (unsigned)port);
  config = config_for(url);
  config.proxy_url = "";
  config.max_attempts = 1;
  client = client_of(&config);
  status = av_tokens_create(client, 60, NULL, &token, &error);
  snprintf(message, size, "%s", error ? av_error_message(error) : "");
  printf("%s: %s %s\n", host, av_status_name(status), message);
  av_error_free(error);
  av_token_free(token);
  av_client_free(client);
  return status;
}

/* Windows itself asks its user before it trusts one more, so that no test can have it do so. */
static int is_wine(void) { return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL; }

int main(void) {
  static const char *const arguments[] = {"--api-key", "test-key", NULL};
  local_api *service = local_api_start(arguments);
  tls_front *front = tls_front_start();
  uint16_t port = tls_front_open(front, port_of(local_api_url(service)));
  char message[600];
  if (is_wine()) {
    HCERTSTORE trusted = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER, L"Root");
    PCCERT_CONTEXT own = certificate_in(tls_front_authority(front)), added = NULL;
    CHECK(CertAddCertificateContextToStore(trusted, own, CERT_STORE_ADD_ALWAYS, &added));
    CHECK(status_at("127.0.0.1", port, message, sizeof message) == AV_STATUS_OK);
    CHECK(status_at("localhost", port, message, sizeof message) == AV_STATUS_TLS);
    CHECK(CertDeleteCertificateFromStore(added));
    CertFreeCertificateContext(own);
    CertCloseStore(trusted, 0);
  }
  CHECK(status_at("127.0.0.1", port, message, sizeof message) == AV_STATUS_TLS);
  CHECK(strstr(message, "certificate") != NULL);
  tls_front_stop(front);
  local_api_stop(service);
  return checks_report();
}
