/* Odd answers that are fine: what the service may send some day, or a server on the way makes of it,
 * is read all the same, and what is not told is told as that. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"
#include "support/peer.h"

/* How a row's answer is given. */
typedef enum form {
  AS_BODY,  /* the body of a 200 with its length */
  AS_BYTES, /* all that is sent */
  AS_CUT    /* all that is sent, then the connection is closed */
} form;

#define BODY(text) AS_BODY, text
#define BYTES(text) AS_BYTES, text
#define CUT(text) AS_CUT, text

#define LENGTH "Content-Length: 127\r\n\r\n" TOKEN_BODY
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
#define EIGHT(text) text text text text text text text text
#define OK_LENGTH "HTTP/1.1 200 OK\r\n" LENGTH
/* The times in TOKEN_BODY. */
#define CREATED 1606903999
#define EXPIRES 1606907599

#define LIMIT ((size_t)4 * 1024 * 1024)

static void give(peer *p, form as, const char *text) {
  if (as == AS_BODY)
    peer_answer_json(p, "200 OK", text);
  else
    peer_answer_text(p, text, as == AS_CUT ? PEER_CLOSE : PEER_KEEP);
}

/* A client, and whom it talks to. */
typedef struct pair {
  peer *p;
  av_client *client;
} pair;

static pair pair_start(void) {
  pair made;
  made.p = peer_start();
  made.client = client_for(peer_url(made.p));
  return made;
}

static void pair_stop(pair *used) {
  av_client_free(used->client);
  peer_stop(used->p);
}

/* The next call is answered by its own answer, not by what was left over of the last one. */
static void goes_on(const char *row, pair *used) {
  size_t requests = peer_request_count(used->p);
  call next;
  peer_answer_json(used->p, "200 OK", "{\"token\":\"" TOKEN "\",\"ttl\":4711}");
  next = call_make(used->client, GET, NULL);
  CHECK_ROW(row, next.status == AV_STATUS_OK && next.token->ttl_seconds == 4711);
  CHECK_ROW(row, peer_request_count(used->p) == requests + 1);
  if (next.status != AV_STATUS_OK) fprintf(stderr, "  next call: %s\n", av_error_message(next.error));
  call_free(&next);
}

/* ------------------------------------------------------------------------------------- tokens */

typedef struct token_row {
  const char *name;
  form as;
  const char *answer;
  const char *token;
  int32_t ttl_seconds;
  int64_t created_at, expires_at;
} token_row;

/* A token whose dates alone matter, or its time to live. */
#define CREATED_AT(date) BODY("{\"token\":\"" TOKEN "\",\"createdAt\":\"" date "\"}"), TOKEN, -1
#define TTL(ttl) BODY("{\"token\":\"" TOKEN "\",\"ttl\":" ttl "}"), TOKEN

