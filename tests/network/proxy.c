/* Proxies: real ones (tinyproxy, microsocks), from the configuration and the environment; and
 * scripted ones, that record what they are asked and answer whatever they were told. Run by
 * proxy.sh, which starts the real ones. Behind them a service answers with the address that it was
 * reached from, which is another one for each way. */
#include "support/check.h"
#include "support/moment.h"
#include "support/outcome.h"
#include "support/server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTPS "https://localhost:8443"
#define HTTP "http://localhost:8080"
/* Which way a call took. */
#define DIRECT "127.0.0.1"
#define TINYPROXY "127.0.0.2"
#define TINYPROXY_WITH_PASSWORD "127.0.0.3"
#define MICROSOCKS "127.0.0.5"
#define MICROSOCKS_WITH_PASSWORD "127.0.0.6"

static const char *files;
static char ca_file[300];

static av_client_config config_to(const char *base_url, const char *proxy_url) {
  av_client_config config = remembered_config(base_url);
  config.api_key = "an-api-key-of-some-length";
  config.ca_file = strncmp(base_url, "https", 5) == 0 ? ca_file : NULL;
  config.proxy_url = proxy_url;
  config.timeout_ms = 10000;
  return config;
}

/* How many lines of a proxy's log contain `text`. */
static size_t lines_with(const char *log, const char *text) {
  char path[300], line[1000];
  size_t count = 0;
  FILE *file;
  snprintf(path, sizeof path, "%s/%s", files, log);
  file = fopen(path, "r");
  if (!file) exit(2);
  while (fgets(line, sizeof line, file)) count += strstr(line, text) != NULL;
  fclose(file);
  return count;
}

/* --- real proxies --- */

static void ways_through(void) {
  static const struct {
    const char *what, *proxy, *way;
  } rows[] = {
      {"no proxy", "", DIRECT},
      {"http", "http://127.0.0.1:3128", TINYPROXY},
      {"http, no scheme", "127.0.0.1:3128", TINYPROXY},
      {"http, by name", "http://localhost:3128/", TINYPROXY},
      {"http, IPv6", "http://[::1]:3128", TINYPROXY},
      {"http, a password not asked for", "http://user:pa55-word@127.0.0.1:3128", TINYPROXY},
      {"http, with a password", "http://user:pa55-word@127.0.0.1:3129", TINYPROXY_WITH_PASSWORD},
      {"SOCKS5", "socks5://127.0.0.1:1080", MICROSOCKS},
      {"SOCKS5, h", "socks5h://localhost:1080", MICROSOCKS},
      {"SOCKS5, a password not asked for", "socks5://u:pa55-word@127.0.0.1:1080", MICROSOCKS},
      {"SOCKS5, with a password", "socks5://us%20er:pa55%3Aw%2Frd%40%25@127.0.0.1:1081",
       MICROSOCKS_WITH_PASSWORD},
  };
  const char *bases[] = {HTTPS, HTTP, "https://127.0.0.1:8443", "http://127.0.0.1:8080/prefix"};
  size_t i, b;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    for (b = 0; b < 4; b++) {
      av_client_config config = config_to(bases[b], rows[i].proxy);
      av_client *client = client_of(&config);
      outcome got = try_get(client, NULL), created = try_create(client, NULL);
      if (got.status != AV_STATUS_OK) print_outcome(rows[i].what, &got);
      CHECK_ROW(rows[i].what, got.status == AV_STATUS_OK && strcmp(got.token, rows[i].way) == 0);
      CHECK_ROW(rows[i].what, created.status == AV_STATUS_OK && strcmp(created.token, rows[i].way) == 0);
      av_client_free(client);
    }
  }
  printf("  %zu proxy_urls, each to %zu services: every call took its way\n", i, b);
}

static void ways_that_fail(void) {
  static const struct {
    const char *what, *proxy, *base, *why;
    av_status status;
    int is_lasting;
  } rows[] = {
      {"http, no password", "http://127.0.0.1:3129", HTTPS, "asks for a user and password (407)", AV_STATUS_CONNECT, 1},
      {"http, wrong password", "http://user:pa55-wrong@127.0.0.1:3129", HTTPS,
       "does not accept the user and password (401)", AV_STATUS_CONNECT, 1},
      {"http, wrong password, plain", "http://user:pa55-wrong@127.0.0.1:3129", HTTP, "does not accept", AV_STATUS_CONNECT, 1},
      {"http, port not allowed", "http://127.0.0.1:3130", HTTPS, "403", AV_STATUS_CONNECT, 1},
      {"http, service down", "http://127.0.0.1:3128", "https://localhost:8444", "status 5", AV_STATUS_CONNECT, 0},
      {"http, unknown name", "http://127.0.0.1:3128", "https://nowhere.test", "status 5", AV_STATUS_CONNECT, 0},
      {"http, speaks SOCKS5", "http://127.0.0.1:1080", HTTPS, "the proxy", AV_STATUS_CONNECT, 1},
      {"SOCKS5, no password", "socks5://127.0.0.1:1081", HTTPS, "asks for a user and password (method 255)", AV_STATUS_CONNECT, 1},
      {"SOCKS5, wrong password", "socks5://us%20er:pa55-wrong@127.0.0.1:1081", HTTPS,
       "does not accept the user and password", AV_STATUS_CONNECT, 1},
      {"SOCKS5, service down", "socks5://127.0.0.1:1080", "https://localhost:8444",
       "the service refuses the connection", AV_STATUS_CONNECT, 0},
      {"SOCKS5, unknown name", "socks5://127.0.0.1:1080", "https://nowhere.test", "gives no way", AV_STATUS_CONNECT, 0},
      /* It waits for the end of what it takes for a line. */
      {"SOCKS5, speaks HTTP", "socks5://127.0.0.1:3128", HTTPS, "asking the proxy", AV_STATUS_TIMEOUT, 0},
      {"proxy down", "http://127.0.0.1:3199", HTTPS, "cannot connect to 127.0.0.1:3199", AV_STATUS_CONNECT, 0},
      {"SOCKS5, proxy down", "socks5://127.0.0.1:3199", HTTP, "cannot connect to 127.0.0.1:3199", AV_STATUS_CONNECT, 0},
      {"the proxy's name unknown", "http://nowhere.test:3128", HTTPS, "cannot look up nowhere.test", AV_STATUS_CONNECT, 0},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    av_client_config config = config_to(rows[i].base, rows[i].proxy);
    av_client *client;
    outcome got, created;
    int may_help;
    config.max_attempts = 2;
    if (rows[i].status == AV_STATUS_TIMEOUT) config.connect_timeout_ms = 1000;
    client = client_of(&config);
    got = try_get(client, NULL);
    created = try_create(client, NULL);
    print_outcome(rows[i].what, &got);
    /* What will not change is not tried again. */
    may_help = !rows[i].is_lasting;
    CHECK_ROW(rows[i].what, is_failure(&got, rows[i].status, may_help, may_help ? 2 : 1) && says(&got, rows[i].why));
    CHECK_ROW(rows[i].what, is_failure(&created, rows[i].status, may_help, may_help ? 2 : 1));
    if (rows[i].is_lasting) CHECK_ROW(rows[i].what, says(&got, "the proxy 127.0.0.1:"));
    av_client_free(client);
  }
}

