/* Names with several addresses, some of which are dead: what swallows packets costs a quarter of a
 * second, what refuses costs nothing, and what answered is remembered. addresses.sh has given the
 * names their addresses: dual.test ::1 and 127.0.0.1, three.test 127.0.0.2 besides, many.test forty. */
#include "support/check.h"
#include "support/moment.h"
#include "support/outcome.h"
#include "support/server.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRIES 5

/* One answer for each connection, so that every call needs a new one. */
static void answer_once(server *s, int connection, void *data) {
  request got;
  (void)data;
  if (server_receive(s, connection, &got))
    server_answer(connection, "200 OK", "Connection: close\r\n", "{\"token\":\"here\"}");
}

static void answer_late(server *s, int connection, void *data) {
  request got;
  struct timespec late = {4, 0};
  if (!server_receive(s, connection, &got)) return;
  nanosleep(&late, NULL); /* is the service's own time, which is what is tried here */
  __atomic_add_fetch((int *)data, 1, __ATOMIC_SEQ_CST);
  server_answer(connection, "200 OK", "Connection: close\r\n", "{\"token\":\"here\"}");
}

/* An HTTP proxy that is the service itself. */
static void answer_as_proxy(server *s, int connection, void *data) {
  request got;
  if (!server_receive(s, connection, &got) || strcmp(got.method, "CONNECT") != 0) return;
  if (server_send(connection, "HTTP/1.1 200 OK\r\n\r\n")) answer_once(s, connection, data);
}

/* The lines about connections that were traced last. */
typedef struct trace {
  char text[4000];
  int refused; /* lines that tell of a failed address */
} trace;

static void note(void *userdata, int32_t level, const char *line) {
  trace *it = (trace *)userdata;
  size_t length = strlen(it->text);
  (void)level;
  if (strstr(line, "connect") || strstr(line, "given up"))
    snprintf(it->text + length, sizeof it->text - length, "[%.200s]", line);
  if (strstr(line, "no connection to")) __atomic_add_fetch(&it->refused, 1, __ATOMIC_SEQ_CST);
}

static av_client_config config_of(const char *name, uint16_t port, trace *into) {
  static char url[100];
  av_client_config config;
  snprintf(url, sizeof url, "http://%s:%u", name, (unsigned)port);
  config = config_for(url);
  config.flags = AV_CLIENT_ALLOW_PLAIN_HTTP;
  config.max_attempts = 1;
  config.proxy_url = "";
  if (into) {
    memset(into, 0, sizeof *into);
    config.trace_fn = note;
    config.trace_userdata = into;
    config.trace_level = AV_TRACE_DEBUG;
  }
  return config;
}

static int traced(const trace *it, const char *text) { return strstr(it->text, text) != NULL; }


/* ----------------------------------------------------------------- the first one is dead */

static void first_swallows(void) {
  server *s = server_start(answer_once, NULL);
  uint16_t port = server_port(s);
  int hole = black_hole_at("::1", &port), i;
  double took[TRIES], again[TRIES];
  trace seen;
  av_client_config config = config_of("dual.test", port, &seen);
  for (i = 0; i < TRIES; i++) {
    av_client *client;
    outcome told;
    memset(&seen, 0, sizeof seen);
    client = client_of(&config);
    told = try_create(client, NULL);
    took[i] = told.own_ms;
    if (!CHECK(told.status == AV_STATUS_OK && told.ms >= 249)) print_outcome("IPv6 swallowed", &told);
    CHECK(traced(&seen, "[::1]") && traced(&seen, "given up") && traced(&seen, "connected to 127.0.0.1"));
    /* What won is tried first from now on: the other is not tried at all. */
    memset(&seen, 0, sizeof seen);
    told = try_get(client, NULL);
    again[i] = told.own_ms;
    CHECK(told.status == AV_STATUS_OK);
    CHECK(!traced(&seen, "[::1]") && traced(&seen, "connected to 127.0.0.1"));
    av_client_free(client);
  }
  CHECK_WITHIN("  IPv6 swallowed, IPv4 good", took, TRIES, 350);
  CHECK_WITHIN("  the next connection", again, TRIES, 100);
  CHECK(server_connections(s) == 2 * TRIES);
  close(hole);
  server_stop(s);
}

static void first_refuses(void) {
  server *s = server_start(answer_once, NULL);
  int i;
  double took[TRIES];
  trace seen;
  av_client_config config = config_of("dual.test", server_port(s), &seen);
  for (i = 0; i < TRIES; i++) {
    av_client *client = client_of(&config);
    outcome told = try_create(client, NULL);
    took[i] = told.own_ms;
    CHECK(told.status == AV_STATUS_OK && traced(&seen, "no connection to [::1]"));
    av_client_free(client);
  }
  CHECK_WITHIN("  IPv6 refused, IPv4 good", took, TRIES, 100);
  server_stop(s);
}

