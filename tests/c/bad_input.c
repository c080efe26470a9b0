/* Bad input: every row is a call that must be refused before anything is sent, with a message that
 * names the parameter. One runner tries each row with every function that takes the parameter, with
 * and without a place for the error. */
#include "support/check.h"
#include "support/client.h"
#include "support/peer.h"

#include <ctype.h>
#include <unistd.h>

#define COUNT(table) (sizeof table / sizeof *table)

/* What a call is made with: all of it is sound, until a row spoils one thing. */
typedef struct arguments {
  const av_client *client;
  av_token_iter *iter;
  const av_client_config *config;
  const char *token, *payload_json;
  uint32_t ttl_seconds;
  const av_tokens_list_params *params;
  const av_request_options *options;
  int out_is_null;
} arguments;

/* What may be wrong with a call, one bit each; a function tells which of them it can get wrong. */
enum wrong {
  CLIENT = 1 << 0,
  ITER = 1 << 1,
  CONFIG = 1 << 2,
  OUT = 1 << 3,
  OUT_JSON = 1 << 4,
  TOKEN = 1 << 5,
  PAYLOAD = 1 << 6,
  TTL = 1 << 7,
  PARAMS = 1 << 8,
  OPTIONS = 1 << 9
};

/* What stands in `out` and `error` before a call: neither may be read, both must be overwritten. */
static char garbage[64];

/* Each hands over what `out` is after the call: NULL, unless there is a result. */
#define OUT_OF(type) \
  type *out = (type *)(void *)garbage, **place = a->out_is_null ? NULL : &out
#define RESULT (a->out_is_null ? NULL : (const void *)out)

static av_status client_new(const arguments *a, const void **result, av_error **error) {
  OUT_OF(av_client);
  av_status status = av_client_new(a->config, place, error);
  *result = RESULT;
  /* Some rows are there to show what is accepted. */
  if (status == AV_STATUS_OK) av_client_free(out);
  return status;
}

static av_status create(const arguments *a, const void **result, av_error **error) {
  OUT_OF(av_token);
  av_status status = av_tokens_create(a->client, a->ttl_seconds, a->options, place, error);
  *result = RESULT;
  return status;
}

static av_status create_json(const arguments *a, const void **result, av_error **error) {
  OUT_OF(char);
  av_status status = av_tokens_create_json(a->client, a->payload_json, a->options, place, error);
  *result = RESULT;
  return status;
}

static av_status get(const arguments *a, const void **result, av_error **error) {
  OUT_OF(av_token);
  av_status status = av_tokens_get(a->client, a->token, a->options, place, error);
  *result = RESULT;
  return status;
}

static av_status get_json(const arguments *a, const void **result, av_error **error) {
  OUT_OF(char);
  av_status status = av_tokens_get_json(a->client, a->token, a->options, place, error);
  *result = RESULT;
  return status;
}

static av_status list(const arguments *a, const void **result, av_error **error) {
  OUT_OF(av_token_page);
  av_status status = av_tokens_list(a->client, a->params, a->options, place, error);
  *result = RESULT;
  return status;
}

static av_status list_json(const arguments *a, const void **result, av_error **error) {
  OUT_OF(char);
  av_status status = av_tokens_list_json(a->client, a->params, a->options, place, error);
  *result = RESULT;
  return status;
}

static av_status delete_token(const arguments *a, const void **result, av_error **error) {
  *result = NULL;
  return av_tokens_delete(a->client, a->token, a->options, error);
}

static av_status iterate(const arguments *a, const void **result, av_error **error) {
  OUT_OF(av_token_iter);
  av_status status = av_tokens_iterate(a->client, a->params, place, error);
  *result = RESULT;
  if (status == AV_STATUS_OK) av_token_iter_free(out);
  return status;
}

static av_status iter_next(const arguments *a, const void **result, av_error **error) {
  OUT_OF(const av_token);
  av_status status = av_token_iter_next(a->iter, a->options, place, error);
  *result = RESULT;
  return status;
}

typedef struct function {
  const char *name;
  unsigned takes;
  av_status (*call)(const arguments *a, const void **result, av_error **error);
} function;

static const function functions[] = {
    {"av_client_new", CONFIG | OUT, client_new},
    {"av_tokens_create", CLIENT | TTL | OPTIONS | OUT, create},
    {"av_tokens_create_json", CLIENT | PAYLOAD | OPTIONS | OUT_JSON, create_json},
    {"av_tokens_get", CLIENT | TOKEN | OPTIONS | OUT, get},
    {"av_tokens_get_json", CLIENT | TOKEN | OPTIONS | OUT_JSON, get_json},
    {"av_tokens_list", CLIENT | PARAMS | OPTIONS | OUT, list},
    {"av_tokens_list_json", CLIENT | PARAMS | OPTIONS | OUT_JSON, list_json},
    {"av_tokens_delete", CLIENT | TOKEN | OPTIONS, delete_token},
    {"av_tokens_iterate", CLIENT | PARAMS | OUT, iterate},
    {"av_token_iter_next", ITER | OPTIONS | OUT, iter_next},
};