/* The name is the proxy's to look up, and the certificate is ours to check. */
static void names_and_certificates(void) {
  const char *base = "https://only-the-proxy.test:8443";
  av_client_config config = config_to(base, "");
  outcome told = try_once(&config);
  print_outcome("a name unknown here, no proxy", &told);
  CHECK(told.status == AV_STATUS_CONNECT && says(&told, "cannot look up only-the-proxy.test"));
  config.proxy_url = "http://127.0.0.1:3128";
  told = try_once(&config);
  print_outcome("a name unknown here, http", &told);
  CHECK(told.status == AV_STATUS_OK && strcmp(told.token, TINYPROXY) == 0);
  config.proxy_url = "socks5://127.0.0.1:1080";
  told = try_once(&config);
  print_outcome("a name unknown here, SOCKS5", &told);
  CHECK(told.status == AV_STATUS_OK && strcmp(told.token, MICROSOCKS) == 0);
  config.base_url = "https://[::1]:8443";
  config.proxy_url = "http://127.0.0.1:3128";
  told = try_once(&config);
  CHECK(told.status == AV_STATUS_CONNECT);
  config.base_url = "https://127.0.0.1:8080";
  told = try_once(&config);
  print_outcome("no TLS behind the proxy", &told);
  CHECK(is_failure(&told, AV_STATUS_TLS, 0, 1));
}

/* Every kind of call against the stand-in service, on a connection that is kept. */
static void all_calls(const char *service) {
  static const struct {
    const char *proxy, *log, *counted;
  } rows[] = {
      {"http://127.0.0.1:3128", "tinyproxy.3128.log", "Request (file descriptor"},
      {"http://user:pa55-word@127.0.0.1:3129", "tinyproxy.3129.log", "Request (file descriptor"},
      {"socks5://127.0.0.1:1080", "microsocks.1080.out", "connected to"},
      {"socks5://us%20er:pa55%3Aw%2Frd%40%25@127.0.0.1:1081", "microsocks.1081.out", "connected to"},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    av_client_config config = config_to(service, rows[i].proxy);
    size_t before = lines_with(rows[i].log, rows[i].counted), told = 0, after;
    av_client *client;
    av_token *token = NULL, *same = NULL;
    av_token_page *page = NULL;
    av_token_iter *iter = NULL;
    const av_token *each;
    double begun;
    config.api_key = "test-key";
    client = client_of(&config);
    CHECK(av_tokens_create(client, 60, NULL, &token, NULL) == AV_STATUS_OK);
    if (!token) exit(1);
    CHECK(av_tokens_get(client, token->token, NULL, &same, NULL) == AV_STATUS_OK);
    CHECK(same && strcmp(same->token, token->token) == 0);
    CHECK(av_tokens_list(client, NULL, NULL, &page, NULL) == AV_STATUS_OK && page->items_total == 31);
    CHECK(av_tokens_iterate(client, NULL, &iter, NULL) == AV_STATUS_OK);
    while (av_token_iter_next(iter, NULL, &each, NULL) == AV_STATUS_OK && each) told++;
    CHECK(told == 31);
    CHECK(av_tokens_delete(client, token->token, NULL, NULL) == AV_STATUS_OK);
    av_token_free(same);
    CHECK(av_tokens_get(client, token->token, NULL, &same, NULL) == AV_STATUS_NOT_FOUND);
    av_token_free(token);
    av_token_page_free(page);
    av_token_iter_free(iter);
    av_client_free(client);
    /* The proxies write their logs when they please. */
    begun = now_ms();
    do {
      usleep(20000);
      after = lines_with(rows[i].log, rows[i].counted);
    } while (after == before && now_ms() - begun < 60000);
    CHECK_ROW(rows[i].log, after - before == 1);
    printf("  7 requests of every kind: %zu connection in %s\n", after - before, rows[i].log);
  }
}

/* --- the environment --- */

static const char *variables[] = {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY",
                                  "all_proxy",   "NO_PROXY",    "no_proxy",   "REQUEST_METHOD"};

