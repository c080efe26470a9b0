/* What the program begins with, terminals and clocks, by POSIX. */
#define _DEFAULT_SOURCE /* POSIX with TIOCGWINSZ */

#include "../tool.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

void prepare(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  signal(SIGPIPE, SIG_IGN); /* a closed pipe may swallow a new token: that has to be told */
  tzset();                  /* localtime_r need not do it */
}

bool is_terminal(FILE *stream) {
  return isatty(fileno(stream));
}

/* In columns; 0 is not known. */
size_t terminal_width(void) {
  struct winsize window;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
}

void forget_input(void) {
  tcflush(STDIN_FILENO, TCIFLUSH);
}

/* In Unix seconds. time() may lag behind the clock that others read, by a second at its edge. */
int64_t current_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec;
}

/* By a clock that only goes forward. */
int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
