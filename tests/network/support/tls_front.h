/* TLS before peers on loopback that speak none, by a process of its own (tls_front.py), which does to its clients what
 * these do to it. */
#ifndef TLS_FRONT_H
#define TLS_FRONT_H

#include <stdint.h>

typedef struct tls_front tls_front;

/* Starts one; ends the test program if it cannot. */
tls_front *tls_front_start(void);
/* The PEM file by which its certificate is trusted. */
const char *tls_front_authority(const tls_front *it);
/* A port on loopback that leads to `port`, until it is closed. By any thread. */
uint16_t tls_front_open(tls_front *it, uint16_t port);
void tls_front_close(tls_front *it, uint16_t opened);
/* Ends it. */
void tls_front_stop(tls_front *it);

#endif
