/* The trace: what is told, to whom, on which thread; and that neither it nor any message holds a
 * secret, however the service repeats what it was sent. */
#include "support/call.h"
#include "support/check.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/secrets.h"
#include "support/server.h"
#include "support/watch.h"

#include <pthread.h>
#include <unistd.h>

/* --------------------------------------------------------------------------------- what is collected */

enum { MOST = 20000 };

/* Every line and message of this program. */
static struct {
  pthread_mutex_t lock;
  char *texts[MOST];
  size_t count;
} collected = {PTHREAD_MUTEX_INITIALIZER, {NULL}, 0};

static void collect(const char *text) {
  pthread_mutex_lock(&collected.lock);
  if (collected.count == MOST || !(collected.texts[collected.count] = strdup(text))) exit(2);
  collected.count++;
  pthread_mutex_unlock(&collected.lock);
}

/* Whom lines are told to. */
typedef struct listener {
  pthread_mutex_t lock;
  size_t lines, attempts, elsewhere, many_lines;
  int32_t highest;
  char last[512], last_attempt[512];
} listener;

static _Thread_local int inside; /* this thread is inside a call */

static void listen_to(void *userdata, int32_t level, const char *line) {
  listener *it = (listener *)userdata;
  collect(line);
  pthread_mutex_lock(&it->lock);
  it->lines++;
  it->elsewhere += !inside;
  it->many_lines += strpbrk(line, "\r\n") != NULL;
  if (level > it->highest) it->highest = level;
  snprintf(it->last, sizeof it->last, "%s", line);
  if (strstr(line, ": attempt ")) {
    it->attempts++;
    snprintf(it->last_attempt, sizeof it->last_attempt, "%s", line);
  }
  pthread_mutex_unlock(&it->lock);
}

static av_client *listened(const char *url, int32_t level, listener *it) {
  av_client_config config = config_for(url);
  memset(it, 0, sizeof *it);
  pthread_mutex_init(&it->lock, NULL);
  config.proxy_url = "";
  config.trace_fn = listen_to;
  config.trace_userdata = it;
  config.trace_level = level;
  return client_of(&config);
}

static call call_inside(const av_client *client, operation op) {
  call made;
  inside = 1;
  made = call_make(client, op, NULL);
  inside = 0;
  collect(av_error_message(made.error));
  return made;
}

/* ------------------------------------------------------------------------------------ what is told */

/* 503 to every first request of a connection's life, well to the others. */
static void serve_second(server *s, int connection, void *data) {
  int *asked = (int *)data;
  request it;
  while (server_receive(s, connection, &it)) {
    if (__atomic_add_fetch(asked, 1, __ATOMIC_SEQ_CST) == 1) server_answer(connection, "503 Down", "", "{\"title\":\"Down\"}");
    else server_answer(connection, "200 OK", "", TOKEN_BODY);
  }
}

static void levels(void) {
  static const struct {
    int32_t level;
    size_t least_lines, most_lines;
  } rows[] = {{AV_TRACE_OFF, 0, 0}, {AV_TRACE_ERROR, 1, 1}, {AV_TRACE_INFO, 3, 3}, {AV_TRACE_DEBUG, 4, 20}};
  size_t i;
  for (i = 0; i < 4; i++) {
    int asked = 0;
    server *s = server_start(serve_second, &asked);
    listener heard;
    av_client *client = listened(server_url(s), rows[i].level, &heard);
    call made = call_inside(client, GET);
    char row[32];
    snprintf(row, sizeof row, "level %d", (int)rows[i].level);
    CHECK_ROW(row, made.status == AV_STATUS_OK);
    call_free(&made);
    made = call_inside(client, GET);
    CHECK_ROW(row, made.status == AV_STATUS_OK);
    call_free(&made);
    printf("%s: %zu lines of three attempts, of which one failed\n", row, heard.lines);
    CHECK_ROW(row, heard.lines >= rows[i].least_lines && heard.lines <= rows[i].most_lines);
    CHECK_ROW(row, heard.highest == rows[i].level);
    CHECK_ROW(row, heard.attempts == (i == 0 ? 0u : i == 1 ? 1u : 3u));
    av_client_free(client);
    server_stop(s);
  }
}