/* The one that is remembered fails: it is forgotten, and the others have their turn again. */
static void the_remembered_one_fails(void) {
  server *s = server_start(answer_once, NULL), *other;
  uint16_t port = server_port(s);
  int hole = black_hole_at("::1", &port), i;
  trace seen;
  av_client_config config = config_of("three.test", port, &seen);
  av_client *client = client_of(&config);
  CHECK(try_create(client, NULL).status == AV_STATUS_OK && traced(&seen, "connected to 127.0.0.1:"));
  server_stop(s);
  other = server_start_at("127.0.0.2", port, answer_once, NULL);
  for (i = 0; i < 2; i++) {
    memset(&seen, 0, sizeof seen);
    CHECK(try_create(client, NULL).status == AV_STATUS_OK && traced(&seen, "connected to 127.0.0.2:"));
    CHECK(traced(&seen, "no connection to 127.0.0.1:") == (i == 0));
  }
  /* And if none answers, nothing is remembered. */
  server_stop(other);
  CHECK(close(hole) == 0);
  CHECK(try_create(client, NULL).status == AV_STATUS_CONNECT);
  other = server_start_at("::1", port, answer_once, NULL);
  memset(&seen, 0, sizeof seen);
  CHECK(try_create(client, NULL).status == AV_STATUS_OK && traced(&seen, "connected to [::1]:"));
  CHECK(!traced(&seen, "no connection"));
  av_client_free(client);
  server_stop(other);
}

/* With the time for an attempt that suffices for the service, but not for a dead address besides. */
static void a_slow_service_is_reached(void) {
  int answered = 0;
  server *s = server_start(answer_late, &answered);
  uint16_t port = server_port(s);
  int hole = black_hole_at("::1", &port);
  av_client_config config = config_of("dual.test", port, NULL);
  av_client *client;
  outcome told;
  config.max_attempts = 3;
  config.attempt_timeout_ms = 6000 + SLACK_MS;
  config.timeout_ms = 18000 + SLACK_MS;
  client = client_of(&config);
  told = try_get(client, NULL);
  print_outcome("IPv6 swallowed, and 4 s to answer of 6 s", &told);
  CHECK(told.status == AV_STATUS_OK && server_requests(s) == 1 && answered == 1);
  av_client_free(client);
  close(hole);
  server_stop(s);
}

static void towards_a_proxy(void) {
  server *s = server_start(answer_as_proxy, NULL);
  uint16_t port = server_port(s);
  int hole = black_hole_at("::1", &port), i;
  double took[TRIES];
  char proxy[100];
  trace seen;
  av_client_config config = config_of("service.test", 80, &seen);
  snprintf(proxy, sizeof proxy, "http://dual.test:%u", (unsigned)port);
  config.proxy_url = proxy;
  for (i = 0; i < TRIES; i++) {
    av_client *client;
    outcome told;
    client = client_of(&config);
    told = try_create(client, NULL);
    took[i] = told.own_ms;
    if (!CHECK(told.status == AV_STATUS_OK && told.ms >= 249)) print_outcome("a proxy", &told);
    memset(&seen, 0, sizeof seen);
    CHECK(try_create(client, NULL).status == AV_STATUS_OK && !traced(&seen, "[::1]"));
    av_client_free(client);
  }
  CHECK_WITHIN("  a proxy whose first address swallows", took, TRIES, 350);
  close(hole);
  server_stop(s);
}

/* -------------------------------------------------------------------- the later ones are */

/* Lets those in who knock at what swallowed them, once the other address has refused. */
typedef struct slow {
  int listener;
  trace seen;
} slow;

static void *answer_in_the_end(void *argument) {
  slow *it = (slow *)argument;
  struct pollfd open[16] = {{it->listener, POLLIN, 0}};
  nfds_t count = 1, i;
  int is_answered = 0;
  char text[4096];
  wait_until(&it->seen.refused, 1, "an address that refuses");
  while (!is_answered && count < 16 && poll(open, count, 20000) > 0) {
    /* Those that had filled the queue send nothing. */
    for (i = 1; i < count && !is_answered; i++)
      if (open[i].revents)
        is_answered = recv(open[i].fd, text, sizeof text, 0) > 0 &&
                      server_answer(open[i].fd, "200 OK", "Connection: close\r\n", "{\"token\":\"slow\"}");
    if (open[0].revents) {
      open[count].fd = accept4(it->listener, NULL, NULL, SOCK_CLOEXEC);
      open[count++].events = POLLIN;
    }
  }
  for (i = 1; i < count; i++) close(open[i].fd);
  return NULL;
}

