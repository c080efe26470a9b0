/* The shortest way through: a token is read from a scripted peer. */
#include "support/check.h"
#include "support/client.h"
#include "support/peer.h"

int main(void) {
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  av_token *token = NULL;
  av_error *error = NULL;
  peer_answer_json(p, "200 OK", "{\"token\":\"to1tcmSFHeYY5KzyhOqVKMKb\",\"ttl\":3600,"
                                "\"createdAt\":\"2020-12-02T10:13:19+00:00\","
                                "\"expiresAt\":\"2020-12-02T11:13:19Z\"}");
  CHECK(av_tokens_get(client, "to1tcmSFHeYY5KzyhOqVKMKb", NULL, &token, &error) == AV_STATUS_OK);
  CHECK(error == NULL);
  CHECK(token != NULL && strcmp(token->token, "to1tcmSFHeYY5KzyhOqVKMKb") == 0);
  CHECK(token != NULL && token->ttl_seconds == 3600);
  CHECK(token != NULL && token->created_at == 1606903999);
  CHECK(token != NULL && token->expires_at == 1606907599);
  av_token_free(token);
  av_client_free(client);
  peer_stop(p);
  return checks_report();
}
