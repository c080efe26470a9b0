/* Bounded memory: what a call takes at most, of heap, of resident memory and of its thread's stack,
 * whatever the other side sends, how much of it and for how long. (A process that has none left at
 * all is aborted, as the README says.) The peer is a process of its own, so that the figures are the
 * caller's alone. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"
#include "support/moment.h"
#include "support/server.h"
#include "../soak/heap.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
/* What the header promises of an answer, of its head, and of what an error keeps. */
#define LARGEST_ANSWER (4 * MIB)
#define LARGEST_HEAD (64 * KIB)
#define LARGEST_ERROR_BODY ((size_t)65536)
/* A connection's buffers, what a thread keeps for the next answer, and small change. */
#define LITTLE (512 * KIB)
/* An answer that is read into memory that doubles, and handed out as a copy. */
#define ANSWER (4 * LARGEST_ANSWER)
/* The smallest objects that fill an answer: as tokens they are a struct and a pointer each, instead of
 * 14 bytes. What is handed out grows by blocks, as it is read. */
#define PAGE (7 * LARGEST_ANSWER)

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* ------------------------------------------------------------------------- what the peer sends */

static int send_many(int connection, const char *text, size_t count) {
  /* In pieces of many, not one by one. */
  char block[64 * 1024];
  size_t length = strlen(text), whole = sizeof block / length, i;
  for (i = 0; i < whole; i++) memcpy(block + i * length, text, length);
  while (count > 0) {
    size_t now = count < whole ? count : whole;
    char *at = block;
    size_t left = now * length;
    while (left > 0) {
      ssize_t sent = send(connection, at, left, MSG_NOSIGNAL);
      if (sent <= 0) return 0;
      at += sent;
      left -= (size_t)sent;
    }
    count -= now;
  }
  return 1;
}

static void send_for_ever(int connection, const char *text) {
  while (send_many(connection, text, 1000000)) {}
}

static void send_head(int connection, const char *status, size_t length) {
  char head[128];
  snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status, length);
  server_send(connection, head);
}

/* A body of `length` bytes: `begin`, as much of `fill` as there is room for, spaces, `end`. */
static void send_filled(int connection, size_t length, const char *begin, const char *fill, const char *end) {
  size_t room = length - strlen(begin) - strlen(end), count = room / strlen(fill);
  send_head(connection, "200 OK", length);
  server_send(connection, begin);
  send_many(connection, fill, count);
  send_many(connection, " ", room - count * strlen(fill));
  server_send(connection, end);
}

static void largest(int c) { send_filled(c, LARGEST_ANSWER, "\"", "x", "\""); }
static void a_byte_more(int c) { send_filled(c, LARGEST_ANSWER + 1, "\"", "x", "\""); }
static void largest_token(int c) { send_filled(c, LARGEST_ANSWER, "{\"token\":\"", "x", "\"}"); }
static void largest_escaped(int c) { send_filled(c, LARGEST_ANSWER, "{\"token\":\"\\n", "x", "\"}"); }
static void largest_page(int c) {
  send_filled(c, LARGEST_ANSWER, "{\"data\":[{\"token\":\"a\"}", ",{\"token\":\"a\"}", "],\"pagination\":{}}");
}
static void page_of_braces(int c) { send_filled(c, LARGEST_ANSWER, "{\"data\":[", "{", "]}"); }
static void page_of_objects(int c) { send_filled(c, LARGEST_ANSWER, "{\"data\":[{\"token\":\"a\"}", ",{}", "]}"); }
static void deepest(int c) { send_filled(c, LARGEST_ANSWER, "", "[", ""); }
static void deep_field(int c) { send_filled(c, LARGEST_ANSWER, "{\"token\":\"a\",\"unknown\":", "[", "}"); }
static void deep_page(int c) { send_filled(c, LARGEST_ANSWER, "{\"data\":", "[", "}"); }
static void deep_objects(int c) { send_filled(c, LARGEST_ANSWER, "{\"pagination\":", "{\"a\":", "}"); }

