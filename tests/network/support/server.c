#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection and the thread that serves it. */
typedef struct served {
  server *s;
  int connection; /* -1 once it is closed */
  pthread_t thread;
  struct served *next;
} served;

struct server {
  int listener;
  uint16_t port;
  char url[64];
  serve_fn serve;
  void *data;
  pthread_t thread;
  pthread_mutex_t lock;
  served *all; /* whose threads have not been waited for */
  int stopping;
  size_t connections, requests;
};

static void fail(const char *what) {
  perror(what);
  exit(2);
}

static void *serve_one(void *argument) {
  served *it = (served *)argument;
  server *s = it->s;
  s->serve(s, it->connection, s->data);
  pthread_mutex_lock(&s->lock);
  close(it->connection);
  it->connection = -1;
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

/* Waits for the threads that have served theirs, or in the end for all: none outlives the server. */
static void join(server *s, int all) {
  served **at = &s->all, *it, *ended = NULL;
  pthread_mutex_lock(&s->lock);
  while ((it = *at)) {
    if (all || it->connection < 0) {
      *at = it->next;
      it->next = ended;
      ended = it;
    } else {
      at = &it->next;
    }
  }
  pthread_mutex_unlock(&s->lock);
  while ((it = ended)) {
    ended = it->next;
    pthread_join(it->thread, NULL);
    free(it);
  }
}

static void *accept_all(void *argument) {
  server *s = (server *)argument;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  for (;;) {
    int yes = 1, stopping;
    served *it;
    int connection = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      break; /* shut down by server_stop() */
    }
    join(s, 0);
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    it = (served *)malloc(sizeof *it);
    if (!it) fail("malloc");
    it->s = s;
    it->connection = connection;
    pthread_mutex_lock(&s->lock);
    stopping = s->stopping;
    if (!stopping) {
      __atomic_add_fetch(&s->connections, 1, __ATOMIC_SEQ_CST);
      if (pthread_create(&it->thread, &attributes, serve_one, it) != 0) fail("pthread_create");
      it->next = s->all;
      s->all = it;
    }
    pthread_mutex_unlock(&s->lock);
    if (stopping) {
      close(connection);
      free(it);
    }
  }
  pthread_attr_destroy(&attributes);
  return NULL;
}

/* An address of this machine, IPv4 or IPv6; ends the test program if it is none. */
static socklen_t address_of(const char *text, uint16_t port, struct sockaddr_storage *into) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)into;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)into;
  memset(into, 0, sizeof *into);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return sizeof *v4;
  }
  if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1) fail(text);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  return sizeof *v6;
}

/* A listener at an address; on a port of its own, which it tells, if `*port` is 0. */
static int listen_at(const char *text, int backlog, uint16_t *port) {
  struct sockaddr_storage address;
  socklen_t size = address_of(text, *port, &address);
  int yes = 1;
  int listener = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address.ss_family == AF_INET6) setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, backlog) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &size) != 0)
    fail("listen");
  *port = ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                             : ((struct sockaddr_in6 *)&address)->sin6_port);
  return listener;
}

server *server_start(serve_fn serve, void *data) { return server_start_at("127.0.0.1", 0, serve, data); }

