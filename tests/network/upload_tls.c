/* The same promises as upload_ledger.c over TLS: a relay that sees nothing but records resets, ends or holds the
 * connection at a byte of them, or when the answer to a part comes back, which the service has stored by then. The same
 * by a proxy that dies so, and by one that is gone for a while after. And what refuses before all is sent is heard
 * before all is sent. */
#include "support/check.h"
#include "support/client.h"
#include "support/ledger.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/uploads.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Its own: other runs of this test may be under way. */
static char authority[] = "/tmp/apivideo-authority-XXXXXX";

typedef enum ending { RESETS, ENDS, HOLDS, ENDINGS } ending;
static const char *const ending_names[] = {"reset", "FIN", "hold"};

/* The way to the service. Behind a proxy, which is asked to CONNECT, the relay is that one. */
typedef enum way { STRAIGHT, BY_PROXY, BY_PROXY_THEN_GONE, WAYS } way;
static const char *const way_names[] = {"", " by a proxy", " by a proxy that is gone then"};

/* So many connections are made in vain to a proxy that is gone for a while. */
enum { IN_VAIN = 3 };

typedef struct script {
  uint16_t service;
  way by;
  uint64_t after;   /* so many bytes of the client's, on the first connection; */
  int at_answer;    /* and then not before the service says something */
  ending how;
  int played;
  uint64_t passed;  /* bytes of the client's in all */
} script;

static int connect_to(uint16_t port) {
  struct sockaddr_in address;
  int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (connection >= 0 && connect(connection, (struct sockaddr *)&address, sizeof address) == 0) return connection;
  exit(2);
}

static int pass(int from, int to, size_t most, uint64_t *passed) {
  char some[16 * 1024];
  ssize_t got = recv(from, some, most < sizeof some ? most : sizeof some, 0), sent = 0;
  while (sent < got) {
    ssize_t count = send(to, some + sent, (size_t)(got - sent), MSG_NOSIGNAL);
    if (count <= 0) return 0;
    sent += count;
  }
  if (got > 0) __atomic_add_fetch(passed, (uint64_t)got, __ATOMIC_SEQ_CST);
  return got > 0;
}