/* Whether a message names a parameter, as a word of its own. */
static int names(const char *message, const char *parameter) {
  size_t length = strlen(parameter);
  const char *at;
  for (at = strstr(message, parameter); at != NULL; at = strstr(at + 1, parameter)) {
    int begins = at == message || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
    if (begins && !(isalnum((unsigned char)at[length]) || at[length] == '_')) return 1;
  }
  return 0;
}

/* The runner: the call is refused, the error tells all that can be told, and a caller who does not
 * want to know the error gets the status alone. `parameter` is what the message must name. */
static void check_refused(const function *tried, const arguments *a, const char *what,
                          const char *parameter) {
  av_error *error = (av_error *)(void *)garbage;
  const void *result = garbage;
  size_t length = 77;
  char row[256];
  const char *message;
  snprintf(row, sizeof row, "%s: %s", tried->name, what);

  if (!CHECK_ROW(row, tried->call(a, &result, &error) == AV_STATUS_INVALID_ARGUMENT)) {
    if (error != NULL) fprintf(stderr, "  but: %s\n", av_error_message(error));
    av_error_free(error);
    return;
  }
  CHECK_ROW(row, result == NULL);
  CHECK_ROW(row, error != NULL && error != (av_error *)(void *)garbage);
  CHECK_ROW(row, av_error_status(error) == AV_STATUS_INVALID_ARGUMENT);
  CHECK_ROW(row, av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED);
  CHECK_ROW(row, av_error_attempts(error) == 0);
  CHECK_ROW(row, av_error_http_status(error) == 0);
  CHECK_ROW(row, av_error_is_retryable(error) == 0);
  CHECK_ROW(row, av_error_retry_after_ms(error) == -1);
  CHECK_ROW(row, av_error_body(error, &length) == NULL && length == 0);
  CHECK_ROW(row, av_error_problem_type(error) == NULL && av_error_problem_count(error) == 0);
  message = av_error_message(error);
  if (!CHECK_ROW(row, names(message, parameter))) fprintf(stderr, "  message: %s\n", message);
  /* One line for a person, from which no secret can be read. */
  CHECK_ROW(row, strpbrk(message, "\r\n") == NULL);
  CHECK_ROW(row, strstr(message, "S3CRET") == NULL);
  av_error_free(error);

  result = garbage;
  CHECK_ROW(row, tried->call(a, &result, NULL) == AV_STATUS_INVALID_ARGUMENT);
  CHECK_ROW(row, result == NULL);
}

/* Tries it with every function that can get it wrong. */
static void check_refused_by_all(enum wrong wrong, const arguments *a, const char *what,
                                 const char *parameter) {
  size_t i, tried = 0;
  for (i = 0; i < COUNT(functions); i++)
    if (functions[i].takes & (unsigned)wrong) {
      check_refused(&functions[i], a, what, parameter);
      tried++;
    }
  CHECK_ROW(what, tried > 0);
}

/* Tells that a call is accepted. */
static void check_accepted(const function *tried, const arguments *a, const char *what) {
  av_error *error = (av_error *)(void *)garbage;
  const void *result = NULL;
  if (!CHECK_ROW(what, tried->call(a, &result, &error) == AV_STATUS_OK))
    fprintf(stderr, "  but: %s\n", av_error_message(error));
  CHECK_ROW(what, error == NULL);
  av_error_free(error);
}

/* --- NULL ---------------------------------------------------------------------------------- */

typedef struct null_row {
  enum wrong wrong;
  const char *parameter;
} null_row;

static const null_row null_rows[] = {
    {CONFIG, "config"}, {CLIENT, "client"}, {ITER, "iter"},
    {TOKEN, "token"},   {OUT, "out"},       {OUT_JSON, "out_json"},
};

static void null_is_refused_where_something_is_needed(const arguments *sound) {
  size_t i;
  for (i = 0; i < COUNT(null_rows); i++) {
    arguments spoilt = *sound;
    switch ((int)null_rows[i].wrong) {
      case CONFIG: spoilt.config = NULL; break;
      case CLIENT: spoilt.client = NULL; break;
      case ITER: spoilt.iter = NULL; break;
      case TOKEN: spoilt.token = NULL; break;
      default: spoilt.out_is_null = 1; break;
    }
    check_refused_by_all(null_rows[i].wrong, &spoilt, "NULL", null_rows[i].parameter);
  }
}

/* --- Texts, numbers and lists of a call ---------------------------------------------------- */

static char too_long_token[4096 + 2], nested_too_deep[2 * 129 + 16];

typedef struct text_row {
  const char *what;
  enum wrong wrong;
  const char *text;
} text_row;