static void clear_environment(void) {
  size_t i;
  for (i = 0; i < sizeof variables / sizeof variables[0]; i++) unsetenv(variables[i]);
}

/* Whether names that differ in case alone are two variables', and values may be any bytes, or none: not on Windows. */
static int is_environment_of_bytes(void) {
  int is;
  setenv("all_proxy", "small", 1);
  is = getenv("ALL_PROXY") == NULL;
  unsetenv("all_proxy");
  return is;
}

#define TINY "http://127.0.0.1:3128"
#define SOCKS "socks5://127.0.0.1:1080"
#define INTERNAL "https://service.internal.test:8443"

/* Whether an environment has two variables of one name but for its case, a value that is no text, or an empty one that
 * is not as good as none. */
static int needs_bytes(const char *const set[3][2]) {
  size_t i, k;
  for (i = 0; i < 3 && set[i][0]; i++) {
    if (strchr(set[i][1], '\xff') || (strcmp(set[i][0], "REQUEST_METHOD") == 0 && !set[i][1][0])) return 1;
    for (k = 0; k < i; k++)
      if (strcasecmp(set[i][0], set[k][0]) == 0) return 1;
  }
  return 0;
}

static void the_environment(void) {
  static const struct {
    const char *set[3][2], *base, *proxy, *way;
  } rows[] = {
      {{{"HTTPS_PROXY", TINY}}, HTTPS, NULL, TINYPROXY},
      {{{"https_proxy", TINY}}, HTTPS, NULL, TINYPROXY},
      {{{"HTTP_PROXY", TINY}}, HTTPS, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}}, HTTP, NULL, DIRECT},
      {{{"HTTP_PROXY", TINY}}, HTTP, NULL, TINYPROXY},
      {{{"http_proxy", TINY}}, HTTP, NULL, TINYPROXY},
      {{{"ALL_PROXY", SOCKS}}, HTTPS, NULL, MICROSOCKS},
      {{{"all_proxy", SOCKS}}, HTTPS, NULL, MICROSOCKS},
      {{{"ALL_PROXY", SOCKS}}, HTTP, NULL, MICROSOCKS},
      {{{"HTTPS_PROXY", TINY}, {"ALL_PROXY", SOCKS}}, HTTPS, NULL, TINYPROXY},
      /* As curl has it: small before capitals, a variable of the scheme before those of all. */
      {{{"https_proxy", TINY}, {"HTTPS_PROXY", SOCKS}}, HTTPS, NULL, TINYPROXY},
      {{{"http_proxy", TINY}, {"HTTP_PROXY", SOCKS}}, HTTP, NULL, TINYPROXY},
      {{{"all_proxy", TINY}, {"ALL_PROXY", SOCKS}}, HTTPS, NULL, TINYPROXY},
      {{{"HTTPS_PROXY", TINY}, {"all_proxy", SOCKS}}, HTTPS, NULL, TINYPROXY},
      {{{"https_proxy", ""}, {"HTTPS_PROXY", TINY}}, HTTPS, NULL, TINYPROXY},
      {{{"https_proxy", TINY}, {"no_proxy", "a.test"}, {"NO_PROXY", "*"}}, HTTPS, NULL, TINYPROXY},
      {{{"https_proxy", TINY}, {"no_proxy", "localhost"}, {"NO_PROXY", "a.test"}}, HTTPS, NULL, DIRECT},
      {{{"https_proxy", TINY}, {"no_proxy", ""}, {"NO_PROXY", "localhost"}}, HTTPS, NULL, DIRECT},
      {{{"https_proxy", "HTTP://127.0.0.1:3128/"}}, HTTPS, NULL, TINYPROXY},
      {{{"https_proxy", TINY}, {"ALL_PROXY", SOCKS}}, HTTPS, NULL, TINYPROXY},
      {{{"HTTP_PROXY", TINY}, {"ALL_PROXY", SOCKS}}, HTTP, NULL, TINYPROXY},
      {{{"HTTPS_PROXY", ""}, {"ALL_PROXY", SOCKS}}, HTTPS, NULL, MICROSOCKS},
      {{{"HTTPS_PROXY", ""}}, HTTPS, NULL, DIRECT},
      {{{"HTTPS_PROXY", "127.0.0.1:3128"}}, HTTPS, NULL, TINYPROXY},
      {{{"HTTPS_PROXY", "http://user:pa55-word@localhost:3129"}}, HTTPS, NULL, TINYPROXY_WITH_PASSWORD},
      /* In a CGI program HTTP_PROXY is a header of the request. */
      {{{"HTTP_PROXY", TINY}, {"REQUEST_METHOD", "GET"}}, HTTP, NULL, DIRECT},
      {{{"HTTP_PROXY", TINY}, {"REQUEST_METHOD", ""}}, HTTP, NULL, DIRECT},
      {{{"HTTP_PROXY", "\xff"}, {"REQUEST_METHOD", "GET"}}, HTTP, NULL, DIRECT},
      {{{"HTTP_PROXY", TINY}, {"ALL_PROXY", SOCKS}, {"REQUEST_METHOD", "GET"}}, HTTP, NULL, MICROSOCKS},
      /* The configuration is stronger. */
      {{{"HTTPS_PROXY", TINY}}, HTTPS, "", DIRECT},
      {{{"HTTPS_PROXY", TINY}}, HTTPS, SOCKS, MICROSOCKS},
      {{{"HTTPS_PROXY", "not a URL"}}, HTTPS, "", DIRECT},
      {{{"NO_PROXY", "*"}}, HTTPS, SOCKS, MICROSOCKS},
      /* Exceptions. */
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "service.internal.test"}}, INTERNAL, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"no_proxy", "service.internal.test"}}, INTERNAL, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "SERVICE.Internal.test"}}, INTERNAL, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "internal.test"}}, INTERNAL, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", ".internal.test"}}, INTERNAL, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "*.internal.test"}}, INTERNAL, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "a.test, internal.test , b.test"}}, INTERNAL, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "a.test internal.test"}}, INTERNAL, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "service.internal.test:8443"}}, INTERNAL, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "internal.test."}}, INTERNAL, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "a.test\tinternal.test"}}, INTERNAL, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "127.0.0.0/8"}}, "https://127.0.0.1:8443", NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "127.0.0.1:8443"}}, "https://127.0.0.1:8443", NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "127.0.0.1:443"}}, "https://127.0.0.1:8443", NULL, TINYPROXY},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "128.0.0.0/8"}}, "https://127.0.0.1:8443", NULL, TINYPROXY},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "0.0.0.0/0"}}, HTTPS, NULL, TINYPROXY},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "*"}}, INTERNAL, NULL, DIRECT},
      {{{"ALL_PROXY", SOCKS}, {"NO_PROXY", "*"}}, HTTP, NULL, DIRECT},
      {{{"HTTPS_PROXY", "not a URL"}, {"NO_PROXY", "*"}}, HTTPS, NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "127.0.0.1"}}, "https://127.0.0.1:8443", NULL, DIRECT},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "service.internal.test:443"}}, INTERNAL, NULL, TINYPROXY},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "ternal.test"}}, INTERNAL, NULL, TINYPROXY},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "x.service.internal.test"}}, INTERNAL, NULL, TINYPROXY},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", "127.0.0.1"}}, HTTPS, NULL, TINYPROXY},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", ""}}, INTERNAL, NULL, TINYPROXY},
      {{{"HTTPS_PROXY", TINY}, {"NO_PROXY", " , "}}, INTERNAL, NULL, TINYPROXY},
      /* A proxy on another machine would see what goes to this one in the clear. */
      {{{"HTTP_PROXY", "http://192.0.2.1:3128"}}, HTTP, NULL, DIRECT},
      {{{"ALL_PROXY", "socks5://proxy.example"}}, HTTP, NULL, DIRECT},
  };
  const int of_bytes = is_environment_of_bytes();
  size_t i, k, tried = 0;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char row[300];
    av_client_config config = config_to(rows[i].base, rows[i].proxy);
    outcome told;
    int length = snprintf(row, sizeof row, "%s with proxy_url %s", rows[i].base,
                          rows[i].proxy ? rows[i].proxy : "NULL");
    if (!of_bytes && needs_bytes(rows[i].set)) continue;
    tried++;
    clear_environment();
    for (k = 0; k < 3 && rows[i].set[k][0]; k++) {
      setenv(rows[i].set[k][0], rows[i].set[k][1], 1);
      length += snprintf(row + length, sizeof row - (size_t)length, ", %s=%s", rows[i].set[k][0],
                         rows[i].set[k][1]);
    }
    told = try_once(&config);
    if (!CHECK_ROW(row, told.status == AV_STATUS_OK && strcmp(told.token, rows[i].way) == 0)) {
      print_outcome(row, &told);
      printf("    went by %s\n", told.token);
    }
  }
  {
    /* Of a variable that has two names nobody knows by which it was set. */
    av_client_config config = config_to(HTTP, NULL);
    clear_environment();
    setenv("http_proxy", TINY, 1);
    setenv("REQUEST_METHOD", "GET", 1);
    CHECK(strcmp(try_once(&config).token, of_bytes ? TINYPROXY : DIRECT) == 0);
    tried++;
  }
  printf("  %zu environments: every call took its way\n", tried);
  clear_environment();
}