static void the_slow_one_wins_if_the_others_fail(void) {
  uint16_t port = 0;
  slow it;
  av_client_config config;
  av_client *client;
  outcome told;
  pthread_t thread;
  it.listener = black_hole_at("::1", &port);
  config = config_of("dual.test", port, &it.seen);
  client = client_of(&config);
  pthread_create(&thread, NULL, answer_in_the_end, &it);
  told = try_create(client, NULL);
  pthread_join(thread, NULL);
  print_outcome("IPv6 slow, IPv4 refused", &told);
  CHECK(told.status == AV_STATUS_OK && strcmp(told.token, "slow") == 0);
  CHECK(traced(&it.seen, "no connection to 127.0.0.1") && traced(&it.seen, "connected to [::1]"));
  av_client_free(client);
  close(it.listener);
}

/* ---------------------------------------------------------------------------- all are dead */

enum { BOTH_MS = 1200, BOTH_TRIES = 3 }; /* in which the name is looked up */

static void both_swallow(void) {
  uint16_t port = 0;
  int holes[2], i, by_connect_timeout;
  size_t sockets;
  holes[0] = black_hole_at("::1", &port);
  holes[1] = black_hole_at("127.0.0.1", &port);
  for (by_connect_timeout = 0; by_connect_timeout < 2; by_connect_timeout++) {
    double took[BOTH_TRIES];
    for (i = 0; i < BOTH_TRIES; i++) {
      av_client_config config = config_of("dual.test", port, NULL);
      av_client *client;
      outcome told;
      if (by_connect_timeout) config.connect_timeout_ms = BOTH_MS;
      else config.timeout_ms = BOTH_MS;
      client = client_of(&config);
      sockets = open_sockets();
      told = try_create(client, NULL);
      took[i] = told.own_ms;
      CHECK(is_failure(&told, AV_STATUS_TIMEOUT, 1, 1) && says(&told, "connecting") && told.ms >= BOTH_MS - 1);
      CHECK(open_sockets() == sockets);
      av_client_free(client);
    }
    CHECK_WITHIN(by_connect_timeout ? "  both swallow, connect_timeout_ms" : "  both swallow, timeout_ms", took, BOTH_TRIES, BOTH_MS + 50);
  }
  close(holes[0]);
  close(holes[1]);
}

static void all_refuse(void) {
  uint16_t port = refusing_port();
  av_client_config config = config_of("dual.test", port, NULL);
  av_client *client = client_of(&config);
  char v6[40], v4[40];
  outcome told = try_create(client, NULL);
  snprintf(v6, sizeof v6, "[::1]:%u: Connection refused", (unsigned)port);
  snprintf(v4, sizeof v4, "127.0.0.1:%u: Connection refused", (unsigned)port);
  print_outcome("both refuse", &told);
  CHECK(is_failure(&told, AV_STATUS_CONNECT, 1, 1) && says(&told, "dual.test") && says(&told, v6) && says(&told, v4));
  av_client_free(client);

  config = config_of("many.test", port, NULL);
  client = client_of(&config);
  told = try_create(client, NULL);
  print_outcome("forty refuse", &told);
  CHECK(is_failure(&told, AV_STATUS_CONNECT, 1, 1) && says(&told, "127.0.1.1:") && says(&told, "; and 24 more"));
  av_client_free(client);
}

/* ------------------------------------------------------------------------------ in the middle */

typedef struct call {
  const av_client *client;
  av_cancel *cancel;
  outcome told;
  pid_t thread;
  moment returned;
  int is_back;
} call;