static const text_row text_rows[] = {
    {"empty", TOKEN, ""},
    {"a dot", TOKEN, "."},
    {"two dots", TOKEN, ".."},
    {"a slash", TOKEN, "S3CRET/x"},
    {"a way up", TOKEN, "../videos/S3CRET"},
    {"a backslash", TOKEN, "S3CRET\\x"},
    {"a line end", TOKEN, "S3CRET\r\nX-Injected: 1"},
    {"a control character", TOKEN, "S3CRET\x1b[0m"},
    {"a control character beyond ASCII", TOKEN, "S3CRET\xC2\x85"},
    {"two dots, encoded", TOKEN, "%2e%2E"},
    {"a slash, encoded", TOKEN, "..%2fS3CRET"},
    {"a slash, encoded twice", TOKEN, "..%252FS3CRET"},
    {"two dots and a parameter", TOKEN, "..;S3CRET"},
    {"4097 bytes", TOKEN, too_long_token},
    {"a byte that is no UTF-8", TOKEN, "S3CRET\xFF"},
    {"an overlong NUL", TOKEN, "\xC0\x80"},
    {"half a character", TOKEN, "S3CRET\xC3"},
    {"a surrogate", TOKEN, "\xED\xA0\x80"},
    {"a character beyond Unicode", TOKEN, "\xF4\x90\x80\x80"},

    {"empty", PAYLOAD, ""},
    {"blank", PAYLOAD, " \n"},
    {"a byte that is no UTF-8", PAYLOAD, "{\"S3CRET\":\"\xFF\"}"},
    {"half a character", PAYLOAD, "{\"S3CRET\":\"\xC3\"}"},
    {"a surrogate", PAYLOAD, "{\"S3CRET\":\"\xED\xA0\x80\"}"},
    {"a byte order mark", PAYLOAD, "\xEF\xBB\xBF{}"},
    {"an array", PAYLOAD, "[{\"ttl\":1}]"},
    {"null", PAYLOAD, "null"},
    {"a string", PAYLOAD, "\"{}\""},
    {"a number", PAYLOAD, "1"},
    {"truncated", PAYLOAD, "{\"ttl\":1"},
    {"two objects", PAYLOAD, "{} {}"},
    {"something after the object", PAYLOAD, "{}S3CRET"},
    {"a trailing comma", PAYLOAD, "{\"ttl\":1,}"},
    {"single quotes", PAYLOAD, "{'S3CRET':1}"},
    {"a bare name", PAYLOAD, "{S3CRET:1}"},
    {"no number", PAYLOAD, "{\"ttl\":NaN}"},
    {"a leading zero", PAYLOAD, "{\"ttl\":01}"},
    {"a control character in a string", PAYLOAD, "{\"S3CRET\n\":1}"},
    {"a comment", PAYLOAD, "{} /* S3CRET */"},
    {"nested 129 deep", PAYLOAD, nested_too_deep},
};

static void unusable_texts_are_refused(const arguments *sound) {
  size_t i;
  for (i = 0; i < COUNT(text_rows); i++) {
    const text_row *row = &text_rows[i];
    arguments spoilt = *sound;
    if (row->wrong == TOKEN)
      spoilt.token = row->text;
    else
      spoilt.payload_json = row->text;
    check_refused_by_all(row->wrong, &spoilt, row->what, row->wrong == TOKEN ? "token" : "payload_json");
  }
}

typedef struct ttl_row {
  const char *what;
  uint32_t ttl_seconds;
} ttl_row;

static const ttl_row ttl_rows[] = {
    {"one more than there are", 2147483648u},
    {"-1", UINT32_MAX},
};

static void a_time_to_live_out_of_range_is_refused(const arguments *sound) {
  size_t i;
  for (i = 0; i < COUNT(ttl_rows); i++) {
    arguments spoilt = *sound;
    spoilt.ttl_seconds = ttl_rows[i].ttl_seconds;
    check_refused_by_all(TTL, &spoilt, ttl_rows[i].what, "ttl_seconds");
  }
}

typedef struct params_row {
  const char *what, *parameter;
  uint32_t page_size;
  int32_t sort_by, sort_order;
} params_row;

static const params_row params_rows[] = {
    {"a page of 101", "params.page_size", 101, 0, 0},
    {"a page of -1", "params.page_size", UINT32_MAX, 0, 0},
    {"sorted by what comes after the last", "params.sort_by", 0, AV_TOKEN_SORT_TTL + 1, 0},
    {"sorted by -1", "params.sort_by", 0, -1, 0},
    {"sorted by the largest number", "params.sort_by", 0, INT32_MAX, 0},
    {"sorted by the smallest number", "params.sort_by", 0, INT32_MIN, 0},
    {"in the order after the last", "params.sort_order", 0, 0, AV_SORT_DESC + 1},
    {"in the order -1", "params.sort_order", 0, 0, -1},
    {"in the order of the largest number", "params.sort_order", 0, 0, INT32_MAX},
    {"in the order of the smallest number", "params.sort_order", 0, 0, INT32_MIN},
};

static void lists_out_of_range_are_refused(const arguments *sound) {
  size_t i;
  for (i = 0; i < COUNT(params_rows); i++) {
    arguments spoilt = *sound;
    av_tokens_list_params params;
    memset(&params, 0, sizeof params);
    params.struct_size = sizeof params;
    params.page_size = params_rows[i].page_size;
    params.sort_by = params_rows[i].sort_by;
    params.sort_order = params_rows[i].sort_order;
    spoilt.params = &params;
    check_refused_by_all(PARAMS, &spoilt, params_rows[i].what, params_rows[i].parameter);
  }
}