/* Nothing goes another way than was meant because a variable cannot be read. */
static void an_environment_that_cannot_be_read(void) {
  static const struct {
    const char *variable, *base;
  } rows[] = {
      {"https_proxy", HTTPS}, {"HTTPS_PROXY", HTTPS}, {"all_proxy", HTTPS}, {"ALL_PROXY", HTTPS},
      {"http_proxy", HTTP},   {"HTTP_PROXY", HTTP},   {"no_proxy", HTTPS},  {"NO_PROXY", HTTP},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    av_client_config config = config_to(rows[i].base, NULL);
    outcome told;
    clear_environment();
    /* What would be taken if it were passed by. */
    setenv("ALL_PROXY", SOCKS, 1);
    setenv(rows[i].variable, "http://user:pa55-\xff@127.0.0.1:3128", 1);
    told = try_once(&config);
    if (i == 0) print_outcome("a variable that is not UTF-8", &told);
    CHECK_ROW(rows[i].variable, is_failure(&told, AV_STATUS_INVALID_ARGUMENT, 0, 0));
    CHECK_ROW(rows[i].variable, says(&told, rows[i].variable) && says(&told, "UTF-8"));
    config.proxy_url = "";
    told = try_once(&config);
    CHECK_ROW(rows[i].variable, told.status == AV_STATUS_OK && strcmp(told.token, DIRECT) == 0);
  }
  clear_environment();
}

static void the_environment_is_read_once(void) {
  av_client_config config = config_to(HTTPS, NULL);
  av_client *without = client_of(&config), *with;
  setenv("HTTPS_PROXY", TINY, 1);
  with = client_of(&config);
  CHECK(strcmp(try_get(without, NULL).token, DIRECT) == 0);
  CHECK(strcmp(try_get(with, NULL).token, TINYPROXY) == 0);
  clear_environment();
  setenv("NO_PROXY", "*", 1);
  CHECK(strcmp(try_get(with, NULL).token, TINYPROXY) == 0);
  CHECK(strcmp(try_create(with, NULL).token, TINYPROXY) == 0);
  clear_environment();
  av_client_free(without);
  av_client_free(with);
}

