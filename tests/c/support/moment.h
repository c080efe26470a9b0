/* Time, and waiting for what another thread does instead of sleeping. Compiles as C11 and as C++17.
 *
 * How tests bound time. That something lasts at least so long is checked of now_ms(), always. That it
 * lasts no longer is checked by CHECK_WITHIN: of several tries the median counts, without what the
 * thread has waited for a processor that others had, and only where programs run as fast as they are. Under
 * valgrind and sanitizers a call is given seconds (SLACK_MS, or time_for()), and what is checked is how
 * and in which order things end. */
#ifndef MOMENT_H
#define MOMENT_H

#include "check.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Now, in milliseconds of the clock that only goes forward. */
double now_ms(void);

/* A moment of a thread's: when it is, and how long the thread has by then waited for a processor in all,
 * which it would have run on (as far as the system tells). In milliseconds. */
typedef struct moment {
  double now, waited;
} moment;

/* Now, for the calling thread, or for another one of this process. */
moment moment_here(void);
moment moment_of(pid_t thread);
/* How long it is from one moment to another of the same thread, without what it waited between them. */
double between(moment begin, moment end);
/* The same until now, for the calling thread. */
double since(moment begin);

/* Whether programs are slow here: under valgrind, or instrumented (built with a -DSLACK_MS). */
int is_slowed(void);
/* The time to give to a call that is to use it up: this, or seconds where programs are slow. */
uint32_t time_for(uint32_t milliseconds);

/* The middle one of `count` figures, and the largest. Sorts them. */
double median(double *figures, size_t count);
double worst(const double *figures, size_t count);

/* Prints the median of figures in milliseconds, and the worst of them; what CHECK_WITHIN begins with. */
void tell_times(const char *what, double *took, size_t count);
/* Checks that the median is at most so many milliseconds, unless programs are slow here. */
#define CHECK_WITHIN(what, took, count, most) \
  (tell_times(what, took, count), (void)(is_slowed() || CHECK_ROW(what, median(took, count) <= (most))))

/* The calling thread's id, for wait_until_asleep(). */
pid_t thread_id(void);
/* Waits until a thread of this process sleeps in a system call, and stays asleep for a moment; ends
 * the test program if it does not within two minutes. */
void wait_until_asleep(pid_t thread);
/* Waits until `*value` is at least `least`; ends the test program after two minutes. */
void wait_until(const int *value, int least, const char *what);

/* How many descriptors this process has open: all of them, or sockets alone. */
size_t open_descriptors(void);
size_t open_sockets(void);
/* How many threads this process has. */
size_t threads_now(void);

#endif
