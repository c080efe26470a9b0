/* The program around a caller: makes the calls that bench.py asks for and prints figures, separated by
 * spaces.
 *
 *   URL calls get|list COUNT        so many calls by one caller, without a figure: to be counted outside
 *   URL best get|list COUNT         µs per call in the best batch: what a call costs if nothing else runs
 *   URL first                       µs of a process's first client and call, then of its second's
 *   URL threads N shared|own MS     calls per second of N threads, with one client or one each, and the
 *                                   processor's µs per call
 *   URL idle N shared|own           bytes on the heap and connections after one call, then after calls by
 *                                   N threads at once (allocations.so has to be loaded)
 *   - version                       what it is */
#include "caller.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define MOST_THREADS 64
#define BATCH 20 /* short enough to fall between what else the machine does */

typedef void call(caller *);

static const char *url;

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static call *call_of(const char *name) { return strcmp(name, "list") == 0 ? caller_list : caller_get; }

static void calls(call *make, long count) {
  caller *it = caller_open(url, NULL);
  for (long i = 0; i < count; i++) make(it);
  caller_close(it);
}

static void best(call *make, long count) {
  caller *it = caller_open(url, NULL);
  double least = 0;
  make(it);
  for (long done = 0; done < count; done += BATCH) {
    double begun = now_us();
    for (int i = 0; i < BATCH; i++) make(it);
    double took = now_us() - begun;
    if (least == 0 || took < least) least = took;
  }
  printf("%.3f\n", least / BATCH);
  caller_close(it);
}

static void first(void) {
  double begun = now_us();
  caller *one = caller_open(url, NULL);
  caller_get(one);
  double between = now_us();
  caller *two = caller_open(url, NULL);
  caller_get(two);
  printf("%.1f %.1f\n", between - begun, now_us() - between);
  caller_close(one);
  caller_close(two);
}

/* Threads that begin together, and make calls until told to stop, but a few at least. */
#define CALLS_AT_LEAST 5
static pthread_barrier_t all_ready;
static atomic_int stopped;

static void *keep_calling(void *argument) {
  caller *it = argument;
  long count = 0;
  pthread_barrier_wait(&all_ready);
  for (; count < CALLS_AT_LEAST || !stopped; count++) caller_get(it);
  return (void *)count;
}

static double processor_us(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/* Lets `callers` call for so long, and prints what came of it, unless `quiet`. */
static void call_together(caller **callers, int count, long milliseconds, int quiet) {
  struct timespec length = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  pthread_t threads[MOST_THREADS];
  long made = 0;
  pthread_barrier_init(&all_ready, NULL, (unsigned)count + 1);
  for (int i = 0; i < count; i++)
    if (pthread_create(&threads[i], NULL, keep_calling, callers[i]) != 0) fail("no thread");
  pthread_barrier_wait(&all_ready);
  double begun = now_us(), used = processor_us();
  nanosleep(&length, NULL);
  stopped = 1;
  for (int i = 0; i < count; i++) {
    void *result;
    pthread_join(threads[i], &result);
    made += (long)result;
  }
  if (!quiet) printf("%.0f %.2f\n", (double)made * 1e6 / (now_us() - begun), (processor_us() - used) / (double)made);
}

static void threads(int count, int shared, long milliseconds) {
  caller *callers[MOST_THREADS];
  for (int i = 0; i < count; i++) {
    callers[i] = caller_open(url, i > 0 && shared ? callers[0] : NULL);
    caller_get(callers[i]);
  }
  call_together(callers, count, milliseconds, 0);
  for (int i = count; i-- > 0;) caller_close(callers[i]);
}

static int connections(void) {
  int found = 0;
  for (int descriptor = 0; descriptor < 1024; descriptor++) {
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    found += getpeername(descriptor, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET;
  }
  return found;
}

static long heap(void) {
  long (*live)(void);
  /* What POSIX has in place of a conversion that C does not know. */
  *(void **)&live = dlsym(RTLD_DEFAULT, "allocations_live");
  if (!live) fail("allocations.so is not loaded");
  return live();
}

static void idle(int count, int shared) {
  caller *callers[MOST_THREADS];
  callers[0] = caller_open(url, NULL);
  caller_get(callers[0]);
  long heap_of_one = heap();
  int connections_of_one = connections();
  for (int i = 1; i < count; i++) callers[i] = caller_open(url, shared ? callers[0] : NULL);
  call_together(callers, count, 0, 1);
  printf("%ld %d %ld %d\n", heap_of_one, connections_of_one, heap(), connections());
  for (int i = count; i-- > 0;) caller_close(callers[i]);
}

/* The argument `index`, or the end. */
static const char *argument(int count, char **arguments, int index) {
  if (index >= count) fail("an argument is missing: see benches/harness.c");
  return arguments[index];
}
#define ARGUMENT(index) argument(count, arguments, index)
#define THREADS(index) (atoi(ARGUMENT(index)) < MOST_THREADS ? atoi(ARGUMENT(index)) : MOST_THREADS)

int main(int count, char **arguments) {
  url = ARGUMENT(1);
  const char *mode = ARGUMENT(2);
  if (strcmp(mode, "calls") == 0) calls(call_of(ARGUMENT(3)), atol(ARGUMENT(4)));
  else if (strcmp(mode, "best") == 0) best(call_of(ARGUMENT(3)), atol(ARGUMENT(4)));
  else if (strcmp(mode, "first") == 0) first();
  else if (strcmp(mode, "threads") == 0) threads(THREADS(3), strcmp(ARGUMENT(4), "shared") == 0, atol(ARGUMENT(5)));
  else if (strcmp(mode, "idle") == 0) idle(THREADS(3), strcmp(ARGUMENT(4), "shared") == 0);
  else if (strcmp(mode, "version") == 0) puts(caller_version());
  else fail("no such mode: see benches/harness.c");
  return 0;
}
