/* The secrets of these tests, in every form that they travel in: what no trace line, message or log
 * may hold. */
#ifndef SECRETS_H
#define SECRETS_H

#include <stddef.h>
#include <string.h>

/* What tests/network/trace.c uses. */
#define SECRET_KEY "my/secret+key~of an account"
#define SECRET_KEY_ENCODED "bXkvc2VjcmV0K2tleX5vZiBhbiBhY2NvdW50Og=="
#define SECRET_BEARER "eyJhbGciOiJIUzI1NiJ9.secret-bearer/of+an.account_=="
#define SECRET_TOKEN "to1:secret upload+token?of%an&account"
#define SECRET_TOKEN_ENCODED "to1%3Asecret%20upload%2Btoken%3Fof%25an%26account"
#define SECRET_PASSWORD "secret-password-of-a-proxy"
#define SECRET_PROXY_ENCODED "dXNlcjpzZWNyZXQtcGFzc3dvcmQtb2YtYS1wcm94eQ=="

static const char *const all_secrets[] = {
    SECRET_KEY, SECRET_KEY_ENCODED, SECRET_BEARER, SECRET_TOKEN, SECRET_TOKEN_ENCODED, SECRET_PASSWORD, SECRET_PROXY_ENCODED,
    /* What all the other tests use. */
    "test-key", "dGVzdC1rZXk", "to1tcmSFHeYY5KzyhOqVKMKb",
};

/* The first secret in a text, or NULL. */
static inline const char *secret_in(const char *text, size_t length) {
  size_t i;
  for (i = 0; i < sizeof all_secrets / sizeof all_secrets[0]; i++)
    if (memmem(text, length, all_secrets[i], strlen(all_secrets[i]))) return all_secrets[i];
  return NULL;
}

#endif
