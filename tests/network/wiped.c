/* What is wiped: the credential when its client is freed, and tokens when what holds them is; after
 * calls over plain HTTP, none of the process's memory holds them, nor what the key was sent as. */
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"
#include "support/peer.h"
#include "support/search.h"

#include <unistd.h>

#define LENGTH 48 /* of the key; divisible by 3, so that its encoding stands by itself */

/* Whether the library is built for AddressSanitizer, as this program is then. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_INSTRUMENTED 1
#endif
#endif
#ifndef IS_INSTRUMENTED
#define IS_INSTRUMENTED 0
#endif

static needle needles[2];

static void make_needles(const char *key) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char encoded[LENGTH / 3 * 4];
  size_t i, j;
  needles[0] = needle_of(key, LENGTH);
  for (i = 0, j = 0; i < LENGTH; i += 3) {
    unsigned group = (unsigned)(unsigned char)key[i] << 16 | (unsigned)(unsigned char)key[i + 1] << 8 |
                     (unsigned)(unsigned char)key[i + 2];
    int shift;
    for (shift = 18; shift >= 0; shift -= 6) encoded[j++] = digits[group >> shift & 63];
  }
  needles[1] = needle_of(encoded, sizeof encoded);
  forget(encoded, sizeof encoded);
}

/* Makes calls with a key, given as one or the other kind of credential, and frees the client. */
static void check_wiped(int as_bearer) {
  const char *name = as_bearer ? "access_token" : "api_key";
  int before, needle, needle_count = as_bearer ? 1 : 2, i;
  peer *p = peer_start();
  av_client_config config = config_for(peer_url(p));
  av_client *client;
  char *key = (char *)malloc(LENGTH + 1);
  if (!key) exit(2);
  for (i = 0; i < LENGTH; i++) key[i] = "abcdefghijkmnpqrstuvwxyz23456789"[rand() % 32];
  key[LENGTH] = 0;
  make_needles(key);
  config.api_key = as_bearer ? NULL : key;
  config.access_token = as_bearer ? key : NULL;
  client = client_of(&config);
  forget(key, LENGTH);
  for (i = 0; i < 3; i++) {
    av_token *token = NULL;
    peer_answer_json(p, i == 1 ? "401 Unauthorized" : "200 OK", "{\"token\":\"to1\"}");
    av_tokens_create(client, 60, NULL, &token, NULL);
    av_token_free(token);
  }
  for (before = 0, needle = 0; needle < needle_count; needle++) before += copies_of(&needles[needle]);
  CHECK_ROW(name, before > 0); /* else the search finds nothing whatever there is */
  av_client_free(client);
  peer_stop(p); /* which holds what it received */
  for (needle = 0; needle < needle_count; needle++) {
    int after = copies_of(&needles[needle]);
    printf("%s: %d copies in memory before av_client_free, %d of form %d after\n", name, before, after, needle);
    CHECK_ROW(name, after == 0);
  }
  free(key);
}

/* ----------------------------------------------------------------------------------------- tokens */

/* One token, which a service in another process makes, and everything that holds it here. */
static void tokens_wiped(void) {
  static const char *const arguments[] = {"--api-key", "test-key", NULL};
  local_api *service = local_api_start(arguments);
  av_client *client = client_for(local_api_url(service));
  av_token *made = NULL, *got = NULL, *copy = NULL;
  av_token_page *page = NULL;
  char *json = NULL, name[128];
  av_error *error = NULL;
  size_t length;
  needle it;
  int held, left;
  if (!CHECK(av_tokens_create(client, 3600, NULL, &made, NULL) == AV_STATUS_OK)) exit(1);
  length = strlen(made->token);
  if (!CHECK(length < sizeof name)) exit(1);
  memcpy(name, made->token, length + 1);
  it = needle_of(name, length);
  CHECK(av_tokens_get(client, name, NULL, &got, NULL) == AV_STATUS_OK);
  CHECK(av_token_copy(got, &copy, NULL) == AV_STATUS_OK);
  CHECK(av_tokens_list(client, NULL, NULL, &page, NULL) == AV_STATUS_OK);
  CHECK(av_tokens_get_json(client, name, NULL, &json, NULL) == AV_STATUS_OK);
  held = copies_of(&it);
  /* One each in five results, and the name above. */
  printf("a token: %d copies while 5 results hold it\n", held);
  CHECK(held == 6);
  av_token_free(made);
  av_token_free(got);
  av_token_free(copy);
  av_token_page_free(page);
  av_string_free(json);
  CHECK(av_tokens_delete(client, name, NULL, NULL) == AV_STATUS_OK);
  CHECK(av_tokens_get(client, name, NULL, &got, &error) == AV_STATUS_NOT_FOUND);
  av_error_free(error);
  forget(name, sizeof name);
  left = copies_of(&it);
  printf("a token: %d copies when they are freed, with the connection still open\n", left);
  CHECK(left == 0);
  av_client_free(client);
  local_api_stop(service);
}

/* An answer of a create that cannot be used may hold the token, and the error shows it. */
static void token_of_an_error_wiped(void) {
  static char token[] = "to7QbrokenAnswerOfACreateThatHoldsIt";
  static char body[128];
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  av_token *made = NULL;
  av_error *error = NULL;
  needle it = needle_of(token, strlen(token));
  int held, left;
  snprintf(body, sizeof body, "{\"token\":\"%s\",", token);
  peer_answer_json(p, "201 Created", body);
  CHECK(av_tokens_create(client, 3600, NULL, &made, &error) == AV_STATUS_DECODE);
  CHECK(strstr(av_error_body(error, NULL), token) != NULL);
  held = copies_of(&it);
  av_error_free(error);
  left = copies_of(&it);
  printf("a token in an error: %d copies before av_error_free, %d after\n", held, left);
  CHECK(held - left == 1);
  av_client_free(client);
  peer_stop(p);
}

int main(void) {
  srand((unsigned)getpid());
  check_wiped(0);
  check_wiped(1);
#if IS_INSTRUMENTED
  puts("tokens: not looked for, since instrumented code leaves what it reads on the stack");
#else
  tokens_wiped();
  token_of_an_error_wiped();
#endif
  return checks_report();
}