/* --- The size that an input structure begins with ------------------------------------------- */

/* A structure of `own` bytes, told to be of another size. What is told beyond it is there, and no
 * byte more, so that valgrind sees who reads too far; of a size that is refused as such not even
 * that. */
typedef struct size_row {
  const char *what;
  int is_own;             /* whether `size` is to be added to the structure's own */
  size_t size;
  size_t set_beyond;      /* the byte behind the structure's own that is not zero, from 1; 0 is none */
  const char *complaint;  /* what the message names behind the parameter; NULL is accepted */
} size_row;

#define SIZE_ITSELF ".struct_size"
#define NEW_MEMBER " sets a member that this version of the library does not know"

static const size_row size_rows[] = {
    {"size 0", 0, 0, 0, SIZE_ITSELF},
    {"size 1", 0, 1, 0, SIZE_ITSELF},
    {"the size of the size", 0, sizeof(size_t), 0, SIZE_ITSELF},
    {"a byte too small", 1, (size_t)-1, 0, SIZE_ITSELF},
    {"a member too small", 1, (size_t)-4, 0, SIZE_ITSELF},
    {"size 4097", 0, 4097, 0, SIZE_ITSELF},
    {"size SIZE_MAX", 0, SIZE_MAX, 0, SIZE_ITSELF},
    {"size SIZE_MAX / 2", 0, SIZE_MAX / 2, 0, SIZE_ITSELF},
    {"a later version's, first byte set", 1, 8, 1, NEW_MEMBER},
    {"a later version's, last byte set", 1, 8, 8, NEW_MEMBER},
    {"a byte larger, and set", 1, 1, 1, NEW_MEMBER},
    {"a later version's, all zero", 1, 8, 0, NULL},
    {"a byte larger, and zero", 1, 1, 0, NULL},
    {"the largest there will be, all zero", 0, 4096, 0, NULL},
};

/* Such a structure, beginning as `model` does; to be freed. */
static void *resized(const size_row *row, const void *model, size_t own) {
  size_t size = row->is_own ? own + row->size : row->size;
  int is_refused_unread = texts_equal(row->complaint, SIZE_ITSELF);
  unsigned char *copy = (unsigned char *)calloc(1, is_refused_unread ? sizeof size : size);
  if (copy == NULL) exit(2);
  if (!is_refused_unread) memcpy(copy, model, own);
  memcpy(copy, &size, sizeof size);
  if (row->set_beyond > 0) copy[own + row->set_beyond - 1] = 1;
  return copy;
}

/* What is accepted is tried with one function only, against a peer of its own, as it does send. */
static void structs_are_read_by_their_size(const arguments *sound) {
  static const function new_client = {"av_client_new", CONFIG, client_new};
  static const function iterate_only = {"av_tokens_iterate", PARAMS, iterate};
  static const function delete_only = {"av_tokens_delete", OPTIONS, delete_token};
  av_tokens_list_params params;
  av_request_options options;
  peer *p = peer_start();
  av_client *client = client_for(peer_url(p));
  size_t i, accepted = 0;
  memset(&params, 0, sizeof params);
  params.page_size = 100;
  memset(&options, 0, sizeof options);
  options.timeout_ms = 20000;
  for (i = 0; i < COUNT(size_rows); i++) {
    const size_row *row = &size_rows[i];
    arguments a = *sound;
    void *sized_config = resized(row, sound->config, sizeof *sound->config);
    void *sized_params = resized(row, &params, sizeof params);
    void *sized_options = resized(row, &options, sizeof options);
    if (row->complaint != NULL) {
      char named[128];
      snprintf(named, sizeof named, "config%s", row->complaint);
      a.config = (const av_client_config *)sized_config;
      check_refused_by_all(CONFIG, &a, row->what, named);
      snprintf(named, sizeof named, "params%s", row->complaint);
      a.params = (const av_tokens_list_params *)sized_params;
      check_refused_by_all(PARAMS, &a, row->what, named);
      a.params = NULL;
      snprintf(named, sizeof named, "options%s", row->complaint);
      a.options = (const av_request_options *)sized_options;
      check_refused_by_all(OPTIONS, &a, row->what, named);
    } else {
      peer_answer_text(p, "HTTP/1.1 204 No Content\r\n\r\n", PEER_KEEP);
      a.client = client;
      a.config = (const av_client_config *)sized_config;
      a.params = (const av_tokens_list_params *)sized_params;
      a.options = (const av_request_options *)sized_options;
      check_accepted(&new_client, &a, row->what);
      check_accepted(&iterate_only, &a, row->what);
      check_accepted(&delete_only, &a, row->what);
      accepted++;
    }
    free(sized_config);
    free(sized_params);
    free(sized_options);
  }
  CHECK(peer_request_count(p) == accepted);
  av_client_free(client);
  peer_stop(p);
}

/* --- Configurations ------------------------------------------------------------------------- */

