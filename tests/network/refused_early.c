/* A service that refuses a request before it has taken all of it, and closes: what it said is told,
 * rather than that the connection broke while sending. It may say that it closes, or not. */
#include "support/call.h"
#include "support/check.h"
#include "support/server.h"
#include "support/watch.h"

#include <sys/socket.h>

enum { TRIES = 20, PAYLOAD = 16 * 1024 * 1024 };

static void serve_refusal(server *s, int connection, void *data) {
  char some[4096];
  (void)s;
  if (recv(connection, some, sizeof some, 0) > 0)
    server_answer(connection, "413 Content Too Large", (const char *)data, "{\"title\":\"Too much.\"}");
}

static void refused(const char *row, const char *headers) {
  server *s = server_start(serve_refusal, (void *)(size_t)headers);
  av_client *client = watched_client(server_url(s));
  char *payload = (char *)malloc(PAYLOAD);
  int i, told = 0;
  if (!payload) exit(2);
  memset(payload, 'x', PAYLOAD);
  memcpy(payload, "{\"a\":\"", 6);
  memcpy(payload + PAYLOAD - 3, "\"}", 3);
  for (i = 0; i < TRIES; i++) {
    char *json = NULL;
    av_error *error = NULL;
    av_status status = av_tokens_create_json(client, payload, NULL, &json, &error);
    int is_refusal = status == AV_STATUS_REJECTED && av_error_http_status(error) == 413 &&
                     av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED;
    if (!is_refusal) fprintf(stderr, "%s\n", watched(error));
    told += is_refusal;
    av_error_free(error);
    av_string_free(json);
  }
  printf("%s: %d of %d refusals while sending were told as such\n", row, told, TRIES);
  CHECK_ROW(row, told == TRIES);
  CHECK_ROW(row, server_connections(s) == TRIES); /* such a connection is not used again */
  free(payload);
  av_client_free(client);
  server_stop(s);
}

int main(void) {
  refused("closes, and says so", "Connection: close\r\n");
  refused("closes without saying so", "");
  CHECK(secrets_seen() == 0);
  return checks_report();
}
