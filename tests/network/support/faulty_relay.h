/* A relay on loopback between a client that uploads and the stand-in service, which does wrong at a byte of a
 * request what its script says, once for each line of that. It reads what it passes on: plain HTTP alone. */
#ifndef FAULTY_RELAY_H
#define FAULTY_RELAY_H

#include "support/server.h"

/* Where in a request: a byte of it, or that it is all passed on and its answer has come back, which is when
 * the service has stored what it stores. */
typedef enum place { IN_HEAD, IN_FRAMING, FIRST_BYTE, MIDDLE_BYTE, LAST_BYTE, BEFORE_END, AT_ANSWER, PLACES } place;

typedef enum fault {
  NO_FAULT,
  RESET,          /* the connection is reset */
  FIN,            /* it is ended, and what still comes is read */
  HOLD,           /* nothing more is read or said, and it stays open */
  BYTE_A_SECOND,  /* read and passed on */
  UNASKED_100,    /* 100 and 103, and then all goes its way */
  SAYS_401,       /* answers of this relay's own. In place of the service's, */
  SAYS_413,
  SAYS_429,
  SAYS_502,
  SAYS_302,
  CLOSES_401,     /* and with a close */
  CLOSES_413,
  CLOSES_429,
  CLOSES_502,
  LATE,           /* the service's answer, but later */
  CUT,            /* half of the service's answer */
  NO_HTTP,        /* no answer at all, but bytes */
  NO_JSON,        /* 201 with half a document */
  NO_VIDEO,       /* 201 that tells no video */
  OTHER_VIDEO,    /* 201 that tells another one */
  FAULTS
} fault;

const char *place_name(place at);
const char *fault_name(fault what);
/* Whether the fault can happen there. What refuses has stored nothing, and tells so before the answer. */
int fault_is_possible(fault what, place at);

#define MOST_FAULTS 8

typedef struct script {
  uint16_t service;       /* the port of the service */
  place at[MOST_FAULTS];  /* of the first, second, … request that is an upload; those beyond go their way */
  fault what[MOST_FAULTS];
  int requests, played;   /* how many have come as far as their line says, and how many faults were done */
} script;

/* A serve function of server_start(), with a script. */
void relay_with_faults(server *s, int connection, void *script);

#endif