/* --- what is refused --- */

static void refused_urls(void) {
  static const char *urls[] = {
      "https://proxy.example",        "ftp://user:pa55-word@proxy.example",
      "socks4://proxy.example",       "http://user:pa55-word@",
      "http://",                      "http://user:pa55-word@proxy:0",
      "http://user:pa55-word@p:65536", "http://user:pa55-word@p:port",
      "http://user:pa55-word@p/path", "http://user:pa55-word@p?query",
      "http://user:pa55-word@p p",    "http://us%0der:pa55-word@p",
      "http://us%ffer:pa55-word@p",   "://user:pa55-word@p",
      "http://user:pa55-word@p\r\n",  " ",
  };
  size_t i;
  for (i = 0; i < sizeof urls / sizeof urls[0]; i++) {
    av_client_config config = config_to(HTTPS, urls[i]);
    outcome told = try_once(&config);
    CHECK_ROW(urls[i], told.status == AV_STATUS_INVALID_ARGUMENT && says(&told, "proxy_url"));
    CHECK_ROW(urls[i], told.attempts == 0 && told.outcome == AV_OUTCOME_NOT_APPLIED);
    if (i <= 1 || i == 10 || i == 11) print_outcome("a bad proxy_url", &told);
    config.proxy_url = NULL;
    setenv("https_proxy", urls[i], 1);
    told = try_once(&config);
    CHECK_ROW(urls[i], told.status == AV_STATUS_INVALID_ARGUMENT && says(&told, "https_proxy"));
    if (i == 1) print_outcome("the same in the environment", &told);
    clear_environment();
  }
  printf("  %zu bad proxy URLs are refused, none is quoted\n", i);
}

static void plain_http_stays_on_this_machine(void) {
  static const char *proxies[] = {"http://192.0.2.1:3128", "socks5://proxy.example", "http://[2001:db8::1]:1"};
  size_t i;
  for (i = 0; i < 3; i++) {
    av_client_config config = config_to(HTTP, proxies[i]);
    av_client *client = NULL;
    outcome told = try_client(&config, &client);
    CHECK_ROW(proxies[i], told.status == AV_STATUS_INVALID_ARGUMENT && client == NULL);
    CHECK_ROW(proxies[i], says(&told, "proxy_url") && says(&told, "AV_CLIENT_ALLOW_PLAIN_HTTP"));
    if (i == 0) print_outcome("plain http by way of another machine", &told);
    config.flags = AV_CLIENT_ALLOW_PLAIN_HTTP;
    told = try_client(&config, &client);
    CHECK_ROW(proxies[i], told.status == AV_STATUS_OK);
    av_client_free(client);
    config = config_to(HTTPS, proxies[i]);
    told = try_client(&config, &client);
    CHECK_ROW(proxies[i], told.status == AV_STATUS_OK);
    av_client_free(client);
  }
}

/* --- scripted proxies --- */

/* What a scripted proxy was asked, and what it is to answer. */
typedef struct script {
  const char *greeting, *reply; /* bytes; NULL is the usual, "" closes without a word */
  size_t greeting_length, reply_length;
  int is_slow;
  char asked[400]; /* host and port, or an HTTP head */
  char request[4000];
} script;

static int take(int connection, void *into, size_t length) {
  return length == 0 || recv(connection, into, length, MSG_WAITALL) == (ssize_t)length;
}

