/* Going through all tokens of all pages: each is told once, in as many requests as there are pages,
 * while tokens come and go, pages fail, and the client is freed. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"
#include "support/peer.h"

/* ------------------------------------------------------------------------- from a scripted peer */

#define MOST_PAGES 8

typedef struct walk_row {
  const char *name;
  uint32_t current_page, page_size; /* asked for */
  int32_t sort_by, sort_order;
  const char *pages[MOST_PAGES]; /* bodies, or the status line of an error */
  const char *told;              /* the tokens, each of one letter; '!' is an error, '.' the end */
  const char *query;             /* what each request asks besides the page */
  uint32_t asked[MOST_PAGES];    /* the pages that are asked for; 0 is none told */
} walk_row;

#define ITEM(letter) "{\"token\":\"" letter "\"}"
#define PAGE(items, pagination) "{\"data\":[" items "],\"pagination\":{" pagination "}}"
#define A ITEM("a")
#define B ITEM("b")
#define C ITEM("c")
#define D ITEM("d")
#define E ITEM("e")
#define OLDEST_FIRST "sortBy=createdAt&sortOrder=asc"

static const walk_row walk_rows[] = {
    {"no token", 0, 0, 0, 0, {PAGE("", "\"currentPage\":1,\"pagesTotal\":0")}, ".", OLDEST_FIRST, {0}},
    {"one page", 0, 0, 0, 0, {PAGE(A "," B, "\"currentPage\":1,\"pagesTotal\":1")}, "ab.", OLDEST_FIRST, {0}},
    {"the last page told", 0, 0, 0, 0,
     {PAGE(A "," B, "\"currentPage\":1,\"pagesTotal\":3"), PAGE(C "," D, "\"currentPage\":2,\"pagesTotal\":3"), PAGE(E, "\"currentPage\":3,\"pagesTotal\":3")},
     "abcde.", OLDEST_FIRST, {0, 2, 3}},
    {"the last page told comes nearer", 0, 0, 0, 0,
     {PAGE(A "," B, "\"currentPage\":1,\"pagesTotal\":9"), PAGE(C, "\"currentPage\":2,\"pagesTotal\":2")}, "abc.", OLDEST_FIRST, {0, 2}},
    {"the last page told moves on", 0, 0, 0, 0,
     {PAGE(A, "\"currentPage\":1,\"pagesTotal\":2"), PAGE(B, "\"currentPage\":2,\"pagesTotal\":3"), PAGE(C, "\"currentPage\":3,\"pagesTotal\":3")},
     "abc.", OLDEST_FIRST, {0, 2, 3}},
    {"no numbers, then an empty page", 0, 0, 0, 0, {PAGE(A "," B, ""), PAGE(C, ""), PAGE("", "")}, "abc.", OLDEST_FIRST, {0, 2, 3}},
    {"no numbers but of pages, then an empty page", 0, 0, 0, 0,
     {PAGE(A, "\"currentPage\":1"), PAGE(B, "\"currentPage\":2"), PAGE("", "\"currentPage\":3")}, "ab.", OLDEST_FIRST, {0, 2, 3}},
    /* The end is where it is told, and nowhere else. */
    {"an empty page before the last", 0, 0, 0, 0,
     {PAGE(A, "\"currentPage\":1,\"pagesTotal\":3"), PAGE("", "\"currentPage\":2,\"pagesTotal\":3"), PAGE(B, "\"currentPage\":2,\"pagesTotal\":3"), PAGE(C, "\"currentPage\":3,\"pagesTotal\":3")},
     "a!bc.", OLDEST_FIRST, {0, 2, 2, 3}},
    {"an empty page at first", 0, 0, 0, 0, {PAGE("", "\"currentPage\":1,\"pagesTotal\":2"), PAGE(A, "\"pagesTotal\":1")}, "!a.", OLDEST_FIRST, {0, 0}},
    {"an empty page where the items are more", 0, 0, 0, 0,
     {PAGE(A "," B, "\"pageSize\":2,\"itemsTotal\":3"), PAGE("", "\"pageSize\":2,\"itemsTotal\":3"), PAGE(C, "\"pageSize\":2,\"itemsTotal\":3"), PAGE("", "\"pageSize\":2,\"itemsTotal\":3")},
     "ab!c.", OLDEST_FIRST, {0, 2, 2, 3}},
    {"the last page empty", 0, 0, 0, 0, {PAGE(A, "\"pagesTotal\":2"), PAGE("", "\"pagesTotal\":2")}, "a.", OLDEST_FIRST, {0, 2}},
    {"the last page deleted meanwhile", 0, 0, 0, 0,
     {PAGE(A, "\"currentPage\":1,\"pagesTotal\":2"), PAGE("", "\"currentPage\":2,\"pagesTotal\":1")}, "a.", OLDEST_FIRST, {0, 2}},
    {"fewer pages told than the items need", 0, 0, 0, 0,
     {PAGE(A, "\"pagesTotal\":1,\"pageSize\":1,\"itemsTotal\":2"), PAGE(B, "\"pagesTotal\":1,\"pageSize\":1,\"itemsTotal\":2"), PAGE("", "\"pagesTotal\":1,\"pageSize\":1,\"itemsTotal\":2")},
     "ab.", OLDEST_FIRST, {0, 2, 3}},
    /* What is known is passed over. */
    {"nothing new on one page", 0, 0, 0, 0, {PAGE(A "," B, ""), PAGE(B "," A, ""), PAGE(C, ""), PAGE("", "")}, "abc.", OLDEST_FIRST, {0, 2, 3, 4}},
    {"nothing new on the last page", 0, 0, 0, 0, {PAGE(A "," B, "\"pagesTotal\":2"), PAGE(A "," B, "\"pagesTotal\":2")}, "ab.", OLDEST_FIRST, {0, 2}},
    {"a token again, pages later", 0, 0, 0, 0,
     {PAGE(A "," B, "\"pagesTotal\":4"), PAGE(C, "\"pagesTotal\":4"), PAGE(A "," D, "\"pagesTotal\":4"), PAGE(B "," C "," E, "\"pagesTotal\":4")},
     "abcde.", OLDEST_FIRST, {0, 2, 3, 4}},
    {"a token twice on a page", 0, 0, 0, 0, {PAGE(A "," A "," B, "\"pagesTotal\":1")}, "ab.", OLDEST_FIRST, {0}},
    /* A service that does not know pages, and sends the same one for ever. */
    {"nothing new, for ever", 0, 0, 0, 0, {PAGE(A, ""), PAGE(A, ""), PAGE(A, ""), PAGE(A, ""), PAGE(A, "")}, "a!!", OLDEST_FIRST, {0, 2, 3, 3, 4}},
    {"nothing new for ever, whatever is told", 0, 0, 0, 0,
     {PAGE(A, "\"currentPage\":1,\"pagesTotal\":4294967295"), PAGE(A, "\"currentPage\":2,\"pagesTotal\":4294967295"), PAGE(A, "\"currentPage\":3,\"pagesTotal\":4294967295")},
     "a!", OLDEST_FIRST, {0, 2, 3}},
    {"another page than the one asked for", 0, 0, 0, 0,
     {PAGE(A, "\"currentPage\":1,\"pagesTotal\":2"), PAGE(C, "\"currentPage\":1,\"pagesTotal\":2"), PAGE(B, "\"currentPage\":2,\"pagesTotal\":2")},
     "a!b.", OLDEST_FIRST, {0, 2, 2}},
    {"the last page instead of the one asked for", 7, 0, 0, 0, {PAGE(A, "\"currentPage\":3,\"pagesTotal\":3")}, "!", OLDEST_FIRST, {7}},
    {"the last page again instead of none", 0, 0, 0, 0, {PAGE(A, "\"currentPage\":1"), PAGE(A, "\"currentPage\":1")}, "a!", OLDEST_FIRST, {0, 2}},
    {"another first page than the first", 0, 0, 0, 0, {PAGE(A, "\"currentPage\":2,\"pagesTotal\":2")}, "!", OLDEST_FIRST, {0}},
    {"an empty page beyond the last", 7, 0, 0, 0, {PAGE("", "\"currentPage\":7,\"pagesTotal\":3")}, ".", OLDEST_FIRST, {7}},
    {"from a page on", 3, 0, 0, 0,
     {PAGE(C, "\"currentPage\":3,\"pagesTotal\":4"), PAGE(D, "\"currentPage\":4,\"pagesTotal\":4")}, "cd.", OLDEST_FIRST, {3, 4}},
    {"from the last possible page on", UINT32_MAX, 0, 0, 0, {PAGE(A, "")}, "a.", OLDEST_FIRST, {UINT32_MAX}},
    /* A token made meanwhile, newest first: what stood last on a page stands first on the next. */
    {"one that moved on", 0, 0, 0, 0,
     {PAGE(A "," B, "\"currentPage\":1,\"pagesTotal\":2"), PAGE(B "," C, "\"currentPage\":2,\"pagesTotal\":2")}, "abc.", OLDEST_FIRST, {0, 2}},
    {"many that moved on", 0, 0, 0, 0,
     {PAGE(A "," B "," C, ""), PAGE(B "," C "," D, ""), PAGE(D "," E, ""), PAGE("", "")}, "abcde.", OLDEST_FIRST, {0, 2, 3, 4}},
    {"in an order of the caller's", 0, 2, AV_TOKEN_SORT_TTL, AV_SORT_DESC,
     {PAGE(A "," B, "\"pagesTotal\":2"), PAGE(C, "\"pagesTotal\":2")}, "abc.", "sortBy=ttl&sortOrder=desc", {0, 2}},
    {"sorted by, without an order", 0, 0, AV_TOKEN_SORT_TTL, 0, {PAGE(A, "\"pagesTotal\":1")}, "a.", "sortBy=ttl", {0}},
    {"in an order, by nothing", 0, 0, 0, AV_SORT_DESC, {PAGE(A, "\"pagesTotal\":1")}, "a.", "sortOrder=desc", {0}},
    {"pages of one", 0, 1, 0, 0, {PAGE(A, "\"pagesTotal\":2"), PAGE(B, "\"pagesTotal\":2")}, "ab.", OLDEST_FIRST, {0, 2}},
    /* After an error the same page is asked for again. */
    {"an error first", 0, 0, 0, 0, {"500 Oops", PAGE(A, "\"pagesTotal\":1")}, "!a.", OLDEST_FIRST, {0, 0}},
    {"an error midway", 0, 0, 0, 0,
     {PAGE(A "," B, "\"pagesTotal\":2"), "503 Busy", "429 Slow", PAGE(C, "\"pagesTotal\":2")}, "ab!!c.", OLDEST_FIRST, {0, 2, 2, 2}},
    {"an error, and what moved on meanwhile", 0, 0, 0, 0,
     {PAGE(A "," B, "\"pagesTotal\":2"), "401 Unauthorized", PAGE(B "," C, "\"pagesTotal\":2")}, "ab!c.", OLDEST_FIRST, {0, 2, 2}},
    {"a page that cannot be read", 0, 0, 0, 0,
     {PAGE(A, "\"pagesTotal\":2"), PAGE(B ",{}", "\"pagesTotal\":2"), PAGE(B, "\"pagesTotal\":2")}, "a!b.", OLDEST_FIRST, {0, 2, 2}},
    {"an error while a known page is passed over", 0, 0, 0, 0,
     {PAGE(A, "\"pagesTotal\":3"), PAGE(A, "\"pagesTotal\":3"), "500 Oops", PAGE(B, "\"pagesTotal\":3")}, "a!b.", OLDEST_FIRST, {0, 2, 3, 3}},
    {"an error at what would be the end", 0, 0, 0, 0, {PAGE(A, ""), "404 Not Found", PAGE("", "")}, "a!.", OLDEST_FIRST, {0, 2, 2}},
};

