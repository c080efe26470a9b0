/* libcurl as its users upload with it: a form from a file, and the largest buffer that it takes. */
#include "uploader.h"

#include <curl/curl.h>

static CURL *handle;
static struct curl_slist *headers;

static size_t drop(char *bytes, size_t size, size_t count, void *unused) {
  (void)bytes;
  (void)unused;
  return size * count;
}

void uploader_open(const char *url) {
  static char target[512];
  const char *authorities = getenv("SSL_CERT_FILE");
  curl_global_init(CURL_GLOBAL_DEFAULT);
  handle = curl_easy_init();
  snprintf(target, sizeof target, "%s/upload?token=" TOKEN, url);
  headers = curl_slist_append(headers, "Expect:");
  headers = curl_slist_append(headers, "Content-Range: part 1/1");
  headers = curl_slist_append(headers, "Accept: application/json");
  curl_easy_setopt(handle, CURLOPT_URL, target);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, 2L << 20);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, drop);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  if (authorities) curl_easy_setopt(handle, CURLOPT_CAINFO, authorities);
}

void uploader_upload(const char *path) {
  curl_mime *form = curl_mime_init(handle);
  curl_mimepart *part = curl_mime_addpart(form);
  long status = 0;
  curl_mime_name(part, "videoId");
  curl_mime_data(part, VIDEO_ID, CURL_ZERO_TERMINATED);
  part = curl_mime_addpart(form);
  curl_mime_name(part, "file");
  curl_mime_filedata(part, path);
  curl_easy_setopt(handle, CURLOPT_MIMEPOST, form);
  CURLcode ended = curl_easy_perform(handle);
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (ended != CURLE_OK || status != 201) fail(curl_easy_strerror(ended));
  curl_mime_free(form);
}

void uploader_close(void) {
  curl_easy_cleanup(handle);
  curl_slist_free_all(headers);
  curl_global_cleanup();
}
