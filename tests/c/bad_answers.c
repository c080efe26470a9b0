/* Bad answers, a table and one runner: each is told as what it is, with a message that names what is
 * wrong, never as a success with an empty token or half a string; and the client goes on. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"
#include "support/peer.h"

/* Bytes to send, of which the runner is the owner. */
typedef struct bytes {
  char *text;
  size_t length;
} bytes;

/* How a row's answer is given. */
typedef enum form {
  AS_BODY,  /* the body of a 200 with its length */
  AS_BYTES, /* all that is sent */
  AS_CUT    /* all that is sent, then the connection is closed */
} form;

typedef struct row {
  const char *name;
  operation op;
  form as;
  const char *text;
  size_t length;
  bytes (*make)(void); /* makes what is too long to be written down, instead of `text` */
  av_status status;
  int32_t outcome;
  int32_t http_status;
  const char *word; /* what the message must hold */
} row;

#define BODY(text) AS_BODY, text, sizeof(text) - 1, NULL
#define BYTES(text) AS_BYTES, text, sizeof(text) - 1, NULL
#define CUT(text) AS_CUT, text, sizeof(text) - 1, NULL
#define LONG_BODY(make) AS_BODY, NULL, 0, make
#define LONG_BYTES(make) AS_BYTES, NULL, 0, make

/* What a call that reads comes to, and what a create does after a 2xx that begins as an object. */
#define READ AV_STATUS_DECODE, AV_OUTCOME_NOT_APPLIED
#define MADE AV_STATUS_DECODE, AV_OUTCOME_APPLIED
/* What one that writes comes to if the answer does not show whether it was done. */
#define UNSURE AV_STATUS_DECODE, AV_OUTCOME_UNKNOWN

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
/* A whole, good answer but for its status line and headers. */
#define AND_TOKEN "Content-Length: 127\r\n\r\n" TOKEN_BODY
/* A page's items, each with a good token, and what follows them. */
#define ITEM "{\"token\":\"" TOKEN "\"}"
#define PAGE_OF(data) "{\"data\":" data ",\"pagination\":{}}"
#define PAGE_WITH(pagination) "{\"data\":[" ITEM "],\"pagination\":" pagination "}"

#define LIMIT ((size_t)4 * 1024 * 1024)

static bytes bytes_of(size_t capacity) {
  bytes made;
  made.text = (char *)malloc(capacity + 1);
  made.length = 0;
  if (!made.text) exit(2);
  return made;
}

static void add(bytes *to, const char *text) {
  size_t length = strlen(text);
  memcpy(to->text + to->length, text, length);
  to->length += length;
}

static void add_many(bytes *to, char byte, size_t count) {
  memset(to->text + to->length, byte, count);
  to->length += count;
}

/* A good token, and then spaces, which JSON allows, up to `length`. */
static bytes token_of_length(size_t length) {
  bytes made = bytes_of(length);
  add(&made, TOKEN_BODY);
  add_many(&made, ' ', length - made.length);
  return made;
}

static bytes one_too_many(void) { return token_of_length(LIMIT + 1); }
static bytes ten_million(void) { return token_of_length(10000000); }

static bytes one_too_many_chunked(void) {
  static const size_t chunk = 64 * 1024;
  bytes body = one_too_many();
  bytes made = bytes_of(body.length + 4096);
  size_t at;
  add(&made, CHUNKED);
  for (at = 0; at < body.length; at += chunk) {
    size_t length = body.length - at < chunk ? body.length - at : chunk;
    char size[32];
    snprintf(size, sizeof size, "%zx\r\n", length);
    add(&made, size);
    memcpy(made.text + made.length, body.text + at, length);
    made.length += length;
    add(&made, "\r\n");
  }
  add(&made, "0\r\n\r\n");
  free(body.text);
  return made;
}

/* Chunks that never end, up to what only a client without a limit would wait for. */
static bytes chunks_without_end(void) {
  bytes made = bytes_of(6 * 1024 * 1024 + 4096);
  int i;
  add(&made, CHUNKED);
  for (i = 0; i < 6; i++) {
    add(&made, "100000\r\n");
    add_many(&made, ' ', 0x100000);
    add(&made, "\r\n");
  }
  return made;
}

/* The line before a chunk, without an end: neither a body nor a head, but memory all the same. */
static bytes chunk_line(const char *begin, char byte) {
  bytes made = bytes_of(400000);
  add(&made, CHUNKED);
  add(&made, begin);
  add_many(&made, byte, 300000);
  return made;
}

