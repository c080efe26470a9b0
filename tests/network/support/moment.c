#include "moment.h"
#include "support/process.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 20000

double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

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

pid_t thread_id(void) { return (pid_t)syscall(SYS_gettid); }

/* The state of a thread as the kernel tells it, 'S' while it sleeps. */
static char state_of(pid_t thread) {
  char path[64], text[512];
  const char *after_name;
  FILE *file;
  size_t length;
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
  file = fopen(path, "r");
  if (!file) return '?';
  length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  after_name = strrchr(text, ')');
  return after_name ? after_name[2] : '?';
}

static void give_up_after(double begin, const char *what) {
  if (now_ms() > begin + PATIENCE_MS) {
    fprintf(stderr, "waited in vain: %s\n", what);
    exit(2);
  }
}

void wait_until_asleep(pid_t thread) {
  struct timespec moment = {0, 300000};
  double begin = now_ms();
  int asleep = 0;
  /* Three looks in a row: it may sleep for a lock on its way. */
  while (asleep < 3) {
    asleep = state_of(thread) == 'S' ? asleep + 1 : 0;
    give_up_after(begin, "a thread that falls asleep");
    nanosleep(&moment, NULL);
  }
}

void wait_until(const int *value, int least, const char *what) {
  double begin = now_ms();
  while (__atomic_load_n(value, __ATOMIC_SEQ_CST) < least) {
    give_up_after(begin, what);
    sched_yield();
  }
}

size_t open_descriptors(void) { return count_in("/proc/self/fd", ""); }
size_t open_sockets(void) { return count_in("/proc/self/fd", "socket:"); }
size_t threads_now(void) { return count_in("/proc/self/task", ""); }
