/* The life of tokens against the stand-in service: made, found, listed, deleted, gone; and who may do
 * so, and how often. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"

#include <time.h>

#define KEY "test-key" /* that of config_for() */
#define ACCESS_TOKEN "an.access-token"

static av_tokens_list_params list_params(uint32_t page, uint32_t size, int32_t by, int32_t order) {
  av_tokens_list_params params;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.current_page = page;
  params.page_size = size;
  params.sort_by = by;
  params.sort_order = order;
  return params;
}

static int64_t total(const av_client *client) {
  av_token_page *page = NULL;
  int64_t count = -1;
  CHECK(av_tokens_list(client, NULL, NULL, &page, NULL) == AV_STATUS_OK);
  if (page) count = (int64_t)page->items_total;
  av_token_page_free(page);
  return count;
}

/* One token's life. */
static void life(const av_client *client) {
  av_token *made = NULL, *found = NULL;
  av_error *error = NULL;
  int64_t before = total(client), now = (int64_t)time(NULL);

  CHECK(av_tokens_create(client, 3600, NULL, &made, &error) == AV_STATUS_OK);
  CHECK(error == NULL);
  if (!made) return;
  CHECK(strlen(made->token) > 0);
  CHECK(made->ttl_seconds == 3600);
  CHECK(made->created_at >= now - 1 && made->created_at <= now + 60);
  CHECK(made->expires_at == made->created_at + 3600);
  CHECK(total(client) == before + 1);

  CHECK(av_tokens_get(client, made->token, NULL, &found, &error) == AV_STATUS_OK);
  CHECK(error == NULL);
  CHECK(found && texts_equal(found->token, made->token));
  CHECK(found && found->ttl_seconds == 3600 && found->created_at == made->created_at && found->expires_at == made->expires_at);
  av_token_free(found);

  CHECK(av_tokens_delete(client, made->token, NULL, &error) == AV_STATUS_OK);
  CHECK(error == NULL);
  CHECK(total(client) == before);

  CHECK(av_tokens_get(client, made->token, NULL, &found, &error) == AV_STATUS_NOT_FOUND);
  CHECK(found == NULL);
  CHECK(av_error_http_status(error) == 404);
  CHECK(av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
  CHECK(av_error_is_retryable(error) == 0);
  CHECK(texts_equal(av_error_problem_type(error), "https://docs.api.video/reference/resource-not-found"));
  CHECK(texts_equal(av_error_problem_title(error), "The requested resource was not found."));
  CHECK(texts_equal(av_error_problem_name(error), "uploadToken"));
  CHECK(strstr(av_error_message(error), "The requested resource was not found") != NULL);
  CHECK(strstr(av_error_message(error), made->token) == NULL);
  av_error_free(error);

  CHECK(av_tokens_delete(client, made->token, NULL, &error) == AV_STATUS_NOT_FOUND);
  CHECK(av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
  av_error_free(error);
  av_token_free(made);
}

static void times_to_live(const av_client *client) {
  static const uint32_t ttls[] = {1000, 2147483647, 0};
  size_t i;
  for (i = 0; i < sizeof ttls / sizeof ttls[0]; i++) {
    av_token *made = NULL;
    char row[32];
    snprintf(row, sizeof row, "ttl %u", (unsigned)ttls[i]);
    CHECK_ROW(row, av_tokens_create(client, ttls[i], NULL, &made, NULL) == AV_STATUS_OK);
    if (!made) continue;
    CHECK_ROW(row, made->ttl_seconds == (int32_t)ttls[i]);
    CHECK_ROW(row, made->expires_at == (ttls[i] ? made->created_at + (int64_t)ttls[i] : 0));
    CHECK_ROW(row, av_tokens_delete(client, made->token, NULL, NULL) == AV_STATUS_OK);
    av_token_free(made);
  }
}

/* What no path may take apart. */
static void awkward_tokens(const av_client *client) {
  static const char *const tokens[] = {"a;b", "a?b=c#d", "%41", "a b+c", "caf\xC3\xA9", "...", "a..b"};
  size_t i;
  for (i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
    av_token *found = NULL;
    av_error *error = NULL;
    CHECK_ROW(tokens[i], av_tokens_get(client, tokens[i], NULL, &found, &error) == AV_STATUS_NOT_FOUND);
    /* It is the token that was not found, not the path. */
    CHECK_ROW(tokens[i], texts_equal(av_error_problem_name(error), "uploadToken"));
    av_error_free(error);
    CHECK_ROW(tokens[i], av_tokens_delete(client, tokens[i], NULL, &error) == AV_STATUS_NOT_FOUND);
    CHECK_ROW(tokens[i], texts_equal(av_error_problem_name(error), "uploadToken"));
    av_error_free(error);
  }
}

/* The text that follows `key` in a JSON text, up to the next quote. */
static char *value_of(const char *json, const char *key) {
  const char *from = json ? strstr(json, key) : NULL;
  return from ? strndup(from + strlen(key), strcspn(from + strlen(key), "\"")) : strdup("");
}

static void json_twins(const av_client *client) {
  av_tokens_list_params params = list_params(1, 1, AV_TOKEN_SORT_CREATED_AT, AV_SORT_DESC);
  char *made = NULL, *found = NULL, *page = NULL, *token;
  av_error *error = NULL;
  CHECK(av_tokens_create_json(client, " {\"ttl\": 77} ", NULL, &made, &error) == AV_STATUS_OK);
  token = value_of(made, "\"token\":\"");
  CHECK(strlen(token) == 24);
  CHECK(made && strstr(made, "\"ttl\":77") != NULL);
  CHECK(av_tokens_get_json(client, token, NULL, &found, &error) == AV_STATUS_OK);
  CHECK(texts_equal(found, made));
  CHECK(av_tokens_list_json(client, &params, NULL, &page, &error) == AV_STATUS_OK);
  CHECK(page && strstr(page, token) != NULL && strstr(page, "\"links\":[") != NULL);
  av_string_free(found);
  CHECK(av_tokens_delete(client, token, NULL, &error) == AV_STATUS_OK);
  CHECK(av_tokens_get_json(client, token, NULL, &found, &error) == AV_STATUS_NOT_FOUND);
  CHECK(found == NULL);
  av_error_free(error);
  av_string_free(made);
  av_string_free(page);
  free(token);

  CHECK(av_tokens_create_json(client, NULL, NULL, &made, &error) == AV_STATUS_OK);
  CHECK(made && strstr(made, "\"ttl\":0") != NULL);
  token = value_of(made, "\"token\":\"");
  CHECK(av_tokens_delete(client, token, NULL, &error) == AV_STATUS_OK);
  free(token);
  av_string_free(made);

  /* The service checks the fields, and what it says comes through. */
  CHECK(av_tokens_create_json(client, "{\"ttl\":\"soon\",\"colour\":\"red\"}", NULL, &made, &error) == AV_STATUS_REJECTED);
  CHECK(made == NULL);
  CHECK(av_error_http_status(error) == 400);
  CHECK(av_error_problem_count(error) == 2);
  CHECK(texts_equal(av_error_problem_name_at(error, 0), "ttl") || texts_equal(av_error_problem_name_at(error, 1), "ttl"));
  CHECK(texts_equal(av_error_problem_name_at(error, 0), "colour") || texts_equal(av_error_problem_name_at(error, 1), "colour"));
  CHECK(texts_equal(av_error_problem_title(error), "An attribute is invalid."));
  CHECK(av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
  av_error_free(error);
}

/* What a page is sorted by: when a token was made, or when it ends, those without an end last. */
static int64_t sorted_by(const av_token *token, int32_t by) {
  if (by == AV_TOKEN_SORT_TTL) return token->ttl_seconds == 0 ? INT64_MAX : token->expires_at;
  return token->created_at;
}

static void sorting(const av_client *client) {
  static const int32_t bys[] = {AV_TOKEN_SORT_CREATED_AT, AV_TOKEN_SORT_TTL};
  static const int32_t orders[] = {AV_SORT_ASC, AV_SORT_DESC};
  size_t i, at;
  for (i = 0; i < 4; i++) {
    av_tokens_list_params params = list_params(0, 100, bys[i / 2], orders[i % 2]);
    av_token_page *page = NULL;
    size_t right = 0;
    CHECK(av_tokens_list(client, &params, NULL, &page, NULL) == AV_STATUS_OK);
    if (!page) continue;
    CHECK(page->count == 60);
    for (at = 1; at < page->count; at++) {
      int64_t one = sorted_by(page->items[at - 1], params.sort_by);
      int64_t other = sorted_by(page->items[at], params.sort_by);
      right += params.sort_order == AV_SORT_ASC ? one <= other : one >= other;
    }
    CHECK(right + 1 == page->count);
    CHECK(page->count < 2 || sorted_by(page->items[0], params.sort_by) != sorted_by(page->items[page->count - 1], params.sort_by));
    av_token_page_free(page);
  }
}

typedef struct paging_row {
  const char *name;
  uint32_t page, size;
  size_t count;
  uint32_t told_page, told_size, pages_total;
} paging_row;

/* Of 60 tokens. */
static const paging_row paging_rows[] = {
    {"as the service likes", 0, 0, 25, 1, 25, 3},
    {"the last one", 3, 0, 10, 3, 25, 3},
    {"beyond the last one", 4, 0, 0, 4, 25, 3},
    {"far beyond it", UINT32_MAX, 0, 0, UINT32_MAX, 25, 3},
    {"one each", 60, 1, 1, 60, 1, 60},
    {"a hundred each", 1, 100, 60, 1, 100, 1},
    {"none left over", 2, 30, 30, 2, 30, 2},
};

static void paging(const av_client *client) {
  size_t i;
  for (i = 0; i < sizeof paging_rows / sizeof paging_rows[0]; i++) {
    const paging_row *it = &paging_rows[i];
    av_tokens_list_params params = list_params(it->page, it->size, 0, 0);
    av_token_page *page = NULL;
    CHECK_ROW(it->name, av_tokens_list(client, &params, NULL, &page, NULL) == AV_STATUS_OK);
    if (!page) continue;
    CHECK_ROW(it->name, page->count == it->count);
    CHECK_ROW(it->name, page->current_page == it->told_page);
    CHECK_ROW(it->name, page->page_size == it->told_size);
    CHECK_ROW(it->name, page->pages_total == it->pages_total);
    CHECK_ROW(it->name, page->items_total == 60);
    av_token_page_free(page);
  }
}

typedef struct credential_row {
  const char *name, *api_key, *access_token, *title; /* NULL is allowed in */
} credential_row;

static const credential_row credential_rows[] = {
    {"the key", KEY, NULL, NULL},
    {"the access token", NULL, ACCESS_TOKEN, NULL},
    {"another key", "another-key", NULL, "The API key is invalid."},
    {"the key in capitals", "TEST-KEY", NULL, "The API key is invalid."},
    {"the access token as a key", ACCESS_TOKEN, NULL, "The API key is invalid."},
    {"another access token", NULL, "another.token", "The access token is invalid or expired."},
    {"the key as an access token", NULL, KEY, "The access token is invalid or expired."},
};

static void credentials(const char *url) {
  size_t i;
  for (i = 0; i < sizeof credential_rows / sizeof credential_rows[0]; i++) {
    const credential_row *it = &credential_rows[i];
    av_client_config config = config_for(url);
    av_client *client;
    operation op;
    config.api_key = it->api_key;
    config.access_token = it->access_token;
    client = client_of(&config);
    for (op = CREATE; op < OPERATIONS; op = (operation)(op + 1)) {
      char row[96];
      call made;
      snprintf(row, sizeof row, "%s upon %s", it->name, operation_name(op));
      made = call_make(client, op, NULL);
      if (it->title) {
        const char *credential = it->api_key ? it->api_key : it->access_token;
        CHECK_ROW(row, made.status == AV_STATUS_UNAUTHORIZED);
        CHECK_ROW(row, !call_gave(&made));
        CHECK_ROW(row, av_error_http_status(made.error) == 401);
        CHECK_ROW(row, av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED);
        CHECK_ROW(row, av_error_is_retryable(made.error) == 0);
        CHECK_ROW(row, texts_equal(av_error_problem_title(made.error), it->title));
        CHECK_ROW(row, strstr(av_error_message(made.error), credential) == NULL);
      } else if (op == GET || op == GET_JSON || op == DELETE) {
        /* Let in, to find that there is no such token. */
        CHECK_ROW(row, made.status == AV_STATUS_NOT_FOUND);
      } else {
        CHECK_ROW(row, made.status == AV_STATUS_OK);
      }
      call_free(&made);
    }
    av_client_free(client);
  }
}

/* Another service behind the same address: what is not its path is not found. */
static void path_prefix(const char *service) {
  char url[128];
  av_client *client;
  call made;
  snprintf(url, sizeof url, "%s/elsewhere/", service);
  client = client_for(url);
  made = call_make(client, CREATE, NULL);
  CHECK(made.status == AV_STATUS_NOT_FOUND);
  CHECK(texts_equal(av_error_problem_title(made.error), "Unrecognized request URL."));
  call_free(&made);
  av_client_free(client);
}

/* Reads and writes are counted apart; how long to wait is told. */
static void rate_limit(void) {
  static const char *const arguments[] = {"--api-key", KEY, "--rate-limit", "2/50", NULL};
  local_api *service = local_api_start(arguments);
  av_client *client = client_for(local_api_url(service));
  int i;
  for (i = 0; i < 2; i++) {
    call read = call_make(client, LIST, NULL), write = call_make(client, CREATE, NULL);
    CHECK(read.status == AV_STATUS_OK);
    CHECK(write.status == AV_STATUS_OK);
    call_free(&read);
    call_free(&write);
  }
  for (i = 0; i < 2; i++) {
    av_client_config config = config_for(local_api_url(service));
    av_client *once;
    call made;
    /* What the limit does to a call that may wait is another matter. */
    config.max_attempts = 1;
    once = client_of(&config);
    made = call_make(once, i == 0 ? LIST : CREATE, NULL);
    CHECK(made.status == AV_STATUS_RATE_LIMITED);
    CHECK(!call_gave(&made));
    CHECK(av_error_http_status(made.error) == 429);
    CHECK(av_error_outcome(made.error) == AV_OUTCOME_NOT_APPLIED);
    CHECK(av_error_is_retryable(made.error) == 1);
    CHECK(av_error_retry_after_ms(made.error) > 0 && av_error_retry_after_ms(made.error) <= 50000);
    CHECK(av_error_retry_after_ms(made.error) % 1000 == 0);
    CHECK(texts_equal(av_error_problem_title(made.error), "Too many requests."));
    CHECK(av_error_attempts(made.error) == 1);
    call_free(&made);
    av_client_free(once);
  }
  av_client_free(client);
  local_api_stop(service);
}

int main(void) {
  static const char *const arguments[] = {"--api-key", KEY, "--access-token", ACCESS_TOKEN, "--seed", "60", NULL};
  local_api *service = local_api_start(arguments);
  av_client_config config = config_for(local_api_url(service));
  av_client *with_key = client_of(&config), *with_access_token;
  config.api_key = NULL;
  config.access_token = ACCESS_TOKEN;
  with_access_token = client_of(&config);
  life(with_key);
  life(with_access_token);
  times_to_live(with_key);
  awkward_tokens(with_key);
  json_twins(with_access_token);
  sorting(with_key);
  paging(with_key);
  credentials(local_api_url(service)); /* leaves tokens behind: no more counting from here on */
  path_prefix(local_api_url(service));
  av_client_free(with_key);
  av_client_free(with_access_token);
  local_api_stop(service);
  rate_limit();
  return checks_report();
}