static void end(int connection, ending how) {
  struct linger none = {1, 0};
  if (how == RESETS) setsockopt(connection, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  if (how == HOLDS) server_ignore(connection);
  if (how == ENDS) {
    shutdown(connection, SHUT_WR);
    server_swallow(connection);
  }
}

/* Whether a proxy is asked for a way to the service, and makes one. */
static int connects(server *s, int connection, script *it) {
  request asked;
  if (!server_receive(s, connection, &asked) || strcmp(asked.method, "CONNECT") != 0) return 0;
  if (it->by == BY_PROXY_THEN_GONE && server_connections(s) > 1 && server_connections(s) <= 1 + IN_VAIN) return 0;
  return server_send(connection, "HTTP/1.1 200 OK\r\n\r\n");
}

static void relay(server *s, int connection, void *data) {
  script *it = (script *)data;
  int service, large = 256 * 1024, plays = server_connections(s) == 1 && it->after > 0;
  uint64_t from_client = 0, from_service = 0;
  if (it->by != STRAIGHT && !connects(s, connection, it)) return;
  service = connect_to(it->service);
  setsockopt(connection, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
  for (;;) {
    struct pollfd both[] = {{connection, POLLIN, 0}, {service, POLLIN, 0}};
    uint64_t left = plays && !it->at_answer ? it->after - from_client : UINT64_MAX;
    if (left == 0) {
      it->played = 1;
      end(connection, it->how);
      break;
    }
    if (poll(both, 2, -1) < 0) break;
    if (both[1].revents) {
      if (plays && it->at_answer && from_client >= it->after) {
        it->played = 1;
        end(connection, it->how);
        break;
      }
      if (!pass(service, connection, SIZE_MAX, &from_service)) break;
    }
    if (both[0].revents) {
      uint64_t before = from_client;
      if (!pass(connection, service, (size_t)left, &from_client)) break;
      __atomic_add_fetch(&it->passed, from_client - before, __ATOMIC_SEQ_CST);
    }
  }
  close(service);
}

static local_api *service_with(const char *option, const char *value) {
  const char *arguments[] = {"--api-key", "test-key", "--seed", "1", "--tls", "--tls-ca-file", authority, option, value, NULL};
  return local_api_start(arguments);
}

/* A client of the service at `url` that goes by the relay, which is a proxy or passes for the service. */
static av_client *client_over(const server *s, way by, const char *url) {
  static char of_relay[64];
  av_client_config config;
  server_url_as(s, "https", of_relay, sizeof of_relay);
  config = keyless_config(by == STRAIGHT ? of_relay : url);
  if (by != STRAIGHT) config.proxy_url = server_url(s);
  config.ca_file = authority;
  config.max_attempts = 2;
  return client_of(&config);
}

static size_t uploads[WAYS], at_once[WAYS];

/* Uploads through a relay that does so, and goes on until it is done. */
static void broken(const source *of, way by, const char *where, uint64_t after, int at_answer, ending how) {
  local_api *api = service_with(NULL, NULL);
  const char *url = local_api_url(api), *text;
  char token[64], state[4200] = "", row[100];
  script it = {(uint16_t)atoi(strrchr(url, ':') + 1), by, after, at_answer, how, 0, 0};
  server *s = server_start(relay, &it);
  av_client *client = client_over(s, by, url);
  int calls = 0, is_done = 0;
  snprintf(row, sizeof row, "%s %s%s", ending_names[how], where, way_names[by]);
  first_token(ledger_over_tls(url, authority), token, sizeof token);
  while (!is_done && calls < 5) {
    av_upload_params params = quick_params(token, "film.mp4");
    av_uploaded_video *video = NULL;
    av_error *error = NULL;
    av_status status;
    stored has;
    /* Later with each call, so that a busy machine does not look as if it held the connection for ever. */
    params.stall_timeout_ms = how == HOLDS ? params.stall_timeout_ms << (2 * calls) : 0;
    params.answer_timeout_ms = how == HOLDS ? params.answer_timeout_ms << (2 * calls) : 0;
    params.resume = state[0] ? state : NULL;
    status = av_upload_file(client, of->path, &params, NULL, &video, &error);
    text = ledger_over_tls(url, authority);
    has = stored_in(text, "film.mp4", of);
    calls++;
    is_done = status == AV_STATUS_OK;
    CHECK_ROW(row, has.whole <= 1 && has.whole == has.right);
    CHECK_ROW(row, !is_done || has.whole == 1);
    CHECK_ROW(row, is_done || av_error_outcome(error) != AV_OUTCOME_NOT_APPLIED || has.whole == 0);
    CHECK_ROW(row, uploads_number(text, "with_authorization") == 0);
    state[0] = 0;
    if (!is_done && av_error_upload_state(error)) snprintf(state, sizeof state, "%s", av_error_upload_state(error));
    av_error_free(error);
    av_uploaded_video_free(video);
  }
  CHECK_ROW(row, is_done && (it.played || after == 0));
  CHECK_ROW(row, by != BY_PROXY_THEN_GONE || after == 0 || server_connections(s) > 1 + IN_VAIN);
  uploads[by]++;
  at_once[by] += calls == 1;
  av_client_free(client);
  server_stop(s);
  local_api_stop(api);
}

/* What refuses at once is believed before the rest is sent. */
static void refused_early(const source *of) {
  local_api *api = service_with("--refuse-early", NULL);
  script it = {(uint16_t)atoi(strrchr(local_api_url(api), ':') + 1), STRAIGHT, 0, 0, RESETS, 0, 0};
  server *s = server_start(relay, &it);
  av_client *client = client_over(s, STRAIGHT, NULL);
  av_upload_params params = quick_params("no-such-token", "film.mp4");
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  av_status status = av_upload_file(client, of->path, &params, NULL, &video, &error);
  printf("uploads over TLS, refused early: %s after %llu of %llu bytes\n", av_status_name(status),
         (unsigned long long)it.passed, (unsigned long long)SMALLEST_PART);
  CHECK(status == AV_STATUS_UNAUTHORIZED || status == AV_STATUS_NOT_FOUND || status == AV_STATUS_REJECTED);
  CHECK(av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED && av_error_http_status(error) >= 400);
  CHECK(it.passed < SMALLEST_PART);
  av_error_free(error);
  av_client_free(client);
  server_stop(s);
  local_api_stop(api);
}

int main(void) {
  source of = source_of(2 * SMALLEST_PART + 1000);
  int how, by;
  setvbuf(stdout, NULL, _IOLBF, 0);
  close(mkstemp(authority));
  for (by = 0; by < WAYS; by++) {
    const way it = (way)by;
    broken(&of, it, "nowhere", 0, 0, RESETS);
    for (how = 0; how < ENDINGS; how++) {
      /* What is held is given up late where programs are slow. */
      if (is_slowed() && it != STRAIGHT && how == HOLDS) continue;
      broken(&of, it, "in the first part", SMALLEST_PART / 2, 0, (ending)how);
      broken(&of, it, "in the second part", SMALLEST_PART * 3 / 2, 0, (ending)how);
      broken(&of, it, "at the answer to the last part", 2 * SMALLEST_PART + 16000, 1, (ending)how);
      /* What dies is the same connection, whichever way it goes. */
      if (it != STRAIGHT) continue;
      broken(&of, it, "in the handshake", 100, 0, (ending)how);
      broken(&of, it, "in the first head", 800, 0, (ending)how);
      broken(&of, it, "at the answer to the first part", SMALLEST_PART, 1, (ending)how);
      broken(&of, it, "at the answer to the second part", 2 * SMALLEST_PART + 4000, 1, (ending)how);
    }
    printf("uploads broken over TLS%s: %zu, whole in one call %zu\n", way_names[by], uploads[by], at_once[by]);
  }
  refused_early(&of);
  source_delete(&of);
  unlink(authority);
  return checks_report();
}