static void deep_and_closed(int c) {
  static const char begin[] = "{\"token\":\"a\",\"unknown\":";
  size_t depth = (LARGEST_ANSWER - sizeof begin) / 2;
  send_head(c, "200 OK", sizeof begin + 2 * depth);
  server_send(c, begin);
  send_many(c, "[", depth);
  send_many(c, "]", depth);
  server_send(c, "}");
}

static void largest_chunked(int c) {
  server_send(c, CHUNKED "400000\r\n\"");
  send_many(c, "x", LARGEST_ANSWER - 2);
  server_send(c, "\"\r\n0\r\n\r\n");
}

static void endless_body(int c) {
  server_send(c, "HTTP/1.1 200 OK\r\n\r\n");
  send_for_ever(c, "x");
}
static void endless_chunks(int c) {
  server_send(c, CHUNKED);
  send_for_ever(c, "10\r\n0123456789abcdef\r\n");
}
static void endless_tiny_chunks(int c) {
  server_send(c, CHUNKED);
  send_for_ever(c, "1\r\nx\r\n");
}
static void endless_as_told(int c) {
  send_head(c, "200 OK", LONG_MAX);
  send_for_ever(c, "x");
}
static void lie(int c) {
  send_head(c, "200 OK", LONG_MAX);
  server_send(c, "{\"token\":");
  server_swallow(c);
}
static void lie_of_a_refusal(int c) {
  send_head(c, "400 Bad Request", LONG_MAX);
  server_send(c, "{\"title\":");
  server_swallow(c);
}
static void lie_of_a_chunk(int c) {
  server_send(c, CHUNKED "7fffffffffffffff\r\n{\"token\":");
  server_swallow(c);
}
static void long_header(int c) {
  server_send(c, "HTTP/1.1 200 OK\r\nX-Long: ");
  send_many(c, "x", LARGEST_HEAD - 1024);
  server_send(c, "\r\nContent-Length: 13\r\n\r\n{\"token\":\"a\"}");
}
static void too_long_header(int c) {
  server_send(c, "HTTP/1.1 200 OK\r\nX-Long: ");
  send_many(c, "x", LARGEST_HEAD + 1);
  server_send(c, "\r\nContent-Length: 13\r\n\r\n{\"token\":\"a\"}");
}
static void endless_header(int c) {
  server_send(c, "HTTP/1.1 200 OK\r\nX-Long: ");
  send_for_ever(c, "x");
}
static void endless_headers(int c) {
  server_send(c, "HTTP/1.1 200 OK\r\n");
  send_for_ever(c, "X-Many: 1\r\n");
}
static void endless_interim(int c) { send_for_ever(c, "HTTP/1.1 100 Continue\r\n\r\n"); }
static void endless_early_hints(int c) {
  send_for_ever(c, "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n");
}
static void endless_chunk_size(int c) {
  server_send(c, CHUNKED);
  send_for_ever(c, "0");
}
static void endless_chunk_extension(int c) {
  server_send(c, CHUNKED "1;");
  send_for_ever(c, "a");
}
static void endless_trailer(int c) {
  server_send(c, CHUNKED "d\r\n{\"token\":\"a\"}\r\n0\r\nX-Trailer: ");
  send_for_ever(c, "x");
}
static void endless_trailers(int c) {
  server_send(c, CHUNKED "d\r\n{\"token\":\"a\"}\r\n0\r\n");
  send_for_ever(c, "X-Trailer: x\r\n");
}
static void endless_refusal(int c) {
  server_send(c, "HTTP/1.1 400 Bad Request\r\n\r\n");
  send_for_ever(c, "x");
}
static void many_problems(int c) {
  static const char begin[] = "{\"problems\":[{}", end[] = "]}";
  size_t count = (LARGEST_ERROR_BODY - sizeof begin - sizeof end) / 3;
  send_head(c, "400 Bad Request", sizeof begin - 1 + 3 * count + sizeof end - 1);
  server_send(c, begin);
  send_many(c, ",{}", count);
  server_send(c, end);
}
static void deep_problem(int c) {
  send_head(c, "400 Bad Request", LARGEST_ERROR_BODY);
  send_many(c, "[", LARGEST_ERROR_BODY);
}
static void long_redirect(int c) {
  server_send(c, "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.test/");
  send_many(c, "x", LARGEST_HEAD - 1024);
  server_send(c, "\r\nContent-Length: 0\r\n\r\n");
}
static void proxy_without_end(int c) {
  server_send(c, "HTTP/1.1 200 Connection established\r\nX-Long: ");
  send_for_ever(c, "x");
}