/* A configuration that is sound with all its members set, but for one member. */
typedef struct config_row {
  const char *what, *parameter;
  size_t member;
  const char *text;
} config_row;

#define OF(member) #member, offsetof(av_client_config, member)

static char too_long[4096 + 2], too_long_url[2048 + 2], too_long_name[51 + 1];
static char no_file[128], empty_file[128], text_file[128], broken_file[128], key_file[128], odd_file[128],
    directory[128];

static const config_row config_rows[] = {
    {"not UTF-8", OF(api_key), "S3CRET\xFF"},
    {"empty", OF(api_key), ""},
    {"too long", OF(api_key), too_long},
    {"a colon", OF(api_key), "S3CRET:x"},
    {"a new header", OF(api_key), "S3CRET\r\nX-Injected: 1"},
    {"CR", OF(api_key), "S3CRET\r"},
    {"LF", OF(api_key), "S3CRET\n"},
    {"a tab", OF(api_key), "S3\tCRET"},
    {"DEL", OF(api_key), "S3CRET\x7F"},
    {"a control character beyond ASCII", OF(api_key), "S3CRET\xC2\x85"},
    {"no credential", OF(api_key), NULL},
    {"no credential", "access_token", offsetof(av_client_config, api_key), NULL},
    {"both credentials", OF(access_token), "S3CRET"},
    {"both credentials", "api_key", offsetof(av_client_config, access_token), "S3CRET"},
    {"both credentials, one empty", OF(access_token), ""},

    {"not UTF-8", OF(base_url), "https://ws.api.video/\xFF"},
    {"empty", OF(base_url), ""},
    {"too long", OF(base_url), too_long_url},
    {"a path alone", OF(base_url), "/upload-tokens"},
    {"a host alone", OF(base_url), "ws.api.video"},
    {"no scheme", OF(base_url), "//ws.api.video"},
    {"a scheme alone", OF(base_url), "https://"},
    {"no host", OF(base_url), "https:///x"},
    {"a port alone", OF(base_url), "https://:443"},
    {"FTP", OF(base_url), "ftp://ws.api.video"},
    {"a file", OF(base_url), "file:///etc/hosts"},
    {"plain HTTP", OF(base_url), "http://example.com"},
    {"plain HTTP to an address", OF(base_url), "http://192.0.2.1"},
    {"plain HTTP to an IPv6 address", OF(base_url), "http://[2001:db8::1]"},
    {"plain HTTP to a name that begins as this machine", OF(base_url), "http://localhost.example.com"},
    {"plain HTTP to a name that begins as this machine's address", OF(base_url),
     "http://127.0.0.1.example.com"},
    {"a user", OF(base_url), "https://user@ws.api.video"},
    {"a user and a password", OF(base_url), "https://user:S3CRET@ws.api.video"},
    {"a user that looks like this machine", OF(base_url), "http://localhost@example.com"},
    {"an empty user", OF(base_url), "https://@ws.api.video"},
    {"port 0", OF(base_url), "https://ws.api.video:0"},
    {"port 65536", OF(base_url), "https://ws.api.video:65536"},
    {"port -1", OF(base_url), "https://ws.api.video:-1"},
    {"port +443", OF(base_url), "https://ws.api.video:+443"},
    {"port x", OF(base_url), "https://ws.api.video:x"},
    {"an empty port", OF(base_url), "https://ws.api.video:"},
    {"a query", OF(base_url), "https://ws.api.video?a=b"},
    {"an empty query", OF(base_url), "https://ws.api.video/?"},
    {"a fragment", OF(base_url), "https://ws.api.video#a"},
    {"a new header", OF(base_url), "https://ws.api.video/\r\nX-Injected: 1"},
    {"CR", OF(base_url), "https://ws.api.video\r"},
    {"LF", OF(base_url), "https://ws.api.video\n"},
    {"a space", OF(base_url), "https://ws.api.video/a b"},
    {"a space before it", OF(base_url), " https://ws.api.video"},
    {"a name beyond ASCII", OF(base_url), "https://w\xC3\xA9.api.video"},
    {"half an IPv6 address", OF(base_url), "https://[::1"},

    {"not UTF-8", OF(app_name), "app\xFF"},
    {"no name", OF(app_name), NULL},
    {"empty", OF(app_name), ""},
    {"51 characters", OF(app_name), too_long_name},
    {"a space", OF(app_name), "my app"},
    {"a colon", OF(app_name), "my:app"},
    {"a letter beyond ASCII", OF(app_name), "\xC3\xA9"},
    {"a new header", OF(app_name), "app\r\nX-Injected: 1"},
    {"LF", OF(app_name), "app\n"},
    {"not UTF-8", OF(app_version), "1\xFF"},
    {"no version", OF(app_version), NULL},
    {"empty", OF(app_version), ""},
    {"four numbers", OF(app_version), "1.2.3.4"},
    {"four digits", OF(app_version), "1234"},
    {"a trailing dot", OF(app_version), "1."},
    {"a leading dot", OF(app_version), ".1"},
    {"a pre-release", OF(app_version), "1.0.0-beta"},
    {"a letter", OF(app_version), "v1"},
    {"digits beyond ASCII", OF(app_version), "\xD9\xA1"},
    {"a new header", OF(app_version), "1\r\nX-Injected: 1"},
    {"LF", OF(app_version), "1.2.3\n"},

    {"not UTF-8", OF(sdk_name), "sdk\xFF"},
    {"no name", OF(sdk_name), NULL},
    {"empty", OF(sdk_name), ""},
    {"51 characters", OF(sdk_name), too_long_name},
    {"a space", OF(sdk_name), "my sdk"},
    {"a new header", OF(sdk_name), "sdk\r\nX-Injected: 1"},
    {"not UTF-8", OF(sdk_version), "1\xFF"},
    {"no version", OF(sdk_version), NULL},
    {"empty", OF(sdk_version), ""},
    {"four numbers", OF(sdk_version), "1.2.3.4"},
    {"four digits", OF(sdk_version), "1234"},
    {"LF", OF(sdk_version), "1.2.3\n"},

    {"not UTF-8", OF(ca_file), "authorities\xFF.pem"},
    {"empty", OF(ca_file), ""},
    {"a file that is not there", OF(ca_file), no_file},
    {"a directory", OF(ca_file), directory},
    {"an empty file", OF(ca_file), empty_file},
    {"a file that is not PEM", OF(ca_file), text_file},
    {"a PEM file that is broken off", OF(ca_file), broken_file},
    {"a PEM file without a certificate", OF(ca_file), key_file},
    {"a PEM file whose certificate is none", OF(ca_file), odd_file},

    {"not UTF-8", OF(proxy_url), "http://localhost\xFF"},
    {"another protocol", OF(proxy_url), "ftp://localhost:3128"},
    {"TLS to the proxy", OF(proxy_url), "https://localhost:3128"},
    {"SOCKS4", OF(proxy_url), "socks4://localhost"},
    {"no host", OF(proxy_url), "http://:3128"},
    {"port 0", OF(proxy_url), "http://localhost:0"},
    {"port 65536", OF(proxy_url), "http://localhost:65536"},
    {"a path", OF(proxy_url), "http://localhost:3128/path"},
    {"a new header", OF(proxy_url), "http://user:S3CRET%0D%0A@localhost"},
    {"a password that is not UTF-8", OF(proxy_url), "http://user:S3CRET%FF@localhost"},
};