static bytes endless_chunk_extension(void) { return chunk_line("1;", 'a'); }
static bytes endless_chunk_size(void) { return chunk_line("", '0'); }

static bytes nested(size_t depth) {
  bytes made = bytes_of(2 * depth);
  add_many(&made, '[', depth);
  add_many(&made, ']', depth);
  return made;
}

static bytes nested_200000(void) { return nested(200000); }
static bytes nested_129(void) { return nested(129); }

/* Not JSON, since no bracket is closed; and no field that anybody wants. */
static bytes nested_in_unknown_field(void) {
  bytes made = bytes_of(300000);
  add(&made, "{\"token\":\"" TOKEN "\",\"unknown\":");
  add_many(&made, '[', 200000);
  return made;
}

static bytes nested_in_token(void) {
  bytes made = bytes_of(500000);
  add(&made, "{\"token\":");
  add_many(&made, '[', 200000);
  add_many(&made, ']', 200000);
  add(&made, "}");
  return made;
}

static bytes head_of_100000(void) {
  bytes made = bytes_of(200000);
  add(&made, "HTTP/1.1 200 OK\r\nX-Long: ");
  add_many(&made, 'x', 100000);
  add(&made, "\r\n" AND_TOKEN);
  return made;
}

static bytes head_without_end(void) {
  bytes made = bytes_of(2000000);
  add(&made, "HTTP/1.1 200 OK\r\nX-Long: ");
  add_many(&made, 'x', 1000000);
  return made;
}

/* More of those that are read than are taken. */
static bytes headers_300(void) {
  bytes made = bytes_of(20000);
  int i;
  add(&made, "HTTP/1.1 200 OK\r\n");
  for (i = 0; i < 300; i++) add(&made, "Date: then\r\n");
  add(&made, AND_TOKEN);
  return made;
}