/* ------------------------------------------------------------------------ what the caller makes of it */

typedef struct row {
  const char *name;
  operation op;
  void (*send)(int connection);
  size_t most; /* heap */
  av_status status;
  int32_t outcome;  /* unless it succeeds */
  const char *says; /* the message, or "" */
  uint32_t timeout_ms; /* of what would never end; 0 is the usual */
} row;

#define READ AV_OUTCOME_NOT_APPLIED
#define MADE AV_OUTCOME_APPLIED
#define UNSURE AV_OUTCOME_UNKNOWN
#define OK AV_STATUS_OK, 0, ""
#define BROKEN(outcome, says) AV_STATUS_DECODE, outcome, says

static const row rows[] = {
    {"the largest answer", GET_JSON, largest, ANSWER, OK, 0},
    {"the largest answer, chunked", GET_JSON, largest_chunked, ANSWER, OK, 0},
    {"the largest token", CREATE, largest_token, ANSWER, OK, 0},
    {"the largest token, escaped", CREATE, largest_escaped, ANSWER, OK, 0},
    {"the largest page", LIST, largest_page, PAGE, OK, 0},
    {"a byte more than the largest", CREATE_JSON, a_byte_more, ANSWER, BROKEN(UNSURE, "4194304"), 0},
    {"a body without end", CREATE, endless_body, ANSWER, BROKEN(UNSURE, "4194304"), 0},
    {"chunks without end", CREATE, endless_chunks, ANSWER, BROKEN(UNSURE, "4194304"), 0},
    {"chunks of a byte without end", GET, endless_tiny_chunks, ANSWER, BROKEN(READ, "4194304"), 0},
    {"2^63-1 bytes, told and sent", LIST, endless_as_told, ANSWER, BROKEN(READ, "4194304"), 0},
    {"2^63-1 bytes, told alone", CREATE, lie, LITTLE, AV_STATUS_TIMEOUT, MADE, "reading", 300},
    {"a chunk of 2^63-1, told alone", CREATE, lie_of_a_chunk, LITTLE, AV_STATUS_TIMEOUT, MADE, "reading", 300},
    {"a refusal of 2^63-1, told alone", CREATE, lie_of_a_refusal, LITTLE, AV_STATUS_REJECTED, READ, "400", 300},
    {"a page of braces", LIST, page_of_braces, PAGE, BROKEN(READ, "JSON"), 0},
    {"a page of empty objects", LIST, page_of_objects, PAGE, BROKEN(READ, "data[1].token"), 0},
    {"nested 4 million deep", GET_JSON, deepest, ANSWER, BROKEN(READ, "128"), 0},
    {"the same in an unknown field", CREATE, deep_field, ANSWER, BROKEN(MADE, "JSON"), 0},
    {"the same, well-formed", CREATE, deep_and_closed, ANSWER, OK, 0},
    {"the same as a page's data", LIST, deep_page, PAGE, BROKEN(READ, "data[0]"), 0},
    {"objects nested as pagination", LIST, deep_objects, PAGE, BROKEN(READ, "JSON"), 0},
    {"a header of 63 KiB", CREATE, long_header, LITTLE, OK, 0},
    {"a head beyond 64 KiB", GET, too_long_header, LITTLE, BROKEN(READ, "65536"), 0},
    {"a header without end", CREATE, endless_header, LITTLE, BROKEN(UNSURE, "65536"), 0},
    {"headers without end", CREATE, endless_headers, LITTLE, BROKEN(UNSURE, ""), 0},
    {"interim answers without end", CREATE, endless_interim, LITTLE, AV_STATUS_TIMEOUT, UNSURE, "waiting", 500},
    {"early hints without end", GET, endless_early_hints, LITTLE, AV_STATUS_TIMEOUT, READ, "waiting", 500},
    {"a chunk's size without end", CREATE, endless_chunk_size, LITTLE, BROKEN(UNSURE, "65536"), 0},
    {"a chunk's extension without end", CREATE, endless_chunk_extension, LITTLE, BROKEN(UNSURE, "65536"), 0},
    {"a trailer without end", GET, endless_trailer, LITTLE, BROKEN(READ, "65536"), 0},
    {"trailers without end", GET, endless_trailers, LITTLE, AV_STATUS_TIMEOUT, READ, "reading", 500},
    {"a refusal without end", CREATE, endless_refusal, LITTLE, AV_STATUS_REJECTED, READ, "400", 0},
    {"21 thousand problems", CREATE, many_problems, 8 * MIB, AV_STATUS_REJECTED, READ, "400", 0},
    {"a problem nested 65536 deep", CREATE, deep_problem, LITTLE, AV_STATUS_REJECTED, READ, "400", 0},
    {"a redirect of 63 KiB", GET, long_redirect, LITTLE, BROKEN(READ, "elsewhere"), 0},
    {"a deletion's body without end", DELETE, endless_body, ANSWER, BROKEN(UNSURE, "4194304"), 0},
    {"a proxy's answer without end", GET, proxy_without_end, LITTLE, AV_STATUS_CONNECT, READ, "too long", 0},
};
#define ROWS (sizeof rows / sizeof rows[0])
#define LAST_ROW (ROWS - 1)

