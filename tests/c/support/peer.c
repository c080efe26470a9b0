#include "peer.h"

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

#define MOST 4096

typedef struct piece {
  char *bytes;
  size_t length;
  peer_end end;
} piece;

struct peer {
  int listener;
  int stop_pipe[2];
  char url[64];
  pthread_t thread;
  pthread_mutex_t lock;
  piece answers[MOST], requests[MOST];
  size_t answer_count, answer_next, request_count, connection_count;
};

static void fail(const char *what) {
  perror(what);
  exit(2);
}

/* What was received holds credentials, which a test may search this process's memory for. */
static void wipe_and_free(char *bytes, size_t length) {
  explicit_bzero(bytes, length);
  free(bytes);
}

static piece piece_of(const void *bytes, size_t length, peer_end end) {
  piece copy;
  copy.bytes = (char *)malloc(length + 1);
  if (!copy.bytes) fail("malloc");
  if (length > 0) memcpy(copy.bytes, bytes, length);
  copy.bytes[length] = 0;
  copy.length = length;
  copy.end = end;
  return copy;
}

/* Waits until the socket is ready; 0 if the peer is to stop. */
static int ready(peer *p, int socket, short events) {
  struct pollfd fds[2];
  fds[0].fd = socket;
  fds[0].events = events;
  fds[1].fd = p->stop_pipe[0];
  fds[1].events = POLLIN;
  while (poll(fds, 2, -1) < 0)
    if (errno != EINTR) fail("poll");
  return fds[1].revents == 0;
}

/* Lets some time pass; 0 if the peer is to stop. */
static int linger(peer *p, int milliseconds) {
  struct pollfd stop;
  int count;
  stop.fd = p->stop_pipe[0];
  stop.events = POLLIN;
  do count = poll(&stop, 1, milliseconds);
  while (count < 0 && errno == EINTR);
  return count == 0;
}

/* A buffer twice as large with the same in it; nothing is left in the old one. */
static char *grown(char *buffer, size_t *capacity) {
  char *larger = (char *)malloc(2 * *capacity + 1);
  if (!larger) fail("malloc");
  memcpy(larger, buffer, *capacity);
  wipe_and_free(buffer, *capacity);
  *capacity *= 2;
  return larger;
}

/* How long the request at the front of the buffer is; 0 if it is not all there yet. */
static size_t whole_request(const char *buffer, size_t length) {
  const char *end = (const char *)memmem(buffer, length, "\r\n\r\n", 4);
  const char *line = buffer;
  size_t body = 0;
  if (!end) return 0;
  while (line < end) {
    const char *next = (const char *)memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
    if (strncasecmp(line, "content-length:", 15) == 0) body = strtoul(line + 15, NULL, 10);
    line = next + 2;
  }
  body += (size_t)(end + 4 - buffer);
  return length >= body ? body : 0;
}

