/* Time, and waiting for what another thread does instead of sleeping. */
#ifndef MOMENT_H
#define MOMENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Now, in milliseconds of the clock that only goes forward. */
double now_ms(void);
/* The middle one of `count` figures, and the largest. Sorts them. */
double median(double *figures, size_t count);
double worst(const double *figures, size_t count);

/* The calling thread's id, for wait_until_asleep(). */
pid_t thread_id(void);
/* Waits until a thread of this process sleeps in a system call, and stays asleep for a moment; ends
 * the test program if it does not within 20 s. */
void wait_until_asleep(pid_t thread);
/* Waits until `*value` is at least `least`; ends the test program after 20 s. */
void wait_until(const int *value, int least, const char *what);

/* How many descriptors this process has open: all of them, or sockets alone. */
size_t open_descriptors(void);
size_t open_sockets(void);
/* How many threads this process has. */
size_t threads_now(void);

#endif