static int give(int connection, const char *bytes, size_t length, int slowly) {
  size_t i;
  if (!slowly) return send(connection, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
  for (i = 0; i < length; i++) {
    if (send(connection, bytes + i, 1, MSG_NOSIGNAL) != 1) return 0;
    usleep(500);
  }
  return 1;
}

/* What comes once the way is open: an HTTP request, for this is the service too. */
static void serve_behind(server *s, int connection, script *it) {
  request got;
  while (server_receive(s, connection, &got)) {
    snprintf(it->request, sizeof it->request, "%.3999s", got.text);
    if (!server_answer(connection, "200 OK", "", "{\"token\":\"scripted\"}")) return;
  }
}

static void socks5(server *s, int connection, void *data) {
  script *it = (script *)data;
  unsigned char head[4], port[2], methods[255], length = 0;
  char name[256] = "";
  if (!take(connection, head, 2) || !take(connection, methods, head[1])) return;
  if (it->greeting) {
    give(connection, it->greeting, it->greeting_length, it->is_slow);
    if (it->greeting_length == 4) server_swallow(connection);
    if (it->greeting_length < 2 || it->greeting[0] != 5 || it->greeting[1] != 0) return;
  } else {
    give(connection, "\5\0", 2, it->is_slow);
  }
  if (!take(connection, head, 4)) return;
  if (head[3] == 3) {
    if (!take(connection, &length, 1) || !take(connection, name, length)) return;
    name[length] = 0;
  } else {
    unsigned char address[16];
    if (!take(connection, address, head[3] == 1 ? 4 : 16)) return;
    inet_ntop(head[3] == 1 ? AF_INET : AF_INET6, address, name, sizeof name);
  }
  if (!take(connection, port, 2)) return;
  snprintf(it->asked, sizeof it->asked, "type %d %s:%d", head[3], name, port[0] << 8 | port[1]);
  if (it->reply) {
    if (!give(connection, it->reply, it->reply_length, it->is_slow)) return;
    if (it->reply_length < 4 || it->reply[1] != 0) return;
  } else {
    give(connection, "\5\0\0\1\0\0\0\0\0\0", 10, it->is_slow);
  }
  serve_behind(s, connection, it);
}

static void http_connect(server *s, int connection, void *data) {
  script *it = (script *)data;
  request got;
  if (!server_receive(s, connection, &got)) return;
  snprintf(it->asked, sizeof it->asked, "%.399s", got.text);
  if (it->reply) {
    if (!give(connection, it->reply, it->reply_length, it->is_slow) || it->reply_length == 0) return;
  } else if (!server_send(connection, "HTTP/1.1 200 Connection established\r\n\r\n")) {
    return;
  }
  serve_behind(s, connection, it);
}

static void what_a_proxy_is_asked(void) {
  static const struct {
    const char *base, *socks5, *http;
  } rows[] = {
      {"http://127.0.0.1:81", "type 1 127.0.0.1:81", "CONNECT 127.0.0.1:81 HTTP/1.1\r\nHost: 127.0.0.1:81\r\n"},
      {"http://[::1]:81", "type 4 ::1:81", "CONNECT [::1]:81 HTTP/1.1\r\nHost: [::1]:81\r\n"},
      {"http://nowhere.test", "type 3 nowhere.test:80",
       "CONNECT nowhere.test:80 HTTP/1.1\r\nHost: nowhere.test:80\r\n"},
  };
  size_t i;
  int is_socks;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    for (is_socks = 0; is_socks < 2; is_socks++) {
      script it;
      char url[64];
      server *s;
      av_client_config config;
      outcome told;
      memset(&it, 0, sizeof it);
      s = server_start(is_socks ? socks5 : http_connect, &it);
      server_url_as(s, is_socks ? "socks5" : "http", url, sizeof url);
      config = config_to(rows[i].base, url);
      config.flags = AV_CLIENT_ALLOW_PLAIN_HTTP;
      told = try_once(&config);
      CHECK_ROW(rows[i].base, told.status == AV_STATUS_OK && strcmp(told.token, "scripted") == 0);
      if (is_socks)
        CHECK_ROW(rows[i].base, strcmp(it.asked, rows[i].socks5) == 0);
      else
        CHECK_ROW(rows[i].base, strstr(it.asked, rows[i].http) == it.asked);
      /* The proxy gets no credential of the service, nor the service one of the proxy. */
      CHECK_ROW(rows[i].base, !strstr(it.asked, "uthorization") && !strstr(it.request, "Proxy"));
      CHECK_ROW(rows[i].base, strcasestr(it.request, "authorization: Basic ") != NULL);
      server_stop(s);
    }
  }
  {
    script it;
    char url[100];
    server *s;
    av_client_config config;
    memset(&it, 0, sizeof it);
    s = server_start(http_connect, &it);
    snprintf(url, sizeof url, "http://user:pa55-word@%s", server_url(s) + 7);
    config = config_to("http://localhost:81", url);
    CHECK(try_once(&config).status == AV_STATUS_OK);
    CHECK(strstr(it.asked, "Proxy-Authorization: Basic dXNlcjpwYTU1LXdvcmQ=\r\n") != NULL);
    CHECK(!strcasestr(it.request, "proxy-authorization"));
    server_stop(s);
  }
}