static const token_row token_rows[] = {
    /* Its headers: what a Content-Type says is nothing, the body is. */
    {"no Content-Type", BYTES(OK_LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"with a charset", BYTES("HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"in capitals", BYTES("HTTP/1.1 200 OK\r\nCONTENT-TYPE: Application/JSON\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"as HTML", BYTES("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=iso-8859-1\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"as nonsense", BYTES("HTTP/1.1 200 OK\r\nContent-Type: ;;;\r\nContent-Type:\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"a header in Latin-1", BYTES("HTTP/1.1 200 OK\r\nX-Served-By: caf\xE9\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"no reason", BYTES("HTTP/1.1 200\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"spaces around the length", BYTES("HTTP/1.1 200 OK\r\ncontent-length: \t 127 \t\r\n\r\n" TOKEN_BODY), TOKEN, 3600, CREATED, EXPIRES},
    {"the length twice", BYTES("HTTP/1.1 200 OK\r\nContent-Length: 127\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"201", BYTES("HTTP/1.1 201 Created\r\nLocation: /upload-tokens/x\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"202", BYTES("HTTP/1.1 202 Accepted\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"299", BYTES("HTTP/1.1 299 Whatever\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"Retry-After of a success", BYTES("HTTP/1.1 200 OK\r\nRetry-After: 60\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},

    /* Lines that were added on the way, and mean nothing. */
    {"a folded line", BYTES("HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"a folded line that comes first", BYTES("HTTP/1.1 200 OK\r\n\tX-A: one\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"a line without a name", BYTES("HTTP/1.1 200 OK\r\n: x\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"a space in a name", BYTES("HTTP/1.1 200 OK\r\nX Frame: x\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"a space after a name", BYTES("HTTP/1.1 200 OK\r\nX-A : x\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"a letter in a name", BYTES("HTTP/1.1 200 OK\r\nX-\xC3\xA9: x\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"control characters in a value", BYTES("HTTP/1.1 200 OK\r\nX-A: a\x7f\x01z\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"control characters in the reason", BYTES("HTTP/1.1 200 O\x01K\x7f\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"odd lines behind what counts", BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n: x\r\n\r\n7f\r\n" TOKEN_BODY "\r\n0\r\n\r\n"), TOKEN, 3600, CREATED, EXPIRES},
    {"odd lines in every answer", BYTES("HTTP/1.1 103 Early Hints\r\nX Y: z\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n: x\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"odd lines of one that ends by closing", CUT("HTTP/1.1 200 OK\r\n: x\r\n\r\n" TOKEN_BODY), TOKEN, 3600, CREATED, EXPIRES},
    {"192 headers", BYTES("HTTP/1.1 200 OK\r\n" EIGHT(EIGHT("X-Many: 1\r\nX-Many: 1\r\nX-Many: 1\r\n")) LENGTH), TOKEN, 3600, CREATED, EXPIRES},

    /* How its body is framed. */
    {"chunked", BYTES(CHUNKED "\r\n7f\r\n" TOKEN_BODY "\r\n0\r\n\r\n"), TOKEN, 3600, CREATED, EXPIRES},
    {"chunks with extensions and a trailer", BYTES(CHUNKED "\r\n007F;name=value\r\n" TOKEN_BODY "\r\n0\r\nX-Trailer: 1\r\n\r\n"), TOKEN, 3600, CREATED, EXPIRES},
    {"tiny chunks", BYTES(CHUNKED "\r\n1\r\n{\r\n2\r\n\"t\r\n4\r\noken\r\n3\r\n\":\"\r\n1\r\n\xC3\r\n1\r\n\xA9\r\n2\r\n\"}\r\n0\r\n\r\n"), "\xC3\xA9", -1, 0, 0},
    {"chunked, and a length", BYTES(CHUNKED "Content-Length: 5\r\n\r\n7f\r\n" TOKEN_BODY "\r\n0\r\n\r\n"), TOKEN, 3600, CREATED, EXPIRES},
    {"closed after the body", CUT("HTTP/1.1 200 OK\r\nConnection: close\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"ended by closing", CUT("HTTP/1.1 200 OK\r\n\r\n" TOKEN_BODY), TOKEN, 3600, CREATED, EXPIRES},
    {"HTTP/1.0", CUT("HTTP/1.0 200 OK\r\n\r\n" TOKEN_BODY), TOKEN, 3600, CREATED, EXPIRES},
    {"HTTP/1.0 with a length", CUT("HTTP/1.0 200 OK\r\n" LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"more than its length", BYTES("HTTP/1.1 200 OK\r\n" LENGTH "and more"), TOKEN, 3600, CREATED, EXPIRES},
    {"another answer behind it", BYTES(OK_LENGTH "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"token\":\"bad\"}"), TOKEN, 3600, CREATED, EXPIRES},

    /* What comes before it. */
    {"100 first", BYTES("HTTP/1.1 100 Continue\r\n\r\n" OK_LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"103 first", BYTES("HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" OK_LENGTH), TOKEN, 3600, CREATED, EXPIRES},
    {"many first", BYTES("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n" OK_LENGTH), TOKEN, 3600, CREATED, EXPIRES},

    /* Fields that nobody knows, or that are not there. */
    {"unknown fields", BODY("{\"a\":1,\"token\":\"" TOKEN "\",\"b\":[{\"token\":\"no\"}],\"c\":{\"ttl\":7},\"\":null,\"Token\":\"no\"}"), TOKEN, -1, 0, 0},
    {"the token alone", BODY("{\"token\":\"" TOKEN "\"}"), TOKEN, -1, 0, 0},
    {"everything else null", BODY("{\"token\":\"" TOKEN "\",\"ttl\":null,\"createdAt\":null,\"expiresAt\":null}"), TOKEN, -1, 0, 0},
    {"expiresAt null", BODY("{\"token\":\"" TOKEN "\",\"ttl\":0,\"createdAt\":\"2020-12-02T10:13:19+00:00\",\"expiresAt\":null}"), TOKEN, 0, CREATED, 0},
    {"expiresAt absent", BODY("{\"token\":\"" TOKEN "\",\"ttl\":0,\"createdAt\":\"2020-12-02T10:13:19+00:00\"}"), TOKEN, 0, CREATED, 0},
    {"the longest ttl", BODY("{\"token\":\"" TOKEN "\",\"ttl\":2147483647}"), TOKEN, 2147483647, 0, 0},

    /* How its JSON is written. */
    {"a key twice", BODY("{\"token\":\"first\",\"ttl\":1,\"token\":\"" TOKEN "\",\"ttl\":2}"), TOKEN, 2, 0, 0},
    {"null after a value", BODY("{\"token\":\"" TOKEN "\",\"ttl\":1,\"createdAt\":\"2020-12-02T10:13:19Z\",\"ttl\":null,\"createdAt\":null}"), TOKEN, -1, 0, 0},
    {"spaces everywhere", BODY(" \r\n\t{ \"token\"\t:\n\"" TOKEN "\" ,\r\n \"ttl\" : 7 } \r\n\t"), TOKEN, 7, 0, 0},
    {"escaped keys", BODY("{\"\\u0074oken\":\"" TOKEN "\",\"t\\u0074l\":7,\"created\\u0041t\":\"2020-12-02T10:13:19Z\"}"), TOKEN, 7, CREATED, 0},
    {"an escaped token", BODY("{\"token\":\"a\\u00e9\\/\\ud83d\\ude00\\\"\\\\\\n\\u0001z\"}"), "a\xC3\xA9/\xF0\x9F\x98\x80\"\\\n\x01z", -1, 0, 0},
    {"an escaped date", BODY("{\"token\":\"" TOKEN "\",\"createdAt\":\"2020-12-02\\u005410:13:19\\u005a\"}"), TOKEN, -1, CREATED, 0},
    {"a token of one character", BODY("{\"token\":\"x\"}"), "x", -1, 0, 0},
    {"a token of other letters", BODY("{\"token\":\"\xE6\x97\xA5\xE6\x9C\xAC\xF0\x9F\x98\x80\"}"), "\xE6\x97\xA5\xE6\x9C\xAC\xF0\x9F\x98\x80", -1, 0, 0},
    {"a number as large as they get", BODY("{\"n\":1e999999,\"m\":-0.0,\"token\":\"" TOKEN "\"}"), TOKEN, -1, 0, 0},

    /* Dates: any offset and fraction. */
    {"a date with Z", CREATED_AT("2020-12-02T10:13:19Z"), CREATED, 0},
    {"in small letters", CREATED_AT("2020-12-02t10:13:19z"), CREATED, 0},
    {"with milliseconds", CREATED_AT("2020-12-02T10:13:19.000Z"), CREATED, 0},
    {"with a fraction", CREATED_AT("2020-12-02T10:13:19.999999999+00:00"), CREATED, 0},
    {"with a long fraction", CREATED_AT("2020-12-02T10:13:19.99999999999999999999Z"), CREATED, 0},
    {"east", CREATED_AT("2020-12-02T15:58:19+05:45"), CREATED, 0},
    {"west, a day before", CREATED_AT("2020-12-01T22:43:19.5-11:30"), CREATED, 0},
    {"nowhere", CREATED_AT("2020-12-02T10:13:19-00:00"), CREATED, 0},
    {"a leap day", CREATED_AT("2020-02-29T00:00:00Z"), 1582934400, 0},
    {"a leap second", CREATED_AT("2016-12-31T23:59:60Z"), 1483228799, 0},
    {"the epoch", CREATED_AT("1970-01-01T00:00:00Z"), 0, 0},
    {"just before it, floored", CREATED_AT("1969-12-31T23:59:59.5Z"), -1, 0},
    {"a second earlier, floored", CREATED_AT("1969-12-31T23:59:58.001Z"), -2, 0},
    {"long before it", CREATED_AT("1900-01-01T00:00:00+00:00"), INT64_C(-2208988800), 0},
    {"beyond 32 bits", CREATED_AT("2106-02-07T06:28:16Z"), INT64_C(4294967296), 0},
    {"the last one", CREATED_AT("9999-12-31T23:59:59Z"), INT64_C(253402300799), 0},
    {"a space before the time", CREATED_AT("2020-12-02 10:13:19+00:00"), CREATED, 0},
    {"an offset without colon", CREATED_AT("2020-12-02T10:13:19+0000"), CREATED, 0},
    {"one without colon, east", CREATED_AT("2020-12-02T15:58:19+0545"), CREATED, 0},
    {"one without minutes", CREATED_AT("2020-12-02T10:13:19+00"), CREATED, 0},
    {"one without minutes, west", CREATED_AT("2020-12-02T05:13:19.5-05"), CREATED, 0},
    {"an offset behind a space", CREATED_AT("2020-12-02 10:13:19 +0000"), CREATED, 0},

    /* Whole numbers, however they are written. */
    {"ttl with a fraction of nothing", TTL("3600.0"), 3600, 0, 0},
    {"ttl with an exponent", TTL("3.6e3"), 3600, 0, 0},
    {"ttl with both", TTL("36000.00E-1"), 3600, 0, 0},
    {"ttl 0.0", TTL("0.0"), 0, 0, 0},
    {"the longest ttl with a fraction of nothing", TTL("2147483647.0"), 2147483647, 0, 0},

    /* An optional field that cannot be read is not told, and spoils nothing. */
    {"ttl a string", TTL("\"3600\""), -1, 0, 0},
    {"ttl too large", TTL("2147483648"), -1, 0, 0},
    {"ttl huge", TTL("1e99"), -1, 0, 0},
    {"ttl beyond what a double holds", TTL("1e999"), -1, 0, 0},
    {"ttl beyond 64 bits", TTL("99999999999999999999"), -1, 0, 0},
    {"ttl broken", TTL("1.5"), -1, 0, 0},
    {"ttl negative", TTL("-1"), -1, 0, 0},
    {"ttl minus zero", TTL("-0"), -1, 0, 0},
    {"ttl true", TTL("true"), -1, 0, 0},
    {"ttl an array", TTL("[3600]"), -1, 0, 0},
    {"ttl an object", TTL("{\"seconds\":3600,\"token\":\"no\"}"), -1, 0, 0},
    {"ttl odd after a good one", TTL("3600,\"ttl\":\"x\""), -1, 0, 0},
    {"createdAt a number", TTL("7,\"createdAt\":1606903999"), 7, 0, 0},
    {"createdAt half a surrogate pair", TTL("7,\"createdAt\":\"\\ud83d\""), 7, 0, 0},
    {"createdAt a word", CREATED_AT("yesterday"), 0, 0},
    {"createdAt empty", CREATED_AT(""), 0, 0},
    {"no such day", CREATED_AT("2021-02-29T00:00:00Z"), 0, 0},
    {"no such month", CREATED_AT("2021-13-01T00:00:00Z"), 0, 0},
    {"no such hour", CREATED_AT("2021-12-01T25:00:00Z"), 0, 0},
    {"no such offset", CREATED_AT("2021-12-01T23:00:00+2460"), 0, 0},
    {"a date without offset", CREATED_AT("2020-12-02T10:13:19"), 0, 0},
    {"a date and more", CREATED_AT("2020-12-02T10:13:19Z "), 0, 0},
    {"a date with NUL", CREATED_AT("2020-12-02T10:13:19Z\\u0000"), 0, 0},
    {"a day alone", TTL("7,\"expiresAt\":\"2020-12-02\""), 7, 0, 0},
    {"expiresAt false", TTL("7,\"createdAt\":\"2020-12-02T10:13:19Z\",\"expiresAt\":false"), 7, CREATED, 0},
    {"every optional field odd", TTL("[],\"createdAt\":{},\"expiresAt\":[{}]"), -1, 0, 0},
};

static void tokens(operation op) {
  size_t i;
  for (i = 0; i < sizeof token_rows / sizeof token_rows[0]; i++) {
    const token_row *it = &token_rows[i];
    pair used = pair_start();
    call made;
    /* A get is answered the token that it asks for. */
    if (op == GET && !texts_equal(it->token, TOKEN)) {
      pair_stop(&used);
      continue;
    }
    give(used.p, it->as, it->answer);
    made = call_make(used.client, op, NULL);
    if (CHECK_ROW(it->name, made.status == AV_STATUS_OK)) {
      const av_token *token = made.token;
      CHECK_ROW(it->name, made.error == NULL);
      CHECK_ROW(it->name, texts_equal(token->token, it->token));
      CHECK_ROW(it->name, token->ttl_seconds == it->ttl_seconds);
      CHECK_ROW(it->name, token->created_at == it->created_at);
      CHECK_ROW(it->name, token->expires_at == it->expires_at);
      CHECK_ROW(it->name, token->reserved32 == 0 && token->reserved_pointer == NULL);
      CHECK_ROW(it->name, (token->reserved[0] | token->reserved[1] | token->reserved[2] | token->reserved[3]) == 0);
    } else {
      fprintf(stderr, "  %s\n", av_error_message(made.error));
    }
    call_free(&made);
    goes_on(it->name, &used);
    pair_stop(&used);
  }
}

/* -------------------------------------------------------------------------------------- pages */

typedef struct page_row {
  const char *name;
  const char *body;
  const char *tokens; /* each of one letter */
  uint32_t current_page, pages_total, page_size;
  uint64_t items_total;
} page_row;

#define A "{\"token\":\"a\",\"ttl\":1}"
#define B "{\"token\":\"b\",\"createdAt\":\"2020-12-02T10:13:19Z\"}"
#define C "{\"token\":\"\\u0063\",\"more\":{\"data\":[" A "]}}"

static const page_row page_rows[] = {
    {"in full", "{\"data\":[" A "," B "],\"pagination\":{\"currentPage\":2,\"currentPageItems\":2,\"pageSize\":25,\"pagesTotal\":3,\"itemsTotal\":52,\"links\":[{\"rel\":\"self\",\"uri\":\"/upload-tokens?currentPage=2\"}]}}", "ab", 2, 3, 25, 52},
    {"nothing in it", "{\"data\":[],\"pagination\":{\"currentPage\":1,\"pagesTotal\":0,\"pageSize\":25,\"itemsTotal\":0}}", "", 1, 0, 25, 0},
    {"no numbers", "{\"data\":[" A "],\"pagination\":{}}", "a", 0, 0, 0, 0},
    {"numbers written as fractions", "{\"data\":[" A "],\"pagination\":{\"currentPage\":2.0,\"pagesTotal\":3e0,\"pageSize\":2.5e1,\"itemsTotal\":52.00}}", "a", 2, 3, 25, 52},
    {"odd optional fields in all of it", "{\"data\":[" A ",{\"token\":\"b\",\"ttl\":\"x\",\"createdAt\":7},{\"token\":\"c\",\"expiresAt\":\"never\"}],\"pagination\":{}}", "abc", 0, 0, 0, 0},
    {"numbers null", "{\"data\":[" A "],\"pagination\":{\"currentPage\":null,\"pagesTotal\":null,\"pageSize\":null,\"itemsTotal\":null,\"links\":null}}", "a", 0, 0, 0, 0},
    {"the largest numbers", "{\"data\":[],\"pagination\":{\"currentPage\":4294967295,\"pagesTotal\":4294967295,\"pageSize\":4294967295,\"itemsTotal\":18446744073709551615}}", "", UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX},
    {"links as an object", "{\"data\":[" A "],\"pagination\":{\"links\":{\"rel\":\"self\",\"uri\":\"/\"},\"currentPage\":1}}", "a", 1, 0, 0, 0},
    {"links as anything", "{\"data\":[" A "],\"pagination\":{\"links\":\"none\",\"currentPageItems\":\"1\",\"currentPage\":1}}", "a", 1, 0, 0, 0},
    {"pagination first", "{\"pagination\":{\"itemsTotal\":3},\"data\":[" A "," B "," C "]}", "abc", 0, 0, 0, 3},
    {"unknown fields", "{\"meta\":{\"data\":[" B "],\"pagination\":7},\"data\":[" C "," A "],\"x\":[[]],\"pagination\":{\"y\":{\"pageSize\":9}}}", "ca", 0, 0, 0, 0},
    {"data twice", "{\"data\":[" A "," B "," C "],\"pagination\":{},\"data\":[" C "]}", "c", 0, 0, 0, 0},
    {"data twice, the last one longer", "{\"data\":[" A "],\"data\":[" B "," C "," A "," B "],\"pagination\":{}}", "bcab", 0, 0, 0, 0},
    {"data twice, the last one empty", "{\"data\":[" A "],\"data\":[],\"pagination\":{}}", "", 0, 0, 0, 0},
    {"pagination twice", "{\"data\":[],\"pagination\":{\"pageSize\":9,\"pagesTotal\":9},\"pagination\":{\"pageSize\":7}}", "", 0, 0, 7, 0},
    {"a number twice", "{\"data\":[],\"pagination\":{\"pageSize\":9,\"pageSize\":null}}", "", 0, 0, 0, 0},
    {"escaped keys", "{\"d\\u0061ta\":[{\"\\u0074oken\":\"a\"}],\"pagination\":{\"page\\u0053ize\":7}}", "a", 0, 0, 7, 0},
    {"spaces everywhere", "\n{ \"data\" : [ " A " ,\t" B "\r\n] , \"pagination\" : { \"pageSize\" : 7 } } ", "ab", 0, 0, 7, 0},
};

static void pages(void) {
  size_t i, at;
  for (i = 0; i < sizeof page_rows / sizeof page_rows[0]; i++) {
    const page_row *it = &page_rows[i];
    pair used = pair_start();
    call made;
    peer_answer_json(used.p, "200 OK", it->body);
    made = call_make(used.client, LIST, NULL);
    if (CHECK_ROW(it->name, made.status == AV_STATUS_OK)) {
      const av_token_page *page = made.page;
      CHECK_ROW(it->name, page->current_page == it->current_page);
      CHECK_ROW(it->name, page->pages_total == it->pages_total);
      CHECK_ROW(it->name, page->page_size == it->page_size);
      CHECK_ROW(it->name, page->items_total == it->items_total);
      CHECK_ROW(it->name, page->reserved32 == 0);
      CHECK_ROW(it->name, (page->reserved[0] | page->reserved[1] | page->reserved[2] | page->reserved[3]) == 0);
      if (CHECK_ROW(it->name, page->count == strlen(it->tokens)))
        for (at = 0; at < page->count; at++) {
          const char expected[2] = {it->tokens[at], 0};
          CHECK_ROW(it->name, page->items[at] != NULL && texts_equal(page->items[at]->token, expected));
        }
    } else {
      fprintf(stderr, "  %s\n", av_error_message(made.error));
    }
    call_free(&made);
    goes_on(it->name, &used);
    pair_stop(&used);
  }
}

/* A page with as many items as fit into `most` bytes, at most `count`; returns how many. */
static size_t long_page(char *to, size_t most, size_t count) {
  static const char end[] = "],\"pagination\":{\"pageSize\":7}}";
  size_t length = (size_t)sprintf(to, "{\"data\":[");
  size_t made = 0;
  while (made < count && length + 32 + sizeof end < most) {
    length += (size_t)sprintf(to + length, "%s{\"token\":\"%zu\"}", made > 0 ? "," : "", made);
    made++;
  }
  memcpy(to + length, end, sizeof end);
  return made;
}

/* What no service sends today: the memory of a page follows from what it holds. */
static void long_pages(void) {
  static const size_t counts[] = {1000, SIZE_MAX};
  char *body = (char *)malloc(LIMIT);
  size_t i, at;
  if (!body) exit(2);
  for (i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    const char *name = i == 0 ? "1,000 items" : "4 MiB of items";
    size_t count = long_page(body, LIMIT, counts[i]);
    pair used = pair_start();
    call made;
    peer_answer_json(used.p, "200 OK", body);
    made = call_make(used.client, LIST, NULL);
    if (CHECK_ROW(name, made.status == AV_STATUS_OK && made.page->count == count)) {
      size_t right = 0;
      for (at = 0; at < count; at++) {
        right += strtoull(made.page->items[at]->token, NULL, 10) == at && made.page->items[at]->ttl_seconds == -1;
      }
      CHECK_ROW(name, right == count);
      CHECK_ROW(name, made.page->page_size == 7);
    } else {
      fprintf(stderr, "  %s\n", av_error_message(made.error));
    }
    call_free(&made);
    goes_on(name, &used);
    pair_stop(&used);
  }
  free(body);
}

/* The largest answer that is taken, framed in both ways. */
static void as_long_as_allowed(void) {
  static const operation operations[] = {CREATE, GET_JSON};
  static const char chunked[] = CHUNKED "\r\n400000\r\n";
  char *body = (char *)malloc(LIMIT + 1);
  char *framed = (char *)malloc(LIMIT + 256);
  size_t i;
  if (!body || !framed) exit(2);
  memset(body, ' ', LIMIT);
  memcpy(body, TOKEN_BODY, strlen(TOKEN_BODY));
  body[LIMIT] = 0;
  strcpy(framed, chunked);
  strcat(framed, body);
  strcat(framed, "\r\n0\r\n\r\n");
  for (i = 0; i < 4; i++) {
    operation op = operations[i % 2];
    pair used = pair_start();
    call made;
    if (i < 2)
      peer_answer_json(used.p, "200 OK", body);
    else
      peer_answer_text(used.p, framed, PEER_KEEP);
    made = call_make(used.client, op, NULL);
    CHECK_ROW(operation_name(op), made.status == AV_STATUS_OK);
    CHECK_ROW(operation_name(op), op != CREATE || (made.token && texts_equal(made.token->token, TOKEN)));
    CHECK_ROW(operation_name(op), op != GET_JSON || texts_equal(made.json, body));
    call_free(&made);
    goes_on("as long as allowed", &used);
    pair_stop(&used);
  }
  free(framed);
  free(body);
}

/* ------------------------------------------------------------------------------- deleted tokens */

typedef struct delete_row {
  const char *name;
  form as;
  const char *answer;
} delete_row;

/* The service has done it, and says nothing more than that, or JSON; nor is that taken for the answer
 * to the next call. */
static const delete_row delete_rows[] = {
    {"204", BYTES("HTTP/1.1 204 No Content\r\n\r\n")},
    {"204 with a length", BYTES("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")},
    {"204 with a body", BYTES("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}")},
    {"204 with a body that nobody announced", BYTES("HTTP/1.1 204 No Content\r\n\r\n{}")},
    {"204 with HTML", BYTES("HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\n<html>")},
    {"204 with an answer for a body", BYTES("HTTP/1.1 204 No Content\r\nContent-Length: 54\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"token\":\"bad\"}")},
    {"204 chunked", BYTES("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
    {"200 with JSON", BODY("{\"deleted\":true}")},
    {"200 with an array", BODY(" [1,2] \n")},
    {"200 with null", BODY("null")},
    {"200 with JSON, said to be HTML", BYTES("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}")},
    {"200 with JSON, said to be encoded", BYTES("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")},
    {"200 with nothing", BODY("")},
    {"200 with nothing, said to be HTML", BYTES("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n")},
    {"200 chunked", BYTES(CHUNKED "\r\n2\r\n{}\r\n0\r\n\r\n")},
    {"200 ended by closing", CUT("HTTP/1.1 200 OK\r\n\r\n{\"deleted\":true}")},
    {"202", BYTES("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")},
    {"205", BYTES("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n")},
    {"299 with JSON", BYTES("HTTP/1.1 299 Whatever\r\nContent-Length: 4\r\n\r\ntrue")},
    {"100 first", BYTES("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")},
};

static void deletes(void) {
  size_t i;
  for (i = 0; i < sizeof delete_rows / sizeof delete_rows[0]; i++) {
    const delete_row *it = &delete_rows[i];
    pair used = pair_start();
    call made;
    give(used.p, it->as, it->answer);
    made = call_make(used.client, DELETE, NULL);
    if (!CHECK_ROW(it->name, made.status == AV_STATUS_OK))
      fprintf(stderr, "  %s\n", av_error_message(made.error));
    CHECK_ROW(it->name, made.error == NULL);
    call_free(&made);
    goes_on(it->name, &used);
    pair_stop(&used);
  }
}

/* ------------------------------------------------------------------------------ the JSON twins */

/* 128 arrays within each other, the deepest that is allowed. */
#define OPEN_16 "[[[[[[[[[[[[[[[["
#define CLOSE_16 "]]]]]]]]]]]]]]]]"
#define DEPTH_128 EIGHT(OPEN_16) EIGHT(CLOSE_16)

/* Handed out as they are: fields are not checked. Only what was made is told in an object. */
static const char *const texts[] = {
    TOKEN_BODY,
    PAGE_BODY,
    "{}",
    "[]",
    "null",
    "true",
    "0",
    "-1.5e300",
    "\"\"",
    "\"x\"",
    " \r\n\t{ \"a\" : [ ] } \n",
    "{\"token\":\"\",\"token\":5,\"ttl\":-1}",
    "{\"token\":\"\\u0000\\ud83d\\ude00\\/\"}",
    "\"\xE6\x97\xA5\xF0\x9F\x98\x80\"",
    "\"" OPEN_16 EIGHT(OPEN_16) "\"",
    DEPTH_128,
};

static void json(void) {
  operation op;
  size_t i;
  for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    pair used = pair_start();
    for (op = CREATE_JSON; op < OPERATIONS; op = (operation)(op + 1)) {
      call made;
      if (op == CREATE_JSON && texts[i][strspn(texts[i], " \r\n\t")] != '{') continue;
      peer_answer_json(used.p, "200 OK", texts[i]);
      made = call_make(used.client, op, NULL);
      CHECK_ROW(texts[i], made.status == AV_STATUS_OK);
      CHECK_ROW(texts[i], made.error == NULL);
      CHECK_ROW(texts[i], texts_equal(made.json, texts[i]));
      /* A decoder may well cut it to pieces: freeing it does not rely on what it holds. */
      if (made.json) memset(made.json, 'x', strlen(made.json));
      call_free(&made);
    }
    goes_on(texts[i], &used);
    pair_stop(&used);
  }
}

int main(void) {
  CHECK(strlen(TOKEN_BODY) == 127); /* as LENGTH says, and 7f in hexadecimal */
  tokens(GET);
  tokens(CREATE);
  pages();
  long_pages();
  as_long_as_allowed();
  deletes();
  json();
  return checks_report();
}