/* What one line says of an attempt. */
static void one_line_an_attempt(void) {
  int asked = 0;
  server *s = server_start(serve_second, &asked);
  listener heard;
  av_client *client = listened(server_url(s), AV_TRACE_ERROR, &heard);
  char method[16], path[64], which[16], unit[4];
  unsigned attempt, status, bytes;
  double ms;
  int wait = -1;
  const char *why;
  double begun = now_ms(), took;
  call made = call_inside(client, GET);
  took = now_ms() - begun;
  call_free(&made);
  CHECK(sscanf(heard.last_attempt, "%15s %63[^:]: attempt %u: status %u, %u bytes, %lf %3[a-z], %15s connection", method, path, &attempt, &status, &bytes, &ms, unit, which) == 8);
  CHECK(strcmp(method, "GET") == 0);
  CHECK(strcmp(path, "/upload-tokens/to1t\xe2\x80\xa6Kb") == 0);
  CHECK(attempt == 1 && status == 503 && bytes == 16);
  CHECK(ms >= 0 && ms <= took + 1); /* both of the clock that only goes forward; told in tenths */
  CHECK(strcmp(which, "new") == 0);
  why = strstr(heard.last_attempt, "again in ");
  CHECK(why && sscanf(why, "again in %d ms", &wait) == 1 && wait >= 0 && wait <= 200);
  CHECK(strstr(heard.last_attempt, "503") && strstr(heard.last_attempt, "Down"));
  av_client_free(client);

  /* One for each way to use a connection. */
  client = listened(server_url(s), AV_TRACE_INFO, &heard);
  made = call_inside(client, GET);
  call_free(&made);
  CHECK(strstr(heard.last_attempt, "status 200, ") && strstr(heard.last_attempt, ", new connection"));
  made = call_inside(client, CREATE);
  call_free(&made);
  CHECK(strstr(heard.last_attempt, "POST /upload-tokens: attempt 1: status 200, ") && strstr(heard.last_attempt, ", reused connection"));
  CHECK(heard.attempts == 2);
  printf("a line: %s\n", heard.last_attempt);
  av_client_free(client);
  server_stop(s);
}

typedef struct worker {
  const av_client *client;
  pthread_t thread;
} worker;

static void *repeat(void *argument) {
  worker *it = (worker *)argument;
  int i;
  for (i = 0; i < 50; i++) {
    call made = call_inside(it->client, (operation)(i % OPERATIONS));
    call_free(&made);
  }
  return NULL;
}

/* Each client's lines go to its own listener, on the thread that is inside the call. */
static void to_whom(void) {
  int asked = 1;
  server *s = server_start(serve_second, &asked);
  listener heard[2];
  av_client *clients[2];
  worker workers[8];
  size_t i;
  for (i = 0; i < 2; i++) clients[i] = listened(server_url(s), AV_TRACE_INFO, &heard[i]);
  for (i = 0; i < 8; i++) {
    workers[i].client = clients[i < 2 ? 0 : 1];
    if (pthread_create(&workers[i].thread, NULL, repeat, &workers[i]) != 0) exit(2);
  }
  for (i = 0; i < 8; i++) pthread_join(workers[i].thread, NULL);
  printf("two clients, 2 and 6 threads of 50 calls: %zu and %zu attempts told, %zu on another thread\n", heard[0].attempts, heard[1].attempts,
         heard[0].elsewhere + heard[1].elsewhere);
  CHECK(heard[0].attempts == 100);
  CHECK(heard[1].attempts == 300);
  CHECK(heard[0].elsewhere + heard[1].elsewhere == 0);
  for (i = 0; i < 2; i++) av_client_free(clients[i]);
  server_stop(s);
}

/* ---------------------------------------------------------------------- what a listener may do itself */

static struct {
  av_client *client;
  int depth, calls, failed, freed;
} calling;

static void call_again(void *userdata, int32_t level, const char *line) {
  (void)userdata;
  (void)level;
  collect(line);
  if (calling.depth > 0) return;
  calling.depth++;
  if (calling.client) {
    call made = call_make(calling.client, calling.calls % 2 ? CREATE : LIST_JSON, NULL);
    calling.calls++;
    calling.failed += made.status != AV_STATUS_OK;
    call_free(&made);
  }
  calling.depth--;
}

