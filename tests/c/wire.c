/* What goes over the wire: the whole text of the request that each call sends, header by header, and
 * nothing else. The peer tells what it received. */
#include "support/check.h"
#include "support/client.h"
#include "support/peer.h"

#define COUNT(table) (sizeof table / sizeof *table)
/* Without the suffix of a pre-release, for which the service's pattern has no room. */
#define TEXT_OF(number) #number
#define RELEASE(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

enum operation { CREATE, CREATE_JSON, GET, GET_JSON, DELETE, LIST, LIST_JSON, ITERATE };

/* One call, and what it sends. */
typedef struct row {
  const char *what;
  enum operation operation;
  const char *text;   /* the token, or the payload */
  uint32_t number;    /* the time to live */
  uint32_t params[4]; /* page, size, by, order; all zero passes NULL */
  const char *line;   /* method and path */
  const char *body;   /* NULL is none */
} row;

#define NOTHING {0, 0, 0, 0}

static const row rows[] = {
    {"create for ever", CREATE, NULL, 0, NOTHING, "POST /upload-tokens", "{\"ttl\":0}"},
    {"create for an hour", CREATE, NULL, 3600, NOTHING, "POST /upload-tokens", "{\"ttl\":3600}"},
    {"create for the longest time", CREATE, NULL, 2147483647, NOTHING, "POST /upload-tokens",
     "{\"ttl\":2147483647}"},

    {"create_json of NULL", CREATE_JSON, NULL, 0, NOTHING, "POST /upload-tokens", "{}"},
    {"create_json passes on what it does not know, spaces and line ends included", CREATE_JSON,
     " {\r\n\t\"ttl\" : 1e2,\n\"new\":[{\"caf\xC3\xA9\":null}, \"\\u00e9\\\"\"],\"ttl\":-5 } \n", 0,
     NOTHING, "POST /upload-tokens",
     " {\r\n\t\"ttl\" : 1e2,\n\"new\":[{\"caf\xC3\xA9\":null}, \"\\u00e9\\\"\"],\"ttl\":-5 } \n"},

    {"get", GET, "to1tcmSFHeYY5KzyhOqVKMKb", 0, NOTHING,
     "GET /upload-tokens/to1tcmSFHeYY5KzyhOqVKMKb", NULL},
    {"get_json", GET_JSON, "to1tcmSFHeYY5KzyhOqVKMKb", 0, NOTHING,
     "GET /upload-tokens/to1tcmSFHeYY5KzyhOqVKMKb", NULL},
    {"delete", DELETE, "to1tcmSFHeYY5KzyhOqVKMKb", 0, NOTHING,
     "DELETE /upload-tokens/to1tcmSFHeYY5KzyhOqVKMKb", NULL},

    /* All but the unreserved characters of RFC 3986 is encoded. */
    {"get of what ends a path", GET, "a;b c?d#\xC3\xA9%", 0, NOTHING,
     "GET /upload-tokens/a%3Bb%20c%3Fd%23%C3%A9%25", NULL},
    {"get_json of what ends a path", GET_JSON, "a;b c?d#\xC3\xA9%", 0, NOTHING,
     "GET /upload-tokens/a%3Bb%20c%3Fd%23%C3%A9%25", NULL},
    {"delete of what ends a path", DELETE, "a;b c?d#\xC3\xA9%", 0, NOTHING,
     "DELETE /upload-tokens/a%3Bb%20c%3Fd%23%C3%A9%25", NULL},
    {"get of punctuation", GET, "a:b@c!$&'()*+,;=~-._", 0, NOTHING,
     "GET /upload-tokens/a%3Ab%40c%21%24%26%27%28%29%2A%2B%2C%3B%3D~-._", NULL},
    {"delete of punctuation", DELETE, "a:b@c!$&'()*+,;=~-._", 0, NOTHING,
     "DELETE /upload-tokens/a%3Ab%40c%21%24%26%27%28%29%2A%2B%2C%3B%3D~-._", NULL},
    {"what is encoded already is a token like any other", DELETE, "%41%2b", 0, NOTHING,
     "DELETE /upload-tokens/%2541%252b", NULL},
    {"dots that lead nowhere", DELETE, "...", 0, NOTHING, "DELETE /upload-tokens/...", NULL},

    {"list without parameters", LIST, NULL, 0, NOTHING, "GET /upload-tokens", NULL},
    {"list by age", LIST, NULL, 0, {0, 0, AV_TOKEN_SORT_CREATED_AT, 0},
     "GET /upload-tokens?sortBy=createdAt", NULL},
    {"list by time to live", LIST, NULL, 0, {0, 0, AV_TOKEN_SORT_TTL, 0},
     "GET /upload-tokens?sortBy=ttl", NULL},
    {"list upwards", LIST, NULL, 0, {0, 0, 0, AV_SORT_ASC}, "GET /upload-tokens?sortOrder=asc", NULL},
    {"list downwards", LIST, NULL, 0, {0, 0, 0, AV_SORT_DESC}, "GET /upload-tokens?sortOrder=desc", NULL},
    {"list page 1", LIST, NULL, 0, {1, 0, 0, 0}, "GET /upload-tokens?currentPage=1", NULL},
    {"list the last page there can be", LIST, NULL, 0, {UINT32_MAX, 0, 0, 0},
     "GET /upload-tokens?currentPage=4294967295", NULL},
    {"list the smallest page", LIST, NULL, 0, {0, 1, 0, 0}, "GET /upload-tokens?pageSize=1", NULL},
    {"list the largest page", LIST, NULL, 0, {0, 100, 0, 0}, "GET /upload-tokens?pageSize=100", NULL},
    {"list with all parameters", LIST, NULL, 0, {3, 50, AV_TOKEN_SORT_TTL, AV_SORT_DESC},
     "GET /upload-tokens?sortBy=ttl&sortOrder=desc&currentPage=3&pageSize=50", NULL},
    {"list_json without parameters", LIST_JSON, NULL, 0, NOTHING, "GET /upload-tokens", NULL},
    {"list_json with all parameters", LIST_JSON, NULL, 0, {2, 10, AV_TOKEN_SORT_CREATED_AT, AV_SORT_ASC},
     "GET /upload-tokens?sortBy=createdAt&sortOrder=asc&currentPage=2&pageSize=10", NULL},

    {"iterate from the oldest", ITERATE, NULL, 0, NOTHING,
     "GET /upload-tokens?sortBy=createdAt&sortOrder=asc", NULL},
    {"iterate from a page", ITERATE, NULL, 0, {7, 20, 0, 0},
     "GET /upload-tokens?sortBy=createdAt&sortOrder=asc&currentPage=7&pageSize=20", NULL},
    {"iterate as the caller sorts", ITERATE, NULL, 0, {0, 0, AV_TOKEN_SORT_TTL, AV_SORT_DESC},
     "GET /upload-tokens?sortBy=ttl&sortOrder=desc", NULL},
    {"iterate by what the caller sorts", ITERATE, NULL, 0, {0, 0, AV_TOKEN_SORT_TTL, 0},
     "GET /upload-tokens?sortBy=ttl", NULL},
    {"iterate with all parameters", ITERATE, NULL, 0, {2, 1, AV_TOKEN_SORT_CREATED_AT, AV_SORT_DESC},
     "GET /upload-tokens?sortBy=createdAt&sortOrder=desc&currentPage=2&pageSize=1", NULL},
};

