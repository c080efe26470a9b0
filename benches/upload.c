/* The program around an uploader: uploads a small file, by which it gets its connection and buffers, and
 * then those to be measured. Prints the µs that these took, the µs of the processor's time in it, and
 * the process's peak memory in KiB. Usage: PROGRAM URL SMALL FILE... */
#include "uploader.h"

#include <sys/resource.h>
#include <time.h>

static double us_of(struct timeval time) { return (double)time.tv_sec * 1e6 + (double)time.tv_usec; }

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int count, char **arguments) {
  struct rusage before, after;
  if (count < 4) fail("usage: PROGRAM URL SMALL FILE...");
  uploader_open(arguments[1]);
  uploader_upload(arguments[2]);
  getrusage(RUSAGE_SELF, &before);
  double begun = now_us();
  for (int i = 3; i < count; i++) uploader_upload(arguments[i]);
  double took = now_us() - begun;
  getrusage(RUSAGE_SELF, &after);
  printf("%.0f %.0f %ld\n", took,
         us_of(after.ru_utime) + us_of(after.ru_stime) - us_of(before.ru_utime) - us_of(before.ru_stime),
         after.ru_maxrss);
  uploader_close();
  return 0;
}