/* The request that page `page` is asked for with. */
static void expect_request(const walk_row *it, uint32_t page, char *to, size_t size) {
  size_t length = (size_t)snprintf(to, size, "GET /upload-tokens?%s", it->query);
  if (page > 0) length += (size_t)snprintf(to + length, size - length, "&currentPage=%u", (unsigned)page);
  if (it->page_size > 0) length += (size_t)snprintf(to + length, size - length, "&pageSize=%u", (unsigned)it->page_size);
  snprintf(to + length, size - length, " HTTP/1.1\r\n");
}

static void walk(const walk_row *it) {
  static max_align_t garbage;
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  av_tokens_list_params params;
  av_token_iter *iter = NULL;
  av_error *error = (av_error *)&garbage;
  const char *expected;
  size_t requests = 0, i;

  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.current_page = it->current_page;
  params.page_size = it->page_size;
  params.sort_by = it->sort_by;
  params.sort_order = it->sort_order;
  while (requests < MOST_PAGES && it->pages[requests]) {
    const char *page = it->pages[requests++];
    peer_answer_json(p, *page == '{' ? "200 OK" : page, *page == '{' ? page : "{\"title\":\"Later.\"}");
  }
  CHECK_ROW(it->name, av_tokens_iterate(client, &params, &iter, &error) == AV_STATUS_OK);
  CHECK_ROW(it->name, iter != NULL && error == NULL);
  CHECK_ROW(it->name, peer_request_count(p) == 0);

  for (expected = it->told; *expected; expected++) {
    const av_token *token = (const av_token *)&garbage;
    av_status status;
    error = (av_error *)&garbage;
    status = av_token_iter_next(iter, NULL, &token, &error);
    if (*expected == '!') {
      CHECK_ROW(it->name, status != AV_STATUS_OK && av_error_status(error) == status);
      CHECK_ROW(it->name, token == NULL);
      CHECK_ROW(it->name, strncmp(av_error_message(error), "GET /upload-tokens", 18) == 0);
      CHECK_ROW(it->name, av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
      av_error_free(error);
      continue;
    }
    CHECK_ROW(it->name, status == AV_STATUS_OK && error == NULL);
    if (*expected == '.')
      CHECK_ROW(it->name, token == NULL);
    else
      CHECK_ROW(it->name, token != NULL && token->token[0] == *expected && token->token[1] == 0);
  }

  /* Ever after the end there is none, and nobody is asked. */
  for (i = 0; i < 3 && expected[-1] == '.'; i++) {
    const av_token *token = (const av_token *)&garbage;
    CHECK_ROW(it->name, av_token_iter_next(iter, NULL, &token, &error) == AV_STATUS_OK);
    CHECK_ROW(it->name, token == NULL && error == NULL);
  }
  CHECK_ROW(it->name, peer_request_count(p) == requests);
  for (i = 0; i < requests; i++) {
    const char *request = peer_request(p, i, NULL);
    char line[256];
    expect_request(it, it->asked[i], line, sizeof line);
    if (!CHECK_ROW(it->name, request != NULL && strncmp(request, line, strlen(line)) == 0) && request)
      fprintf(stderr, "  request %zu: %.*s\n", i, (int)strcspn(request, "\r"), request);
  }
  av_token_iter_free(iter);
  av_client_free(client);
  peer_stop(p);
}

/* A page is asked for when it is needed, not before. */
static void lazily(void) {
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  av_token_iter *iter = NULL;
  const av_token *token = NULL;
  CHECK(av_tokens_iterate(client, NULL, &iter, NULL) == AV_STATUS_OK);
  peer_answer_json(p, "200 OK", PAGE(A "," B, "\"pagesTotal\":2"));
  CHECK(av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK);
  CHECK(av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK);
  CHECK(token != NULL && texts_equal(token->token, "b"));
  CHECK(peer_request_count(p) == 1);
  peer_answer_json(p, "200 OK", PAGE(C, "\"pagesTotal\":2"));
  CHECK(av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK);
  CHECK(token != NULL && texts_equal(token->token, "c"));
  CHECK(peer_request_count(p) == 2);
  CHECK(peer_connection_count(p) == 1);
  /* Freed midway: what is left of the page goes with it. */
  av_token_iter_free(iter);
  av_client_free(client);
  peer_stop(p);
}

/* An iterator keeps what it needs of its client. */
static void client_freed_first(void) {
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  av_token_iter *iter = NULL, *unused = NULL;
  const av_token *token = NULL;
  CHECK(av_tokens_iterate(client, NULL, &iter, NULL) == AV_STATUS_OK);
  CHECK(av_tokens_iterate(client, NULL, &unused, NULL) == AV_STATUS_OK);
  peer_answer_json(p, "200 OK", PAGE(A, "\"pagesTotal\":2"));
  peer_answer_json(p, "200 OK", PAGE(B, "\"pagesTotal\":2"));
  CHECK(av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK);
  av_client_free(client);
  /* What it handed out lives on, and so does the rest of the way. */
  CHECK(token != NULL && texts_equal(token->token, "a"));
  CHECK(av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK);
  CHECK(token != NULL && texts_equal(token->token, "b"));
  CHECK(peer_request(p, 1, NULL) && strstr(peer_request(p, 1, NULL), "dGVzdC1rZXk6") != NULL); /* the key */
  CHECK(av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK && token == NULL);
  av_token_iter_free(unused);
  av_token_iter_free(iter);
  peer_stop(p);
}

/* Two ways at once do not know of each other. */
static void side_by_side(void) {
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  av_token_iter *one = NULL, *other = NULL;
  const av_token *of_one = NULL, *of_other = NULL;
  CHECK(av_tokens_iterate(client, NULL, &one, NULL) == AV_STATUS_OK);
  CHECK(av_tokens_iterate(client, NULL, &other, NULL) == AV_STATUS_OK);
  peer_answer_json(p, "200 OK", PAGE(A "," B, "\"pagesTotal\":1"));
  peer_answer_json(p, "200 OK", PAGE(A "," B, "\"pagesTotal\":1"));
  CHECK(av_token_iter_next(one, NULL, &of_one, NULL) == AV_STATUS_OK);
  CHECK(av_token_iter_next(other, NULL, &of_other, NULL) == AV_STATUS_OK);
  CHECK(av_token_iter_next(other, NULL, &of_other, NULL) == AV_STATUS_OK);
  CHECK(of_one != NULL && texts_equal(of_one->token, "a"));
  CHECK(of_other != NULL && texts_equal(of_other->token, "b"));
  av_token_iter_free(other);
  CHECK(of_one != NULL && texts_equal(of_one->token, "a"));
  av_token_iter_free(one);
  av_client_free(client);
  peer_stop(p);
}

/* ----------------------------------------------------------------------- from the stand-in service */

#define SEEDED 112
#define MOST_TOKENS 256

typedef struct collection {
  char tokens[MOST_TOKENS][64];
  size_t count;
} collection;

/* Takes all that is left, and tells whether each is another one. */
static int collect(av_token_iter *iter, collection *into) {
  const av_token *token = NULL;
  int differ = 1;
  size_t i;
  while (av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK && token && into->count < MOST_TOKENS) {
    for (i = 0; i < into->count; i++) differ &= strcmp(into->tokens[i], token->token) != 0;
    snprintf(into->tokens[into->count++], sizeof into->tokens[0], "%s", token->token);
  }
  return differ && token == NULL;
}

static av_token_iter *iterate(const av_client *client, uint32_t page_size, int32_t by, int32_t order) {
  av_tokens_list_params params;
  av_token_iter *iter = NULL;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.page_size = page_size;
  params.sort_by = by;
  params.sort_order = order;
  CHECK(av_tokens_iterate(client, &params, &iter, NULL) == AV_STATUS_OK);
  return iter;
}

static void every_token_once(const av_client *client) {
  /* The default 25 and 7 leave a rest, 16 and 56 none, 100 is the largest. */
  static const uint32_t sizes[] = {0, 7, 16, 56, 100};
  static collection of_size, first;
  size_t i, at;
  for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    av_token_iter *iter = iterate(client, sizes[i], 0, 0);
    char row[32];
    size_t same = 0;
    snprintf(row, sizeof row, "page size %u", (unsigned)sizes[i]);
    of_size.count = 0;
    CHECK_ROW(row, collect(iter, &of_size));
    CHECK_ROW(row, of_size.count == SEEDED);
    if (i == 0) first = of_size;
    for (at = 0; at < of_size.count; at++) same += strcmp(of_size.tokens[at], first.tokens[at]) == 0;
    CHECK_ROW(row, same == SEEDED);
    av_token_iter_free(iter);
  }
}

