/* Paths are UTF-8, whatever the system's code page is: files of names in any script, of names longer than
 * Windows likes, and with either slash; and what is no UTF-8 is refused. */
#include "support/check.h"
#include "support/client.h"
#include "support/ledger.h"
#include "support/local_api.h"

#include <windows.h>

#define BYTES "these are bytes"

static wchar_t *wide(const char *text) {
  static wchar_t into[2048];
  if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, into, 2048) == 0) exit(2);
  return into;
}

static void write_bytes(const wchar_t *path) {
  FILE *file = _wfopen(path, L"wb");
  if (!file || fputs(BYTES, file) < 0 || fclose(file) != 0) {
    perror("_wfopen");
    exit(2);
  }
}

static av_upload_params params_for(const char *token) {
  av_upload_params params;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.token = token;
  return params;
}

/* Uploads a file that is there, and what the service has then. */
static void is_uploaded(const av_client *client, const char *url, const char *token, const char *row, const char *path,
                        const char *title) {
  av_upload_params params = params_for(token);
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  char named[400];
  ledger now;
  if (!CHECK_ROW(row, av_upload_file(client, path, &params, NULL, &video, &error) == AV_STATUS_OK))
    fprintf(stderr, "  %s\n", av_error_message(error));
  CHECK_ROW(row, video && video->bytes == strlen(BYTES) && texts_equal(video->title, title));
  now = ledger_of(url);
  snprintf(named, sizeof named, "\"title\":\"%s\"", title);
  CHECK_ROW(row, ledger_has(&now, named));
  ledger_free(&now);
  av_uploaded_video_free(video);
  av_error_free(error);
}

static void is_refused(const av_client *client, const char *row, const char *path, av_status status, const char *words) {
  av_upload_params params = params_for("to1");
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  CHECK_ROW(row, av_upload_file(client, path, &params, NULL, &video, &error) == status);
  if (!CHECK_ROW(row, video == NULL && error && strstr(av_error_message(error), words)))
    fprintf(stderr, "  %s\n", av_error_message(error));
  av_error_free(error);
}

int main(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--seed", "1", NULL};
  static const char *const names[] = {"film.mp4", "\xC3\xA9t\xC3\xA9.mp4", "\xE6\x98\xA0\xE7\x94\xBB.mp4",
                                      "\xF0\x9F\x8E\xAC.mp4", "\xD1\x84\xD0\xB8\xD0\xBB\xD1\x8C\xD0\xBC 1.mp4"};
  local_api *service = local_api_start(arguments);
  const char *url = local_api_url(service);
  av_client *client = client_for(url);
  av_client_config config = config_for(url);
  av_client *other = NULL;
  av_error *error = NULL;
  av_token *token = NULL;
  wchar_t there[MAX_PATH];
  char directory[400], path[1200];
  size_t i, length;
  CHECK(av_tokens_create(client, 3600, NULL, &token, NULL) == AV_STATUS_OK);
  if (!token || GetTempPathW(MAX_PATH, there) == 0) return 2;
  WideCharToMultiByte(CP_UTF8, 0, there, -1, path, sizeof path, NULL, NULL);
  snprintf(directory, sizeof directory, "%.300s\xC3\xA9-%lu", path, GetCurrentProcessId());
  if (!CreateDirectoryW(wide(directory), NULL)) return 2;

  for (i = 0; i < sizeof names / sizeof names[0]; i++) {
    char *at;
    snprintf(path, sizeof path, "%s\\%s", directory, names[i]);
    write_bytes(wide(path));
    is_uploaded(client, url, token->token, names[i], path, names[i]);
    /* Windows takes the other slash too. */
    while ((at = strchr(path, '\\')) != NULL) *at = '/';
    is_uploaded(client, url, token->token, path, path, names[i]);
    DeleteFileW(wide(path));
    is_refused(client, "a file that is gone", path, AV_STATUS_SOURCE, "cannot be opened");
  }

  /* Of more than 260 characters, which C's own functions do not open. */
  snprintf(path, sizeof path, "\\\\?\\%s\\", directory);
  length = strlen(path);
  memset(path + length, 'd', 200);
  path[length + 200] = 0;
  CHECK(CreateDirectoryW(wide(path), NULL));
  memcpy(path + length + 200, "\\", 2);
  memset(path + length + 201, 'f', 200);
  memcpy(path + length + 401, ".mp4", 5);
  write_bytes(wide(path));
  is_uploaded(client, url, token->token, "a long path", path + 4, path + length + 201);
  is_uploaded(client, url, token->token, "a long path, told to be one", path, path + length + 201);
  DeleteFileW(wide(path));
  path[length + 200] = 0;
  RemoveDirectoryW(wide(path));

  is_refused(client, "a directory", directory, AV_STATUS_INVALID_ARGUMENT, "is a directory");
  is_refused(client, "no UTF-8", "film\xFF.mp4", AV_STATUS_INVALID_ARGUMENT, "is not UTF-8");
  is_refused(client, "half of a character", "film\xE6\x98.mp4", AV_STATUS_INVALID_ARGUMENT, "is not UTF-8");
  is_refused(client, "a surrogate", "film\xED\xA0\x80.mp4", AV_STATUS_INVALID_ARGUMENT, "is not UTF-8");

  /* The other path that is taken. */
  snprintf(path, sizeof path, "%s\\\xE6\x98\xA0.pem", directory);
  write_bytes(wide(path));
  config.ca_file = path;
  CHECK(av_client_new(&config, &other, &error) != AV_STATUS_OK && other == NULL);
  if (!CHECK(error && strstr(av_error_message(error), "no certificate")))
    fprintf(stderr, "  %s\n", av_error_message(error));
  av_error_free(error);
  error = NULL;
  DeleteFileW(wide(path));
  CHECK(av_client_new(&config, &other, &error) != AV_STATUS_OK && error && strstr(av_error_message(error), "\xE6\x98\xA0.pem"));
  av_error_free(error);
  error = NULL;
  config.ca_file = "ca\xFF.pem";
  CHECK(av_client_new(&config, &other, &error) == AV_STATUS_INVALID_ARGUMENT);
  CHECK(error && strstr(av_error_message(error), "is not UTF-8"));
  av_error_free(error);

  CHECK(RemoveDirectoryW(wide(directory)));
  av_token_free(token);
  av_client_free(client);
  local_api_stop(service);
  return checks_report();
}
