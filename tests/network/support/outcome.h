/* What became of a call, in one value; and a memory of every message and trace line, to be searched
 * for secrets. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "support/client.h"

typedef struct outcome {
  av_status status;
  int32_t outcome, is_retryable;
  uint32_t attempts;
  double ms;         /* how long the call took, */
  double own_ms;     /* and without what it waited for a processor: see moment.h */
  char message[600]; /* of the error, or "" */
  char token[128];   /* of a success, or "" */
} outcome;

/* Makes a client, and tells of that; `*client` is NULL if there is none. */
outcome try_client(const av_client_config *config, av_client **client);
/* Make a call, and tell of it. What is got is whatever token the answer tells: these services tell by it
 * who they are. */
outcome try_get(const av_client *client, const av_request_options *options);
outcome try_create(const av_client *client, const av_request_options *options);
/* Both for a client that is made for one get alone: what av_client_new tells if it fails. */
outcome try_once(const av_client_config *config);
/* One line on standard output. */
void print_outcome(const char *what, const outcome *told);
/* Whether the message contains `text`. */
int says(const outcome *told, const char *text);
/* Whether the message shows nothing of how Rust writes values for programmers. */
int is_in_words(const outcome *told);
/* Whether nothing was sent, it may be tried again or not, and so it was tried that many times. */
int is_failure(const outcome *told, av_status status, int is_retryable, uint32_t attempts);

/* A configuration as config_for() makes it, with a trace at its most talkative level, which is
 * remembered like all messages. */
av_client_config remembered_config(const char *url);
/* Whether `secret` stands in anything that was ever told, and how much that was. */
int was_told(const char *secret);
size_t told_bytes(void);

#endif
