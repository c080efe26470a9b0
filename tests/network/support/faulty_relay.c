#include "faulty_relay.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const places[PLACES] = {"head",      "framing",        "first byte", "middle byte",
                                           "last byte", "before the end", "answer"};
static const char *const faults[FAULTS] = {
    "nothing", "reset",        "FIN",          "hold",         "byte a second", "100 and 103", "401",
    "413",     "429",          "502",          "302",          "401 and close", "413 and close",
    "429 and close", "502 and close", "late answer", "cut answer", "no HTTP",   "no JSON",     "no video",
    "another video"};

const char *place_name(place at) { return places[at]; }
const char *fault_name(fault what) { return faults[what]; }

int fault_is_possible(fault what, place at) {
  switch (what) {
    case NO_FAULT: return 0;
    case BYTE_A_SECOND: return at != AT_ANSWER;
    case SAYS_401: case SAYS_413: case SAYS_429: case CLOSES_401: case CLOSES_413: case CLOSES_429:
      return at != AT_ANSWER;
    case LATE: case CUT: case NO_HTTP: case NO_JSON: case NO_VIDEO: case OTHER_VIDEO: return at == AT_ANSWER;
    default: return 1;
  }
}

/* What has been received and not yet been passed on. */
typedef struct buffer {
  char bytes[64 * 1024];
  size_t from, to;
} buffer;

/* A request: where its parts end, counted from its beginning. */
typedef struct outline {
  uint64_t head, framing, file, all;
} outline;

static int more(int connection, buffer *b) {
  ssize_t got;
  if (b->from == b->to) b->from = b->to = 0;
  if (b->to == sizeof b->bytes) return 0;
  got = recv(connection, b->bytes + b->to, sizeof b->bytes - b->to, 0);
  if (got <= 0) return 0;
  b->to += (size_t)got;
  return 1;
}

/* Receives until `text` stands in the buffer from `from` on; where it ends, or 0 if the peer has gone. */
static size_t receive_until(int connection, buffer *b, size_t from, const char *text) {
  for (;;) {
    size_t begin = b->from + from;
    const char *found =
        begin < b->to ? (const char *)memmem(b->bytes + begin, b->to - begin, text, strlen(text)) : NULL;
    if (found) return (size_t)(found - b->bytes) + strlen(text) - b->from;
    if (!more(connection, b)) return 0;
  }
}

static uint64_t content_length(const buffer *b, size_t head) {
  const char *at = b->bytes + b->from, *end = at + head;
  while (at && at < end) {
    if (strncasecmp(at, "content-length:", 15) == 0) return strtoull(at + 15, NULL, 10);
    at = (const char *)memchr(at, '\n', (size_t)(end - at));
    if (at) at++;
  }
  return 0;
}

/* Receives a request to where its file begins. */
static int receive_outline(int connection, buffer *b, outline *of) {
  size_t name;
  /* What went before has been passed on: there is room for a head. */
  memmove(b->bytes, b->bytes + b->from, b->to - b->from);
  b->to -= b->from;
  b->from = 0;
  of->head = receive_until(connection, b, 0, "\r\n\r\n");
  if (of->head == 0) return 0;
  of->all = of->head + content_length(b, (size_t)of->head);
  name = receive_until(connection, b, (size_t)of->head, "filename=");
  of->framing = name ? receive_until(connection, b, name, "\r\n\r\n") : 0;
  /* The end is a line end, two hyphens, the boundary that begins the body, two hyphens, a line end. */
  if (of->framing == 0) return 0;
  of->file = of->all - 6 - (size_t)(strstr(b->bytes + of->head, "\r\n") - (b->bytes + of->head));
  return 1;
}

static uint64_t byte_of(place at, const outline *of) {
  switch (at) {
    case IN_HEAD: return 10;
    case IN_FRAMING: return of->head + 20;
    case FIRST_BYTE: return of->framing + 1;
    case MIDDLE_BYTE: return (of->framing + of->file) / 2;
    case LAST_BYTE: return of->file - 1;
    case BEFORE_END: return of->all - 1;
    default: return of->all;
  }
}

static int pass(int to, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(to, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    bytes += sent;
    length -= (size_t)sent;
  }
  return 1;
}

/* Passes on so many bytes, or throws them away if `to` is -1. */
static int pass_on(int connection, buffer *b, int to, uint64_t count) {
  while (count > 0) {
    size_t some = b->to - b->from;
    if (some == 0) {
      if (!more(connection, b)) return 0;
      continue;
    }
    if (some > count) some = (size_t)count;
    if (to >= 0 && !pass(to, b->bytes + b->from, some)) return 0;
    b->from += some;
    count -= some;
  }
  return 1;
}

static int connect_to(uint16_t port) {
  struct sockaddr_in address;
  int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (connection >= 0 && connect(connection, (struct sockaddr *)&address, sizeof address) == 0) return connection;
  perror("the service");
  exit(2);
}

