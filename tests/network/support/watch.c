#include "support/watch.h"

#include <ctype.h>

/* No word of ours is as long as this. Tokens are 24 letters and digits. */
#define SHORTEST_TOKEN 16

static size_t lines_seen, secrets;

int gives_away(const char *line) {
  /* The key, and how "test-key:" begins in base64. */
  static const char *const keys[] = {"test-key", "dGVzdC1rZXk"};
  size_t i, length = 0, letters = 0;
  for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (strstr(line, keys[i])) return 1;
  for (; *line; line++) {
    length = isalnum((unsigned char)*line) ? length + 1 : 0;
    letters = length == 0 ? 0 : letters + (isalpha((unsigned char)*line) != 0);
    if (length >= SHORTEST_TOKEN && letters > 0) return 1;
  }
  return 0;
}

static void watch(const char *line) {
  __atomic_add_fetch(&lines_seen, 1, __ATOMIC_SEQ_CST);
  if (gives_away(line)) {
    __atomic_add_fetch(&secrets, 1, __ATOMIC_SEQ_CST);
    fprintf(stderr, "a secret in: %s\n", line);
  }
}

static void watch_trace(void *userdata, int32_t level, const char *line) {
  (void)userdata;
  (void)level;
  watch(line);
}

av_client_config watched_config(const char *url) {
  av_client_config config = config_for(url);
  config.trace_fn = watch_trace;
  config.trace_level = AV_TRACE_DEBUG;
  config.proxy_url = "";
  return config;
}

av_client *watched_client(const char *url) {
  av_client_config config = watched_config(url);
  return client_of(&config);
}

const char *watched(const av_error *error) {
  watch(av_error_message(error));
  return av_error_message(error);
}

size_t watched_lines(void) { return __atomic_load_n(&lines_seen, __ATOMIC_SEQ_CST); }
size_t secrets_seen(void) { return __atomic_load_n(&secrets, __ATOMIC_SEQ_CST); }
