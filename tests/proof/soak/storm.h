/* A bad way to a service: a relay on loopback, in a process of its own, that resets and closes
 * connections before, in the middle of and after answers, holds answers back and lets them drip. What
 * it plays it counts. */
#ifndef STORM_H
#define STORM_H

#include <stddef.h>

typedef enum fault {
  CALM,         /* passed on as it is */
  REFUSE,       /* reset as soon as it is accepted */
  RESET_BEFORE, /* reset instead of passing the request on: it is not done */
  CLOSE_BEFORE, /* the same, closed */
  RESET_AFTER,  /* reset instead of passing the answer on: it is done */
  CLOSE_AFTER,
  CUT_HEAD, /* reset or closed within the answer's head */
  CUT_BODY, /* and within its body */
  STALE,    /* answered, then reset or closed without a word */
  SLOW,     /* answered some time later, up to 100 ms */
  HANG,     /* answered 1.5 s later, unless the client has gone */
  DRIP,     /* answered in eight pieces */
  FAULTS
} fault;

typedef struct storm storm;

/* Starts one before the plain http service at `url`; ends the program if it cannot. */
storm *storm_start(const char *url, unsigned long seed);
const char *storm_url(const storm *s);
/* Waits until it has nothing to do any more: no connection waits to be accepted, none has sent what is
 * not read yet, no request is being served. True if nobody makes requests meanwhile. */
void storm_wait_until_quiet(storm *s);
/* How often it has played a fault. */
size_t storm_played(const storm *s, fault kind);
const char *fault_name(fault kind);
void storm_stop(storm *s);

#endif