/* What no thread needs more of. A signal handler's frame alone may take 11 KiB on newer processors. */
#define MOST_STACK (64 * KIB)

typedef struct measured {
  const char *url;
  const row *it;
  call made;
  char header[LARGEST_HEAD];
} measured;

static measured now;

/* The most that any row took. */
static size_t worst_heap, worst_resident, worst_stack, worst_little;

static void at_least(size_t *most, size_t figure) {
  if (*most < figure) *most = figure;
}

static void *make_call(void *argument) {
  av_client_config config = config_for("");
  av_request_options options;
  av_response *response = av_response_new();
  av_client *client;
  char url[128];
  const char *header;
  (void)argument;
  snprintf(url, sizeof url, "%s/%zu", now.url, (size_t)(now.it - rows));
  config.base_url = now.it == &rows[LAST_ROW] ? "http://127.0.0.1:1" : url;
  config.proxy_url = now.it == &rows[LAST_ROW] ? now.url : "";
  config.max_attempts = 1;
  config.timeout_ms = now.it->timeout_ms;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.response = response;
  client = client_of(&config);
  now.made = call_make(client, now.it->op, &options);
  header = av_response_header(response, "X-Long");
  snprintf(now.header, sizeof now.header, "%s", header ? header : "");
  av_response_free(response);
  av_client_free(client);
  return NULL;
}

static size_t stack_used(const unsigned char *stack, size_t size) {
  size_t untouched = 0;
  while (untouched < size && stack[untouched] == 0) untouched++;
  return size - untouched;
}

