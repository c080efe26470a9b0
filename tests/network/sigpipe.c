/* A peer that closes while it is being sent to: an error, and never SIGPIPE, which by default would
 * end the process. */
#include "support/call.h"
#include "support/check.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/watch.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 50 };

/* Reads a little of what comes, then closes with the rest unread, which resets the connection. */
static void serve_and_close(server *s, int connection, void *data) {
  char some[16384];
  (void)s;
  (void)data;
  if (recv(connection, some, sizeof some, 0) > 0) return;
}

static char *large_payload(void) {
  size_t size = 16 * 1024 * 1024;
  char *text = (char *)malloc(size);
  if (!text) exit(2);
  memset(text, 'x', size);
  memcpy(text, "{\"a\":\"", 6);
  memcpy(text + size - 3, "\"}", 3);
  return text;
}

static volatile sig_atomic_t raised;

static void count(int signal_number) {
  (void)signal_number;
  raised++;
}

/* With a handler that counts, or with none: then the process would end. */
static void closed_while_sending(const char *row, int with_handler) {
  server *s = server_start(serve_and_close, NULL);
  av_client *client = watched_client(server_url(s));
  char *payload = large_payload();
  int i, transport = 0;
  signal(SIGPIPE, with_handler ? count : SIG_DFL);
  for (i = 0; i < TRIES; i++) {
    char *json = NULL;
    av_error *error = NULL;
    av_status status = av_tokens_create_json(client, payload, NULL, &json, &error);
    transport += status == AV_STATUS_TRANSPORT && av_error_outcome(error) == AV_OUTCOME_UNKNOWN;
    if (i == 0) printf("%s: %s\n", row, watched(error));
    av_error_free(error);
    av_string_free(json);
  }
  printf("%s: %d of %d sends broke off, SIGPIPE raised %d times\n", row, transport, TRIES, (int)raised);
  CHECK_ROW(row, transport == TRIES);
  CHECK_ROW(row, server_connections(s) == TRIES);
  CHECK_ROW(row, raised == 0);
  free(payload);
  av_client_free(client);
  server_stop(s);
}

/* The library has left the disposition alone. */
static void disposition_is_left_alone(void) {
  struct sigaction now;
  CHECK(sigaction(SIGPIPE, NULL, &now) == 0);
  CHECK(now.sa_handler == SIG_DFL);
}

int main(void) {
  signal(SIGPIPE, SIG_DFL);
  closed_while_sending("with SIG_DFL", 0);
  disposition_is_left_alone();
  closed_while_sending("with a handler", 1);
  /* That the signal would have been seen. */
  raise(SIGPIPE);
  CHECK(raised == 1);
  CHECK(secrets_seen() == 0);
  return checks_report();
}
