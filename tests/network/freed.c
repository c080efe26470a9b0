/* What a call uses may be freed while it is under way, in any phase: the call ends as if nothing had
 * happened, and takes with it what is left. */
#include "support/call.h"
#include "support/check.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/watch.h"

#include <pthread.h>
#include <sys/socket.h>

/* Does what a script says, when the test lets it. */
typedef struct script {
  int asked, go;
} script;

static void wait_for_go(script *it) { wait_until(&it->go, 1, "the test lets the peer go on"); }

static void serve_late(server *s, int connection, void *data) {
  script *it = (script *)data;
  request asked;
  while (server_receive(s, connection, &asked)) {
    __atomic_add_fetch(&it->asked, 1, __ATOMIC_SEQ_CST);
    wait_for_go(it);
    server_answer(connection, "200 OK", "", TOKEN_BODY);
  }
}

static void serve_late_body(server *s, int connection, void *data) {
  script *it = (script *)data;
  request asked;
  if (!server_receive(s, connection, &asked)) return;
  server_send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n{\"token\"");
  __atomic_add_fetch(&it->asked, 1, __ATOMIC_SEQ_CST);
  wait_for_go(it);
  server_send(connection, ":\"" TOKEN "\"}");
  server_swallow(connection);
}

static void serve_after_a_failure(server *s, int connection, void *data) {
  script *it = (script *)data;
  request asked;
  while (server_receive(s, connection, &asked)) {
    if (__atomic_add_fetch(&it->asked, 1, __ATOMIC_SEQ_CST) == 1)
      server_answer(connection, "503 Down", "Retry-After: 1\r\n", "{}");
    else
      server_answer(connection, "200 OK", "", TOKEN_BODY);
  }
}

/* Answers SOCKS5 late, and then is the service. */
static void serve_late_socks(server *s, int connection, void *data) {
  script *it = (script *)data;
  request asked;
  char hello[64];
  if (recv(connection, hello, sizeof hello, 0) <= 0) return;
  __atomic_add_fetch(&it->asked, 1, __ATOMIC_SEQ_CST);
  wait_for_go(it);
  send(connection, "\5\0", 2, MSG_NOSIGNAL);
  if (recv(connection, hello, sizeof hello, 0) <= 0) return;
  send(connection, "\5\0\0\1\0\0\0\0\0\0", 10, MSG_NOSIGNAL);
  while (server_receive(s, connection, &asked)) server_answer(connection, "200 OK", "", TOKEN_BODY);
}

static const struct {
  const char *name;
  serve_fn serve;
  operation op;
  int by_socks;
} rows[] = {
    {"waiting for the answer", serve_late, CREATE, 0},
    {"reading the answer", serve_late_body, GET, 0},
    {"backing off", serve_after_a_failure, GET, 0},
    {"asking a proxy", serve_late_socks, CREATE, 1},
};

typedef struct caller {
  const av_client *client;
  operation op;
  av_request_options options;
  call made;
  pid_t thread;
} caller;

static void *make_call(void *argument) {
  caller *it = (caller *)argument;
  it->thread = thread_id();
  it->made = call_make(it->client, it->op, &it->options);
  return NULL;
}

static void freed_under_way(size_t row) {
  script script = {0, 0};
  size_t sockets = open_sockets();
  server *s = server_start(rows[row].serve, &script);
  char proxy[64] = "";
  av_client_config config = watched_config(server_url(s));
  av_cancel *cancel = av_cancel_new();
  av_response *response = av_response_new();
  av_client *client;
  caller it;
  pthread_t thread;
  if (rows[row].by_socks) {
    server_url_as(s, "socks5", proxy, sizeof proxy);
    config.base_url = "http://127.0.0.1:1";
  }
  config.proxy_url = proxy;
  client = client_of(&config);
  memset(&it, 0, sizeof it);
  it.client = client;
  it.op = rows[row].op;
  it.options.struct_size = sizeof it.options;
  it.options.cancel = cancel;
  it.options.response = response;
  if (pthread_create(&thread, NULL, make_call, &it) != 0) exit(2);
  wait_until(&script.asked, 1, rows[row].name);
  wait_until_asleep(it.thread);
  av_client_free(client);
  av_cancel_free(cancel);
  av_response_free(response);
  __atomic_store_n(&script.go, 1, __ATOMIC_SEQ_CST);
  pthread_join(thread, NULL);
  if (!CHECK_ROW(rows[row].name, it.made.status == AV_STATUS_OK)) fprintf(stderr, "  %s\n", watched(it.made.error));
  CHECK_ROW(rows[row].name, it.made.token && it.made.token->token[0] != 0);
  call_free(&it.made);
  server_stop(s);
  CHECK_ROW(rows[row].name, open_sockets() == sockets);
  printf("client, cancel and response freed while %s: the call %s\n", rows[row].name, it.made.status == AV_STATUS_OK ? "succeeded" : "failed");
}

/* Many threads inside calls with one client that is freed among them. */
static void freed_among_many(void) {
  enum { THREADS = 16 };
  script script = {0, 0};
  size_t sockets = open_sockets();
  server *s = server_start(serve_late, &script);
  av_client *client = watched_client(server_url(s));
  caller all[THREADS];
  pthread_t threads[THREADS];
  size_t i;
  int right = 0;
  memset(all, 0, sizeof all);
  for (i = 0; i < THREADS; i++) {
    all[i].client = client;
    all[i].op = i % 2 ? GET : CREATE_JSON;
    all[i].options.struct_size = sizeof all[i].options;
    if (pthread_create(&threads[i], NULL, make_call, &all[i]) != 0) exit(2);
  }
  wait_until(&script.asked, THREADS, "as many requests as calls");
  av_client_free(client);
  __atomic_store_n(&script.go, 1, __ATOMIC_SEQ_CST);
  for (i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    right += all[i].made.status == AV_STATUS_OK && call_gave(&all[i].made);
    call_free(&all[i].made);
  }
  printf("freed among %d calls: %d succeeded\n", THREADS, right);
  CHECK(right == THREADS);
  server_stop(s);
  CHECK(open_sockets() == sockets);
}

int main(void) {
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) freed_under_way(i);
  freed_among_many();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