static void odd_answers(void) {
#define BYTES(text) text, sizeof text - 1
  enum { MANY = 200 };
  static char long_head[20000], many_lines[17 + 6 * MANY + 2];
  static const char long_reply[] = "\5\0\0\3\xff";
  static char long_name[sizeof long_reply - 1 + 255 + 2];
  const struct {
    const char *what;
    int is_socks;
    const char *greeting;
    size_t greeting_length;
    const char *reply;
    size_t reply_length;
    const char *why; /* NULL: it works */
    int is_lasting;
  } rows[] = {
      {"SOCKS5, bound to a name", 1, NULL, 0, BYTES("\5\0\0\3\4name\0\1"), NULL, 0},
      {"SOCKS5, bound to a long name", 1, NULL, 0, long_name, sizeof long_name, NULL, 0},
      {"SOCKS5, bound to IPv6", 1, NULL, 0, BYTES("\5\0\0\4aaaabbbbccccdddd\0\1"), NULL, 0},
      {"SOCKS5, no method", 1, BYTES("\5\xff"), NULL, 0, "asks for a user and password", 1},
      {"SOCKS5, a method not offered", 1, BYTES("\5\1"), NULL, 0, "asks for a user and password", 1},
      {"SOCKS4", 1, BYTES("\0\x5b"), NULL, 0, "does not speak SOCKS5", 1},
      {"SOCKS5, answered in HTTP", 1, BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), NULL, 0,
       "does not speak SOCKS5", 1},
      {"SOCKS5, closed at once", 1, BYTES(""), NULL, 0, "closed the connection", 0},
      {"SOCKS5, closed after the request", 1, NULL, 0, BYTES(""), "closed the connection", 0},
      {"SOCKS5, closed within the reply", 1, NULL, 0, BYTES("\5\0"), "closed the connection", 0},
      {"SOCKS5, reply 1", 1, NULL, 0, BYTES("\5\1\0\1\0\0\0\0\0\0"), "it failed", 0},
      {"SOCKS5, reply 2", 1, NULL, 0, BYTES("\5\2\0\1\0\0\0\0\0\0"), "rules do not allow it (reply 2)", 1},
      {"SOCKS5, reply 3", 1, NULL, 0, BYTES("\5\3\0\1\0\0\0\0\0\0"), "network cannot be reached", 0},
      {"SOCKS5, reply 4", 1, NULL, 0, BYTES("\5\4\0\1\0\0\0\0\0\0"), "host cannot be reached", 0},
      {"SOCKS5, reply 5", 1, NULL, 0, BYTES("\5\5\0\1\0\0\0\0\0\0"), "service refuses", 0},
      {"SOCKS5, reply 6", 1, NULL, 0, BYTES("\5\6\0\1\0\0\0\0\0\0"), "too long", 0},
      {"SOCKS5, reply 8", 1, NULL, 0, BYTES("\5\x08\0\1\0\0\0\0\0\0"), "does not understand", 1},
      {"SOCKS5, reply 99", 1, NULL, 0, BYTES("\5\x63\0\1\0\0\0\0\0\0"), "no known reason (reply 99)", 0},
      {"SOCKS5, another version in the reply", 1, NULL, 0, BYTES("\4\0\0\1\0\0\0\0\0\0"), "does not speak SOCKS5", 1},
      {"SOCKS5, an unknown kind of address", 1, NULL, 0, BYTES("\5\0\0\7\0\0\0\0\0\0"), "SOCKS5", 1},
      {"http, HTTP/1.0", 0, NULL, 0, BYTES("HTTP/1.0 200 OK\r\nX: y\r\n\r\n"), NULL, 0},
      {"http, no reason", 0, NULL, 0, BYTES("HTTP/1.1 200\r\n\r\n"), NULL, 0},
      {"http, lines that end in LF alone", 0, NULL, 0, BYTES("HTTP/1.0 200 OK\n\n"), NULL, 0},
      {"http, both ends of lines", 0, NULL, 0, BYTES("HTTP/1.1 200 OK\r\nX: y\n\r\n"), NULL, 0},
      {"http, any bytes as the reason", 0, NULL, 0, BYTES("HTTP/1.1 200 \xe9tabli \1\0\r\x1b[31m\r\n\r\n"), NULL, 0},
      {"http, folded and odd lines", 0, NULL, 0,
       BYTES("HTTP/1.1 200 OK\r\nVia: a\r\n\tb\r\nno colon\r\nspaced name: x\r\n: y\r\nX: \0\xff\r\n\r\n"), NULL, 0},
      {"http, many header lines", 0, NULL, 0, many_lines, sizeof many_lines, NULL, 0},
      {"http, a word in between", 0, NULL, 0,
       BYTES("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\nX: y\n\nHTTP/1.1 200 OK\r\n\r\n"), NULL, 0},
      {"http, a length that means nothing", 0, NULL, 0,
       BYTES("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), NULL, 0},
      {"http, 403", 0, NULL, 0, BYTES("HTTP/1.1 403 Forbidden\r\n\r\n"), "403", 1},
      {"http, 404", 0, NULL, 0, BYTES("HTTP/1.1 404 \r\n\r\n"), "404", 1},
      {"http, 408", 0, NULL, 0, BYTES("HTTP/1.1 408 \r\n\r\n"), "408", 0},
      {"http, 429", 0, NULL, 0, BYTES("HTTP/1.1 429 \r\n\r\n"), "429", 0},
      {"http, 501", 0, NULL, 0, BYTES("HTTP/1.1 501 \r\n\r\n"), "501", 1},
      {"http, 503", 0, NULL, 0, BYTES("HTTP/1.1 503 \r\n\r\n"), "503", 0},
      {"http, 504", 0, NULL, 0, BYTES("HTTP/1.1 504 \r\n\r\n"), "504", 0},
      {"http, 407 and no more than its first line", 0, NULL, 0, BYTES("HTTP/1.1 407 No\r\n"), "(407)", 1},
      {"http, an alert of TLS and no line", 0, NULL, 0, BYTES("\x15\3\1\0\2\2\x28"), "does not speak HTTP", 1},
      {"http, garbage and no line", 0, NULL, 0, BYTES("220-mail ready"), "does not speak HTTP", 1},
      {"http, bytes of a service that did not speak", 0, NULL, 0, BYTES("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n"),
       "more than it was asked", 1},
      {"http, redirect", 0, NULL, 0, BYTES("HTTP/1.1 302 Found\r\nLocation: http://x\r\n\r\n"), "302", 1},
      {"http, 502 with a body", 0, NULL, 0, BYTES("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nhi"), "502", 0},
      {"http, 401", 0, NULL, 0, BYTES("HTTP/1.1 401 No\r\n\r\n"), "401", 1},
      {"socks5, a refusal cut short", 1, NULL, 0, BYTES("\5\2"), "its rules do not allow it (reply 2)", 1},
      {"http, another protocol", 0, NULL, 0, BYTES("SSH-2.0-OpenSSH_9.2p1\r\n"), "does not speak HTTP", 1},
      {"http, no status", 0, NULL, 0, BYTES("HTTP/1.1 abc\r\n\r\n"), "does not speak HTTP", 1},
      {"http, an endless head", 0, NULL, 0, long_head, sizeof long_head, "too long", 1},
      {"http, closed", 0, NULL, 0, BYTES(""), "closed the connection", 0},
  };
  size_t i;
  int slowly;
  memset(long_head, 'x', sizeof long_head);
  memcpy(long_head, "HTTP/1.1 200 OK\r\nX: ", 20);
  memcpy(many_lines, "HTTP/1.1 200 OK\r\n", 17);
  for (i = 0; i < MANY; i++) memcpy(many_lines + 17 + 6 * i, "X: y\r\n", 6);
  memcpy(many_lines + 17 + 6 * MANY, "\r\n", 2);
  memset(long_name, 'n', sizeof long_name);
  memcpy(long_name, long_reply, sizeof long_reply - 1);
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    for (slowly = 0; slowly < 2; slowly++) {
      script it;
      char url[64], where[80];
      server *s;
      av_client_config config;
      outcome told;
      /* Slowly it would take a minute; and bytes that come later look like the service's. */
      if (slowly && (rows[i].reply == long_head || strstr(rows[i].what, "did not speak"))) continue;
      memset(&it, 0, sizeof it);
      it.greeting = rows[i].greeting;
      it.greeting_length = rows[i].greeting_length;
      it.reply = rows[i].reply;
      it.reply_length = rows[i].reply_length;
      it.is_slow = slowly;
      s = server_start(rows[i].is_socks ? socks5 : http_connect, &it);
      server_url_as(s, rows[i].is_socks ? "socks5" : "http", url, sizeof url);
      snprintf(where, sizeof where, "the proxy %s", strstr(url, "//") + 2);
      config = config_to("http://localhost:81", url);
      config.max_attempts = 1;
      told = try_once(&config);
      if (rows[i].why) {
        if (!CHECK_ROW(rows[i].what, is_failure(&told, AV_STATUS_CONNECT, !rows[i].is_lasting, 1) &&
                                        says(&told, rows[i].why) && says(&told, where)))
          print_outcome(rows[i].what, &told);
        CHECK_ROW(rows[i].what, it.request[0] == 0);
      } else if (!CHECK_ROW(rows[i].what, strcmp(told.token, "scripted") == 0)) {
        print_outcome(rows[i].what, &told);
      }
      server_stop(s);
    }
  }
  printf("  %zu odd answers of proxies, at once and byte by byte\n", i);
}