static av_status iterate(const av_client *client, const av_tokens_list_params *params, av_error **error) {
  av_token_iter *iter = NULL;
  const av_token *token = NULL;
  av_status status = av_tokens_iterate(client, params, &iter, error);
  if (status == AV_STATUS_OK) status = av_token_iter_next(iter, NULL, &token, error);
  av_token_iter_free(iter);
  return status;
}

/* Makes the call of a row against a peer that answers what any of them is content with. */
static void perform(peer *p, const av_client *client, const row *it) {
  av_token *token = NULL;
  av_token_page *page = NULL;
  char *json = NULL;
  av_error *error = NULL;
  av_status status = AV_STATUS_INTERNAL;
  av_tokens_list_params listed, *params = NULL;
  char body[8192];
  snprintf(body, sizeof body, "{\"token\":\"%s\",\"data\":[],\"pagination\":{}}",
           it->operation == GET || it->operation == GET_JSON ? it->text : "to");
  memset(&listed, 0, sizeof listed);
  listed.struct_size = sizeof listed;
  listed.current_page = it->params[0];
  listed.page_size = it->params[1];
  listed.sort_by = (int32_t)it->params[2];
  listed.sort_order = (int32_t)it->params[3];
  if (it->params[0] || it->params[1] || it->params[2] || it->params[3]) params = &listed;

  if (it->operation == DELETE)
    peer_answer_text(p, "HTTP/1.1 204 No Content\r\n\r\n", PEER_KEEP);
  else
    peer_answer_json(p, "200 OK", body);
  switch (it->operation) {
    case CREATE: status = av_tokens_create(client, it->number, NULL, &token, &error); break;
    case CREATE_JSON: status = av_tokens_create_json(client, it->text, NULL, &json, &error); break;
    case GET: status = av_tokens_get(client, it->text, NULL, &token, &error); break;
    case GET_JSON: status = av_tokens_get_json(client, it->text, NULL, &json, &error); break;
    case DELETE: status = av_tokens_delete(client, it->text, NULL, &error); break;
    case LIST: status = av_tokens_list(client, params, NULL, &page, &error); break;
    case LIST_JSON: status = av_tokens_list_json(client, params, NULL, &json, &error); break;
    case ITERATE: status = iterate(client, params, &error); break;
  }
  if (!CHECK_ROW(it->what, status == AV_STATUS_OK)) fprintf(stderr, "%s\n", av_error_message(error));
  av_error_free(error);
  av_token_free(token);
  av_token_page_free(page);
  av_string_free(json);
}

