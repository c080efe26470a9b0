/* TLS: certificates good and bad, handshakes that break off, resumption, kept connections, and ends
 * without a word. Run by tls.sh, which makes the certificates and starts the servers. */
#include "support/check.h"
#include "support/moment.h"
#include "support/outcome.h"
#include "support/server.h"
#include "support/talk.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *files;

static const char *file(const char *name) {
  static char paths[8][300];
  static int next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", files, name);
  return path;
}

static const char *url_of(const char *host, int port) {
  static char urls[8][100];
  static int next;
  char *url = urls[next++ % 8];
  snprintf(url, sizeof urls[0], "https://%s:%d", host, port);
  return url;
}

/* --- certificates --- */

static void good_certificates(void) {
  static const struct {
    const char *what, *host;
    int port;
  } rows[] = {
      {"by IPv4 address", "127.0.0.1", 4431},
      {"by IPv6 address", "[::1]", 4431},
      {"by name", "localhost", 4431},
      {"by a name of a domain", "service.test", 4431},
      {"by a wildcard", "a.wild.test", 4431},
      {"by a name in capitals", "SERVICE.test", 4431},
      {"with an authority between", "localhost", 4437},
      {"TLS 1.2 alone", "localhost", 4439},
      {"TLS 1.3 alone", "localhost", 4440},
      {"RSA", "localhost", 4449},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    av_client_config config = remembered_config(url_of(rows[i].host, rows[i].port));
    outcome told;
    config.ca_file = file("ours.pem");
    told = try_once(&config);
    CHECK_ROW(rows[i].what, told.status == AV_STATUS_OK && strcmp(told.token, "here") == 0);
    if (told.status != AV_STATUS_OK) print_outcome(rows[i].what, &told);
    /* SSL_CERT_FILE says the same. */
    config.ca_file = NULL;
    told = try_once(&config);
    CHECK_ROW(rows[i].what, told.status == AV_STATUS_OK && strcmp(told.token, "here") == 0);
  }
  printf("  %zu kinds of good certificate are taken, with ca_file and from the system\n", i);
}

