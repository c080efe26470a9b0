/* Clients whose whole trace is watched for secrets, and the messages of errors likewise: each test
 * makes its clients from watched_config() and passes its messages through watched(). */
#ifndef WATCH_H
#define WATCH_H

#include "support/client.h"

/* As config_for(), with a trace that is watched at its most talkative level. */
av_client_config watched_config(const char *url);
/* A client of that. */
av_client *watched_client(const char *url);
/* An error's message, watched. */
const char *watched(const av_error *error);
/* How many lines and messages were watched, and how many of them gave away a secret. */
size_t watched_lines(void);
size_t secrets_seen(void);
/* Whether a line gives a secret away: the clients' key in plain or encoded, or anything as long as a
 * token. */
int gives_away(const char *line);

#endif