/* The same of an access token, in place of the API key. */
static const config_row access_token_rows[] = {
    {"not UTF-8", OF(access_token), "S3CRET\xFF"},
    {"empty", OF(access_token), ""},
    {"too long", OF(access_token), too_long},
    {"a space", OF(access_token), "S3CRET x"},
    {"a space before it", OF(access_token), " S3CRET"},
    {"beyond ASCII", OF(access_token), "S3CRET\xC3\xA9"},
    {"a new header", OF(access_token), "S3CRET\r\nX-Injected: 1"},
    {"CR", OF(access_token), "S3CRET\r"},
    {"LF", OF(access_token), "S3CRET\n"},
    {"DEL", OF(access_token), "S3CRET\x7F"},
};

typedef struct number_row {
  const char *what, *parameter;
  size_t member;
  uint32_t number;
} number_row;

static const number_row number_rows[] = {
    {"an unknown bit beside a known one", OF(flags), AV_CLIENT_ALLOW_PLAIN_HTTP | 4},
    {"an unknown bit", OF(flags), 4},
    {"no credential, though there is one", OF(flags), AV_CLIENT_NO_CREDENTIAL},
    {"the last bit", OF(flags), 0x80000000u},
    {"all bits", OF(flags), UINT32_MAX},
    {"the level after the last", OF(trace_level), AV_TRACE_DEBUG + 1},
    {"-1", OF(trace_level), (uint32_t)-1},
    {"the smallest number", OF(trace_level), 0x80000000u},
};

static void set(av_client_config *config, size_t member, const void *value, size_t size) {
  memcpy((char *)config + member, value, size);
}

static void trace(void *userdata, int32_t level, const char *line) {
  (void)userdata;
  (void)level;
  (void)line;
}

/* All members set. */
static av_client_config full_config(void) {
  av_client_config config = config_for("https://ws.api.video/prefix/");
  config.api_key = "S3CRET";
  config.app_name = "app";
  config.app_version = "1.2.3";
  config.sdk_name = "sdk";
  config.sdk_version = "1";
  config.timeout_ms = config.connect_timeout_ms = config.attempt_timeout_ms = UINT32_MAX;
  config.max_attempts = 1;
  config.proxy_url = "socks5h://user:password@localhost:1080";
  config.trace_fn = trace;
  config.trace_level = AV_TRACE_DEBUG;
  config.trace_userdata = garbage;
  return config;
}

static void check_config_rows(const config_row *rows, size_t count, const av_client_config *config) {
  size_t i;
  for (i = 0; i < count; i++) {
    av_client_config spoilt = *config;
    arguments a;
    char what[128];
    memset(&a, 0, sizeof a);
    a.config = &spoilt;
    set(&spoilt, rows[i].member, &rows[i].text, sizeof rows[i].text);
    snprintf(what, sizeof what, "%s: %s", rows[i].parameter, rows[i].what);
    check_refused_by_all(CONFIG, &a, what, rows[i].parameter);
  }
}