static void bad_certificates(void) {
  static const struct {
    const char *what, *host;
    int port;
    const char *ca_file, *why;
  } rows[] = {
      {"unknown issuer", "localhost", 4436, "ours.pem", "issuer"},
      {"unknown issuer, by the system's bundle", "localhost", 4436, NULL, "issuer"},
      {"ca_file replaces the system's", "localhost", 4431, "other.pem", "issuer"},
      {"self-signed", "localhost", 4435, "ours.pem", "issuer"},
      {"self-signed, an authority", "localhost", 4446, "ours.pem", "authority"},
      {"self-signed, an authority, in ca_file", "localhost", 4446, "both.pem", "authority"},
      {"the authority between not sent", "localhost", 4438, "ours.pem", "issuer"},
      {"expired", "localhost", 4432, "ours.pem", "expired on 20"},
      {"authority between expired", "localhost", 4448, "ours.pem", "expired"},
      {"not valid yet", "localhost", 4433, "ours.pem", "from 2099-01-01"},
      {"wrong host", "localhost", 4434, "ours.pem", "not made out for localhost, but for DNS:elsewhere.test"},
      {"wrong host, by address", "127.0.0.1", 4434, "ours.pem", "not made out for 127.0.0.1"},
      {"no host at all", "localhost", 4447, "ours.pem", "not made out for localhost"},
      {"two levels below a wildcard", "a.b.wild.test", 4431, "ours.pem", "not made out for a.b.wild.test"},
      {"the domain of a wildcard", "wild.test", 4431, "ours.pem", "not made out for wild.test"},
      {"for clients alone", "localhost", 4454, "ours.pem", "not meant for servers"},
      {"TLS 1.1 alone", "localhost", 4441, "ours.pem", "neither TLS 1.2 nor TLS 1.3"},
      {"plain http", "localhost", 4450, "ours.pem", "is not TLS"},
      {"asks for a certificate, TLS 1.2", "localhost", 4462, "ours.pem", "wants a certificate of its clients"},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    av_client_config config = remembered_config(url_of(rows[i].host, rows[i].port));
    av_client *client;
    outcome got, created;
    if (rows[i].ca_file) config.ca_file = file(rows[i].ca_file);
    client = client_of(&config);
    got = try_get(client, NULL);
    created = try_create(client, NULL);
    print_outcome(rows[i].what, &got);
    CHECK_ROW(rows[i].what, is_failure(&got, AV_STATUS_TLS, 0, 1));
    CHECK_ROW(rows[i].what, is_failure(&created, AV_STATUS_TLS, 0, 1));
    CHECK_ROW(rows[i].what, says(&got, rows[i].why) && says(&created, rows[i].why));
    CHECK_ROW(rows[i].what, says(&got, rows[i].host));
    CHECK_ROW(rows[i].what, is_in_words(&got) && is_in_words(&created));
    av_client_free(client);
  }
  {
    /* Signed by itself alone, and named so: taken. */
    av_client_config config = remembered_config(url_of("localhost", 4435));
    outcome told;
    config.ca_file = file("alone.pem");
    told = try_once(&config);
    print_outcome("self-signed, in ca_file", &told);
    CHECK(told.status == AV_STATUS_OK);
  }
  {
    /* In TLS 1.3 the server says so only when the request is on its way. */
    av_client_config config = remembered_config(url_of("localhost", 4463));
    av_client *client = client_of(&config);
    outcome got = try_get(client, NULL), created = try_create(client, NULL);
    print_outcome("asks for a certificate, TLS 1.3", &got);
    CHECK(is_failure(&got, AV_STATUS_TLS, 0, 1) && says(&got, "certificate"));
    CHECK(created.status == AV_STATUS_TLS && created.attempts == 1 && !created.is_retryable);
    CHECK(says(&created, "certificate"));
    printf("  the same of a create: %s\n", av_outcome_name(created.outcome));
    /* Its request left with the last of the handshake, but the server has not looked at it. */
    CHECK(created.status == AV_STATUS_TLS && created.outcome == AV_OUTCOME_NOT_APPLIED);
    av_client_free(client);
  }
  {
    /* nginx asks for a certificate in HTTP, after a handshake without one. */
    av_client_config config = remembered_config(url_of("localhost", 4442));
    outcome told;
    config.ca_file = file("ours.pem");
    told = try_once(&config);
    print_outcome("asks for a certificate, nginx", &told);
    CHECK(is_failure(&told, AV_STATUS_REJECTED, 0, 1) && says(&told, "400"));
  }
}

/* --- handshakes that break off --- */

static void close_at_once(server *s, int connection, void *data) {
  (void)s, (void)connection, (void)data;
}

static void close_after_hello(server *s, int connection, void *data) {
  char hello[4096];
  (void)s, (void)data;
  if (recv(connection, hello, sizeof hello, 0) <= 0) return;
}