static void in_order(const av_client *client) {
  static const int32_t orders[] = {AV_SORT_DEFAULT, AV_SORT_ASC, AV_SORT_DESC};
  size_t i;
  for (i = 0; i < 3; i++) {
    av_token_iter *iter = iterate(client, 25, orders[i] ? AV_TOKEN_SORT_CREATED_AT : AV_TOKEN_SORT_DEFAULT, orders[i]);
    const av_token *token = NULL;
    int64_t last = 0;
    size_t count = 0, right = 0;
    while (av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK && token) {
      right += count == 0 || (orders[i] == AV_SORT_DESC ? token->created_at < last : token->created_at > last);
      last = token->created_at;
      count++;
    }
    CHECK(count == SEEDED && right == SEEDED);
    av_token_iter_free(iter);
  }
}

/* The same with so many made meanwhile that whole pages move on: what was there is told all the same, be
 * it a page, or more than all that was told. */
static void many_made_meanwhile(const av_client *client) {
  static const size_t counts[] = {10, 25, 61};
  static collection told;
  size_t i, k;
  for (i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    av_token_iter *iter = iterate(client, 5, AV_TOKEN_SORT_CREATED_AT, AV_SORT_DESC);
    av_token *made[64];
    told.count = 0;
    for (k = 0; k < 25; k++) {
      const av_token *token = NULL;
      CHECK(av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK && token != NULL);
      if (token) snprintf(told.tokens[told.count++], sizeof told.tokens[0], "%s", token->token);
    }
    for (k = 0; k < counts[i]; k++) CHECK(av_tokens_create(client, 0, NULL, &made[k], NULL) == AV_STATUS_OK);
    /* Of the new ones those are told that stand where the way goes on. */
    CHECK(collect(iter, &told));
    CHECK(told.count == SEEDED + (counts[i] > 25 ? counts[i] - 25 : 0));
    for (k = 0; k < counts[i]; k++) {
      CHECK(av_tokens_delete(client, made[k]->token, NULL, NULL) == AV_STATUS_OK);
      av_token_free(made[k]);
    }
    av_token_iter_free(iter);
  }
}

