/* Ctrl-C: it ends what is being waited for, and the program tells what was done. */
#define _POSIX_C_SOURCE 200809L

#include "../tool.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* What Ctrl-C sets off. It is never freed: one may come as long as the program runs. */
static struct {
  sigset_t signals;
  av_cancel *cancel; /* ends the calls of the library */
  int pipe[2];       /* ends poll(): the thread closes [1], which shows at [0] */
} interrupt = {.pipe = {-1, -1}};

static void *wait_for_interrupt(void *unused) {
  int received;
  (void)unused;
  sigwait(&interrupt.signals, &received);
  av_cancel_trigger(interrupt.cancel);
  close(interrupt.pipe[1]);
  pthread_sigmask(SIG_UNBLOCK, &interrupt.signals, NULL); /* a second one ends the program here */
  pause();
  return NULL;
}

av_cancel *interrupt_cancel(void) {
  return interrupt.cancel;
}

bool is_interrupted(void) {
  struct pollfd event = {interrupt.pipe[0], POLLIN, 0};
  return poll(&event, 1, 0) > 0;
}

/* Until there is something to read, or Ctrl-C: false. Neither fgets nor read would end with that, which the
 * thread for it takes: poll does. */
bool wait_for_input(void) {
  struct pollfd events[] = {{STDIN_FILENO, POLLIN, 0}, {interrupt.pipe[0], POLLIN, 0}};
  while (poll(events, 2, -1) < 0 && errno == EINTR) continue;
  return events[1].revents == 0;
}

/* From here on Ctrl-C ends what is being waited for, and the program tells what was done. A thread
 * waits for the signal, which all others block: it may call any function, a signal handler not. */
void watch_for_interrupt(void) {
  struct sigaction action;
  pthread_t thread;
  sigaction(SIGINT, NULL, &action);
  if (action.sa_handler == SIG_IGN) return; /* in the background: Ctrl-C is meant for others */
  sigemptyset(&interrupt.signals);
  sigaddset(&interrupt.signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt.signals, NULL); /* while there are no other threads yet */
  interrupt.cancel = av_cancel_new();
  if (pipe(interrupt.pipe) != 0 ||
      pthread_create(&thread, NULL, wait_for_interrupt, NULL) != 0) {
    tell("apivideo: no descriptor or thread is left to wait for Ctrl-C with");
    exit(CODE_FAILED);
  }
}