static void unusable_configurations_are_refused(void) {
  av_client_config config = full_config();
  arguments a;
  size_t i;
  memset(&a, 0, sizeof a);
  a.config = &config;
  check_accepted(&functions[0], &a, "the configuration that is spoilt");
  check_config_rows(config_rows, COUNT(config_rows), &config);
  for (i = 0; i < COUNT(number_rows); i++) {
    config = full_config();
    set(&config, number_rows[i].member, &number_rows[i].number, sizeof number_rows[i].number);
    check_refused_by_all(CONFIG, &a, number_rows[i].what, number_rows[i].parameter);
  }
  config = full_config();
  config.api_key = NULL;
  check_config_rows(access_token_rows, COUNT(access_token_rows), &config);
}

/* --- What is not bad ------------------------------------------------------------------------ */

static char pem_file[128];

typedef struct accepted_row {
  const char *what, *base_url;
  uint32_t flags;
  const char *ca_file;
} accepted_row;

static const accepted_row accepted_rows[] = {
    {"the default", NULL, 0, NULL},
    {"production", APIVIDEO_PRODUCTION_URL, 0, NULL},
    {"the sandbox", APIVIDEO_SANDBOX_URL, 0, NULL},
    {"HTTPS with authorities of its own", "https://example.com:8443/a/b/", 0, pem_file},
    {"HTTPS in capitals", "HTTPS://WS.API.VIDEO", 0, NULL},
    {"HTTPS on the last port", "https://ws.api.video:65535", 0, NULL},
    {"HTTPS to an IPv6 address", "https://[2001:db8::1]:8443", 0, NULL},
    {"plain HTTP to this machine by name", "http://localhost", 0, NULL},
    {"plain HTTP to this machine by name and port", "http://LocalHost:1/", 0, NULL},
    {"plain HTTP to this machine by address", "http://127.0.0.1:65535/x", 0, NULL},
    {"plain HTTP to this machine by another address", "http://127.255.255.254", 0, NULL},
    {"plain HTTP to this machine by IPv6 address", "http://[::1]", 0, NULL},
    {"plain HTTP to this machine by IPv6 address and port", "http://[::1]:8080/x", 0, NULL},
    {"plain HTTP elsewhere if allowed", "http://example.com", AV_CLIENT_ALLOW_PLAIN_HTTP, NULL},
    {"plain HTTP to an address elsewhere if allowed", "http://192.0.2.1:80/x",
     AV_CLIENT_ALLOW_PLAIN_HTTP, NULL},
    {"plain HTTP with authorities that it does not need", "http://localhost", 0, pem_file},
};

static void sound_configurations_are_accepted(void) {
  size_t i;
  for (i = 0; i < COUNT(accepted_rows); i++) {
    av_client_config config = config_for(accepted_rows[i].base_url);
    arguments a;
    memset(&a, 0, sizeof a);
    config.flags = accepted_rows[i].flags;
    config.ca_file = accepted_rows[i].ca_file;
    a.config = &config;
    check_accepted(&functions[0], &a, accepted_rows[i].what);
  }
}

static void freeing_null_does_nothing(void) {
  av_client_free(NULL);
  av_error_free(NULL);
  av_string_free(NULL);
  av_token_free(NULL);
  av_token_page_free(NULL);
  av_token_iter_free(NULL);
  av_cancel_free(NULL);
  av_cancel_trigger(NULL);
  av_response_free(NULL);
}

static void of_no_error_everything_may_be_asked(void) {
  size_t length = 77;
  CHECK(av_error_status(NULL) == AV_STATUS_OK);
  CHECK(texts_equal(av_error_message(NULL), ""));
  CHECK(av_error_outcome(NULL) == AV_OUTCOME_UNKNOWN);
  CHECK(av_error_is_retryable(NULL) == 0);
  CHECK(av_error_http_status(NULL) == 0);
  CHECK(av_error_attempts(NULL) == 0);
  CHECK(av_error_retry_after_ms(NULL) == -1);
  CHECK(av_error_body(NULL, &length) == NULL);
  CHECK(length == 0);
  CHECK(av_error_body(NULL, NULL) == NULL);
  CHECK(av_error_problem_type(NULL) == NULL);
  CHECK(av_error_problem_title(NULL) == NULL);
  CHECK(av_error_problem_detail(NULL) == NULL);
  CHECK(av_error_problem_name(NULL) == NULL);
  CHECK(av_error_problem_count(NULL) == 0);
  CHECK(av_error_problem_type_at(NULL, 0) == NULL);
  CHECK(av_error_problem_title_at(NULL, 0) == NULL);
  CHECK(av_error_problem_detail_at(NULL, 0) == NULL);
  CHECK(av_error_problem_name_at(NULL, SIZE_MAX) == NULL);
}

/* --- Files ---------------------------------------------------------------------------------- */