/* One that is made meanwhile comes last when the oldest come first, and when the newest come first it
 * moves one on from page to page, which is told once. */
static void made_meanwhile(const av_client *client) {
  static collection told;
  size_t i;
  for (i = 0; i < 2; i++) {
    av_token_iter *iter = iterate(client, 10, i == 0 ? 0 : AV_TOKEN_SORT_CREATED_AT, i == 0 ? 0 : AV_SORT_DESC);
    const av_token *first = NULL;
    av_token *made = NULL;
    CHECK(av_token_iter_next(iter, NULL, &first, NULL) == AV_STATUS_OK && first != NULL);
    told.count = 0;
    if (first) snprintf(told.tokens[told.count++], sizeof told.tokens[0], "%s", first->token);
    CHECK(av_tokens_create(client, 0, NULL, &made, NULL) == AV_STATUS_OK);
    CHECK(collect(iter, &told));
    CHECK(told.count == (i == 0 ? SEEDED + 1 : SEEDED));
    CHECK(i > 0 || (made && told.count > 0 && texts_equal(told.tokens[told.count - 1], made->token)));
    CHECK(made && av_tokens_delete(client, made->token, NULL, NULL) == AV_STATUS_OK);
    av_token_free(made);
    av_token_iter_free(iter);
  }
}

