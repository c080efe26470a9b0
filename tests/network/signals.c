/* Signals of the host's own that arrive during a call: the call goes on as if there were none, and
 * ends in time nevertheless. */
#include "support/call.h"
#include "support/check.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/watch.h"

#include <signal.h>
#include <sys/time.h>

enum { EVERY_US = 2000, TRIES = 5 };
#define CALL_MS time_for(300)

static volatile sig_atomic_t raised;

static void count(int signal_number) {
  (void)signal_number;
  raised++;
}

/* A byte each few milliseconds: the call waits again and again. */
static void serve_slowly(server *s, int connection, void *data) {
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n";
  char body[65];
  request it;
  (void)data;
  if (!server_receive(s, connection, &it)) return;
  snprintf(body, sizeof body, "%-64s", "{\"token\":\"" TOKEN "\"}");
  if (server_send(connection, head)) server_drip(connection, body, 5);
}

/* The signals reach the calling thread alone: the server's threads hold them off. */
static server *start_undisturbed(serve_fn serve) {
  sigset_t alarm_alone, before;
  server *s;
  sigemptyset(&alarm_alone);
  sigaddset(&alarm_alone, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &alarm_alone, &before);
  s = server_start(serve, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return s;
}

static void disturb(int every_us) {
  struct itimerval timer;
  memset(&timer, 0, sizeof timer);
  timer.it_interval.tv_usec = timer.it_value.tv_usec = every_us;
  setitimer(ITIMER_REAL, &timer, NULL);
}

static void a_call_goes_on(void) {
  server *s = start_undisturbed(serve_slowly);
  av_client *client = watched_client(server_url(s));
  call made;
  raised = 0;
  disturb(EVERY_US);
  made = call_make(client, GET, NULL);
  disturb(0);
  printf("%d signals during a call: %s\n", (int)raised, av_status_name(made.status));
  CHECK(made.status == AV_STATUS_OK && strcmp(made.token->token, TOKEN) == 0);
  CHECK(raised > 20);
  call_free(&made);
  av_client_free(client);
  server_stop(s);
}

static void a_call_ends_in_time(void) {
  server *s = start_undisturbed(serve_silence);
  av_client_config config = watched_config(server_url(s));
  av_client *client;
  double took[TRIES];
  size_t i, tries = is_slowed() ? 1 : TRIES;
  config.timeout_ms = CALL_MS;
  client = client_of(&config);
  raised = 0;
  for (i = 0; i < tries; i++) {
    call made;
    moment begin;
    disturb(EVERY_US);
    begin = moment_here();
    made = call_make(client, GET, NULL);
    took[i] = since(begin);
    disturb(0);
    CHECK(now_ms() - begin.now >= CALL_MS - 1);
    CHECK(made.status == AV_STATUS_TIMEOUT);
    call_free(&made);
  }
  printf("%d signals during %zu calls, each of which may take %u ms\n", (int)raised, tries, (unsigned)CALL_MS);
  CHECK(raised > 20 * (int)tries);
  CHECK_WITHIN("ended by its time", took, tries, CALL_MS + 50);
  av_client_free(client);
  server_stop(s);
}

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = count; /* without SA_RESTART: what waits is interrupted */
  sigaction(SIGALRM, &action, NULL);
  a_call_goes_on();
  a_call_ends_in_time();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
