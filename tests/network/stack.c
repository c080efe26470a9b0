/* "A call needs up to … of stack": every kind of call, in its most expensive form, on a thread that has
 * just as much as the header asks for. How much each takes is seen by what is left of a pattern. Run by
 * stack.sh, which makes the certificates and starts the servers. */
#include "support/check.h"
#include "support/moment.h"
#include "support/outcome.h"
#include "support/server.h"

#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK_KIB = 128, NEEDED_KIB = 96, PATTERN = 0xA5 };

static const char *files;

/* ------------------------------------------------------------------------------ a painted stack */

typedef struct painted {
  void (*work)(void *);
  void *argument;
} painted;

static void *run_painted(void *argument) {
  painted *it = (painted *)argument;
  it->work(it->argument);
  return NULL;
}

/* Runs `work` on a thread with a stack of STACK_KIB and a page that must not be touched before it, and
 * tells how many KiB of that were touched. */
static size_t stack_of(void (*work)(void *), void *argument) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)STACK_KIB * 1024, untouched = 0;
  painted it = {work, argument};
  pthread_attr_t attributes;
  pthread_t thread;
  unsigned char *memory = (unsigned char *)mmap(NULL, page + size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory + page, size, PROT_READ | PROT_WRITE) != 0) exit(2);
  memset(memory + page, PATTERN, size);
  pthread_attr_init(&attributes);
  if (pthread_attr_setstack(&attributes, memory + page, size) != 0) exit(2);
  if (pthread_create(&thread, &attributes, run_painted, &it) != 0) exit(2);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
  while (untouched < size && memory[page + untouched] == PATTERN) untouched++;
  munmap(memory, page + size);
  return (size - untouched + 1023) / 1024;
}

/* What a thread takes that does nothing: the C library keeps things of its own on the stack. */
static void nothing(void *unused) { (void)unused; }

static size_t most;

static void report(const char *what, size_t kib, size_t idle) {
  printf("  %-44s %3zu KiB\n", what, kib - idle);
  if (kib - idle > most) most = kib - idle;
}

/* ------------------------------------------------------------------------------------- the calls */

typedef struct work {
  const av_client_config *config;
  outcome told;
} work;

/* All in one: a client is made, called with and freed. */
static void once(void *argument) {
  work *it = (work *)argument;
  it->told = try_once(it->config);
}

/* Leads whoever asks by CONNECT to a port of this machine. */
static void serve_tunnel(server *s, int connection, void *data) {
  request it;
  struct sockaddr_in address;
  struct pollfd both[2];
  char bytes[16384];
  int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), i;
  const char *port;
  (void)data;
  if (!server_receive(s, connection, &it)) return;
  port = strchr(it.path, ':');
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)(port ? atoi(port + 1) : 0));
  if (connect(other, (struct sockaddr *)&address, sizeof address) != 0) exit(2);
  server_send(connection, "HTTP/1.1 200 Here\r\n\r\n");
  both[0].fd = connection;
  both[1].fd = other;
  both[0].events = both[1].events = POLLIN;
  while (poll(both, 2, -1) > 0)
    for (i = 0; i < 2; i++) {
      ssize_t got = both[i].revents ? recv(both[i].fd, bytes, sizeof bytes, 0) : -1;
      if (!both[i].revents) continue;
      if (got <= 0 || send(both[1 - i].fd, bytes, (size_t)got, MSG_NOSIGNAL) != got) {
        close(other);
        return;
      }
    }
}

static void over_tls(size_t idle) {
  static const struct {
    const char *what;
    int port, by_proxy;
    av_status status;
  } rows[] = {
      {"6 authorities between, TLS 1.2", 4612, 0, AV_STATUS_OK},
      {"6 authorities between, TLS 1.3", 4613, 0, AV_STATUS_OK},
      {"6 authorities between, TLS 1.3, by a proxy", 4613, 1, AV_STATUS_OK},
      /* More than are followed. */
      {"10 authorities between, TLS 1.2", 5012, 0, AV_STATUS_TLS},
      {"10 authorities between, TLS 1.3", 5013, 0, AV_STATUS_TLS},
      {"10 authorities between, TLS 1.2, by a proxy", 5012, 1, AV_STATUS_TLS},
  };
  server *proxy = server_start(serve_tunnel, NULL);
  char ca_file[300], proxy_url[80];
  size_t i;
  snprintf(ca_file, sizeof ca_file, "%s/ours.pem", files);
  snprintf(proxy_url, sizeof proxy_url, "http://user:password@%s", server_url(proxy) + strlen("http://"));
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char url[64];
    av_client_config config;
    work it;
    snprintf(url, sizeof url, "https://localhost:%d", rows[i].port);
    config = remembered_config(url);
    config.ca_file = ca_file;
    config.proxy_url = rows[i].by_proxy ? proxy_url : "";
    it.config = &config;
    report(rows[i].what, stack_of(once, &it), idle);
    if (!CHECK_ROW(rows[i].what, it.told.status == rows[i].status)) print_outcome(rows[i].what, &it.told);
  }
  server_stop(proxy);
}

