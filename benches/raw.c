/* The floor: a socket, a request made once, and an answer that is read to its end, but not looked at.
 * With WAITS defined, also the two system calls that see whether a kept connection still is one, and wait
 * for the answer so that a deadline or a cancel can end it: the floor of whoever has those. */
#include "caller.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define LENGTH_HEADER "Content-Length: "

struct caller {
  int socket, bell;
  char token_request[512], list_request[512], answer[65536];
};

static void make_request(char *out, size_t size, const char *path, const char *host, int port) {
  snprintf(out, size,
           "GET /upload-tokens%s HTTP/1.1\r\nHost: %s:%d\r\nAuthorization: Basic S0VZOg==\r\n"
           "Accept: application/json\r\n\r\n",
           path, host, port);
}

caller *caller_open(const char *url, caller *sharing) {
  caller *it = calloc(1, sizeof *it);
  struct sockaddr_in address = {0};
  char host[64], query[64];
  int port, on = 1;
  if (!it || sharing) fail("no such caller");
  if (sscanf(url, "http://%63[^:]:%d", host, &port) != 2) fail("not such a URL");
  address.sin_family = AF_INET;
  address.sin_port = htons((unsigned short)port);
  inet_pton(AF_INET, host, &address.sin_addr);
  it->bell = eventfd(0, EFD_CLOEXEC);
  it->socket = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(it->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(it->socket, (struct sockaddr *)&address, sizeof address) != 0) fail("no connection");
  make_request(it->token_request, sizeof it->token_request, "/" TOKEN, host, port);
  snprintf(query, sizeof query, "?currentPage=1&pageSize=%d", PAGE_SIZE);
  make_request(it->list_request, sizeof it->list_request, query, host, port);
  return it;
}

#ifdef WAITS
static void probe(caller *it) {
  char byte;
  if (recv(it->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != -1) fail("not a quiet connection");
}

static void wait_for_answer(caller *it) {
  struct pollfd entries[] = {{.fd = it->socket, .events = POLLIN}, {.fd = it->bell, .events = POLLIN}};
  if (poll(entries, 2, 30000) != 1) fail("no answer");
}
#else
static void probe(caller *it) { (void)it; }
static void wait_for_answer(caller *it) { (void)it; }
#endif

static void exchange(caller *it, const char *request) {
  size_t length = strlen(request), received = 0, whole = 0;
  probe(it);
  if (send(it->socket, request, length, MSG_NOSIGNAL) != (ssize_t)length) fail("not sent");
  while (whole == 0 || received < whole) {
    wait_for_answer(it);
    ssize_t more = recv(it->socket, it->answer + received, sizeof it->answer - received, 0);
    if (more <= 0) fail("no answer");
    received += (size_t)more;
    const char *end = whole ? NULL : memmem(it->answer, received, "\r\n\r\n", 4);
    if (!end) continue;
    size_t head = (size_t)(end - it->answer) + 4;
    const char *told = memmem(it->answer, head, LENGTH_HEADER, strlen(LENGTH_HEADER));
    if (!told) fail("an answer of no told length");
    whole = head + strtoul(told + strlen(LENGTH_HEADER), NULL, 10);
  }
}

void caller_get(caller *it) { exchange(it, it->token_request); }

void caller_list(caller *it) { exchange(it, it->list_request); }

void caller_close(caller *it) {
  close(it->socket);
  close(it->bell);
  free(it);
}

const char *caller_version(void) { return "raw socket"; }
