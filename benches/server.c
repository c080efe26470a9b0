/* A stand-in that costs next to nothing: answers GETs of a token and of pages of tokens from memory,
 * always in the same bytes, on one epoll thread. Prints its URL and ends with the process that began it.
 * Usage: server HEADERS TOKENS, the headers of an answer (5 or 15) and how many tokens there are. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATES "\"createdAt\":\"2020-12-02T10:13:19+00:00\",\"expiresAt\":\"2020-12-02T11:13:19+00:00\""
#define EVENTS 64

/* As the service answers, as far as it has published it. */
static const char *const FEW_HEADERS =
    "Content-Type: application/json\r\n"
    "X-RateLimit-Limit: 240\r\n"
    "X-RateLimit-Remaining: 239\r\n"
    "X-RateLimit-Retry-After: 12\r\n";
/* What a service behind a content network sends besides. */
static const char *const MORE_HEADERS =
    "Date: Wed, 02 Dec 2020 10:13:19 GMT\r\n"
    "Server: nginx/1.22.1\r\n"
    "Connection: keep-alive\r\n"
    "Vary: Accept-Encoding\r\n"
    "Cache-Control: no-cache, private\r\n"
    "Access-Control-Allow-Origin: *\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: SAMEORIGIN\r\n"
    "Strict-Transport-Security: max-age=15724800; includeSubDomains\r\n"
    "X-Request-Id: 6f1d3c5e9b7a40d2a8e4c0f1b2d3e4f5\r\n";

typedef struct answer {
  char bytes[32768];
  size_t length;
} answer;

typedef struct connection {
  int socket;
  size_t length;
  char request[4096];
} connection;

static int many_headers;
static long tokens;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void make_answer(answer *out, const char *body) {
  out->length = (size_t)snprintf(out->bytes, sizeof out->bytes, "HTTP/1.1 200 OK\r\n%s%sContent-Length: %zu\r\n\r\n%s",
                                 FEW_HEADERS, many_headers ? MORE_HEADERS : "", strlen(body), body);
}

/* The one token, with a field that no client knows. */
static const answer *token_answer(void) {
  static answer made;
  if (made.length == 0)
    make_answer(&made, "{\"token\":\"to1tcmSFHeYY5KzyhO000000\",\"ttl\":3600," DATES ",\"pad\":\"xxxxxxxxxxxxxx\"}");
  return &made;
}

/* A page, which is kept for the next time. */
static const answer *page_answer(long number, long size) {
  static answer made;
  static long made_number, made_size;
  static char body[sizeof made.bytes - 2048];
  if (made_number == number && made_size == size) return &made;
  long begin = (number - 1) * size, end = begin + size < tokens ? begin + size : tokens, pages = (tokens + size - 1) / size;
  int length = sprintf(body, "{\"data\":[");
  for (long i = begin; i < end; i++)
    length += sprintf(body + length, "%s{\"token\":\"to1tcmSFHeYY5KzyhO%06ld\",\"ttl\":3600," DATES "}", i > begin ? "," : "", i);
  length += sprintf(body + length,
                    "],\"pagination\":{\"currentPage\":%ld,\"currentPageItems\":%ld,\"pageSize\":%ld,\"pagesTotal\":%ld,"
                    "\"itemsTotal\":%ld,\"links\":[",
                    number, end > begin ? end - begin : 0, size, pages, tokens);
  struct {
    const char *rel;
    long page;
  } links[] = {{"self", number}, {"first", 1}, {"last", pages}};
  for (int i = 0; i < 3; i++)
    length += sprintf(body + length, "%s{\"rel\":\"%s\",\"uri\":\"/upload-tokens?currentPage=%ld&pageSize=%ld\"}", i ? "," : "",
                      links[i].rel, links[i].page, size);
  sprintf(body + length, "]}}");
  make_answer(&made, body);
  made_number = number;
  made_size = size;
  return &made;
}

/* The number after `name` in the request's target, or the API's default. */
static long parameter(const char *target, const char *name, long otherwise) {
  const char *found = strstr(target, name);
  return found ? atol(found + strlen(name)) : otherwise;
}

static const answer *answer_to(char *request) {
  request[strcspn(request, "\r")] = 0;
  if (strncmp(request, "GET /upload-tokens/", 19) == 0) return token_answer();
  long number = parameter(request, "currentPage=", 1), size = parameter(request, "pageSize=", 25);
  return number < 1 || size < 1 || size > 100 ? NULL : page_answer(number, size);
}

/* Answers what has come. False if the connection is at its end. */
static int serve(connection *it) {
  ssize_t more = recv(it->socket, it->request + it->length, sizeof it->request - 1 - it->length, 0);
  if (more <= 0) return 0;
  it->length += (size_t)more;
  it->request[it->length] = 0;
  if (it->length < 4 || memcmp(it->request + it->length - 4, "\r\n\r\n", 4) != 0) return it->length < sizeof it->request - 1;
  const answer *found = answer_to(it->request);
  it->length = 0;
  /* The socket blocks, so it takes all of it. */
  return found && send(it->socket, found->bytes, found->length, MSG_NOSIGNAL) == (ssize_t)found->length;
}

static void watch(int epoll, int socket, void *which) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = which};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) fail("epoll_ctl");
}

static void take_in(int epoll, int listener) {
  int on = 1;
  connection *it = calloc(1, sizeof *it);
  if (!it) fail("calloc");
  it->socket = accept(listener, NULL, NULL);
  if (it->socket < 0) fail("accept");
  setsockopt(it->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watch(epoll, it->socket, it);
}

static int listen_anywhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 512) != 0) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  many_headers = atoi(arguments[1]) > 5;
  tokens = atol(arguments[2]);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int epoll = epoll_create1(0), listener = listen_anywhere();
  watch(epoll, listener, NULL);
  for (;;) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      connection *it = events[i].data.ptr;
      if (!it) {
        take_in(epoll, listener);
      } else if (!serve(it)) {
        close(it->socket);
        free(it);
      }
    }
  }
}