/* As the header says: collect first, then delete. */
static void delete_all(const av_client *client) {
  static collection told;
  av_token_iter *iter = iterate(client, 100, 0, 0);
  const av_token *token = NULL;
  size_t i, deleted = 0;
  told.count = 0;
  CHECK(collect(iter, &told));
  for (i = 0; i < told.count; i++) deleted += av_tokens_delete(client, told.tokens[i], NULL, NULL) == AV_STATUS_OK;
  CHECK(deleted == SEEDED);
  av_token_iter_free(iter);
  iter = iterate(client, 0, 0, 0);
  CHECK(av_token_iter_next(iter, NULL, &token, NULL) == AV_STATUS_OK && token == NULL);
  av_token_iter_free(iter);
}

int main(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--seed", "112", NULL};
  local_api *service = local_api_start(arguments);
  av_client *client = client_for(local_api_url(service));
  size_t i;
  for (i = 0; i < sizeof walk_rows / sizeof walk_rows[0]; i++) walk(&walk_rows[i]);
  lazily();
  client_freed_first();
  side_by_side();
  every_token_once(client);
  in_order(client);
  made_meanwhile(client);
  many_made_meanwhile(client);
  delete_all(client);
  av_client_free(client);
  local_api_stop(service);
  return checks_report();
}