static void *make_call(void *argument) {
  call *it = (call *)argument;
  av_request_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = it->cancel;
  __atomic_store_n(&it->thread, thread_id(), __ATOMIC_SEQ_CST);
  it->told = try_create(it->client, &options);
  it->returned = moment_here();
  __atomic_store_n(&it->is_back, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void wait_for_sockets(size_t count) {
  double begun = now_ms();
  while (open_sockets() < count) {
    struct timespec moment = {0, 1000000};
    if (now_ms() - begun > 60000) {
      CHECK(!"as many sockets as that");
      return;
    }
    nanosleep(&moment, NULL);
  }
}

static void cancelled_in_the_middle(void) {
  uint16_t port = 0;
  int holes[2], i;
  double took[TRIES];
  av_client_config config;
  holes[0] = black_hole_at("::1", &port);
  holes[1] = black_hole_at("127.0.0.1", &port);
  config = config_of("dual.test", port, NULL);
  for (i = 0; i < TRIES; i++) {
    call it;
    pthread_t thread;
    moment triggered;
    size_t sockets = open_sockets();
    memset(&it, 0, sizeof it);
    it.client = client_of(&config);
    it.cancel = av_cancel_new();
    pthread_create(&thread, NULL, make_call, &it);
    wait_for_sockets(sockets + 2);
    wait_until_asleep(it.thread);
    triggered = moment_of(it.thread);
    av_cancel_trigger(it.cancel);
    pthread_join(thread, NULL);
    took[i] = between(triggered, it.returned);
    CHECK(it.told.status == AV_STATUS_CANCELLED && it.told.outcome == AV_OUTCOME_NOT_APPLIED);
    CHECK(open_sockets() == sockets);
    av_cancel_free(it.cancel);
    av_client_free((av_client *)it.client);
  }
  CHECK_WITHIN("  cancelled with two under way", took, TRIES, 20);
  close(holes[0]);
  close(holes[1]);
}

/* ---------------------------------------------------------------------------------- bounds */

static void so_many_at_once(void) {
  uint16_t port = 0;
  int hole = black_hole_at("0.0.0.0", &port);
  size_t sockets = open_sockets(), most = 0;
  av_client_config config = config_of("many.test", port, NULL);
  call it;
  pthread_t thread;
  config.timeout_ms = 2500 + SLACK_MS;
  memset(&it, 0, sizeof it);
  it.client = client_of(&config);
  pthread_create(&thread, NULL, make_call, &it);
  wait_for_sockets(sockets + 8);
  while (!__atomic_load_n(&it.is_back, __ATOMIC_SEQ_CST)) {
    size_t now = open_sockets();
    struct timespec moment = {0, 1000000};
    if (now > most) most = now;
    nanosleep(&moment, NULL);
  }
  pthread_join(thread, NULL);
  printf("  forty that swallow: %zu at once\n", most - sockets);
  CHECK(most - sockets == 8 && open_sockets() == sockets);
  CHECK(is_failure(&it.told, AV_STATUS_TIMEOUT, 1, 1));
  av_client_free((av_client *)it.client);
  close(hole);
}

#ifdef RLIMIT_NOFILE
/* Connections to it are made by the system, and nobody ever takes them. */
static int listener_that_nobody_serves(uint16_t port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 8) != 0) {
    perror("a listener");
    exit(2);
  }
  return listener;
}

/* With a single descriptor to be had, one is tried after the other. */
static void as_many_as_there_are_descriptors_for(void) {
  server *s = server_start(serve_silence, NULL);
  uint16_t port = server_port(s);
  trace seen;
  av_client_config config = config_of("dual.test", port, &seen);
  av_client *client;
  struct rlimit usual, limit;
  outcome told;
  int hole, listener, lowest;
  config.connect_timeout_ms = 800 + SLACK_MS;
  config.timeout_ms = 1200 + 2 * SLACK_MS;
  client = client_of(&config);
  /* Looking up takes a descriptor too: that is done before, while all refuse. */
  server_stop(s);
  CHECK(try_create(client, NULL).status == AV_STATUS_CONNECT);
  hole = black_hole_at("::1", &port);
  /* No thread: one that waits in accept(2) holds a descriptor back for what it will return. */
  listener = listener_that_nobody_serves(port);
  memset(&seen, 0, sizeof seen);
  lowest = dup(0);
  CHECK(lowest >= 0 && close(lowest) == 0);
  getrlimit(RLIMIT_NOFILE, &usual);
  limit = usual;
  limit.rlim_cur = (rlim_t)lowest + 1;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  told = try_create(client, NULL);
  CHECK(setrlimit(RLIMIT_NOFILE, &usual) == 0);
  print_outcome("one descriptor to be had", &told);
  printf("  %s\n", seen.text);
  CHECK(told.status == AV_STATUS_TIMEOUT);
  CHECK(traced(&seen, "no connection to [::1]") && traced(&seen, "connected to 127.0.0.1"));
  av_client_free(client);
  close(listener);
  close(hole);
}
#endif

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  first_swallows();
  first_refuses();
  the_remembered_one_fails();
  a_slow_service_is_reached();
  towards_a_proxy();
  the_slow_one_wins_if_the_others_fail();
  both_swallow();
  all_refuse();
  cancelled_in_the_middle();
  so_many_at_once();
#ifdef RLIMIT_NOFILE
  as_many_as_there_are_descriptors_for();
#endif
  return checks_report();
}
