/* The secrets of these tests, in every form that they travel in: what no trace line, message or log
 * may hold. */
#ifndef SECRETS_H
#define SECRETS_H

#include <ctype.h>
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

/* Where a text holds what the stand-in service makes up by chance: a token, or what opens a private video by its
 * address; or NULL. It is known by its shape, and what is shown of a token in a trace has another. */
static inline const char *made_up_secret_in(const char *text, size_t length) {
  static const char *const before[] = {"token=", "/token/"};
  size_t begin, end, i;
  for (begin = 0; begin < length; begin = end + 1) {
    for (end = begin; end < length && isalnum((unsigned char)text[end]); end++) {}
    if (end - begin == 24 && memcmp(text + begin, "to", 2) == 0) return text + begin;
    for (i = 0; i < sizeof before / sizeof before[0]; i++) {
      size_t known = strlen(before[i]);
      if (end - begin >= 16 && begin >= known && memcmp(text + begin - known, before[i], known) == 0) return text + begin;
    }
  }
  return NULL;
}

#endif
