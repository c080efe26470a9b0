/* Runs a program and prints, as the last line, the µs that it took from its start to its end, and its
 * peak memory in KiB. Linked statically, and small: until a child begins its program, the memory of
 * whoever starts it counts as its own. Usage: process PROGRAM ARGUMENT... */
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int count, char **arguments) {
  struct rusage used;
  pid_t child;
  int status;
  if (count < 2) return 2;
  double begun = now_us();
  if (posix_spawn(&child, arguments[1], NULL, NULL, arguments + 1, environ) != 0) return 1;
  if (wait4(child, &status, 0, &used) != child) return 1;
  printf("%.1f %ld\n", now_us() - begun, used.ru_maxrss);
  return status == 0 ? 0 : 1;
}