/* Makes a row's call on a thread of its own, whose stack is looked at afterwards. */
static void run(const char *url, const row *it, int is_counted) {
  enum { STACK = 512 * 1024 };
  unsigned char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  size_t heap_before = heap_bytes(), blocks_before = heap_blocks(), resident_before, heap, resident, used, length = 0;
  pthread_attr_t attributes;
  pthread_t thread;
  const char *body;
  double begun = now_ms(), took;
  if (stack == MAP_FAILED) exit(2);
  now.url = url;
  now.it = it;
  pthread_attr_init(&attributes);
  if (pthread_attr_setstack(&attributes, stack, STACK) != 0) exit(2);
  heap_forget_peak();
  resident_before = resident_bytes();
  resident_forget_peak();
  if (pthread_create(&thread, &attributes, make_call, NULL) != 0) exit(2);
  pthread_join(thread, NULL);
  took = now_ms() - begun;
  heap = heap_peak() - heap_before;
  resident = resident_peak() - resident_before;
  used = stack_used(stack, STACK);
  pthread_attr_destroy(&attributes);
  munmap(stack, STACK);
  if (is_counted) {
    at_least(it->most == LITTLE ? &worst_little : &worst_heap, heap);
    at_least(&worst_resident, resident);
    at_least(&worst_stack, used);
    printf("%-34s heap %6zu KiB of %6zu, resident %6zu KiB, stack %3zu KiB, %5.0f ms, %s\n", it->name, heap / KIB, it->most / KIB,
           resident / KIB, used / KIB, took, av_status_name(now.made.status));
    if (!CHECK_ROW(it->name, now.made.status == it->status)) fprintf(stderr, "  %s\n", av_error_message(now.made.error));
    if (it->status != AV_STATUS_OK) {
      CHECK_ROW(it->name, av_error_outcome(now.made.error) == it->outcome);
      if (!CHECK_ROW(it->name, strstr(av_error_message(now.made.error), it->says)))
        fprintf(stderr, "  %s\n", av_error_message(now.made.error));
      /* One line for a person, and what an error keeps of the answer. */
      CHECK_ROW(it->name, strlen(av_error_message(now.made.error)) < 2048);
      body = av_error_body(now.made.error, &length);
      CHECK_ROW(it->name, length <= LARGEST_ERROR_BODY && (body || length == 0));
    }
    CHECK_ROW(it->name, heap <= it->most);
    /* Besides the heap: the stack, code and data that is touched for the first time, and what malloc
     * has not given back to the system. */
    CHECK_ROW(it->name, resident <= it->most + 2 * MIB);
    CHECK_ROW(it->name, used <= MOST_STACK);
  }
  call_free(&now.made);
  if (is_counted) {
    /* The client and the thread are gone, and all that they had with them. */
    CHECK_ROW(it->name, heap_blocks() == blocks_before);
    CHECK_ROW(it->name, heap_bytes() == heap_before);
  }
}

/* ------------------------------------------------------------------------------------- most pages */

enum { PAGES = 10000, PAGE_SIZE = 100, EARLY = 400 };

static void send_page(int connection, const char *path) {
  char body[64 * 1024];
  const char *asked = strstr(path, "currentPage=");
  unsigned long page = asked ? strtoul(asked + 12, NULL, 10) : 1, i;
  size_t length = 0;
  char head[128];
  length += (size_t)sprintf(body + length, "{\"data\":[");
  for (i = 0; i < PAGE_SIZE; i++)
    length += (size_t)sprintf(body + length,
                              "%s{\"token\":\"to%022lu\",\"ttl\":3600,\"createdAt\":\"2020-12-02T10:13:19+00:00\","
                              "\"expiresAt\":\"2020-12-02T11:13:19+00:00\"}",
                              i ? "," : "", page * PAGE_SIZE + i);
  length += (size_t)sprintf(body + length, "],\"pagination\":{\"currentPage\":%lu,\"pageSize\":%d,\"pagesTotal\":%d,\"itemsTotal\":%d}}",
                            page, PAGE_SIZE, PAGES, PAGES * PAGE_SIZE);
  snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", length);
  server_send(connection, head);
  server_send(connection, body);
}

