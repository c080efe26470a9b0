/* What people write by hand instead: libcurl with one easy handle that is used again, and cJSON into
 * structures. It has a deadline, but no cancel, no look at the headers, no retries; dates stay text. */
#include "caller.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <string.h>

typedef struct token {
  char *token, *created_at, *expires_at;
  int ttl;
} token;

typedef struct page {
  token *items;
  size_t count;
  int number, size, pages, total;
} page;

struct caller {
  CURL *handle;
  struct curl_slist *headers;
  char *body;
  size_t length, capacity;
  char token_url[256], list_url[256];
};

static size_t receive(char *bytes, size_t size, size_t count, void *receiver) {
  caller *it = receiver;
  size_t more = size * count, needed = it->length + more;
  if (needed > it->capacity) {
    size_t capacity = it->capacity ? it->capacity : 4096;
    while (capacity < needed) capacity *= 2;
    char *grown = realloc(it->body, capacity);
    if (!grown) return 0;
    it->body = grown;
    it->capacity = capacity;
  }
  memcpy(it->body + it->length, bytes, more);
  it->length += more;
  return more;
}

/* A handle is for one thread: nothing to share. */
caller *caller_open(const char *url, caller *sharing) {
  static int begun;
  caller *it = calloc(1, sizeof *it);
  if (!it || sharing) fail("no such caller");
  if (!begun) curl_global_init(CURL_GLOBAL_DEFAULT);
  begun = 1;
  it->handle = curl_easy_init();
  it->headers = curl_slist_append(it->headers, "Authorization: Basic S0VZOg==");
  it->headers = curl_slist_append(it->headers, "Accept: application/json");
  snprintf(it->token_url, sizeof it->token_url, "%s/upload-tokens/%s", url, TOKEN);
  snprintf(it->list_url, sizeof it->list_url, "%s/upload-tokens?currentPage=1&pageSize=%d", url, PAGE_SIZE);
  curl_easy_setopt(it->handle, CURLOPT_HTTPHEADER, it->headers);
  curl_easy_setopt(it->handle, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(it->handle, CURLOPT_WRITEDATA, it);
  curl_easy_setopt(it->handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(it->handle, CURLOPT_TIMEOUT_MS, 30000L);
  curl_easy_setopt(it->handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(it->handle, CURLOPT_PROXY, "");
  /* As libcurl does by itself with the file that it was built for. */
  if (getenv("SSL_CERT_FILE")) curl_easy_setopt(it->handle, CURLOPT_CAINFO, getenv("SSL_CERT_FILE"));
  return it;
}

static cJSON *answer(caller *it, const char *url) {
  long status = 0;
  it->length = 0;
  curl_easy_setopt(it->handle, CURLOPT_URL, url);
  CURLcode result = curl_easy_perform(it->handle);
  if (result != CURLE_OK) fail(curl_easy_strerror(result));
  curl_easy_getinfo(it->handle, CURLINFO_RESPONSE_CODE, &status);
  cJSON *json = cJSON_ParseWithLength(it->body, it->length);
  if (status != 200 || !json) fail("another answer");
  return json;
}

static char *text(const cJSON *object, const char *name) {
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
  return cJSON_IsString(value) ? strdup(value->valuestring) : NULL;
}

static int number(const cJSON *object, const char *name) {
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
  return cJSON_IsNumber(value) ? value->valueint : -1;
}

static token token_of(const cJSON *object) {
  token made = {text(object, "token"), text(object, "createdAt"), text(object, "expiresAt"), number(object, "ttl")};
  return made;
}

static void token_free(token *it) {
  free(it->token);
  free(it->created_at);
  free(it->expires_at);
}

void caller_get(caller *it) {
  cJSON *json = answer(it, it->token_url);
  token made = token_of(json);
  cJSON_Delete(json);
  if (!made.token || strlen(made.token) != TOKEN_LENGTH) fail("another token");
  token_free(&made);
}

void caller_list(caller *it) {
  cJSON *json = answer(it, it->list_url);
  const cJSON *data = cJSON_GetObjectItemCaseSensitive(json, "data"), *item;
  const cJSON *pagination = cJSON_GetObjectItemCaseSensitive(json, "pagination");
  page made = {0};
  made.items = calloc((size_t)cJSON_GetArraySize(data), sizeof *made.items);
  if (!made.items) fail("out of memory");
  cJSON_ArrayForEach(item, data) made.items[made.count++] = token_of(item);
  made.number = number(pagination, "currentPage");
  made.size = number(pagination, "pageSize");
  made.pages = number(pagination, "pagesTotal");
  made.total = number(pagination, "itemsTotal");
  cJSON_Delete(json);
  if (made.count != PAGE_SIZE || made.number != 1) fail("another page");
  for (size_t i = 0; i < made.count; i++) token_free(&made.items[i]);
  free(made.items);
}

void caller_close(caller *it) {
  curl_easy_cleanup(it->handle);
  curl_slist_free_all(it->headers);
  free(it->body);
  free(it);
}

const char *caller_version(void) {
  static char version[128];
  const curl_version_info_data *libcurl = curl_version_info(CURLVERSION_NOW);
  snprintf(version, sizeof version, "libcurl %s with %s and cJSON %s", libcurl->version, libcurl->ssl_version, cJSON_Version());
  return version;
}