server *server_start_at(const char *address, uint16_t port, serve_fn serve, void *data) {
  server *s = (server *)calloc(1, sizeof *s);
  int small = 4096;
  if (!s) fail("calloc");
  s->serve = serve;
  s->data = data;
  s->port = port;
  s->listener = listen_at(address, 1024, &s->port);
  /* So that a client that sends to one that does not read comes to a stop. */
  setsockopt(s->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  server_url_as(s, "http", s->url, sizeof s->url);
  pthread_mutex_init(&s->lock, NULL);
  if (pthread_create(&s->thread, NULL, accept_all, s) != 0) fail("pthread_create");
  return s;
}

const char *server_url(const server *s) { return s->url; }

uint16_t server_port(const server *s) { return s->port; }

void server_url_as(const server *s, const char *scheme, char *url, size_t size) {
  snprintf(url, size, "%s://127.0.0.1:%u", scheme, (unsigned)s->port);
}

size_t server_connections(const server *s) {
  return __atomic_load_n(&s->connections, __ATOMIC_SEQ_CST);
}

size_t server_requests(const server *s) { return __atomic_load_n(&s->requests, __ATOMIC_SEQ_CST); }

void server_stop(server *s) {
  served *it;
  pthread_mutex_lock(&s->lock);
  s->stopping = 1;
  for (it = s->all; it; it = it->next)
    if (it->connection >= 0) shutdown(it->connection, SHUT_RDWR);
  pthread_mutex_unlock(&s->lock);
  shutdown(s->listener, SHUT_RDWR);
  pthread_join(s->thread, NULL);
  join(s, 1);
  close(s->listener);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

/* Receives until the head is there; how long the whole request is, or 0 if the client has gone. */
static size_t receive_head(int connection, request *into) {
  const char *end = NULL, *told;
  size_t whole;
  into->length = 0;
  while (!end) {
    ssize_t got = recv(connection, into->text + into->length, sizeof into->text - 1 - into->length, 0);
    if (got <= 0) return 0;
    into->length += (size_t)got;
    into->text[into->length] = 0;
    end = strstr(into->text, "\r\n\r\n");
  }
  into->body = end + 4;
  told = strcasestr(into->text, "\r\ncontent-length:");
  whole = (size_t)(into->body - into->text);
  if (told && told < end) whole += strtoul(told + 17, NULL, 10);
  return whole;
}

/* A request that is received whole is told by its method and path. */
static int has_come(server *s, request *into) {
  into->method[0] = into->path[0] = 0;
  if (sscanf(into->text, "%15s %4199s", into->method, into->path) != 2) return 0;
  __atomic_add_fetch(&s->requests, 1, __ATOMIC_SEQ_CST);
  return 1;
}

int server_receive(server *s, int connection, request *into) {
  size_t whole = receive_head(connection, into);
  if (whole == 0) return 0;
  while (into->length < whole) {
    ssize_t got = recv(connection, into->text + into->length, sizeof into->text - 1 - into->length, 0);
    if (got <= 0) return 0;
    into->length += (size_t)got;
    into->text[into->length] = 0;
  }
  return has_come(s, into);
}

int server_receive_large(server *s, int connection, request *into) {
  char thrown_away[65536];
  size_t whole = receive_head(connection, into), received = into->length;
  if (whole == 0) return 0;
  while (received < whole) {
    ssize_t got = recv(connection, thrown_away, sizeof thrown_away, 0);
    if (got <= 0) return 0;
    received += (size_t)got;
  }
  return has_come(s, into);
}

static int send_all(int connection, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = send(connection, bytes, length, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return 0;
    bytes += count;
    length -= (size_t)count;
  }
  return 1;
}

int server_send(int connection, const char *text) { return send_all(connection, text, strlen(text)); }

int server_answer(int connection, const char *status, const char *headers, const char *body) {
  char text[8192];
  int length = snprintf(text, sizeof text,
                        "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s",
                        status, headers, strlen(body), body);
  if (length < 0 || (size_t)length >= sizeof text) fail("an answer too large");
  return send_all(connection, text, (size_t)length);
}

/* Waits for a while, or until the client has gone; then 0. */
static int linger(int connection, int milliseconds) {
  struct pollfd it = {connection, POLLRDHUP, 0};
  int count;
  do count = poll(&it, 1, milliseconds);
  while (count < 0 && errno == EINTR);
  return count == 0;
}

int server_drip(int connection, const char *text, int every_ms) {
  for (; *text; text++)
    if (!linger(connection, every_ms) || !send_all(connection, text, 1)) return 0;
  return 1;
}

void server_swallow(int connection) {
  char thrown_away[65536];
  while (recv(connection, thrown_away, sizeof thrown_away, 0) > 0) {}
}

void server_ignore(int connection) { linger(connection, -1); }

void serve_silence(server *s, int connection, void *data) {
  (void)s;
  (void)data;
  server_swallow(connection);
}

uint16_t black_hole(void) {
  uint16_t port = 0;
  black_hole_at("127.0.0.1", &port);
  return port;
}

int black_hole_at(const char *at, uint16_t *port) {
  int listener = listen_at(at, 0, port);
  struct sockaddr_storage address;
  socklen_t size = address_of(at, *port, &address);
  int i;
  /* One fills the queue; that the next one hangs is seen, not believed. */
  for (i = 0; i < 8; i++) {
    struct pollfd it = {socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), POLLOUT, 0};
    connect(it.fd, (struct sockaddr *)&address, size);
    if (poll(&it, 1, 100) == 0) return listener;
  }
  fprintf(stderr, "there is no way to fill a listener's queue here\n");
  exit(2);
}

uint16_t refusing_port(void) {
  uint16_t port;
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  /* Bound, so that nobody else gets it, but not listening. */
  int it = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (it < 0 || bind(it, (struct sockaddr *)&address, size) != 0 ||
      getsockname(it, (struct sockaddr *)&address, &size) != 0)
    fail("bind");
  port = ntohs(address.sin_port);
  return port;
}

static char authority_path[] = "/tmp/apivideo-authority-XXXXXX";

static void delete_authority(void) { unlink(authority_path); }

const char *idle_authority(void) {
  static const char pem[] =
      "-----BEGIN CERTIFICATE-----\n"
      "MIIBmzCCAUGgAwIBAgIUTVpeV5O3I5jxHvy8yGQT6AvddLcwCgYIKoZIzj0EAwIw\n"
      "IjEgMB4GA1UEAwwXYXBpdmlkZW8gdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIzMTkz\n"
      "MDEzWhgPMjEyNjEwMzAxOTMwMTNaMCIxIDAeBgNVBAMMF2FwaXZpZGVvIHRlc3Qg\n"
      "YXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEpt3Uj3RGoevmhdbS\n"
      "ea2G1s1dbpCAg7N6tV/OWW8I/UWtioLPt9WiFELQ+GGL5EasuD+EK6N1G2TSWZws\n"
      "v5y2oqNTMFEwHQYDVR0OBBYEFKe0AHsIiNAU+wiLf0lOTesuz4VsMB8GA1UdIwQY\n"
      "MBaAFKe0AHsIiNAU+wiLf0lOTesuz4VsMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI\n"
      "zj0EAwIDSAAwRQIgKH3aMySD1qTI6eyWBbbGAtZjgejcdKhmX59G5h2puKYCIQDi\n"
      "21x664RdN/k7Evy4XyCkdiqzi6EkfviAsuzkd/x69A==\n"
      "-----END CERTIFICATE-----\n";
  static int made;
  int file;
  if (made) return authority_path;
  file = mkstemp(authority_path);
  if (file < 0 || write(file, pem, sizeof pem - 1) != (ssize_t)sizeof pem - 1) fail("a PEM file");
  close(file);
  atexit(delete_authority);
  made = 1;
  return authority_path;
}