static const row rows[] = {
    /* No token where one was promised. */
    {"empty", CREATE, BODY(""), UNSURE, 200, "empty"},
    {"empty, of a get", GET, BODY(""), READ, 200, "empty"},
    {"empty, of a list", LIST, BODY(""), READ, 200, "empty"},
    {"204 of a create", CREATE, BYTES("HTTP/1.1 204 No Content\r\n\r\n"), UNSURE, 204, "empty"},
    {"white space", CREATE, BODY(" \n"), UNSURE, 200, "JSON"},
    {"truncated", CREATE, BODY("{\"token\":\"" TOKEN "\",\"ttl\":36"), MADE, 200, "JSON"},
    {"truncated in the token", CREATE, BODY("{\"token\":\"" TOKEN), MADE, 200, "JSON"},
    {"trailing garbage", CREATE, BODY(TOKEN_BODY "x"), MADE, 200, "trailing"},
    {"two values", GET, BODY(TOKEN_BODY TOKEN_BODY), READ, 200, "trailing"},
    {"HTML", CREATE, BODY("<html><body>Welcome to the hotel's Wi-Fi</body></html>"), UNSURE, 200, "JSON"},
    {"BOM", CREATE, BODY("\xEF\xBB\xBF" TOKEN_BODY), UNSURE, 200, "JSON"},
    {"invalid UTF-8", CREATE, BODY("{\"token\":\"to1tcmSFHeYY5K\xFFzyhOqVKMKb\"}"), MADE, 200, "UTF-8"},
    {"half a character", GET, BODY("{\"token\":\"to1tcmSFHeYY5KzyhOqV\xC3\"}"), READ, 200, "UTF-8"},
    {"a surrogate in UTF-8", GET, BODY("{\"token\":\"to1tcmSFHeYY5Kz\xED\xA0\x80\"}"), READ, 200, "UTF-8"},
    {"half a surrogate pair", GET, BODY("{\"token\":\"to1tcmSFHeYY5Kz\\ud83d\"}"), READ, 200, ""},
    {"array", CREATE, BODY("[]"), UNSURE, 200, "object"},
    {"array with a token", GET, BODY("[" TOKEN_BODY "]"), READ, 200, "object"},
    {"null", CREATE, BODY("null"), UNSURE, 200, "object"},
    {"string", CREATE, BODY("\"x\""), UNSURE, 200, "object"},
    {"number", GET, BODY("7"), READ, 200, "object"},
    {"no field", CREATE, BODY("{}"), MADE, 200, "token"},
    {"token missing", GET, BODY("{\"ttl\":3600}"), READ, 200, "token"},
    {"token empty", CREATE, BODY("{\"token\":\"\"}"), MADE, 200, "token"},
    {"token null", CREATE, BODY("{\"token\":null}"), MADE, 200, "token"},
    {"token a number", CREATE, BODY("{\"token\":5}"), MADE, 200, "token"},
    {"token an object", GET, BODY("{\"token\":{\"token\":\"" TOKEN "\"}}"), READ, 200, "token"},
    {"token with NUL", CREATE, BODY("{\"token\":\"to1tcmSFHeYY\\u0000" TOKEN "\"}"), MADE, 200, "token"},
    {"token with a raw NUL", GET, BODY("{\"token\":\"to1tcmSFHeYY\0" TOKEN "\"}"), READ, 200, "JSON"},
    {"token good, then empty", GET, BODY("{\"token\":\"" TOKEN "\",\"token\":\"\"}"), READ, 200, "token"},
    {"key without quotes", GET, BODY("{token:\"" TOKEN "\"}"), READ, 200, "JSON"},
    {"another token", GET, BODY("{\"token\":\"to1tcmSFHeYY5KzyhOqVKMKB\",\"ttl\":3600}"), READ, 200, "asked for"},
    {"another token in the plain form", GET, BODY("{\"token\":\"to2\",\"ttl\":3600,\"createdAt\":\"2020-12-02T10:13:19+00:00\",\"expiresAt\":\"2020-12-02T11:13:19+00:00\"}"), READ, 200, "asked for"},
    {"a beginning of the token", GET, BODY("{\"token\":\"to1t\"}"), READ, 200, "asked for"},
    {"the token, then another", GET, BODY("{\"token\":\"" TOKEN "\",\"token\":\"to2\"}"), READ, 200, "asked for"},
    {"text", CREATE, BODY("OK"), UNSURE, 200, "JSON"},
    {"an object and HTML", CREATE, BODY(TOKEN_BODY "<html>"), MADE, 200, "trailing"},
    {"a brace alone", CREATE, BODY("{"), MADE, 200, "JSON"},
    {"HTML, said to be made", CREATE, BYTES("HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\n<html>"), UNSURE, 201, "JSON"},
    {"single quotes", GET, BODY("{'token':'" TOKEN "'}"), READ, 200, "JSON"},

    /* Its other fields are optional: what does not spoil them is in odd_answers.c. */
    {"ttl with a leading 0", GET, BODY("{\"token\":\"" TOKEN "\",\"ttl\":03600}"), READ, 200, "JSON"},
    {"ttl NaN", GET, BODY("{\"token\":\"" TOKEN "\",\"ttl\":NaN}"), READ, 200, "JSON"},

    /* Pages. */
    {"page without anything", LIST, BODY("{}"), READ, 200, "data"},
    {"page as its data alone", LIST, BODY("[" ITEM "]"), READ, 200, "object"},
    {"page null", LIST, BODY("null"), READ, 200, "object"},
    {"page as HTML", LIST, BODY("<!DOCTYPE html>"), READ, 200, "JSON"},
    {"data missing", LIST, BODY("{\"pagination\":{}}"), READ, 200, "data"},
    {"data null", LIST, BODY(PAGE_OF("null")), READ, 200, "data"},
    {"data an object", LIST, BODY(PAGE_OF("{\"0\":" ITEM "}")), READ, 200, "data"},
    {"data a string", LIST, BODY(PAGE_OF("\"" TOKEN "\"")), READ, 200, "data"},
    {"data truncated", LIST, BODY("{\"data\":[" ITEM ","), READ, 200, "JSON"},
    {"data with a comma too many", LIST, BODY(PAGE_OF("[" ITEM ",]")), READ, 200, "JSON"},
    {"an item as a string", LIST, BODY(PAGE_OF("[" ITEM "," ITEM "," ITEM ",\"" TOKEN "\"]")), READ, 200, "data[3]"},
    {"an item null", LIST, BODY(PAGE_OF("[null]")), READ, 200, "data[0]"},
    {"an item as an array", LIST, BODY(PAGE_OF("[" ITEM ",[]]")), READ, 200, "data[1]"},
    {"an item without token", LIST, BODY(PAGE_OF("[" ITEM "," ITEM "," ITEM ",{\"ttl\":0}]")), READ, 200, "data[3].token"},
    {"an item with an empty token", LIST, BODY(PAGE_OF("[" ITEM ",{\"token\":\"\"}]")), READ, 200, "data[1].token"},
    {"an item's token with NUL", LIST, BODY(PAGE_OF("[{\"token\":\"" TOKEN "\\u0000\"}]")), READ, 200, "data[0].token"},
    {"pagination missing", LIST, BODY("{\"data\":[" ITEM "]}"), READ, 200, "pagination"},
    {"pagination null", LIST, BODY(PAGE_WITH("null")), READ, 200, "pagination"},
    {"pagination an array", LIST, BODY(PAGE_WITH("[]")), READ, 200, "pagination"},
    {"page number negative", LIST, BODY(PAGE_WITH("{\"currentPage\":-1}")), READ, 200, "currentPage"},
    {"page number a string", LIST, BODY(PAGE_WITH("{\"currentPage\":\"1\"}")), READ, 200, "currentPage"},
    {"page number not whole", LIST, BODY(PAGE_WITH("{\"currentPage\":0.5}")), READ, 200, "currentPage"},
    {"page number out of all range", LIST, BODY(PAGE_WITH("{\"currentPage\":1e400}")), READ, 200, "currentPage"},
    {"page number too large", LIST, BODY(PAGE_WITH("{\"currentPage\":4294967296}")), READ, 200, "currentPage"},
    {"pages too many", LIST, BODY(PAGE_WITH("{\"pagesTotal\":4294967296}")), READ, 200, "pagesTotal"},
    {"pages broken", LIST, BODY(PAGE_WITH("{\"pagesTotal\":1.5}")), READ, 200, "pagesTotal"},
    {"page size a string", LIST, BODY(PAGE_WITH("{\"pageSize\":\"" TOKEN "\"}")), READ, 200, "pageSize"},
    {"page size an array", LIST, BODY(PAGE_WITH("{\"pageSize\":[25]}")), READ, 200, "pageSize"},
    {"items negative", LIST, BODY(PAGE_WITH("{\"itemsTotal\":-7}")), READ, 200, "itemsTotal"},
    {"items too many", LIST, BODY(PAGE_WITH("{\"itemsTotal\":18446744073709551616}")), READ, 200, "itemsTotal"},

    /* Long and deep ones. */
    {"a byte too long", CREATE, LONG_BODY(one_too_many), MADE, 200, "4194304"},
    {"a byte too long, chunked", CREATE, LONG_BYTES(one_too_many_chunked), MADE, 200, "4194304"},
    {"10 MB", GET, LONG_BODY(ten_million), READ, 200, "4194304"},
    {"10 MB, in JSON", GET_JSON, LONG_BODY(ten_million), READ, 200, "4194304"},
    {"a chunk's extension without end", CREATE, LONG_BYTES(endless_chunk_extension), UNSURE, 200, "65536"},
    {"a chunk's size without end", CREATE, LONG_BYTES(endless_chunk_size), UNSURE, 200, "65536"},
    {"chunks without end", LIST, LONG_BYTES(chunks_without_end), READ, 200, "4194304"},
    {"nested", CREATE, LONG_BODY(nested_200000), UNSURE, 200, "object"},
    {"nested, of a list", LIST, LONG_BODY(nested_200000), READ, 200, "object"},
    {"nested, as the token", GET, LONG_BODY(nested_in_token), READ, 200, "token"},
    {"nested, in an unknown field", CREATE, LONG_BODY(nested_in_unknown_field), MADE, 200, "JSON"},

    /* The JSON twins check no field, but that it is one JSON text. */
    {"JSON: empty", CREATE_JSON, BODY(""), UNSURE, 200, "empty"},
    {"JSON: empty, of a list", LIST_JSON, BODY(""), READ, 200, "empty"},
    {"JSON: white space", GET_JSON, BODY("  "), READ, 200, "JSON"},
    {"JSON: truncated", CREATE_JSON, BODY("{\"token\":\"" TOKEN), MADE, 200, "JSON"},
    {"JSON: trailing garbage", GET_JSON, BODY(TOKEN_BODY ","), READ, 200, "trailing"},
    {"JSON: HTML", LIST_JSON, BODY("<html>"), READ, 200, "JSON"},
    {"JSON: BOM", GET_JSON, BODY("\xEF\xBB\xBF{}"), READ, 200, "JSON"},
    {"JSON: raw NUL", CREATE_JSON, BODY("{\"token\":\"" TOKEN "\0\"}"), MADE, 200, "JSON"},
    {"JSON: NUL behind it", GET_JSON, BODY(TOKEN_BODY "\0"), READ, 200, "trailing"},
    {"JSON: invalid UTF-8", CREATE_JSON, BODY("{\"token\":\"" TOKEN "\xFF\"}"), MADE, 200, "UTF-8"},
    {"JSON: HTML of a create", CREATE_JSON, BODY("<html>"), UNSURE, 200, "JSON"},
    {"JSON: an array of a create", CREATE_JSON, BODY("[" TOKEN_BODY "]"), UNSURE, 200, "object"},
    {"JSON: a template of a create", CREATE_JSON, BODY("{{ page }}"), UNSURE, 200, "JSON"},
    {"JSON: null of a create", CREATE_JSON, BODY("null"), UNSURE, 200, "object"},
    {"JSON: another token", GET_JSON, BODY("{\"ttl\":7,\"token\":\"to2\"}"), READ, 200, "asked for"},
    {"JSON: too deep", GET_JSON, LONG_BODY(nested_129), READ, 200, "128"},
    {"JSON: far too deep", CREATE_JSON, LONG_BODY(nested_200000), UNSURE, 200, "128"},

    /* A delete: nothing, or JSON, is what the service says; anything else is said by somebody else. */
    {"deleted: HTML", DELETE, BODY("<html>Blocked</html>"), UNSURE, 200, "JSON"},
    {"deleted: text", DELETE, BODY("OK"), UNSURE, 200, "JSON"},
    {"deleted: white space", DELETE, BODY("\n"), UNSURE, 200, "JSON"},
    {"deleted: truncated", DELETE, BODY("{\"deleted\":tr"), UNSURE, 200, "JSON"},
    {"deleted: two values", DELETE, BODY("{}{}"), UNSURE, 200, "trailing"},
    {"deleted: invalid UTF-8", DELETE, BODY("\"\xFF\""), UNSURE, 200, "UTF-8"},
    {"deleted: a byte too long", DELETE, LONG_BODY(one_too_many), UNSURE, 200, "4194304"},
    {"deleted: HTML with 202", DELETE, BYTES("HTTP/1.1 202 Accepted\r\nContent-Length: 6\r\n\r\n<html>"), UNSURE, 202, "JSON"},
    {"deleted: HTML with 205", DELETE, BYTES("HTTP/1.1 205 Reset Content\r\nContent-Length: 6\r\n\r\n<html>"), UNSURE, 205, "JSON"},
    {"deleted: ended by closing", DELETE, CUT("HTTP/1.1 200 OK\r\n\r\ndeleted"), UNSURE, 200, "JSON"},
    {"deleted: bad chunks", DELETE, BYTES(CHUNKED "zz\r\n"), UNSURE, 200, "chunk"},
    {"deleted: closed early", DELETE, CUT("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ndele"), AV_STATUS_TRANSPORT, AV_OUTCOME_UNKNOWN, 200, "reading the answer"},
    {"deleted: closed before the body", DELETE, CUT("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), AV_STATUS_TRANSPORT, AV_OUTCOME_UNKNOWN, 200, "reading the answer"},

    /* Encoded as nobody asked for, which the message names. */
    {"gzip", GET, BYTES("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08" "0"), READ, 200, "Content-Encoding: gzip"},
    {"br of a create", CREATE, BYTES("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\n\x0b\x02\x80" "0"), UNSURE, 200, "Content-Encoding: br"},
    {"gzip of a list in JSON", LIST_JSON, BYTES("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08" "0"), READ, 200, "Content-Encoding: gzip"},
    {"gzip of a delete", DELETE, BYTES("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08" "0"), UNSURE, 200, "Content-Encoding: gzip"},
    {"gzip of a refusal", DELETE, BYTES("HTTP/1.1 403 Forbidden\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08" "0"), AV_STATUS_UNAUTHORIZED, AV_OUTCOME_NOT_APPLIED, 403, "Content-Encoding: gzip"},

    /* Never followed: the credential belongs to the configured service alone. */
    {"300", GET, BYTES("HTTP/1.1 300 Multiple Choices\r\nContent-Length: 0\r\n\r\n"), READ, 300, "300"},
    {"301", GET, BYTES("HTTP/1.1 301 Moved\r\nLocation: https://other.example/x\r\nContent-Length: 0\r\n\r\n"), READ, 301, "https://other.example/x"},
    {"302 of a create", CREATE, BYTES("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"), UNSURE, 302, "/elsewhere"},
    {"303 of a delete", DELETE, BYTES("HTTP/1.1 303 See Other\r\nLocation: /gone\r\nContent-Length: 0\r\n\r\n"), UNSURE, 303, "/gone"},
    {"304", LIST, BYTES("HTTP/1.1 304 Not Modified\r\n\r\n"), READ, 304, "status 304, which means nothing here"},
    {"304 with a place", LIST, BYTES("HTTP/1.1 304 Not Modified\r\nLocation: /x\r\n\r\n"), READ, 304, "status 304, which means nothing here"},
    {"302 that points nowhere", GET, BYTES("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), READ, 302, "status 302, which means nothing here"},
    {"302 with an empty place", GET, BYTES("HTTP/1.1 302 Found\r\nLocation: \r\nContent-Length: 0\r\n\r\n"), READ, 302, "status 302, which means nothing here"},
    {"307 of a create", CREATE_JSON, BYTES("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://other.example/\r\n" AND_TOKEN), UNSURE, 307, "http://other.example/"},
    {"308 of a delete", DELETE, BYTES("HTTP/1.1 308 Permanent Redirect\r\nLocation: //other.example\r\nContent-Length: 0\r\n\r\n"), UNSURE, 308, "//other.example"},

    /* Statuses that mean nothing here. */
    {"101", GET, CUT("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), READ, 101, "101"},
    {"600", CREATE, BYTES("HTTP/1.1 600 Odd\r\n" AND_TOKEN), UNSURE, 600, "600"},
    {"999", GET, BYTES("HTTP/1.1 999 Odder\r\n" AND_TOKEN), READ, 999, "999"},
    {"600 of a delete", DELETE, BYTES("HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n"), UNSURE, 600, "600"},

    /* What is no HTTP: nobody can tell whether the service has had a hand in it. */
    {"garbage", CREATE, BYTES("SSH-2.0-OpenSSH_9.2p1\r\n\r\n"), UNSURE, 0, "HTTP"},
    {"garbage, of a get", GET, CUT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), READ, 0, "HTTP"},
    {"status 99", CREATE, BYTES("HTTP/1.1 099 Low\r\n" AND_TOKEN), UNSURE, 0, "HTTP"},
    {"status of four digits", GET, BYTES("HTTP/1.1 2000 OK\r\n" AND_TOKEN), READ, 0, "HTTP"},
    {"HTTP/2.0", GET, BYTES("HTTP/2.0 200 OK\r\n" AND_TOKEN), READ, 0, "HTTP"},
    {"header without colon", GET, BYTES("HTTP/1.1 200 OK\r\nNonsense\r\n" AND_TOKEN), READ, 0, "HTTP"},
    {"lengths that differ", CREATE, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" AND_TOKEN), UNSURE, 0, "HTTP"},
    {"length that is none", GET, BYTES("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" TOKEN_BODY), READ, 0, "HTTP"},
    {"head of 100,000 bytes", CREATE, LONG_BYTES(head_of_100000), UNSURE, 0, "head"},
    {"head without end", GET, LONG_BYTES(head_without_end), READ, 0, "head"},
    {"300 headers that are read", CREATE, LONG_BYTES(headers_300), UNSURE, 0, "header"},
    /* Odd lines about where the body ends are not passed over like others. */
    {"a folded length", CREATE, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 27\r\n\r\n" TOKEN_BODY), UNSURE, 0, "HTTP"},
    {"a space after its name", GET, BYTES("HTTP/1.1 200 OK\r\nContent-Length : 127\r\n\r\n" TOKEN_BODY), READ, 0, "HTTP"},
    {"a control character in it", GET, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 127\x01\r\n\r\n" TOKEN_BODY), READ, 0, "HTTP"},
    {"an indented one at first", GET, BYTES("HTTP/1.1 200 OK\r\n Transfer-Encoding: chunked\r\n\r\n" TOKEN_BODY), READ, 0, "HTTP"},
    {"a folded transfer encoding", CREATE, BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n7f\r\n" TOKEN_BODY "\r\n0\r\n\r\n"), UNSURE, 0, "HTTP"},
    {"lengths that differ, in an odd head", GET, BYTES("HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 5\r\n" AND_TOKEN), READ, 0, "HTTP"},
    {"bad chunk size", CREATE, BYTES(CHUNKED "zz\r\n" TOKEN_BODY "\r\n0\r\n\r\n"), UNSURE, 200, "chunk"},
    {"chunk longer than told", GET, BYTES(CHUNKED "5\r\n" TOKEN_BODY "\r\n0\r\n\r\n"), READ, 200, "chunk"},

    /* Connections that end too early. */
    {"closed at once", CREATE, CUT(""), AV_STATUS_TRANSPORT, AV_OUTCOME_UNKNOWN, 0, "waiting for the answer"},
    {"closed at once, of a get", GET, CUT(""), AV_STATUS_TRANSPORT, AV_OUTCOME_NOT_APPLIED, 0, "waiting for the answer"},
    {"closed at once, of a delete", DELETE, CUT(""), AV_STATUS_TRANSPORT, AV_OUTCOME_UNKNOWN, 0, "waiting for the answer"},
    {"closed in the head", CREATE, CUT("HTTP/1.1 200 OK\r\nContent-Le"), AV_STATUS_TRANSPORT, AV_OUTCOME_UNKNOWN, 0, "waiting for the answer"},
    {"closed in an odd head", GET, CUT("HTTP/1.1 200 OK\r\n: x\r\nContent-Le"), AV_STATUS_TRANSPORT, AV_OUTCOME_NOT_APPLIED, 0, "waiting for the answer"},
    {"closed in the status line", GET, CUT("HTTP/1.1 20"), AV_STATUS_TRANSPORT, AV_OUTCOME_NOT_APPLIED, 0, "waiting for the answer"},
    {"closed 50 bytes early", CREATE, CUT("HTTP/1.1 200 OK\r\nContent-Length: 177\r\n\r\n" TOKEN_BODY), AV_STATUS_TRANSPORT, AV_OUTCOME_APPLIED, 200, "reading the answer"},
    {"closed 50 bytes early, of a get", GET_JSON, CUT("HTTP/1.1 200 OK\r\nContent-Length: 177\r\n\r\n" TOKEN_BODY), AV_STATUS_TRANSPORT, AV_OUTCOME_NOT_APPLIED, 200, "reading the answer"},
    {"closed before the body", LIST, CUT("HTTP/1.1 200 OK\r\nContent-Length: 177\r\n\r\n"), AV_STATUS_TRANSPORT, AV_OUTCOME_NOT_APPLIED, 200, "reading the answer"},
    {"closed before the body of a create", CREATE, CUT("HTTP/1.1 200 OK\r\nContent-Length: 177\r\n\r\n"), AV_STATUS_TRANSPORT, AV_OUTCOME_UNKNOWN, 200, "reading the answer"},
    {"closed in the HTML of a create", CREATE, CUT("HTTP/1.1 200 OK\r\nContent-Length: 177\r\n\r\n<html>"), AV_STATUS_TRANSPORT, AV_OUTCOME_UNKNOWN, 200, "reading the answer"},
    {"closed after a byte of a create", CREATE_JSON, CUT("HTTP/1.1 200 OK\r\nContent-Length: 177\r\n\r\n{"), AV_STATUS_TRANSPORT, AV_OUTCOME_APPLIED, 200, "reading the answer"},
    {"closed before the last chunk", CREATE, CUT(CHUNKED "7f\r\n" TOKEN_BODY "\r\n"), AV_STATUS_TRANSPORT, AV_OUTCOME_APPLIED, 200, "reading the answer"},
    {"closed in a chunk", GET, CUT(CHUNKED "ff\r\n" TOKEN_BODY), AV_STATUS_TRANSPORT, AV_OUTCOME_NOT_APPLIED, 200, "reading the answer"},
    {"closed after interim answers", CREATE, CUT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n"), AV_STATUS_TRANSPORT, AV_OUTCOME_UNKNOWN, 0, "waiting for the answer"},
};

/* A broken connection may serve a read, and a delete, the next time; an answer that cannot be used
 * stays as it is, and a create is not to be repeated. */
static int retryable(const row *it) {
  return it->status == AV_STATUS_TRANSPORT && it->op != CREATE && it->op != CREATE_JSON;
}

/* The error holds the body as received, up to its cap. */
static void check_body(const row *it, const bytes *sent, const av_error *error) {
  static const size_t cap = 65536;
  size_t expected = sent->length < cap ? sent->length : cap;
  size_t length = 7;
  const char *body = av_error_body(error, &length);
  CHECK_ROW(it->name, body != NULL && length == expected);
  CHECK_ROW(it->name, body != NULL && length == expected && memcmp(body, sent->text, length) == 0);
  CHECK_ROW(it->name, body != NULL && body[length] == 0);
}

static void run(const row *it) {
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  bytes sent;
  call bad, good;
  const char *message;
  int as_expected;

  if (it->make) {
    sent = it->make();
  } else {
    sent = bytes_of(it->length);
    memcpy(sent.text, it->text, it->length);
    sent.length = it->length;
  }
  if (it->as == AS_BODY) {
    char head[64];
    bytes whole = bytes_of(sizeof head + sent.length);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", sent.length);
    add(&whole, head);
    memcpy(whole.text + whole.length, sent.text, sent.length);
    peer_answer(p, whole.text, whole.length + sent.length, PEER_KEEP);
    free(whole.text);
  } else {
    peer_answer(p, sent.text, sent.length, it->as == AS_CUT ? PEER_CLOSE : PEER_KEEP);
  }

  bad = call_make(client, it->op, NULL);
  message = av_error_message(bad.error);
  as_expected = CHECK_ROW(it->name, bad.status == it->status);
  as_expected &= CHECK_ROW(it->name, !call_gave(&bad));
  as_expected &= CHECK_ROW(it->name, av_error_status(bad.error) == it->status);
  as_expected &= CHECK_ROW(it->name, av_error_outcome(bad.error) == it->outcome);
  as_expected &= CHECK_ROW(it->name, av_error_http_status(bad.error) == it->http_status);
  as_expected &= CHECK_ROW(it->name, av_error_is_retryable(bad.error) == retryable(it));
  as_expected &= CHECK_ROW(it->name, av_error_attempts(bad.error) == 1);
  as_expected &= CHECK_ROW(it->name, av_error_retry_after_ms(bad.error) == -1);
  as_expected &= CHECK_ROW(it->name, strncmp(message, operation_shown(it->op), strlen(operation_shown(it->op))) == 0);
  as_expected &= CHECK_ROW(it->name, strstr(message, it->word) != NULL);
  /* What came is a secret, or none of the library's words. */
  as_expected &= CHECK_ROW(it->name, strstr(message, TOKEN) == NULL);
  as_expected &= CHECK_ROW(it->name, strstr(message, "yesterday") == NULL && strstr(message, "Wi-Fi") == NULL);
  as_expected &= CHECK_ROW(it->name, strpbrk(message, "\r\n") == NULL);
  if (!as_expected)
    fprintf(stderr, "  %s, %s, status %d: %s\n", av_status_name(bad.status),
            av_outcome_name(av_error_outcome(bad.error)), av_error_http_status(bad.error), message);
  if (it->as == AS_BODY) check_body(it, &sent, bad.error);
  if (it->http_status == 0) CHECK_ROW(it->name, av_error_body(bad.error, NULL) == NULL);
  CHECK_ROW(it->name, peer_request_count(p) == 1);

  answer_well(p, it->op);
  good = call_make(client, it->op, NULL);
  CHECK_ROW(it->name, good.status == AV_STATUS_OK);
  CHECK_ROW(it->name, good.error == NULL);
  CHECK_ROW(it->name, call_gave(&good) == (it->op != DELETE));
  CHECK_ROW(it->name, peer_request_count(p) == 2);
  if (good.status != AV_STATUS_OK) fprintf(stderr, "  next call: %s\n", av_error_message(good.error));

  call_free(&bad);
  call_free(&good);
  av_client_free(client);
  peer_stop(p);
  free(sent.text);
}

/* After a connection that broke off, what had come of the body is kept: it may hold the token. */
static void what_had_come_is_kept(void) {
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  size_t length = 0;
  const char *body;
  call made;
  peer_answer_text(p, "HTTP/1.1 200 OK\r\nContent-Length: 177\r\n\r\n" TOKEN_BODY, PEER_CLOSE);
  made = call_make(client, CREATE, NULL);
  body = av_error_body(made.error, &length);
  CHECK(texts_equal(body, TOKEN_BODY));
  CHECK(length == strlen(TOKEN_BODY));
  call_free(&made);
  av_client_free(client);
  peer_stop(p);
}

/* Not even asking for an error changes that: NULL is a fine place for it. */
static void without_error(void) {
  peer *p = peer_start();
  av_client *client = client_trying_once(peer_url(p));
  static max_align_t garbage;
  av_token *token = (av_token *)&garbage;
  peer_answer_json(p, "200 OK", "{}");
  CHECK(av_tokens_create(client, 0, NULL, &token, NULL) == AV_STATUS_DECODE);
  CHECK(token == NULL);
  av_client_free(client);
  peer_stop(p);
}

int main(void) {
  size_t i;
  CHECK(strlen(TOKEN_BODY) == 127); /* as AND_TOKEN says */
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) run(&rows[i]);
  what_had_come_is_kept();
  without_error();
  return checks_report();
}