/* A service whose answers are as hard to read as may be. */
static void serve_hard(server *s, int connection, void *data) {
  const char *answer = (const char *)data;
  request it;
  while (server_receive(s, connection, &it))
    if (!server_send(connection, answer)) return;
}

typedef struct hard {
  const char *url;
  char what;
  av_status status;
} hard;

static void call_hard(void *argument) {
  hard *it = (hard *)argument;
  av_client_config config = remembered_config(it->url);
  av_client *client;
  av_token *token = NULL;
  av_token_page *page = NULL;
  av_token_iter *iter = NULL;
  const av_token *next = NULL;
  av_error *error = NULL;
  char *json = NULL;
  config.max_attempts = 1;
  client = client_of(&config);
  switch (it->what) {
    case 'c': it->status = av_tokens_create(client, 60, NULL, &token, &error); break;
    case 'g': it->status = av_tokens_get(client, "a", NULL, &token, &error); break;
    case 'd': it->status = av_tokens_delete(client, "a", NULL, &error); break;
    case 'l': it->status = av_tokens_list(client, NULL, NULL, &page, &error); break;
    case 'j': it->status = av_tokens_list_json(client, NULL, NULL, &json, &error); break;
    default:
      av_tokens_iterate(client, NULL, &iter, NULL);
      it->status = av_token_iter_next(iter, NULL, &next, &error);
  }
  av_error_free(error);
  av_string_free(json);
  av_token_iter_free(iter);
  av_token_page_free(page);
  av_token_free(token);
  av_client_free(client);
}

/* Appends. */
static void add(char *to, size_t size, const char *text) {
  size_t length = strlen(to);
  snprintf(to + length, size - length, "%s", text);
}

static void hard_answers(size_t idle) {
  static char deep[4096], problems[60000], page[30000], answer[65536];
  static const struct {
    const char *what, *status, *body, *calls;
  } rows[] = {
      {"JSON 128 deep", "200 OK", deep, "cgdlij"},
      {"a page of 100", "200 OK", page, "lij"},
      {"hundreds of problems", "400 Bad Request", problems, "cgdlij"},
      {"what is no JSON", "200 OK", "<html>", "cglij"},
  };
  size_t i;
  add(deep, sizeof deep, "{\"token\":\"a\",\"data\":[],\"pagination\":{},\"x\":");
  for (i = 0; i < 127; i++) add(deep, sizeof deep, i % 2 ? "{\"y\":" : "[");
  add(deep, sizeof deep, "1");
  for (i = 127; i-- > 0;) add(deep, sizeof deep, i % 2 ? "}" : "]");
  add(deep, sizeof deep, "}");
  add(page, sizeof page, "{\"data\":[");
  for (i = 0; i < 100; i++) {
    /* Escapes and fractions: not the plain form. */
    add(page, sizeof page, i ? "," : "");
    add(page, sizeof page, "{\"ttl\":1,\"token\":\"to\\u0031tcmSFHeYY5KzyhOqVKMKb\",\"createdAt\":\"2020-12-02T10:13:19.5+01:30\",\"expiresAt\":\"2020-12-02T11:13:19.123456Z\"}");
  }
  add(page, sizeof page, "],\"pagination\":{\"itemsTotal\":100}}");
  add(problems, sizeof problems, "{\"title\":\"Wrong\",\"problems\":[{\"title\":\"w\"}");
  for (i = 0; i < 500; i++) add(problems, sizeof problems, ",{\"type\":\"t\\u0031\",\"title\":\"wrong\",\"name\":\"ttl\",\"detail\":\"d\"}");
  add(problems, sizeof problems, "]}");
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    server *s;
    const char *call;
    size_t worst_of = 0;
    snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", rows[i].status, strlen(rows[i].body), rows[i].body);
    s = server_start(serve_hard, answer);
    for (call = rows[i].calls; *call; call++) {
      hard it = {server_url(s), *call, -1};
      size_t kib = stack_of(call_hard, &it);
      if (kib > worst_of) worst_of = kib;
      CHECK_ROW(rows[i].what, it.status >= 0 && it.status != AV_STATUS_INTERNAL);
      if (rows[i].status[0] == '4') CHECK_ROW(rows[i].what, it.status == AV_STATUS_REJECTED);
    }
    report(rows[i].what, worst_of, idle);
    server_stop(s);
  }
}

/* The system's certificates, read by the first client for https. */
static void make_client(void *argument) {
  av_client_config config = remembered_config("https://localhost:4613");
  av_client *client = NULL;
  (void)argument;
  av_client_new(&config, &client, NULL);
  av_client_free(client);
}

int main(int count, char **arguments) {
  size_t idle;
  (void)count;
  files = arguments[1];
  alarm(180);
  idle = stack_of(nothing, NULL);
  report("av_client_new, the system's certificates", stack_of(make_client, NULL), idle);
  over_tls(idle);
  hard_answers(idle);
  printf("the most that a call took: %zu KiB (stated: %d KiB)\n", most, NEEDED_KIB);
  CHECK(most <= NEEDED_KIB);
  return checks_report();
}
