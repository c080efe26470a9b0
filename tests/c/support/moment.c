#include "moment.h"
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

#define PATIENCE_MS 120000
#define SLOW_MS 2000

double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

pid_t thread_id(void) { return (pid_t)syscall(SYS_gettid); }

/* How long the thread could have run, but others did: the second figure, in nanoseconds. -1 if it cannot
 * be known. */
static double waited_ms(pid_t thread) {
  char text[128];
  unsigned long long waited = 0;
  if (sscanf(told_of(thread, "schedstat", text, sizeof text), "%*u %llu", &waited) != 1) return -1;
  return (double)waited / 1000000;
}

moment moment_here(void) {
  moment here;
  here.now = now_ms();
  here.waited = waited_ms(thread_id());
  return here;
}

moment moment_of(pid_t thread) {
  moment there;
  there.waited = waited_ms(thread);
  there.now = now_ms();
  return there;
}

double between(moment begin, moment end) {
  double waited = begin.waited < 0 || end.waited < 0 ? 0 : end.waited - begin.waited;
  return end.now - begin.now - waited;
}

double since(moment begin) { return between(begin, moment_here()); }

int is_slowed(void) { return SLACK_MS > 0 || RUNNING_ON_VALGRIND; }

uint32_t time_for(uint32_t milliseconds) { return is_slowed() ? milliseconds + SLOW_MS : milliseconds; }

static int ascending(const void *one, const void *other) {
  double a = *(const double *)one, b = *(const double *)other;
  return (a > b) - (a < b);
}

double median(double *figures, size_t count) {
  qsort(figures, count, sizeof *figures, ascending);
  return figures[count / 2];
}

double worst(const double *figures, size_t count) {
  double most = 0;
  size_t i;
  for (i = 0; i < count; i++)
    if (figures[i] > most) most = figures[i];
  return most;
}

void tell_times(const char *what, double *took, size_t count) {
  printf("%-30s %7.2f ms, worst of %zu %7.2f ms\n", what, median(took, count), count, worst(took, count));
}

/* The state of a thread as the kernel tells it, 'S' while it sleeps. */
static char state_of(pid_t thread) {
  char text[512];
  const char *after_name = strrchr(told_of(thread, "stat", text, sizeof text), ')');
  return after_name ? after_name[2] : '?';
}

/* Not by sched_yield(): who spins is made to wait later, when it is to be quick. */
static void let_others(void) {
  struct timespec moment = {0, 200000};
  nanosleep(&moment, NULL);
}

static void give_up_after(double begin, const char *what) {
  if (now_ms() > begin + PATIENCE_MS) {
    fprintf(stderr, "waited in vain: %s\n", what);
    exit(2);
  }
}

void wait_until_asleep(pid_t thread) {
  double begin = now_ms();
  int asleep = 0;
  /* Three looks in a row: it may sleep for a lock on its way. */
  while (asleep < 3) {
    asleep = state_of(thread) == 'S' ? asleep + 1 : 0;
    give_up_after(begin, "a thread that falls asleep");
    let_others();
  }
}

void wait_until(const int *value, int least, const char *what) {
  double begin = now_ms();
  while (__atomic_load_n(value, __ATOMIC_SEQ_CST) < least) {
    give_up_after(begin, what);
    let_others();
  }
}

size_t open_descriptors(void) { return count_in("/proc/self/fd", ""); }
size_t open_sockets(void) { return count_in("/proc/self/fd", "socket:"); }
size_t threads_now(void) { return count_in("/proc/self/task", ""); }
