/* As tests/c/support/local_api.c, by native.py: the service is no Windows program. */
#include "support/local_api.h"

#include <posix.h>

struct local_api {
  int connection;
  char url[64];
};

local_api *local_api_start(const char *const *arguments) {
  local_api *service = (local_api *)calloc(1, sizeof *service);
  char command[2048] = "exec \"$LOCAL_API\" --port 0";
  size_t length = 0;
  if (!service) exit(2);
  for (; *arguments; arguments++)
    snprintf(command + strlen(command), sizeof command - strlen(command), " '%s'", *arguments);
  service->connection = native_start(command);
  /* The URL is the one line that it prints, once it listens. */
  while (!strchr(service->url, '\n')) {
    ssize_t got = read(service->connection, service->url + length, sizeof service->url - 1 - length);
    if (got <= 0) {
      fprintf(stderr, "the stand-in service told no URL\n");
      exit(2);
    }
    length += (size_t)got;
  }
  *strchr(service->url, '\n') = 0;
  return service;
}

const char *local_api_url(const local_api *service) { return service->url; }

void local_api_stop(local_api *service) {
  char byte;
  shutdown(service->connection, SHUT_WR);
  /* Until it has gone. */
  while (read(service->connection, &byte, 1) > 0) {}
  close(service->connection);
  free(service);
}
