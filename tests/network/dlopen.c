/* A program that loads the library, calls and unloads it, again and again: nothing breaks, and nothing
 * piles up. This program is not linked with it. */
#include "support/check.h"
#include "support/moment.h"
#include "support/peer.h"
#include "support/server.h"

#include <apivideo.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { CYCLES = 1500 };

/* What may stay of all cycles, of which each maps some MiB: what instruments keep besides is theirs. */
#ifndef KEPT_KIB
#define KEPT_KIB 4096
#endif

/* What is called, by name. */
typedef struct functions {
  av_status (*client_new)(const av_client_config *, av_client **, av_error **);
  void (*client_free)(av_client *);
  av_status (*get)(const av_client *, const char *, const av_request_options *, av_token **, av_error **);
  void (*token_free)(av_token *);
  void (*error_free)(av_error *);
  const char *(*message)(const av_error *);
} functions;

static void *symbol(void *library, const char *name) {
  void *found = dlsym(library, name);
  if (!found) {
    fprintf(stderr, "%s\n", dlerror());
    exit(2);
  }
  return found;
}

static functions load(void *library) {
  functions f;
  *(void **)&f.client_new = symbol(library, "av_client_new");
  *(void **)&f.client_free = symbol(library, "av_client_free");
  *(void **)&f.get = symbol(library, "av_tokens_get");
  *(void **)&f.token_free = symbol(library, "av_token_free");
  *(void **)&f.error_free = symbol(library, "av_error_free");
  *(void **)&f.message = symbol(library, "av_error_message");
  return f;
}

static void serve_token(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it)) server_answer(connection, "200 OK", "", "{\"token\":\"a-token\",\"ttl\":60}");
}

typedef struct cycle {
  const char *path, *url;
  int failed;
} cycle;

/* Load, call, unload: by name, so that the library starts a thread of its own besides. */
static void *one_cycle(void *argument) {
  cycle *it = (cycle *)argument;
  void *library = dlopen(it->path, RTLD_NOW | RTLD_LOCAL);
  av_client_config config;
  av_client *client = NULL;
  av_token *token = NULL;
  av_error *error = NULL;
  functions f;
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    exit(2);
  }
  f = load(library);
  memset(&config, 0, sizeof config);
  config.struct_size = sizeof config;
  config.api_key = "test-key";
  config.base_url = it->url;
  config.proxy_url = "";
  if (f.client_new(&config, &client, &error) != AV_STATUS_OK || f.get(client, "a-token", NULL, &token, &error) != AV_STATUS_OK ||
      strcmp(token->token, "a-token") != 0) {
    if (it->failed++ == 0) fprintf(stderr, "%s\n", f.message(error));
  }
  f.error_free(error);
  f.token_free(token);
  f.client_free(client);
  if (dlclose(library) != 0) it->failed++;
  return NULL;
}

static size_t resident_kib(void) {
  size_t size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%zu %zu", &size, &resident) != 2) exit(2);
  fclose(file);
  return resident * (size_t)(sysconf(_SC_PAGESIZE) / 1024);
}

int main(void) {
  char path[1024], named[64];
  server *s = server_start(serve_token, NULL);
  cycle it = {path, named, 0};
  size_t descriptors, kib, i;
  double begin;
  snprintf(path, sizeof path, "%s/libapivideo.so", getenv("LIB"));
  snprintf(named, sizeof named, "http://localhost:%s", strrchr(server_url(s), ':') + 1);
  CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == NULL);
  /* The first few bring what stays. */
  for (i = 0; i < 100; i++) one_cycle(&it);
  CHECK(it.failed == 0);
  descriptors = open_descriptors();
  kib = resident_kib();
  begin = now_ms();
  for (i = 0; i < CYCLES; i++) {
    if (i % 3 == 0) {
      /* On a thread that ends, and takes its own variables of the library with it. */
      pthread_t thread;
      if (pthread_create(&thread, NULL, one_cycle, &it) != 0) exit(2);
      pthread_join(thread, NULL);
    } else {
      one_cycle(&it);
    }
  }
  printf("%d cycles of dlopen, call, dlclose: %d failed, %.1f s; descriptors %zu before, %zu after; memory %+ld KiB\n", CYCLES, it.failed,
         (now_ms() - begin) / 1000, descriptors, open_descriptors(), (long)(resident_kib() - kib));
  CHECK(it.failed == 0);
  /* The server of this process may still hold the other ends of a few. */
  CHECK(open_descriptors() <= descriptors + 4);
  CHECK(resident_kib() <= kib + KEPT_KIB);
  server_stop(s);
  return checks_report();
}
