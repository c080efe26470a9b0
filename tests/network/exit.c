/* exit() while threads are inside calls, in every phase: the process ends with the status that it was
 * told, and what runs at its end may still call. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/server.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 12, EXIT_STATUS = 7 };

static const char *url;
static av_client *client;
static int calls;

/* Calls for ever. By name, so that some are being looked up; each fourth with a client of its own, so
 * that some are being made, connected and freed. */
static void *call_on(void *argument) {
  int number;
  for (number = *(int *)argument;; number++) {
    av_client *own = number % 4 == 0 ? client_for(url) : NULL;
    call made = call_make(own ? own : client, (operation)(number % OPERATIONS), NULL);
    call_free(&made);
    av_client_free(own);
    __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
  }
  return NULL;
}

/* At the very end the threads are still inside calls. */
static void at_exit(void) {
  call made = call_make(client, LIST, NULL);
  if (made.status != AV_STATUS_OK) _exit(1);
  call_free(&made);
}

static void *exit_from_thread(void *unused) {
  (void)unused;
  exit(EXIT_STATUS);
}

/* The process that exits: from its first thread or from another, after some calls. */
static void child(int round) {
  static int numbers[THREADS];
  pthread_t thread;
  int i;
  alarm(60);
  client = client_for(url);
  if (atexit(at_exit) != 0) _exit(1);
  for (i = 0; i < THREADS; i++) {
    numbers[i] = i;
    if (pthread_create(&thread, NULL, call_on, &numbers[i]) != 0) _exit(1);
  }
  wait_until(&calls, round * 7, "some calls");
  if (round % 2 == 0) exit(EXIT_STATUS);
  if (pthread_create(&thread, NULL, exit_from_thread, NULL) != 0) _exit(1);
  pthread_join(thread, NULL);
}

/* One that waits for an answer which does not come. */
static void serve_no_answer(server *s, int connection, void *data) {
  request it;
  if (server_receive(s, connection, &it)) __atomic_add_fetch((int *)data, 1, __ATOMIC_SEQ_CST);
  server_swallow(connection);
}

static void *get_in_vain(void *argument) {
  call made = call_make((av_client *)argument, GET, NULL);
  call_free(&made);
  return NULL;
}

static int ended_as_told(pid_t process) {
  int status = 0;
  if (waitpid(process, &status, 0) != process) exit(2);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_STATUS) fprintf(stderr, "ended with %x\n", (unsigned)status);
  return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_STATUS;
}

static void among_calls(void) {
  static const char *const arguments[] = {"--api-key", "test-key", "--latency-ms", "1", NULL};
  local_api *service = local_api_start(arguments);
  char named[64];
  int round;
  snprintf(named, sizeof named, "http://localhost%s", strrchr(local_api_url(service), ':'));
  url = named;
  fflush(stdout);
  for (round = 0; round < ROUNDS; round++) {
    pid_t process = fork();
    if (process < 0) exit(2);
    if (process == 0) {
      child(round);
      _exit(1);
    }
    CHECK(ended_as_told(process));
  }
  local_api_stop(service);
}

static void while_one_waits(void) {
  pid_t process;
  fflush(stdout);
  process = fork();
  if (process < 0) exit(2);
  if (process == 0) {
    int requests = 0;
    server *s = server_start(serve_no_answer, &requests);
    pthread_t thread;
    alarm(60);
    if (pthread_create(&thread, NULL, get_in_vain, client_for(server_url(s))) != 0) _exit(1);
    wait_until(&requests, 1, "a request");
    exit(EXIT_STATUS);
  }
  CHECK(ended_as_told(process));
}

int main(void) {
  alarm(180);
  among_calls();
  while_one_waits();
  return checks_report();
}