/* It is told that there is a user and a password, and takes neither that nor none. */
static void refused_with_a_password(void) {
  script it;
  char url[100];
  server *s;
  av_client_config config;
  outcome told;
  memset(&it, 0, sizeof it);
  it.greeting = "\5\xff";
  it.greeting_length = 2;
  s = server_start(socks5, &it);
  snprintf(url, sizeof url, "socks5://user:pa55-word@%s", server_url(s) + 7);
  config = config_to("http://localhost:81", url);
  config.max_attempts = 1;
  told = try_once(&config);
  print_outcome("SOCKS5, no method, with a password", &told);
  CHECK(is_failure(&told, AV_STATUS_CONNECT, 0, 1) && says(&told, "accepts no user and password (method 255)"));
  server_stop(s);
}

/* Three wrong passwords lock an account. */
static void a_wrong_password_is_sent_once(void) {
  static const char refusal[] = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n";
  static const struct {
    const char *what, *scheme, *greeting, *why;
    size_t greeting_length;
  } rows[] = {
      {"HTTP", "http", NULL, "(407)", 0},
      /* The method, and in the same breath that what follows is wrong. */
      {"SOCKS5, told", "socks5", "\5\2\1\1", "(status 1)", 4},
      {"SOCKS5, without a word", "socks5", "\5\2", "once it was told the user and password", 2},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    script it;
    char url[100];
    server *s;
    av_client_config config;
    outcome told;
    memset(&it, 0, sizeof it);
    it.reply = refusal;
    it.reply_length = sizeof refusal - 1;
    it.greeting = rows[i].greeting;
    it.greeting_length = rows[i].greeting_length;
    s = server_start(it.greeting ? socks5 : http_connect, &it);
    snprintf(url, sizeof url, "%s://user:pa55-word@%s", rows[i].scheme, server_url(s) + 7);
    config = config_to("http://localhost:81", url);
    config.max_attempts = 5;
    told = try_once(&config);
    print_outcome(rows[i].what, &told);
    CHECK_ROW(rows[i].what, is_failure(&told, AV_STATUS_CONNECT, 0, 1) && server_connections(s) == 1);
    CHECK_ROW(rows[i].what, says(&told, rows[i].why) && says(&told, server_url(s) + 7));
    server_stop(s);
  }
}

/* Takes user and password, and then says nothing until the other side gives up. */
static void take_the_password_in_silence(server *s, int connection, void *data) {
  unsigned char head[2], methods[255];
  (void)s, (void)data;
  if (!take(connection, head, 2) || !take(connection, methods, head[1])) return;
  give(connection, "\5\2", 2, 0);
  server_swallow(connection);
}

/* That is no refusal, but time that runs out. */
static void silence_after_the_password(void) {
  char url[100];
  server *s = server_start(take_the_password_in_silence, NULL);
  av_client_config config;
  outcome told;
  snprintf(url, sizeof url, "socks5://user:pa55-word@%s", server_url(s) + 7);
  config = config_to("http://localhost:81", url);
  config.timeout_ms = time_for(1000);
  config.max_attempts = 1;
  told = try_once(&config);
  print_outcome("SOCKS5, silent once it has the password", &told);
  CHECK(is_failure(&told, AV_STATUS_TIMEOUT, 1, 1) && says(&told, "timed out while asking the proxy"));
  server_stop(s);
}

int main(int count, char **arguments) {
  static const char *secrets[] = {
      "pa55", "dXNlcjpwYTU1LXdvcmQ", "an-api-key-of-some-length", "YW4tYXBpLWtleS1vZi1zb21lLWxlbmd0aD",
  };
  size_t i;
  if (count != 3) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  files = arguments[1];
  snprintf(ca_file, sizeof ca_file, "%s/ours.pem", files);
  clear_environment();
  ways_through();
  ways_that_fail();
  names_and_certificates();
  all_calls(arguments[2]);
  the_environment();
  if (is_environment_of_bytes()) an_environment_that_cannot_be_read();
  the_environment_is_read_once();
  refused_urls();
  plain_http_stays_on_this_machine();
  what_a_proxy_is_asked();
  odd_answers();
  refused_with_a_password();
  a_wrong_password_is_sent_once();
  silence_after_the_password();
  for (i = 0; i < sizeof secrets / sizeof secrets[0]; i++) CHECK_ROW(secrets[i], !was_told(secrets[i]));
  CHECK(was_told("the proxy leads to"));
  printf("  no password and no key in %zu bytes of trace and messages\n", told_bytes());
  return checks_report();
}
