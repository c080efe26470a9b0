#include "uploads.h"

#include "support/client.h"
#include "support/moment.h"

#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(2);
}

source source_of(uint64_t size) {
  source it;
  char command[128];
  uint64_t state = 88172645463325252u ^ size, at;
  FILE *file, *digest;
  int descriptor;
  memset(&it, 0, sizeof it);
  snprintf(it.path, sizeof it.path, "/tmp/apivideo-source-XXXXXX");
  it.size = size;
  descriptor = mkstemp(it.path);
  file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
  if (!file) fail(it.path);
  for (at = 0; at < size; at += 8) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    if (fwrite(&state, size - at < 8 ? (size_t)(size - at) : 8, 1, file) != 1) fail(it.path);
  }
  if (fclose(file) != 0) fail(it.path);
  snprintf(command, sizeof command, "sha256sum %s", it.path);
  digest = popen(command, "r");
  if (!digest || fscanf(digest, "%64s", it.sha256) != 1 || pclose(digest) != 0) fail(command);
  return it;
}

void source_delete(const source *it) { unlink(it->path); }

stored stored_in(const char *ledger, const char *title, const source *of) {
  /* A video's members stand in the order of the alphabet, its title behind its SHA-256. */
  char named[128], digest[128];
  const char *at = ledger;
  stored told;
  memset(&told, 0, sizeof told);
  snprintf(named, sizeof named, ",\"title\":\"%s\",\"videoId\":\"", title);
  snprintf(digest, sizeof digest, "\"sha256\":\"%s\"", of->sha256);
  while ((at = strstr(at, named)) != NULL) {
    const char *begin, *rest = strchr(at + strlen(named), '"');
    told.videos++;
    /* Its own "bytes" stands before its "parts", of which none has that. */
    for (begin = at; begin > ledger && strncmp(begin, "\"parts\":[", 9) != 0; begin--) {}
    while (begin > ledger && strncmp(begin, "\"bytes\":", 8) != 0) begin--;
    told.bytes += strtoull(begin + 8, NULL, 10);
    if (rest && strncmp(rest, "\",\"whole\":true", 14) == 0) {
      told.whole++;
      told.right += (size_t)(at - ledger) > strlen(digest) &&
                    strncmp(at - strlen(digest), digest, strlen(digest)) == 0;
    }
    at += strlen(named);
  }
  return told;
}

uint64_t uploads_number(const char *ledger, const char *name) {
  char member[64];
  const char *uploads = strstr(ledger, "\"uploads\":"), *at;
  snprintf(member, sizeof member, "\"%s\":", name);
  at = uploads ? strstr(uploads, member) : NULL;
  if (!at) {
    fprintf(stderr, "the ledger has no %s: %s\n", name, ledger);
    exit(2);
  }
  return strtoull(at + strlen(member), NULL, 10);
}

void first_token(const char *ledger, char *token, size_t size) {
  const char *at = strstr(ledger, "\"tokens\":[\"");
  if (!at) {
    fprintf(stderr, "the ledger has no token: %s\n", ledger);
    exit(2);
  }
  snprintf(token, size, "%.*s", (int)strcspn(at + 11, "\""), at + 11);
}

av_upload_params quick_params(const char *token, const char *title) {
  av_upload_params params;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.token = token;
  params.file_name = title;
  params.part_bytes = SMALLEST_PART;
  params.stall_timeout_ms = time_for(600);
  params.answer_timeout_ms = time_for(1000);
  return params;
}

av_client_config keyless_config(const char *url) {
  av_client_config config = config_for(url);
  config.api_key = NULL;
  config.flags = AV_CLIENT_NO_CREDENTIAL;
  config.proxy_url = "";
  return config;
}

const char *upload_way_name(upload_way way) {
  static const char *const names[] = {"", ", side by side", ", written", ", written, side by side"};
  return names[way];
}

static av_status write_all(av_upload *upload, FILE *file, const av_request_options *options, av_error **error) {
  enum { AT_ONCE = 300 * 1000 };
  char *some = (char *)malloc(AT_ONCE);
  av_status status = AV_STATUS_OK;
  size_t count;
  if (!some) exit(2);
  if (fseek(file, (long)av_upload_offset(upload), SEEK_SET) != 0) exit(2);
  while (status == AV_STATUS_OK && (count = fread(some, 1, AT_ONCE, file)) > 0)
    status = av_upload_write(upload, some, count, options, error);
  free(some);
  return status;
}

av_status upload_by(upload_way way, const av_client *client, const char *path, const av_upload_params *params,
                    const av_request_options *options, av_uploaded_video **video, av_error **error) {
  av_upload_params with = *params;
  av_upload *upload = NULL;
  av_status status;
  FILE *file;
  with.parallel_parts = way == FILE_IN_PARALLEL || way == WRITTEN_IN_PARALLEL ? 3 : 0;
  if (way < WRITTEN) return av_upload_file(client, path, &with, options, video, error);
  *video = NULL;
  file = fopen(path, "rb");
  if (!file) exit(2);
  status = av_upload_begin(client, &with, &upload, error);
  if (status == AV_STATUS_OK) status = write_all(upload, file, options, error);
  if (status == AV_STATUS_OK) status = av_upload_finish(upload, options, video, error);
  fclose(file);
  av_upload_free(upload);
  return status;
}
