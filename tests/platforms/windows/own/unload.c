/* A program that loads the DLL, calls, and unloads it while a name is still looked up, again and again: nothing
 * breaks and nothing piles up, since it keeps itself loaded. This program is not linked with it. */
#include "support/check.h"
#include "support/moment.h"
#include "support/server.h"

#include <apivideo.h>
#include <windows.h>

enum { CYCLES = 1500 };

/* What is called, by name. */
typedef struct functions {
  av_status (*client_new)(const av_client_config *, av_client **, av_error **);
  void (*client_free)(av_client *);
  av_status (*get)(const av_client *, const char *, const av_request_options *, av_token **, av_error **);
  void (*token_free)(av_token *);
} functions;

static void serve_token(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it)) server_answer(connection, "200 OK", "", "{\"token\":\"a-token\",\"ttl\":60}");
}

static int find(HMODULE library, const char *name, void *function) {
  FARPROC found = GetProcAddress(library, name);
  memcpy(function, &found, sizeof found);
  return found != NULL;
}

typedef struct cycle {
  const char *url;
  uint32_t timeout_ms;
  int failed, succeeded;
} cycle;

static DWORD WINAPI one_cycle(void *argument) {
  cycle *it = (cycle *)argument;
  HMODULE library = LoadLibraryA("apivideo.dll");
  functions f;
  av_client_config config;
  av_client *client = NULL;
  av_token *token = NULL;
  av_status status;
  if (!library || !find(library, "av_client_new", &f.client_new) || !find(library, "av_client_free", &f.client_free) ||
      !find(library, "av_tokens_get", &f.get) || !find(library, "av_token_free", &f.token_free)) {
    if (it->failed++ == 0) fprintf(stderr, "apivideo.dll cannot be loaded: %lu\n", GetLastError());
    return 1;
  }
  memset(&config, 0, sizeof config);
  config.struct_size = sizeof config;
  config.api_key = "test-key";
  config.base_url = it->url;
  config.proxy_url = "";
  config.timeout_ms = it->timeout_ms;
  config.max_attempts = 1;
  it->failed += f.client_new(&config, &client, NULL) != AV_STATUS_OK;
  status = f.get(client, "a-token", NULL, &token, NULL);
  it->succeeded += status == AV_STATUS_OK;
  it->failed += status != AV_STATUS_OK && status != AV_STATUS_TIMEOUT;
  f.token_free(token);
  f.client_free(client);
  it->failed += !FreeLibrary(library);
  return 0;
}

/* A part of the cycles, each third on a thread that ends, and takes its own variables of the library with it. */
static void cycles(cycle *it, int count) {
  int i;
  for (i = 0; i < count; i++) {
    /* Every other lookup is still under way when the library is let go. */
    it->timeout_ms = i % 2 ? 1 : 20000;
    if (i % 3 == 0) {
      HANDLE thread = CreateThread(NULL, 0, one_cycle, it, 0, NULL);
      WaitForSingleObject(thread, INFINITE);
      CloseHandle(thread);
    } else {
      one_cycle(it);
    }
  }
}

int main(void) {
  char named[64];
  server *s = server_start(serve_token, NULL);
  cycle it = {named, 0, 0, 0};
  size_t threads;
  DWORD handles, handles_after;
  double begun = now_ms();
  snprintf(named, sizeof named, "http://localhost:%s", strrchr(server_url(s), ':') + 1);
  CHECK(GetModuleHandleA("apivideo.dll") == NULL);
  /* The first few bring what stays. */
  cycles(&it, 100);
  CHECK(it.failed == 0);
  CHECK(GetModuleHandleA("apivideo.dll") != NULL);
  Sleep(500);
  threads = threads_now();
  GetProcessHandleCount(GetCurrentProcess(), &handles);
  cycles(&it, CYCLES);
  Sleep(500);
  GetProcessHandleCount(GetCurrentProcess(), &handles_after);
  printf("%d cycles of LoadLibrary, call, FreeLibrary: %d answered, %d failed, %.1f s; handles %lu before, %lu after\n",
         CYCLES + 100, it.succeeded, it.failed, (now_ms() - begun) / 1000, handles, handles_after);
  CHECK(it.failed == 0);
  CHECK(it.succeeded >= CYCLES / 2);
  CHECK(threads_now() <= threads + 2);
  CHECK(handles_after <= handles + 32);
  server_stop(s);
  return checks_report();
}