/* Checks the whole of a request: `line` is method and path, `authorization` the credential,
 * `origins` the header lines of an application and an SDK. */
static void check_request(peer *p, size_t index, const char *what, const char *line,
                          const char *authorization, const char *origins, const char *body) {
  static char wanted[65536];
  size_t length = 0, wanted_length;
  const char *sent = peer_request(p, index, &length);
  char content_length[64] = "";
  if (body) snprintf(content_length, sizeof content_length, "content-length: %zu\r\n", strlen(body));
  snprintf(wanted, sizeof wanted,
           "%s HTTP/1.1\r\n"
           "%s"
           "host: %s\r\n"
           "authorization: %s\r\n"
           "accept: application/json\r\n"
           "user-agent: apivideo-c/" APIVIDEO_VERSION "\r\n"
           "av-origin-client: c:" RELEASE(APIVIDEO_VERSION_MAJOR, APIVIDEO_VERSION_MINOR,
                                          APIVIDEO_VERSION_PATCH) "\r\n"
           "%s"
           "%s"
           "\r\n"
           "%s",
           line, content_length, peer_url(p) + strlen("http://"), authorization, origins,
           body ? "content-type: application/json\r\n" : "", body ? body : "");
  wanted_length = strlen(wanted);
  if (!CHECK_ROW(what, sent != NULL && length == wanted_length && memcmp(sent, wanted, length) == 0))
    fprintf(stderr, "--- sent\n%s\n--- wanted\n%s\n---\n", sent ? sent : "(nothing)", wanted);
}

/* All of them go over one connection, which is kept open in between. */
static void every_call_sends_its_request(void) {
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  size_t i;
  for (i = 0; i < COUNT(rows); i++) {
    perform(p, client, &rows[i]);
    CHECK_ROW(rows[i].what, peer_request_count(p) == i + 1);
    check_request(p, i, rows[i].what, rows[i].line, "Basic dGVzdC1rZXk6", "", rows[i].body);
  }
  CHECK(peer_connection_count(p) == 1);
  av_client_free(client);
  peer_stop(p);
}

/* A configuration, and what becomes of it in every request. */
typedef struct setup {
  const char *what;
  const char *api_key, *access_token;
  const char *url_suffix;
  const char *app_name, *app_version, *sdk_name, *sdk_version;
  const char *prefix, *authorization, *origins;
} setup;

static char longest_key[4097], longest_token[4097], longest_bearer[sizeof "Bearer " + 4096];

static const setup setups[] = {
    {"an API key", "my-key", NULL, "", NULL, NULL, NULL, NULL, "", "Basic bXkta2V5Og==", ""},
    {"an API key beyond ASCII", "k\xC3\xA9 y", NULL, "", NULL, NULL, NULL, NULL, "", "Basic a8OpIHk6", ""},
    {"an access token", NULL, "eyJ0.eXAi-_~+/=", "", NULL, NULL, NULL, NULL, "",
     "Bearer eyJ0.eXAi-_~+/=", ""},
    {"the longest access token", NULL, longest_key, "", NULL, NULL, NULL, NULL, "", longest_bearer, ""},
    {"a trailing slash", "my-key", NULL, "/", NULL, NULL, NULL, NULL, "", "Basic bXkta2V5Og==", ""},
    {"a path prefix", "my-key", NULL, "/video/v1", NULL, NULL, NULL, NULL, "/video/v1",
     "Basic bXkta2V5Og==", ""},
    {"a path prefix with a trailing slash", "my-key", NULL, "/video/v1/", NULL, NULL, NULL, NULL,
     "/video/v1", "Basic bXkta2V5Og==", ""},
    {"a path prefix that is encoded", "my-key", NULL, "/a%2Fb", NULL, NULL, NULL, NULL, "/a%2Fb",
     "Basic bXkta2V5Og==", ""},
    {"an application", "my-key", NULL, "", "my-app_2", "1.20.3", NULL, NULL, "", "Basic bXkta2V5Og==",
     "av-origin-app: my-app_2:1.20.3\r\n"},
    {"an SDK", "my-key", NULL, "", NULL, NULL, "my-sdk", "7", "", "Basic bXkta2V5Og==",
     "av-origin-sdk: my-sdk:7\r\n"},
    {"an application and an SDK", "my-key", NULL, "", "app", "123.456.789", "sdk", "1.0", "",
     "Basic bXkta2V5Og==", "av-origin-app: app:123.456.789\r\nav-origin-sdk: sdk:1.0\r\n"},
};