static void serve_well(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it))
    server_answer(connection, "200 OK", "", it.method[0] == 'G' && strcmp(it.path, "/upload-tokens") == 0 ? PAGE_BODY : TOKEN_BODY);
}

/* With the same client, at every step that is told. */
static void calls_again(void) {
  server *s = server_start(serve_well, NULL);
  av_client_config config = config_for(server_url(s));
  call made;
  int i;
  config.trace_fn = call_again;
  config.trace_level = AV_TRACE_DEBUG;
  calling.client = client_of(&config);
  for (i = 0; i < 3; i++) {
    made = call_make(calling.client, GET, NULL);
    CHECK(made.status == AV_STATUS_OK && strcmp(made.token->token, TOKEN) == 0);
    call_free(&made);
  }
  printf("%d calls from within the trace of three: %d failed\n", calling.calls, calling.failed);
  CHECK(calling.calls >= 4);
  CHECK(calling.failed == 0);
  av_client_free(calling.client);
  calling.client = NULL;
  server_stop(s);
}

static void free_it(void *userdata, int32_t level, const char *line) {
  (void)userdata;
  (void)level;
  collect(line);
  av_client_free(calling.client);
  calling.client = NULL;
}

/* Even frees the client that is in the midst of it. */
static void frees_its_client(void) {
  server *s = server_start(serve_well, NULL);
  av_client_config config = config_for(server_url(s));
  call made;
  config.trace_fn = free_it;
  config.trace_level = AV_TRACE_DEBUG;
  calling.client = client_of(&config);
  made = call_make(calling.client, GET, NULL);
  CHECK(made.status == AV_STATUS_OK && strcmp(made.token->token, TOKEN) == 0);
  CHECK(calling.client == NULL);
  call_free(&made);
  server_stop(s);
}

/* --------------------------------------------------------------------------------------- the secrets */

/* How the service repeats what it was sent: %s is the secret, wherever it may be thought to fit. */
static const char *const echoes[] = {
    "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/?a=%s&b=%s\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 301 Moved %s\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 400 Bad %s\r\nX-Echo: %s\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\n\r\n{\"type\":\"%s\",\"title\":\"No %s here\"}",
    "HTTP/1.1 400 Bad\r\n\r\n{\"title\":\"x\",\"detail\":\"Not %s.\",\"name\":\"%s\"}",
    "HTTP/1.1 400 Bad\r\n\r\n{\"title\":\"x\",\"problems\":[{\"title\":\"%s\",\"name\":\"%s\"}]}",
    "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"%s\"\r\n\r\n{\"title\":\"%s\"}",
    "HTTP/1.1 429 Slow\r\nRetry-After: %s\r\nX-RateLimit-Limit: %s\r\nX-RateLimit-Retry-After: 3600\r\n\r\n{\"title\":\"x\"}",
    "HTTP/1.1 500 Oh\r\n\r\n{\"title\":\"%s\",\"details\":\"%s\"}",
    "HTTP/1.1 409 Oh\r\n\r\n{\"title\":\"a\\n%s\\r\\nb\",\"detail\":\"\\u0085\\u2028 %s\"}",
    "HTTP/1.1 503 %s\r\n\r\n%s",
    "HTTP/1.1 200 OK\r\n\r\n%s%s",
    "HTTP/1.1 200 OK\r\n\r\n{\"token\":\"%s\",\"ttl\":\"%s\"}",
    "HTTP/1.1 200 OK\r\n\r\n{\"token\":\"%s\",\"ttl\":1,\"createdAt\":\"%s\"}",
    "HTTP/1.1 200 OK\r\n\r\n{\"token\":\"%s\",\"ttl\":1} %s",
    "HTTP/1.1 200 OK\r\n\r\n{\"token\":\"%s\",\"%s\"",
    "HTTP/1.1 200 OK\r\n\r\n{\"data\":[{\"token\":\"%s\",\"ttl\":\"%s\"}],\"pagination\":{}}",
    "HTTP/1.1 200 OK\r\n\r\n{\"data\":[{\"token\":\"%s\",\"expiresAt\":\"%s\"}],\"pagination\":{}}",
    "HTTP/1.1 200 OK\r\n\r\n{\"data\":[],\"pagination\":{\"currentPage\":\"%s\",\"%s\":1}}",
    "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"token\":\"%s%s",
    "HTTP/1.1 200 OK\r\nContent-Length: %s%s\r\n\r\n{}",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s%s\r\n{}",
    "HTTP/1.1 200 OK\r\n%s %s\r\n\r\n{}",
    "HTTP/1.1 %s%s\r\n\r\n{}",
    "%s %s\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-Long: %s%s",
};

