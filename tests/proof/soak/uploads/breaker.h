/* A way to a service that breaks: a relay on loopback, in a process of its own, that breaks most connections off, by
 * reset or close, at any byte of what goes either way, after a silence or without one. */
#ifndef BREAKER_H
#define BREAKER_H

#include <stddef.h>
#include <stdint.h>

typedef struct breaker breaker;

/* Starts one; ends the program if it cannot. */
breaker *breaker_start(unsigned long seed);
const char *breaker_url(const breaker *b);
/* From now on it leads to the service on this port. */
void breaker_lead_to(breaker *b, uint16_t port);
/* Waits until none of its connections is left. True if nobody makes any meanwhile. */
void breaker_wait_until_quiet(const breaker *b);
/* How many connections it has had, and how many it has broken off. */
size_t breaker_connections(const breaker *b);
size_t breaker_broken(const breaker *b);
void breaker_stop(breaker *b);

#endif
