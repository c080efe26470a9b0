/* No test has printed a secret, be it in a message, a trace or a panic. Searches what each of them left
 * in its log, the C tests' included, and proves itself by one that it plants. The Makefile runs it last. Those of
 * uploads name no token and no video's address that a service has made up, either; others are there to print them. */
#include "support/check.h"
#include "support/secrets.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t logs, bytes, found;

/* Searches a file, if it is a log. */
static int search(const char *path, const struct stat *status, int kind, struct FTW *place) {
  const char *name = path + place->base, *suffix = strrchr(name, '.');
  char *text;
  FILE *file;
  size_t length;
  const char *secret;
  if (kind != FTW_F || !suffix || strcmp(suffix, ".log") != 0) return 0;
  file = fopen(path, "rb");
  text = (char *)malloc((size_t)status->st_size + 1);
  if (!file || !text) exit(2);
  length = fread(text, 1, (size_t)status->st_size, file);
  fclose(file);
  logs++;
  bytes += length;
  /* Where it stands. */
  secret = secret_in(text, length);
  if (secret) secret = (const char *)memmem(text, length, secret, strlen(secret));
  else if (strstr(name, "upload")) secret = made_up_secret_in(text, length);
  if (secret) {
    found++;
    /* Which one is told by its place, for this is a log too. */
    if (!strstr(name, "planted")) fprintf(stderr, "%s holds a secret at byte %td\n", path, secret - text);
  }
  free(text);
  return 0;
}

static size_t secrets_below(const char *directory) {
  found = logs = bytes = 0;
  if (nftw(directory, search, 16, FTW_PHYS) != 0) exit(2);
  return found;
}

int main(void) {
  const char *out = getenv("OUT");
  char all[4096], directory[4096], planted[8192];
  /* What a service may have made up, besides. */
  static const char *const made_up[] = {"POST /upload?token=toCB9pLOezj2U3r7VGvcT23V", "a toCB9pLOezj2U3r7VGvcT23V",
                                        "https://embed.api.video/vod/vi1?token=Qm3xV9sLk2Jd8Rt5",
                                        "https://cdn.api.video/vod/vi1/token/Qm3xV9sLk2Jd8Rt5/hls"};
  const size_t known = sizeof all_secrets / sizeof all_secrets[0], kinds = known + sizeof made_up / sizeof made_up[0];
  size_t i, before, with_planted = 0;
  if (!out) {
    fprintf(stderr, "OUT does not name the directory of the logs: run `make test-network`\n");
    return 2;
  }
  /* The logs of the C tests lie beside those of the network's. */
  snprintf(all, sizeof all, "%s/..", out);
  before = secrets_below(all);
  printf("%zu logs, %zu bytes, searched for %zu kinds of secrets: %zu found\n", logs, bytes, kinds, before);
  CHECK(before == 0);
  CHECK(logs > 0);
  snprintf(directory, sizeof directory, "%s/planted-XXXXXX", out);
  if (!mkdtemp(directory)) return 2;
  snprintf(planted, sizeof planted, "%s/planted_upload.passed.log", directory);
  for (i = 0; i < kinds; i++) {
    FILE *file = fopen(planted, "wb");
    if (!file) return 2;
    fprintf(file, "a line\nthread panicked: %s\n3 passed, 0 failed\n", i < known ? all_secrets[i] : made_up[i - known]);
    fclose(file);
    with_planted += secrets_below(all) == before + 1;
  }
  unlink(planted);
  rmdir(directory);
  printf("planted one after the other: %zu of %zu found\n", with_planted, i);
  CHECK(with_planted == i);
  return checks_report();
}