#define ECHOES (sizeof echoes / sizeof echoes[0])

typedef struct echoing {
  const char *echo, *secret;
} echoing;

static void serve_echo(server *s, int connection, void *data) {
  const echoing *it = (const echoing *)data;
  static _Thread_local char text[4096];
  request asked;
  if (!server_receive(s, connection, &asked)) return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(text, sizeof text, it->echo, it->secret, it->secret);
#pragma GCC diagnostic pop
  server_send(connection, text);
}

/* A proxy that repeats what it was sent, refuses, and closes. */
static void serve_refusal(server *s, int connection, void *data) {
  (void)s;
  (void)data;
  char first[4096];
  ssize_t got = read(connection, first, sizeof first - 1);
  if (got <= 0) return;
  first[got] = 0;
  server_send(connection, "HTTP/1.1 407 No ");
  server_send(connection, SECRET_PASSWORD " " SECRET_PROXY_ENCODED "\r\nProxy-Authenticate: Basic " SECRET_PROXY_ENCODED "\r\nContent-Length: 0\r\n\r\n");
}

static av_client_config config_with_secrets(const char *url, int with_bearer, listener *heard) {
  av_client_config config = config_for(url);
  if (with_bearer) {
    config.api_key = NULL;
    config.access_token = SECRET_BEARER;
  } else {
    config.api_key = SECRET_KEY;
  }
  memset(heard, 0, sizeof *heard);
  pthread_mutex_init(&heard->lock, NULL);
  config.proxy_url = "";
  config.trace_fn = listen_to;
  config.trace_userdata = heard;
  config.trace_level = AV_TRACE_DEBUG;
  config.max_attempts = 2;
  config.timeout_ms = 1000;
  return config;
}

/* The operations, with a token that is a secret; what comes of it is only read. */
static void secret_calls(const av_client *client) {
  av_token *token = NULL;
  av_token_page *page = NULL;
  av_error *error = NULL;
  char *json = NULL;
  av_token_iter *iter = NULL;
  const av_token *next = NULL;
  inside = 1;
  av_tokens_get(client, SECRET_TOKEN, NULL, &token, &error);
  collect(av_error_message(error));
  av_error_free(error);
  av_token_free(token);
  av_tokens_get_json(client, SECRET_TOKEN, NULL, &json, &error);
  collect(av_error_message(error));
  av_error_free(error);
  av_string_free(json);
  av_tokens_delete(client, SECRET_TOKEN, NULL, &error);
  collect(av_error_message(error));
  av_error_free(error);
  /* What is created is a secret that the library has not been told: it must not quote the answer. */
  av_tokens_create(client, 60, NULL, &token, &error);
  if (av_error_status(error) == AV_STATUS_DECODE || av_error_status(error) == AV_STATUS_TRANSPORT) collect(av_error_message(error));
  av_error_free(error);
  av_token_free(token);
  av_tokens_list(client, NULL, NULL, &page, &error);
  if (av_error_status(error) == AV_STATUS_DECODE) collect(av_error_message(error));
  av_error_free(error);
  av_token_page_free(page);
  av_tokens_iterate(client, NULL, &iter, NULL);
  av_token_iter_next(iter, NULL, &next, &error);
  av_token_iter_free(iter);
  av_error_free(error);
  inside = 0;
}

/* Which part of the calls is about which secret: credentials may be repeated to all, the token only
 * to those that name it. */
