/* A copy of a token tells the same as the token, and lives on when that is gone; what never ends by
 * itself is asked for by name. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"

#define ODD "{\"token\":\"t\\u00e9 1\",\"ttl\":null}"

/* Frees whatever the copy was made from before it is read. */
static void copies(void) {
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  call made;
  av_token *copy = NULL, *of_copy = NULL, *odd = NULL;
  av_error *error = NULL;
  answer_well(p, GET);
  made = call_make(client, GET, NULL);
  CHECK(av_token_copy(made.token, &copy, &error) == AV_STATUS_OK && error == NULL);
  CHECK(copy != NULL && copy != made.token && copy->token != made.token->token);
  call_free(&made);
  CHECK(av_token_copy(copy, &of_copy, NULL) == AV_STATUS_OK);
  av_token_free(copy);
  CHECK(texts_equal(of_copy->token, TOKEN));
  CHECK(of_copy->ttl_seconds == 3600);
  CHECK(of_copy->created_at == 1606903999 && of_copy->expires_at == 1606907599);
  av_token_free(of_copy);
  /* One of a page, with nothing told but itself. */
  peer_answer_json(p, "200 OK", "{\"data\":[" ODD "],\"pagination\":{}}");
  made = call_make(client, LIST, NULL);
  CHECK(made.status == AV_STATUS_OK && av_token_copy(made.page->items[0], &odd, NULL) == AV_STATUS_OK);
  call_free(&made);
  CHECK(texts_equal(odd->token, "t\xc3\xa9 1"));
  CHECK(odd->ttl_seconds == -1 && odd->created_at == 0 && odd->expires_at == 0);
  av_token_free(odd);
  av_client_free(client);
  peer_stop(p);
}

/* Collecting from an iterator, as the header advises before deleting. */
static void collected(void) {
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  av_token_iter *iter = NULL;
  const av_token *token = NULL;
  av_token *kept[3] = {NULL, NULL, NULL};
  size_t count = 0, i;
  peer_answer_json(p, "200 OK", "{\"data\":[{\"token\":\"a\"},{\"token\":\"b\"}],\"pagination\":{\"pagesTotal\":2}}");
  peer_answer_json(p, "200 OK", "{\"data\":[{\"token\":\"c\"}],\"pagination\":{\"pagesTotal\":2}}");
  CHECK(av_tokens_iterate(client, NULL, &iter, NULL) == AV_STATUS_OK);
  while (av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK && token && count < 3)
    CHECK(av_token_copy(token, &kept[count++], NULL) == AV_STATUS_OK);
  av_token_iter_free(iter);
  av_client_free(client);
  CHECK(count == 3);
  for (i = 0; i < 3; i++) {
    char expected[2] = {(char)('a' + (int)i), 0};
    CHECK(kept[i] && texts_equal(kept[i]->token, expected));
    av_token_free(kept[i]);
  }
  peer_stop(p);
}

static void bad_arguments(void) {
  av_token *copy = (av_token *)&copy;
  av_error *error = NULL;
  CHECK(av_token_copy(NULL, &copy, &error) == AV_STATUS_INVALID_ARGUMENT);
  CHECK(copy == NULL);
  CHECK(strstr(av_error_message(error), "token must not be NULL") != NULL);
  av_error_free(error);
  CHECK(av_token_copy(NULL, NULL, NULL) == AV_STATUS_INVALID_ARGUMENT);
}

static void never(void) {
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  av_token *token = NULL;
  const char *request;
  CHECK(AV_TOKEN_TTL_NEVER == 0);
  peer_answer_json(p, "201 Created", "{\"token\":\"a\",\"ttl\":0}");
  CHECK(av_tokens_create(client, AV_TOKEN_TTL_NEVER, NULL, &token, NULL) == AV_STATUS_OK);
  request = peer_request(p, 0, NULL);
  CHECK(request && strstr(request, "{\"ttl\":0}") != NULL);
  CHECK(token && token->ttl_seconds == AV_TOKEN_TTL_NEVER && token->expires_at == 0);
  av_token_free(token);
  av_client_free(client);
  peer_stop(p);
}

int main(void) {
  copies();
  collected();
  bad_arguments();
  never();
  return checks_report();
}
