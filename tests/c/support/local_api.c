#include "local_api.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_ARGUMENTS 16

struct local_api {
  pid_t process;
  char url[64];
};

static void fail(const char *what) {
  perror(what);
  exit(2);
}

/* Becomes the service, which prints into `output`. */
static void become(const char *binary, const char *const *arguments, int output) {
  const char *all[MOST_ARGUMENTS + 4] = {binary, "--port", "0"};
  char *const *argv = (char *const *)(void *)all;
  size_t count = 3;
  while (*arguments && count < MOST_ARGUMENTS + 3) all[count++] = *arguments++;
  all[count] = NULL;
  /* A test that crashes must not leave it behind. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (dup2(output, STDOUT_FILENO) >= 0) execv(binary, argv);
  perror(binary);
  _exit(2);
}

local_api *local_api_start(const char *const *arguments) {
  const char *binary = getenv("LOCAL_API");
  local_api *service = (local_api *)calloc(1, sizeof *service);
  int pipes[2];
  size_t length = 0;
  if (!binary) {
    fprintf(stderr, "LOCAL_API does not name the stand-in service: run `make test-c`\n");
    exit(2);
  }
  if (!service || pipe(pipes) != 0) fail("local_api");
  service->process = fork();
  if (service->process < 0) fail("fork");
  if (service->process == 0) {
    close(pipes[0]);
    become(binary, arguments, pipes[1]);
  }
  close(pipes[1]);
  /* The URL is the one line that it prints, once it listens. */
  while (!strchr(service->url, '\n')) {
    ssize_t got = read(pipes[0], service->url + length, sizeof service->url - 1 - length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      fprintf(stderr, "the stand-in service told no URL\n");
      exit(2);
    }
    length += (size_t)got;
  }
  close(pipes[0]);
  *strchr(service->url, '\n') = 0;
  return service;
}

const char *local_api_url(const local_api *service) { return service->url; }

void local_api_stop(local_api *service) {
  kill(service->process, SIGTERM);
  while (waitpid(service->process, NULL, 0) < 0 && errno == EINTR) {}
  free(service);
}