static av_client *client_as_set_up(peer *p, const setup *it) {
  char url[256];
  av_client_config config;
  /* The library copies: the URL is gone when this function returns. */
  snprintf(url, sizeof url, "%s%s", peer_url(p), it->url_suffix);
  config = config_for(url);
  config.api_key = it->api_key;
  config.access_token = it->access_token;
  config.app_name = it->app_name;
  config.app_version = it->app_version;
  config.sdk_name = it->sdk_name;
  config.sdk_version = it->sdk_version;
  return client_of(&config);
}

/* With a body, without one, and with a query: a setup is the same in all of them. */
static void every_request_is_as_its_client_is_set_up(void) {
  static const row calls[] = {
      {"create", CREATE, NULL, 60, NOTHING, "POST", "{\"ttl\":60}"},
      {"delete", DELETE, "x", 0, NOTHING, "DELETE", NULL},
      {"list", LIST, NULL, 0, {2, 0, 0, 0}, "GET", NULL},
  };
  static const char *const paths[] = {"/upload-tokens", "/upload-tokens/x", "/upload-tokens?currentPage=2"};
  size_t i, call;
  for (i = 0; i < COUNT(setups); i++) {
    const setup *it = &setups[i];
    peer *p = peer_start();
    av_client *client = client_as_set_up(p, it);
    for (call = 0; call < COUNT(calls); call++) {
      char line[256];
      perform(p, client, &calls[call]);
      snprintf(line, sizeof line, "%s %s%s", calls[call].line, it->prefix, paths[call]);
      check_request(p, call, it->what, line, it->authorization, it->origins, calls[call].body);
    }
    CHECK_ROW(it->what, peer_request_count(p) == COUNT(calls));
    CHECK_ROW(it->what, peer_connection_count(p) == 1);
    av_client_free(client);
    peer_stop(p);
  }
}

/* Every part of a head at the longest that is allowed: it still fits where requests are written. */
static void the_longest_request_is_sent_whole(void) {
  static char url[2049], line[32768];
  static const char name[] = "a2345678901234567890123456789012345678901234567890";
  char authorization[8192] = "Basic ", origins[256];
  size_t i, length;
  peer *p = peer_start();
  av_client_config config = config_for(url);
  av_client *client;
  row get = {"the longest token", GET, longest_token, 0, NOTHING, NULL, NULL};

  length = (size_t)snprintf(url, sizeof url, "%s/", peer_url(p));
  memset(url + length, 'p', sizeof url - 1 - length);
  config.api_key = longest_key;
  config.app_name = config.sdk_name = name;
  config.app_version = config.sdk_version = "123.456.789";
  client = client_of(&config);

  length = (size_t)snprintf(line, sizeof line, "GET %s/upload-tokens/", url + strlen(peer_url(p)));
  for (i = 0; i < sizeof longest_token - 1; i++) length += (size_t)sprintf(line + length, "%%25");
  /* 1365 groups of "kkk", and the last "k" with the colon. */
  for (i = 0; i < 1365; i++) memcpy(authorization + 6 + 4 * i, "a2tr", 4);
  memcpy(authorization + 6 + 4 * i, "azo=", 5);
  snprintf(origins, sizeof origins, "av-origin-app: %s:123.456.789\r\nav-origin-sdk: %s:123.456.789\r\n",
           name, name);

  perform(p, client, &get);
  check_request(p, 0, get.what, line, authorization, origins, NULL);
  av_client_free(client);
  peer_stop(p);
}

int main(void) {
  memset(longest_key, 'k', sizeof longest_key - 1);
  memset(longest_token, '%', sizeof longest_token - 1);
  snprintf(longest_bearer, sizeof longest_bearer, "Bearer %s", longest_key);
  every_call_sends_its_request();
  every_request_is_as_its_client_is_set_up();
  the_longest_request_is_sent_whole();
  return checks_report();
}