static void most_pages(const char *url) {
  char under[128];
  av_client *client;
  av_token_iter *iterator = NULL;
  av_error *error = NULL;
  const av_token *token = NULL;
  size_t before = heap_bytes(), tokens = 0, early = 0, late = 0, resident_early = 0;
  double begun = now_ms();
  heap_forget_peak();
  snprintf(under, sizeof under, "%s/pages", url);
  client = client_for(under);
  CHECK(av_tokens_iterate(client, NULL, &iterator, &error) == AV_STATUS_OK);
  while (av_token_iter_next(iterator, NULL, &token, &error) == AV_STATUS_OK && token) {
    if (++tokens == EARLY * PAGE_SIZE) {
      early = heap_peak() - before;
      resident_early = resident_bytes();
      heap_forget_peak();
    }
  }
  late = heap_peak() - before;
  printf("%d pages of %d tokens: %zu tokens in %.1f s; heap at most %zu KiB up to page %d and %zu KiB after, resident %+ld KiB\n", PAGES,
         PAGE_SIZE, tokens, (now_ms() - begun) / 1000, early / KIB, EARLY, late / KIB,
         ((long)resident_bytes() - (long)resident_early) / 1024);
  printf("proof: heap of an iterator over %d pages of %d tokens: %zu KiB (bound %zu KiB)\n", PAGES, PAGE_SIZE, late / KIB,
         (size_t)LITTLE / KIB);
  if (!CHECK(error == NULL)) fprintf(stderr, "%s\n", av_error_message(error));
  CHECK(tokens == (size_t)PAGES * PAGE_SIZE);
  CHECK(late <= LITTLE);
  /* All pages are of one size: once as many tokens are remembered as ever are, one shows what the last
   * will take. */
  CHECK(late <= early + 4 * KIB);
  CHECK(resident_bytes() <= resident_early + 256 * KIB);
  av_error_free(error);
  av_token_iter_free(iterator);
  av_client_free(client);
}

/* A thread keeps little of a large answer. */
static void what_a_thread_keeps(const char *url) {
  av_client *client;
  char under[128];
  size_t before, after;
  call made;
  snprintf(under, sizeof under, "%s/0", url);
  client = client_for(under);
  before = heap_bytes();
  made = call_make(client, GET_JSON, NULL);
  CHECK(made.status == AV_STATUS_OK && strlen(made.json) == LARGEST_ANSWER);
  call_free(&made);
  after = heap_bytes();
  printf("after the largest answer a thread and its connection keep %zu KiB\n", (after - before) / KIB);
  printf("proof: kept after an answer of 4 MiB: %zu KiB (bound 160 KiB)\n", (after - before) / KIB);
  /* A connection's buffers, 64 KiB for the next answer, and small change. */
  CHECK(after - before <= 160 * KIB);
  av_client_free(client);
}

/* ----------------------------------------------------------------------------------------- the peer */

static void serve(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it)) {
    if (it.method[0] == 'C') {
      rows[LAST_ROW].send(connection);
      return;
    }
    if (strncmp(it.path, "/pages/", 7) == 0) {
      send_page(connection, it.path);
      continue;
    }
    rows[strtoul(it.path + 1, NULL, 10)].send(connection);
  }
}

/* Starts the peer in a process of its own, which ends with this one. */
static void start_peer(char *url, size_t size) {
  int pipes[2];
  ssize_t got;
  if (pipe(pipes) != 0) exit(2);
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    server *s = server_start(serve, NULL);
    if (write(pipes[1], server_url(s), strlen(server_url(s))) < 0) _exit(2);
    close(pipes[1]);
    for (;;) pause();
  }
  close(pipes[1]);
  got = read(pipes[0], url, size - 1);
  close(pipes[0]);
  if (got <= 0) exit(2);
  url[got] = 0;
}

int main(void) {
  char url[64];
  size_t i;
  setvbuf(stdout, NULL, _IOLBF, 0);
  /* What is large and freed goes back to the system at once, so that each row's own is seen. */
  mallopt(M_MMAP_THRESHOLD, 64 * 1024);
  start_peer(url, sizeof url);
  /* Once for what is made once: buffers of the C library, pages of code. */
  printf("what a call takes at most:\n");
  run(url, &rows[0], 0);
  run(url, &rows[5], 0);
  for (i = 0; i < ROWS; i++) run(url, &rows[i], 1);
  printf("proof: heap of the worst answer of 4 MiB: %zu KiB (bound %zu KiB), resident %zu KiB\n", worst_heap / KIB, PAGE / KIB,
         worst_resident / KIB);
  printf("proof: heap of the worst head, lie or endless answer: %zu KiB (bound %zu KiB)\n", worst_little / KIB, LITTLE / KIB);
  printf("proof: stack of the worst answer: %zu KiB (bound %zu KiB)\n", worst_stack / KIB, MOST_STACK / KIB);
  what_a_thread_keeps(url);
  most_pages(url);
  return checks_report();
}