/* Serves one connection; 0 if the peer is to stop. */
static int serve(peer *p, int client) {
  size_t capacity = 1 << 20;
  char *buffer = (char *)malloc(capacity + 1);
  size_t length = 0;
  int going = 1;
  if (!buffer) fail("malloc");
  while ((going = ready(p, client, POLLIN))) {
    ssize_t got;
    size_t whole, sent = 0;
    piece answer = {NULL, 0, PEER_CLOSE};
    if (length == capacity) buffer = grown(buffer, &capacity);
    got = recv(client, buffer + length, capacity - length, 0);
    if (got <= 0) break;
    length += (size_t)got;
    buffer[length] = 0;
    whole = whole_request(buffer, length);
    if (whole == 0) continue;
    pthread_mutex_lock(&p->lock);
    if (p->request_count < MOST) p->requests[p->request_count++] = piece_of(buffer, whole, PEER_KEEP);
    if (p->answer_next < p->answer_count) answer = p->answers[p->answer_next++];
    pthread_mutex_unlock(&p->lock);
    memmove(buffer, buffer + whole, length - whole);
    length -= whole;
    while (sent < answer.length && (going = ready(p, client, POLLOUT))) {
      ssize_t count = send(client, answer.bytes + sent, answer.length - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += (size_t)count;
    }
    if (answer.end == PEER_CLOSE) break;
    if (answer.end == PEER_DRIP) {
      while ((going = linger(p, 20)) && send(client, "x", 1, MSG_NOSIGNAL) == 1) {}
      break;
    }
    if (answer.end == PEER_STALL) {
      while ((going = ready(p, client, POLLIN)) && recv(client, buffer, capacity, 0) > 0) {}
      break;
    }
  }
  wipe_and_free(buffer, capacity);
  return going;
}

static void *run(void *argument) {
  peer *p = (peer *)argument;
  int going = 1;
  while (going && ready(p, p->listener, POLLIN)) {
    int yes = 1;
    int client = accept(p->listener, NULL, NULL);
    if (client < 0) continue;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    pthread_mutex_lock(&p->lock);
    p->connection_count++;
    pthread_mutex_unlock(&p->lock);
    going = serve(p, client);
    close(client);
  }
  return NULL;
}

peer *peer_start(void) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  peer *p = (peer *)calloc(1, sizeof *p);
  if (!p) fail("calloc");
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&address, size) != 0 ||
      listen(p->listener, 64) != 0 ||
      getsockname(p->listener, (struct sockaddr *)&address, &size) != 0 || pipe(p->stop_pipe) != 0)
    fail("peer");
  snprintf(p->url, sizeof p->url, "http://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
  pthread_mutex_init(&p->lock, NULL);
  if (pthread_create(&p->thread, NULL, run, p) != 0) fail("pthread_create");
  return p;
}

const char *peer_url(const peer *p) { return p->url; }

void peer_answer(peer *p, const void *bytes, size_t length, peer_end end) {
  pthread_mutex_lock(&p->lock);
  if (p->answer_count == MOST) fail("too many answers");
  p->answers[p->answer_count++] = piece_of(bytes, length, end);
  pthread_mutex_unlock(&p->lock);
}

void peer_answer_text(peer *p, const char *text, peer_end end) {
  peer_answer(p, text, strlen(text), end);
}

void peer_answer_json(peer *p, const char *status, const char *body) {
  size_t size = strlen(status) + strlen(body) + 128;
  char *text = (char *)malloc(size);
  if (!text) fail("malloc");
  snprintf(text, size,
           "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
           strlen(body), body);
  peer_answer_text(p, text, PEER_KEEP);
  free(text);
}

size_t peer_request_count(peer *p) {
  size_t count;
  pthread_mutex_lock(&p->lock);
  count = p->request_count;
  pthread_mutex_unlock(&p->lock);
  return count;
}

size_t peer_connection_count(peer *p) {
  size_t count;
  pthread_mutex_lock(&p->lock);
  count = p->connection_count;
  pthread_mutex_unlock(&p->lock);
  return count;
}

const char *peer_request(peer *p, size_t index, size_t *length) {
  const char *bytes = NULL;
  if (length) *length = 0;
  pthread_mutex_lock(&p->lock);
  if (index < p->request_count) {
    bytes = p->requests[index].bytes;
    if (length) *length = p->requests[index].length;
  }
  pthread_mutex_unlock(&p->lock);
  return bytes;
}

void peer_stop(peer *p) {
  size_t i;
  if (write(p->stop_pipe[1], "x", 1) != 1) fail("write");
  pthread_join(p->thread, NULL);
  close(p->listener);
  close(p->stop_pipe[0]);
  close(p->stop_pipe[1]);
  for (i = 0; i < p->answer_count; i++) free(p->answers[i].bytes);
  for (i = 0; i < p->request_count; i++) wipe_and_free(p->requests[i].bytes, p->requests[i].length);
  pthread_mutex_destroy(&p->lock);
  free(p);
}