#define CERTIFICATE_BEGINS "-----BEGIN CERTIFICATE-----\n"
#define CERTIFICATE_ENDS "-----END CERTIFICATE-----\n"
/* An authority made for this test; its key is gone. */
#define CERTIFICATE_TEXT \
  "MIIBmzCCAUGgAwIBAgIUd50sIt6Spw9lYzokYG7qW0+ymvIwCgYIKoZIzj0EAwIw\n" \
  "IjEgMB4GA1UEAwwXYXBpdmlkZW8gdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIzMTkx\n" \
  "MTE1WhgPMjEyNjEwMzAxOTExMTVaMCIxIDAeBgNVBAMMF2FwaXZpZGVvIHRlc3Qg\n" \
  "YXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEk3Jozff1jp1ICIXj\n" \
  "8wbsEJxdy9JLiBQ9y5kChzE91rV+04W7GDfxPjiHOa7a8Z3+02u28KNsmNiR5U9O\n" \
  "ASWp9qNTMFEwHQYDVR0OBBYEFLWlcDgEzGeDl4lAA3xoFCI6g2cgMB8GA1UdIwQY\n" \
  "MBaAFLWlcDgEzGeDl4lAA3xoFCI6g2cgMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI\n" \
  "zj0EAwIDSAAwRQIgFaIPhoQuVY0t8p0FLZoFpcwOw8KJXBTa6z5FOPou9CkCIQDm\n" \
  "OZ1SRtxq9Chr5KCN4zu6VZdYBDJVR8SQSPVrmRL0oA==\n"

static void write_file(char *path, size_t size, const char *name, const char *text) {
  FILE *file;
  snprintf(path, size, "%s/%s", directory, name);
  file = fopen(path, "w");
  if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
    perror(path);
    exit(2);
  }
}

#define WRITE_FILE(path, text) write_file(path, sizeof path, #path, text)

static void make_files(void) {
  const char *parent = getenv("TMPDIR");
  snprintf(directory, sizeof directory, "%.64s/bad_input.XXXXXX", parent ? parent : "/tmp");
  if (mkdtemp(directory) == NULL) {
    perror(directory);
    exit(2);
  }
  snprintf(no_file, sizeof no_file, "%.64s/no_file", directory);
  WRITE_FILE(empty_file, "");
  WRITE_FILE(text_file, "these are no certificates\n");
  WRITE_FILE(broken_file, CERTIFICATE_BEGINS CERTIFICATE_TEXT);
  WRITE_FILE(key_file, "-----BEGIN PUBLIC KEY-----\nS3CRETaa\n-----END PUBLIC KEY-----\n");
  WRITE_FILE(odd_file, CERTIFICATE_BEGINS "S3CRETaa\n" CERTIFICATE_ENDS);
  WRITE_FILE(pem_file, "An authority:\n" CERTIFICATE_BEGINS CERTIFICATE_TEXT CERTIFICATE_ENDS);
  /* The system's certificates, whatever this machine has. */
  if (setenv("SSL_CERT_FILE", pem_file, 1) != 0) exit(2);
}

static void remove_files(void) {
  unlink(empty_file);
  unlink(text_file);
  unlink(broken_file);
  unlink(key_file);
  unlink(odd_file);
  unlink(pem_file);
  rmdir(directory);
}

static void make_texts(void) {
  size_t i;
  memset(too_long, 'S', sizeof too_long - 1);
  memset(too_long_name, 'n', sizeof too_long_name - 1);
  memset(too_long_token, 't', sizeof too_long_token - 1);
  memset(too_long_url, 'u', sizeof too_long_url - 1);
  memcpy(too_long_url, "https://ws.api.video/", 21);
  /* An object, and arrays in it. */
  strcpy(nested_too_deep, "{\"a\":");
  for (i = 0; i < 128; i++) strcat(nested_too_deep, "[");
  for (i = 0; i < 128; i++) strcat(nested_too_deep, "]");
  strcat(nested_too_deep, "}");
}

int main(void) {
  peer *p = peer_start();
  av_client_config config = config_for(peer_url(p));
  av_client *client = client_of(&config);
  av_token_iter *iter = NULL;
  arguments sound;
  make_files();
  make_texts();
  CHECK(av_tokens_iterate(client, NULL, &iter, NULL) == AV_STATUS_OK);
  memset(&sound, 0, sizeof sound);
  sound.client = client;
  sound.iter = iter;
  sound.config = &config;
  sound.token = "to1tcmSFHeYY5KzyhOqVKMKb";

  null_is_refused_where_something_is_needed(&sound);
  unusable_texts_are_refused(&sound);
  a_time_to_live_out_of_range_is_refused(&sound);
  lists_out_of_range_are_refused(&sound);
  structs_are_read_by_their_size(&sound);
  unusable_configurations_are_refused();
  sound_configurations_are_accepted();
  freeing_null_does_nothing();
  of_no_error_everything_may_be_asked();

  CHECK(peer_request_count(p) == 0);
  CHECK(peer_connection_count(p) == 0);
  av_token_iter_free(iter);
  av_client_free(client);
  peer_stop(p);
  remove_files();
  return checks_report();
}
