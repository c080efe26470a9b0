/* What the stand-in service has really done: its GET /local-api/ledger. */
#ifndef LEDGER_H
#define LEDGER_H

#include <stddef.h>

typedef struct ledger {
  size_t requests, connections, rate_limited, created, deleted;
  size_t creates_lost, deletes_lost, others_lost; /* answers kept back, by what was done */
  size_t token_count;
  char *text; /* the whole answer, to look for tokens in */
} ledger;

/* Asks the service at `url`, which is plain http; ends the test program if it does not answer. */
ledger ledger_of(const char *url);
/* The text of the same, of one at `url` that speaks TLS with a certificate of `authority`'s; until it is asked again. */
const char *ledger_over_tls(const char *url, const char *authority);
/* Whether the service has the token. */
int ledger_has(const ledger *of, const char *token);
void ledger_free(ledger *of);

#endif