static void repeated_secrets(void) {
  static const char *const secrets[] = {SECRET_KEY, SECRET_KEY_ENCODED, "Basic " SECRET_KEY_ENCODED, SECRET_BEARER, SECRET_TOKEN, SECRET_TOKEN_ENCODED};
  size_t i, k, many_lines = 0, calls = 0;
  for (i = 0; i < ECHOES; i++)
    for (k = 0; k < 6; k++) {
      echoing it = {echoes[i], secrets[k]};
      server *s = server_start(serve_echo, &it);
      listener heard;
      av_client_config config = config_with_secrets(server_url(s), k == 3, &heard);
      av_client *client;
      /* A second attempt says the same again: a few are enough. */
      if (k > 0 || i % 5 != 0) config.max_attempts = 1;
      client = client_of(&config);
      if (k < 4) {
        secret_calls(client);
        calls += 6;
      } else {
        call made;
        made.status = av_tokens_get(client, SECRET_TOKEN, NULL, &made.token, &made.error);
        collect(av_error_message(made.error));
        av_error_free(made.error);
        av_token_free(made.token);
        av_tokens_delete(client, SECRET_TOKEN, NULL, &made.error);
        collect(av_error_message(made.error));
        av_error_free(made.error);
        calls += 2;
      }
      CHECK_ROW(echoes[i], heard.elsewhere == 0 || k >= 4);
      many_lines += heard.many_lines;
      av_client_free(client);
      server_stop(s);
    }
  printf("%zu calls to a service that repeats secrets in %zu ways: %zu lines and messages, %zu of more than a line\n", calls, ECHOES, collected.count, many_lines);
  CHECK(many_lines == 0);
}

/* Ways that end before there is an answer. */
static void secrets_on_the_way(void) {
  server *s = server_start(serve_refusal, NULL), *silent = server_start(serve_silence, NULL);
  char url[64], proxy[128];
  listener heard;
  size_t i;
  int with_bearer;
  for (with_bearer = 0; with_bearer < 2; with_bearer++) {
    av_client_config config;
    av_client *client;
    for (i = 0; i < 2; i++) {
      config = config_with_secrets("http://127.0.0.1:1", with_bearer, &heard);
      snprintf(url, sizeof url, "%s", strrchr(server_url(s), ':') + 1);
      snprintf(proxy, sizeof proxy, i ? "socks5://user:" SECRET_PASSWORD "@127.0.0.1:%s" : "http://user:" SECRET_PASSWORD "@127.0.0.1:%s", url);
      config.proxy_url = proxy;
      client = client_of(&config);
      secret_calls(client);
      av_client_free(client);
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)refusing_port());
    config = config_with_secrets(url, with_bearer, &heard);
    client = client_of(&config);
    secret_calls(client);
    av_client_free(client);
    config = config_with_secrets(server_url(silent), with_bearer, &heard);
    config.timeout_ms = 50;
    client = client_of(&config);
    secret_calls(client);
    av_client_free(client);
  }
  server_stop(s);
  server_stop(silent);
}

/* Configurations that are refused: what they hold is not quoted. */
static void refused_configurations(void) {
  static const struct {
    const char *api_key, *access_token, *base_url, *proxy_url;
  } rows[] = {
      {SECRET_KEY ":x", NULL, NULL, ""},
      {SECRET_KEY "\n", NULL, NULL, ""},
      {SECRET_KEY, SECRET_BEARER, NULL, ""},
      {NULL, SECRET_BEARER " x", NULL, ""},
      {NULL, SECRET_BEARER "\xc3\xa9", NULL, ""},
      {SECRET_KEY "\xff", NULL, NULL, ""},
      {"k", NULL, "https://user:" SECRET_PASSWORD "@host", ""},
      {"k", NULL, "https://host/?key=" SECRET_PASSWORD, ""},
      {"k", NULL, "https://user:" SECRET_PASSWORD "@host:99999/ x", ""},
      {"k", NULL, "ftp://user:" SECRET_PASSWORD "@host", ""},
      {"k", NULL, "http://user:" SECRET_PASSWORD "@example.com", ""},
      {"k", NULL, NULL, "ftp://user:" SECRET_PASSWORD "@host"},
      {"k", NULL, NULL, "http://user:" SECRET_PASSWORD "@host:99999"},
      {"k", NULL, NULL, "http://user:" SECRET_PASSWORD "@host/path"},
      {"k", NULL, NULL, "http://user:" SECRET_PASSWORD "%ff@host"},
      {"k", NULL, NULL, "http://user:" SECRET_PASSWORD "@"},
      {"k", NULL, "http://127.0.0.1", "http://user:" SECRET_PASSWORD "@proxy.example"},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    av_client_config config;
    av_client *client = NULL;
    av_error *error = NULL;
    char row[32];
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.api_key = rows[i].api_key;
    config.access_token = rows[i].access_token;
    config.base_url = rows[i].base_url;
    config.proxy_url = rows[i].proxy_url;
    snprintf(row, sizeof row, "configuration %zu", i);
    CHECK_ROW(row, av_client_new(&config, &client, &error) == AV_STATUS_INVALID_ARGUMENT);
    collect(av_error_message(error));
    av_error_free(error);
    av_client_free(client);
  }
}

