/* A program that closes descriptors it does not know, as daemons do (closefrom), and opens its own in
 * their place: whatever those are, blocking ones above all, a call ends by its deadline, and a cancel
 * neither blocks nor writes anything. Each case is a child process, which is ended if it hangs. */
#include "support/check.h"
#include "support/client.h"
#include "support/moment.h"
#include "support/server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST = 3, BEYOND = 64, SHORT_MS = 500, LONG_MS = 20000 };

static void serve_well(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it)) server_answer(connection, "200 OK", "", "{\"token\":\"to1\"}");
}

/* ------------------------------------------------------- what the program opens in their place */

/* Puts the other end out of the way, so that it stays open. */
static void keep(int other_end) {
  if (fcntl(other_end, F_DUPFD, BEYOND) < 0) exit(3);
}

static int quiet_socket(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) exit(3);
  keep(pair[1]);
  return pair[0];
}

/* The other end is full: who sends waits. */
static int full_socket(void) {
  static char much[4096];
  int it = quiet_socket();
  while (send(it, much, sizeof much, MSG_DONTWAIT) > 0) {}
  return it;
}

/* Something can be read from it, once. */
static int readable_socket(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || write(pair[1], "x", 1) != 1) exit(3);
  keep(pair[1]);
  return pair[0];
}

static int empty_pipe(void) {
  int ends[2];
  if (pipe(ends) != 0) exit(3);
  keep(ends[1]);
  return ends[0];
}

static int full_pipe(void) {
  static char much[4096];
  int ends[2];
  if (pipe(ends) != 0) exit(3);
  keep(ends[0]);
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  while (write(ends[1], much, sizeof much) > 0) {}
  while (write(ends[1], much, 1) > 0) {}
  fcntl(ends[1], F_SETFL, 0);
  return ends[1];
}

static int new_file(void) {
  char path[] = "/tmp/apivideo-closed-behind-XXXXXX";
  int it = mkstemp(path);
  if (it < 0 || unlink(path) != 0) exit(3);
  return it;
}

typedef struct row {
  const char *name;
  int (*open_own)(void);
} row;

static const row rows[] = {
    {"a quiet socket", quiet_socket},
    {"a socket that takes no more", full_socket},
    {"a socket with something to read", readable_socket},
    {"an empty pipe", empty_pipe},
    {"a full pipe", full_pipe},
    {"a file", new_file},
};

/* All descriptors but the standard ones are closed; the program's own is each of the next. */
static int take_their_place(int (*open_own)(void)) {
  int i, own;
  for (i = FIRST; i < BEYOND; i++) close(i);
  own = open_own();
  for (i = FIRST; i < BEYOND; i++)
    if (i != own && dup2(own, i) < 0) exit(3);
  return own;
}

/* ------------------------------------------------------------------------------- the children */

static av_status get(const av_client *client, uint32_t timeout_ms, av_cancel *cancel) {
  av_request_options options;
  av_token *token = NULL;
  av_status status;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.timeout_ms = timeout_ms;
  options.cancel = cancel;
  options.max_attempts = 1;
  status = av_tokens_get(client, "to1", &options, &token, NULL);
  av_token_free(token);
  return status;
}

static av_client *connected_client(const char *url) {
  av_client_config config = config_for(url);
  av_client *client;
  config.proxy_url = "";
  client = client_of(&config);
  if (get(client, LONG_MS, NULL) != AV_STATUS_OK) exit(4);
  return client;
}

/* The connection is one of the program's own descriptors by now. */
static int call_again(const char *url, int (*open_own)(void)) {
  av_client *client = connected_client(url);
  /* What is seen to be no connection of the library's is left alone, and another one made. A socket
   * on which all is quiet looks like one, and never answers. */
  int looks_like_one = open_own == quiet_socket || open_own == full_socket;
  uint32_t timeout_ms = looks_like_one ? SHORT_MS : LONG_MS;
  double begun, took;
  av_status status;
  take_their_place(open_own);
  begun = now_ms();
  status = get(client, timeout_ms, NULL);
  took = now_ms() - begun;
  av_client_free(client);
  /* It either waits for the deadline or for ever. */
  if (took > timeout_ms + 10000) return 5;
  return status != (looks_like_one ? AV_STATUS_TIMEOUT : AV_STATUS_OK);
}

/* And so is the cancel handle's. */
static int cancel_with(const char *url, int (*open_own)(void)) {
  av_client *client = connected_client(url);
  av_cancel *cancel = av_cancel_new();
  int own = take_their_place(open_own);
  struct stat told;
  av_status status;
  av_cancel_trigger(cancel);
  status = get(client, LONG_MS, cancel);
  if (fstat(own, &told) != 0) exit(3);
  av_cancel_free(cancel);
  av_client_free(client);
  if (status != AV_STATUS_CANCELLED) return 6;
  return open_own == new_file && told.st_size != 0 ? 7 : 0;
}

static int wait_for(pid_t child) {
  int status;
  if (waitpid(child, &status, 0) != child) exit(2);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void in_a_child(const char *what, const row *it, int (*work)(const char *, int (*)(void)), const char *url) {
  pid_t child = fork();
  int result;
  char name[100];
  if (child == 0) {
    signal(SIGALRM, SIG_DFL);
    alarm(60 + SLACK_MS / 50);
    _exit(work(url, it->open_own));
  }
  snprintf(name, sizeof name, "%s: %s", what, it->name);
  result = wait_for(child);
  if (!CHECK_ROW(name, result == 0))
    fprintf(stderr, "  %s %d\n", result < 0 ? "signal" : "result", result < 0 ? -result : result);
}

int main(void) {
  server *s = server_start(serve_well, NULL);
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    in_a_child("a call", &rows[i], call_again, server_url(s));
    in_a_child("a cancel", &rows[i], cancel_with, server_url(s));
  }
  server_stop(s);
  return checks_report();
}