static void reset_after_hello(server *s, int connection, void *data) {
  struct linger now = {1, 0};
  close_after_hello(s, connection, data);
  setsockopt(connection, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void say_after_hello(int connection, const void *bytes, size_t length) {
  char hello[4096];
  if (recv(connection, hello, sizeof hello, 0) <= 0) return;
  if (send(connection, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) return;
  shutdown(connection, SHUT_WR);
  server_swallow(connection);
}

static void half_a_record(server *s, int connection, void *data) {
  (void)s, (void)data;
  say_after_hello(connection, "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", 11);
}

static void refusing_alert(server *s, int connection, void *data) {
  (void)s, (void)data;
  say_after_hello(connection, "\x15\x03\x03\x00\x02\x02\x28", 7);
}

static void another_protocol(server *s, int connection, void *data) {
  (void)s, (void)data;
  say_after_hello(connection, "SSH-2.0-OpenSSH_9.2p1\r\n", 23);
}

static void broken_handshakes(void) {
  static const struct {
    const char *what;
    serve_fn serve;
    av_status status;
  } rows[] = {
      {"closed at once", close_at_once, AV_STATUS_CONNECT},
      {"closed after the hello", close_after_hello, AV_STATUS_CONNECT},
      {"reset after the hello", reset_after_hello, AV_STATUS_CONNECT},
      {"closed within a record", half_a_record, AV_STATUS_CONNECT},
      {"a fatal alert", refusing_alert, AV_STATUS_TLS},
      {"another protocol", another_protocol, AV_STATUS_TLS},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    int may_help = rows[i].status == AV_STATUS_CONNECT;
    server *s = server_start(rows[i].serve, NULL);
    char url[64];
    av_client_config config = remembered_config(url);
    av_client *client;
    outcome got, created;
    server_url_as(s, "https", url, sizeof url);
    client = client_of(&config);
    got = try_get(client, NULL);
    created = try_create(client, NULL);
    print_outcome(rows[i].what, &got);
    CHECK_ROW(rows[i].what, is_failure(&got, rows[i].status, may_help, may_help ? 3 : 1));
    CHECK_ROW(rows[i].what, is_failure(&created, rows[i].status, may_help, may_help ? 3 : 1));
    CHECK_ROW(rows[i].what, says(&got, "TLS handshake"));
    CHECK_ROW(rows[i].what, server_connections(s) == (may_help ? 6 : 2));
    av_client_free(client);
    server_stop(s);
  }
}

/* --- connections, as nginx saw them --- */

typedef struct logged {
  unsigned long connection;
  int is_resumed;
  char protocol[16];
} logged;

/* What nginx's log tells of a port, once there are `expected` requests. */
static size_t log_of(int port, logged *into, size_t most, size_t expected) {
  double begun = now_ms();
  size_t count = 0;
  while (count < expected && now_ms() - begun < 60000) {
    FILE *log = fopen(file("access.log"), "r");
    char line[200], reused[8];
    count = 0;
    while (log && count < most && fgets(line, sizeof line, log)) {
      int logged_port;
      logged *next = &into[count];
      if (strchr(line, '\n') && sscanf(line, "%d %lu %15s %7s", &logged_port, &next->connection,
                                       next->protocol, reused) == 4 && logged_port == port) {
        next->is_resumed = strcmp(reused, "r") == 0;
        count++;
      }
    }
    if (log) fclose(log);
    if (count < expected) usleep(5000);
  }
  return count;
}

static void resumption(void) {
  static const struct {
    const char *what;
    int port;
  } rows[] = {
      {"TLS 1.3", 4443}, {"TLS 1.2, tickets", 4444}, {"TLS 1.2, session ids", 4445}};
  size_t i, k;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    av_client *client = client_for(url_of("localhost", rows[i].port));
    logged log[8];
    size_t resumed = 0, connections = 1, count;
    double ms[6];
    for (k = 0; k < 6; k++) {
      outcome told = k % 2 ? try_create(client, NULL) : try_get(client, NULL);
      ms[k] = told.ms;
      CHECK_ROW(rows[i].what, told.status == AV_STATUS_OK && strcmp(told.token, "here") == 0);
    }
    av_client_free(client);
    count = log_of(rows[i].port, log, 8, 6);
    for (k = 1; k < count; k++) {
      resumed += (size_t)log[k].is_resumed;
      connections += log[k].connection != log[k - 1].connection;
    }
    CHECK_ROW(rows[i].what, count == 6 && connections == 6);
    CHECK_ROW(rows[i].what, !log[0].is_resumed && resumed == 5);
    printf("  %s (%s): %zu connections, %zu of the later 5 resumed; %.2f ms with a whole handshake, "
           "%.2f ms resumed\n",
           rows[i].what, log[0].protocol, connections, resumed, ms[0], median(ms + 1, 5));
  }
}

static void kept_connections(void) {
  static const int ports[] = {4452, 4453};
  size_t i, k;
  for (i = 0; i < 2; i++) {
    logged log[60];
    av_client *client = client_for(url_of("localhost", ports[i]));
    double ms[50];
    size_t connections = 1;
    for (k = 0; k < 50; k++) {
      outcome told;
      /* What the server sends unasked has time to come. */
      if (k == 1 || k == 2) usleep(100000);
      told = try_get(client, NULL);
      ms[k] = told.ms;
      CHECK(told.status == AV_STATUS_OK);
    }
    av_client_free(client);
    CHECK(log_of(ports[i], log, 60, 50) == 50);
    for (k = 1; k < 50; k++) connections += log[k].connection != log[k - 1].connection;
    CHECK(connections == 1);
    printf("  50 calls by %s: %zu connection, %.2f ms a call once it stands\n",
           log[0].protocol, connections, median(ms + 1, 49));
  }
}

/* --- a server that renews its keys while the connection is idle --- */

typedef struct talker {
  talk server;
  int is_ready;
} talker;

/* Answers each request that s_server prints. */
static void *answer_requests(void *argument) {
  static const char answer[] = "HTTP/1.1 200 OK\nContent-Length: 16\n\n{\"token\":\"here\"}";
  talker *t = (talker *)argument;
  char tail[5] = "";
  char byte;
  while (read(t->server.descriptor, &byte, 1) == 1) {
    memmove(tail, tail + 1, 3);
    tail[3] = byte;
    /* It prints ACCEPT once it listens. */
    if (strcmp(tail, "CEPT") == 0) __atomic_store_n(&t->is_ready, 1, __ATOMIC_SEQ_CST);
    if (strcmp(tail, "\r\n\r\n") != 0) continue;
    if (write(t->server.descriptor, answer, sizeof answer - 1) < 0) break;
  }
  return NULL;
}

/* How many of the client's connections to `port` stand: all, or those with something unread. */
static int standing(int port, int with_unread) {
  FILE *table = fopen("/proc/net/tcp", "r");
  char line[300];
  int count = 0;
  while (table && fgets(line, sizeof line, table)) {
    unsigned remote, state, sending, receiving;
    count += sscanf(line, " %*d: %*8x:%*4x %*8x:%4x %2x %8x:%8x", &remote, &state, &sending, &receiving) == 4 &&
             remote == (unsigned)port && state == 1 && (receiving > 0 || !with_unread);
  }
  if (table) fclose(table);
  return count;
}

/* Waits until a client's connection to `port` has something unread. */
static int has_unread(int port) {
  double begun = now_ms();
  while (standing(port, 1) == 0 && now_ms() - begun < 60000) usleep(5000);
  return standing(port, 1) > 0;
}

/* Waits until no client's connection to `port` has anything unread. */
static int has_read(int port) {
  double begun = now_ms();
  while (standing(port, 1) > 0 && now_ms() - begun < 60000) usleep(1000);
  return standing(port, 1) == 0;
}

/* Waits until no connection to `port` stands. */
static int has_gone(int port) {
  double begun = now_ms();
  while (standing(port, 0) > 0 && now_ms() - begun < 60000) usleep(5000);
  return standing(port, 0) == 0;
}

typedef struct connections_told {
  int fresh, reused;
} connections_told;

static void count_connections(void *userdata, int32_t level, const char *line) {
  connections_told *count = (connections_told *)userdata;
  (void)level;
  count->fresh += strstr(line, "new connection") != NULL;
  count->reused += strstr(line, "reused connection") != NULL;
}

static void renewed_keys(void) {
  char command[900];
  int i;
  pthread_t thread;
  talker t;
  connections_told count = {0, 0};
  av_client *client;
  av_client_config config = config_for(url_of("localhost", 4470));
  config.trace_fn = count_connections;
  config.trace_userdata = &count;
  config.trace_level = AV_TRACE_INFO;
  snprintf(command, sizeof command, "exec openssl s_server -accept 4470 -tls1_3 -crlf -cert '%s' -key '%s' 2>/dev/null",
           file("good.pem"), file("good.key"));
  t.server = talk_start(command);
  t.is_ready = 0;
  pthread_create(&thread, NULL, answer_requests, &t);
  wait_until(&t.is_ready, 1, "s_server accepts");
  client = client_of(&config);
  for (i = 0; i < 5; i++) {
    outcome told = try_get(client, NULL);
    if (told.status != AV_STATUS_OK) print_outcome("a server that renews its keys", &told);
    CHECK(told.status == AV_STATUS_OK && strcmp(told.token, "here") == 0);
    /* Renews its own key, and with K asks for the same. */
    if (i < 4) CHECK(write(t.server.descriptor, i % 2 ? "k\n" : "K\n", 2) == 2 && has_unread(4470));
  }
  av_client_free(client);
  talk_end(&t.server);
  pthread_join(thread, NULL);
  close(t.server.descriptor);
  CHECK(count.fresh == 1 && count.reused == 4);
  printf("  keys renewed before each of 4 calls: %d connection made, %d times reused\n", count.fresh,
         count.reused);
}

/* --- a way to the server that cuts and spoils --- */

typedef enum damage { NONE, NO_GOODBYE, CUT, SPOIL, HOLD, GO_AFTER_ANSWER, RESET_AFTER_ANSWER } damage;

/* Where the way leads to. */
static int relayed_to = 4451;
/* How many answers were held back. */
static int held;

static int receive_all(int from, unsigned char *into, size_t length) {
  return recv(from, into, length, MSG_WAITALL) == (ssize_t)length;
}

/* Passes on what the server sends, record by record. */
static void pass_records(int from, int to, damage what) {
  static const unsigned char ALERT = 21, DATA = 23;
  unsigned char record[5 + 17000];
  int data_records = 0;
  while (receive_all(from, record, 5)) {
    size_t length = (size_t)record[3] << 8 | record[4];
    if (length > 17000 || !receive_all(from, record + 5, length)) return;
    data_records += record[0] == DATA;
    if (what == NO_GOODBYE && record[0] == ALERT) return;
    if (what == CUT && data_records == 2) return;
    if (what == SPOIL && data_records == 2) record[100] ^= 1;
    if (what == HOLD && data_records == 1) {
      struct pollfd gone = {to, POLLRDHUP, 0};
      __atomic_add_fetch(&held, 1, __ATOMIC_SEQ_CST);
      while (poll(&gone, 1, -1) < 0) continue;
      return;
    }
    if (send(to, record, 5 + length, MSG_NOSIGNAL) < 0) return;
    if (what >= GO_AFTER_ANSWER && data_records == 1) return;
  }
}

static void *pass_requests(void *argument) {
  const int *sockets = (const int *)argument;
  char buffer[4096];
  ssize_t count;
  while ((count = recv(sockets[0], buffer, sizeof buffer, 0)) > 0)
    if (send(sockets[1], buffer, (size_t)count, MSG_NOSIGNAL) < 0) break;
  shutdown(sockets[1], SHUT_WR);
  return NULL;
}

static int port_in(const char *url) { return atoi(strrchr(url, ':') + 1); }

static void relay(server *s, int connection, void *data) {
  struct sockaddr_in name;
  int sockets[2];
  pthread_t thread;
  memset(&name, 0, sizeof name);
  name.sin_family = AF_INET;
  name.sin_port = htons((uint16_t)relayed_to);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockets[0] = connection;
  sockets[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(sockets[1], (struct sockaddr *)&name, sizeof name) != 0) exit(2);
  pthread_create(&thread, NULL, pass_requests, sockets);
  pass_records(sockets[1], connection, *(const damage *)data);
  if (*(const damage *)data == RESET_AFTER_ANSWER) {
    struct linger now = {1, 0};
    /* A reset takes what is not read yet with it. */
    if (!has_read(port_in(server_url(s)))) exit(2);
    setsockopt(connection, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    shutdown(connection, SHUT_RD);
  } else {
    shutdown(connection, SHUT_RDWR);
  }
  pthread_join(thread, NULL);
  close(sockets[1]);
}

/* The body has no told length, it ends with the connection. */
static void bodies_that_end_with_the_connection(void) {
  static const struct {
    const char *what;
    damage damage;
    av_status status;
  } rows[] = {
      {"with a goodbye", NONE, AV_STATUS_OK},
      {"without a goodbye", NO_GOODBYE, AV_STATUS_OK},
      {"cut off within the body", CUT, AV_STATUS_DECODE},
      {"spoilt within the body", SPOIL, AV_STATUS_TRANSPORT},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    damage what = rows[i].damage;
    server *s = server_start(relay, &what);
    char url[64];
    av_client_config config = remembered_config(url);
    av_request_options once;
    av_client *client;
    outcome told;
    memset(&once, 0, sizeof once);
    once.struct_size = sizeof once;
    once.max_attempts = 1;
    server_url_as(s, "https", url, sizeof url);
    client = client_of(&config);
    told = try_get(client, &once);
    print_outcome(rows[i].what, &told);
    CHECK_ROW(rows[i].what, told.status == rows[i].status);
    CHECK_ROW(rows[i].what, strcmp(told.token, told.status == AV_STATUS_OK ? "long" : "") == 0);
    av_client_free(client);
    server_stop(s);
  }
}

/* A kept connection that has gone without a word is seen to have, before a create is sent on it. */
static void gone_while_idle(void) {
  static const struct {
    const char *what;
    damage damage;
  } rows[] = {{"closed without a goodbye", GO_AFTER_ANSWER}, {"reset", RESET_AFTER_ANSWER}};
  size_t i, k;
  relayed_to = 4439;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    damage what = rows[i].damage;
    server *s = server_start(relay, &what);
    char url[64];
    av_client_config config = remembered_config(url);
    av_client *client;
    server_url_as(s, "https", url, sizeof url);
    client = client_of(&config);
    for (k = 0; k < 3; k++) {
      outcome told = try_create(client, NULL);
      CHECK_ROW(rows[i].what, told.status == AV_STATUS_OK && strcmp(told.token, "here") == 0);
      CHECK_ROW(rows[i].what, has_gone(port_in(url)));
    }
    CHECK_ROW(rows[i].what, server_connections(s) == 3);
    av_client_free(client);
    server_stop(s);
  }
  relayed_to = 4451;
  printf("  3 creates on connections that were %s, or %s, once they were idle\n", rows[0].what, rows[1].what);
}

typedef struct canceller {
  av_cancel *cancel;
  pid_t caller;
  int already_held;
  moment triggered;
} canceller;

static void *cancel_once_held(void *argument) {
  canceller *it = (canceller *)argument;
  wait_until(&held, it->already_held + 1, "an answer that is held back");
  wait_until_asleep(it->caller);
  it->triggered = moment_of(it->caller);
  av_cancel_trigger(it->cancel);
  return NULL;
}

#define TIMEOUT_MS (1200 + SLACK_MS) /* in which the handshake is to be over */
enum { TRIES = 3 };

/* The handshake went well, the request was taken, and then nothing: time and cancel hold as ever. */
static void silence_after_the_handshake(void) {
  damage what = HOLD;
  server *s = server_start(relay, &what);
  char url[64];
  av_client_config config = remembered_config(url);
  av_request_options options;
  av_client *client;
  outcome told;
  canceller other;
  pthread_t thread;
  double took[TRIES];
  size_t i;
  server_url_as(s, "https", url, sizeof url);
  client = client_of(&config);
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.timeout_ms = TIMEOUT_MS;
  for (i = 0; i < TRIES; i++) {
    told = try_create(client, &options);
    CHECK(told.status == AV_STATUS_TIMEOUT && told.outcome == AV_OUTCOME_UNKNOWN);
    CHECK(told.ms >= TIMEOUT_MS - 1);
    took[i] = told.own_ms;
  }
  print_outcome("silence after the handshake", &told);
  CHECK_WITHIN("  silence", took, TRIES, TIMEOUT_MS + 50);

  options.timeout_ms = 20000;
  other.caller = thread_id();
  for (i = 0; i < TRIES; i++) {
    moment back;
    options.cancel = other.cancel = av_cancel_new();
    other.already_held = __atomic_load_n(&held, __ATOMIC_SEQ_CST);
    if (pthread_create(&thread, NULL, cancel_once_held, &other) != 0) exit(2);
    told = try_create(client, &options);
    back = moment_here();
    pthread_join(thread, NULL);
    took[i] = between(other.triggered, back);
    CHECK(told.status == AV_STATUS_CANCELLED && told.outcome == AV_OUTCOME_UNKNOWN);
    av_cancel_free(other.cancel);
  }
  print_outcome("cancelled in it", &told);
  CHECK_WITHIN("  cancelled in it", took, TRIES, 20);
  av_client_free(client);
  server_stop(s);
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  files = arguments[1];
  setvbuf(stdout, NULL, _IOLBF, 0);
  good_certificates();
  bad_certificates();
  broken_handshakes();
  resumption();
  kept_connections();
  renewed_keys();
  bodies_that_end_with_the_connection();
  silence_after_the_handshake();
  gone_while_idle();
  CHECK(!was_told("test-key") && was_told("upload-tokens"));
  printf("  the key is in none of %zu bytes of trace and messages\n", told_bytes());
  return checks_report();
}