/* All operations against the stand-in service, whose tokens nobody knows before. */
static void unknown_secrets(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--fail-rate", "20", "--drop-rate", "20", NULL};
  local_api *service = local_api_start(arguments);
  listener heard;
  av_client *client = listened(local_api_url(service), AV_TRACE_DEBUG, &heard);
  size_t first = collected.count, i, given_away = 0;
  int round;
  for (round = 0; round < 40; round++) {
    call made = call_inside(client, CREATE);
    if (made.token) {
      char *json = NULL;
      av_token *token = NULL;
      av_error *error = NULL;
      inside = 1;
      av_tokens_get(client, made.token->token, NULL, &token, &error);
      collect(av_error_message(error));
      av_error_free(error);
      av_tokens_get_json(client, made.token->token, NULL, &json, &error);
      collect(av_error_message(error));
      av_error_free(error);
      av_tokens_delete(client, made.token->token, NULL, &error);
      collect(av_error_message(error));
      av_error_free(error);
      inside = 0;
      av_token_free(token);
      av_string_free(json);
    }
    call_free(&made);
  }
  for (i = first; i < collected.count; i++)
    if (gives_away(collected.texts[i])) {
      given_away++;
      fprintf(stderr, "a secret in: %s\n", collected.texts[i]);
    }
  printf("%zu lines and messages about the stand-in service's own tokens: %zu give one away\n", collected.count - first, given_away);
  CHECK(given_away == 0);
  CHECK(gives_away("GET /upload-tokens/to1tcmSFHeYY5KzyhOqVKMKb: attempt 1"));
  av_client_free(client);
  local_api_stop(service);
}

/* How many of the collected hold a secret. */
static size_t search(void) {
  size_t i, found = 0;
  for (i = 0; i < collected.count; i++) {
    const char *secret = secret_in(collected.texts[i], strlen(collected.texts[i]));
    if (secret && ++found <= 10 && !strstr(collected.texts[i], "planted")) fprintf(stderr, "\"%s\" in: %s\n", secret, collected.texts[i]);
  }
  return found;
}

static void nothing_is_found(void) {
  size_t i, planted;
  size_t found = search();
  /* The search finds each secret where there is one. */
  for (i = 0; i < sizeof all_secrets / sizeof all_secrets[0]; i++) {
    char line[256];
    snprintf(line, sizeof line, "planted: GET /upload-tokens/%s: attempt 1", all_secrets[i]);
    collect(line);
  }
  planted = search() - found;
  printf("%zu lines and messages searched for %zu secrets: %zu found, and %zu of %zu planted ones\n", collected.count, i, found, planted, i);
  CHECK(found == 0);
  CHECK(planted == i);
  CHECK(collected.count > 1000);
}

int main(void) {
  size_t i;
  levels();
  one_line_an_attempt();
  to_whom();
  calls_again();
  frees_its_client();
  repeated_secrets();
  secrets_on_the_way();
  refused_configurations();
  unknown_secrets();
  nothing_is_found();
  for (i = 0; i < collected.count; i++) free(collected.texts[i]);
  return checks_report();
}