static void reset(int connection) {
  struct linger none = {1, 0};
  setsockopt(connection, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

static void end_and_swallow(int connection) {
  shutdown(connection, SHUT_WR);
  server_swallow(connection);
}

static void trickle(int connection, int service) {
  char byte;
  struct pollfd it = {connection, POLLRDHUP, 0};
  while (poll(&it, 1, 1000) == 0)
    if (recv(connection, &byte, 1, 0) != 1 || !pass(service, &byte, 1)) break;
}

static const char *status_of(fault what) {
  switch (what) {
    case SAYS_401: case CLOSES_401: return "401 Unauthorized";
    case SAYS_413: case CLOSES_413: return "413 Content Too Large";
    case SAYS_429: case CLOSES_429: return "429 Too Many Requests";
    case SAYS_302: return "302 Found";
    default: return "502 Bad Gateway";
  }
}

/* Does what is wrong, the rest of the request being `rest` bytes; whether the connection goes on. */
static int play(int connection, buffer *b, int service, fault what, uint64_t rest) {
  switch (what) {
    case RESET: reset(connection); return 0;
    case FIN: end_and_swallow(connection); return 0;
    case HOLD: server_ignore(connection); return 0;
    case BYTE_A_SECOND: trickle(connection, service); return 0;
    case CLOSES_401: case CLOSES_413: case CLOSES_429: case CLOSES_502:
      server_answer(connection, status_of(what), "Connection: close\r\n", "{\"title\":\"Not now.\"}");
      end_and_swallow(connection);
      return 0;
    case SAYS_302:
      return server_answer(connection, status_of(what), "Location: /elsewhere\r\n", "") &&
             pass_on(connection, b, -1, rest);
    default:
      return server_answer(connection, status_of(what), "", "{\"title\":\"Not now.\"}") &&
             pass_on(connection, b, -1, rest);
  }
}

/* The same once the answer has come, which has been received into `answer` and is `length` bytes. */
static int play_at_answer(int connection, buffer *b, fault what, const char *answer, size_t length) {
  struct pollfd it = {connection, POLLRDHUP, 0};
  switch (what) {
    case LATE: return poll(&it, 1, 300) == 0 && pass(connection, answer, length);
    case CUT:
      pass(connection, answer, length - 2);
      end_and_swallow(connection);
      return 0;
    case NO_HTTP:
      server_send(connection, "220 mail.example ESMTP\r\n");
      end_and_swallow(connection);
      return 0;
    case NO_JSON: return server_answer(connection, "201 Created", "", "{\"videoId\":\"vi");
    case NO_VIDEO: return server_answer(connection, "201 Created", "", "{}");
    case OTHER_VIDEO: return server_answer(connection, "201 Created", "", "{\"videoId\":\"viOther\"}");
    default: return play(connection, b, -1, what, 0);
  }
}

static const char unasked[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";

/* Takes a line of the script for a request that has come as far as that says. A client that a busy machine has stalled
 * may have given one up, and sent another one meanwhile: the line is for one of them, and a request that does not get
 * so far has none. */
static int takes_line(script *it, int number) {
  return __atomic_compare_exchange_n(&it->requests, &number, number + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Passes one request and its answer, or does what is wrong; whether the connection goes on. */
static int relay_one(script *it, int connection, buffer *b, buffer *answer, int *service, place at, fault what) {
  outline of;
  size_t head;
  uint64_t length;
  int goes_on, number;
  if (!receive_outline(connection, b, &of)) return 0;
  number = __atomic_load_n(&it->requests, __ATOMIC_SEQ_CST);
  if (number < MOST_FAULTS) {
    at = it->at[number];
    what = it->what[number];
  }
  if (*service < 0) *service = connect_to(it->service);
  if (what != NO_FAULT && at != AT_ANSWER) {
    const uint64_t byte = byte_of(at, &of);
    if (!pass_on(connection, b, *service, byte)) return 0;
    if (takes_line(it, number)) {
      __atomic_fetch_add(&it->played, 1, __ATOMIC_SEQ_CST);
      if (what != UNASKED_100) {
        goes_on = play(connection, b, *service, what, of.all - byte);
        close(*service);
        *service = -1;
        return goes_on;
      }
      if (!server_send(connection, unasked)) return 0;
    }
    if (!pass_on(connection, b, *service, of.all - byte)) return 0;
  } else {
    if (!pass_on(connection, b, *service, of.all)) return 0;
    if (!takes_line(it, number)) what = NO_FAULT;
  }
  answer->from = answer->to = 0;
  head = receive_until(*service, answer, 0, "\r\n\r\n");
  if (head == 0) return 0;
  length = head + content_length(answer, head);
  while (answer->to < length)
    if (!more(*service, answer)) return 0;
  if (what == NO_FAULT || at != AT_ANSWER) return pass(connection, answer->bytes, (size_t)length);
  __atomic_fetch_add(&it->played, 1, __ATOMIC_SEQ_CST);
  if (what == UNASKED_100)
    return server_send(connection, unasked) && pass(connection, answer->bytes, (size_t)length);
  return play_at_answer(connection, b, what, answer->bytes, (size_t)length);
}

void relay_with_faults(server *s, int connection, void *data) {
  script *it = (script *)data;
  buffer *both = (buffer *)calloc(2, sizeof *both);
  int service = -1, large = 256 * 1024;
  (void)s;
  if (!both) exit(2);
  setsockopt(connection, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
  while (relay_one(it, connection, &both[0], &both[1], &service, AT_ANSWER, NO_FAULT)) {}
  if (service >= 0) close(service);
  free(both);
}
