/* A service that points elsewhere: nobody there ever hears of it, least of all the credentials. */
#include "support/call.h"
#include "support/check.h"
#include "support/server.h"
#include "support/watch.h"

typedef struct pointing {
  const char *status, *location;
} pointing;

static void serve_pointer(server *s, int connection, void *data) {
  const pointing *it = (const pointing *)data;
  request asked;
  while (server_receive(s, connection, &asked)) {
    char headers[512];
    snprintf(headers, sizeof headers, "Location: %s\r\n", it->location);
    server_answer(connection, it->status, headers, "{\"title\":\"It is elsewhere\"}");
  }
}

static void serve_well(server *s, int connection, void *data) {
  request asked;
  (void)data;
  while (server_receive(s, connection, &asked)) server_answer(connection, "200 OK", "", TOKEN_BODY);
}

int main(void) {
  static const char *const statuses[] = {"300 Multiple Choices", "301 Moved Permanently", "302 Found", "303 See Other",
                                         "304 Not Modified", "305 Use Proxy", "307 Temporary Redirect", "308 Permanent Redirect"};
  server *elsewhere = server_start(serve_well, NULL);
  char absolute[128], relative_scheme[128], with_user[128], by_name[128];
  const char *locations[6];
  size_t i, k, calls = 0;
  operation op;
  const char *port = strrchr(server_url(elsewhere), ':') + 1;
  snprintf(absolute, sizeof absolute, "%s/upload-tokens", server_url(elsewhere));
  snprintf(relative_scheme, sizeof relative_scheme, "//127.0.0.1:%s/upload-tokens", port);
  snprintf(with_user, sizeof with_user, "http://you:there@127.0.0.1:%s/", port);
  snprintf(by_name, sizeof by_name, "http://localhost:%s/upload-tokens", port);
  locations[0] = absolute;
  locations[1] = relative_scheme;
  locations[2] = with_user;
  locations[3] = by_name;
  locations[4] = "/elsewhere";
  locations[5] = "";
  for (i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
    for (k = 0; k < 6; k++) {
      pointing it = {statuses[i], locations[k]};
      server *s = server_start(serve_pointer, &it);
      av_client *client = watched_client(server_url(s));
      size_t before = server_requests(s);
      for (op = CREATE; op < OPERATIONS; op = (operation)(op + 1)) {
        call made = call_make(client, op, NULL);
        calls++;
        CHECK_ROW(statuses[i], made.status == AV_STATUS_DECODE);
        CHECK_ROW(statuses[i], av_error_http_status(made.error) == atoi(statuses[i]));
        CHECK_ROW(statuses[i], av_error_attempts(made.error) == 1);
        CHECK_ROW(statuses[i], av_error_outcome(made.error) == (operation_reads(op) ? AV_OUTCOME_NOT_APPLIED : AV_OUTCOME_UNKNOWN));
        /* A 304 points nowhere, whatever it says. */
        CHECK_ROW(statuses[i], strstr(watched(made.error), atoi(statuses[i]) == 304 ? "means nothing" : locations[k]) != NULL);
        call_free(&made);
      }
      CHECK_ROW(statuses[i], server_requests(s) == before + OPERATIONS);
      av_client_free(client);
      server_stop(s);
    }
  printf("%zu calls pointed elsewhere: %zu connections and %zu requests there\n", calls, server_connections(elsewhere), server_requests(elsewhere));
  CHECK(server_connections(elsewhere) == 0);
  CHECK(server_requests(elsewhere) == 0);
  server_stop(elsewhere);
  CHECK(secrets_seen() == 0);
  return checks_report();
}
