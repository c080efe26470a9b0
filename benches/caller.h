/* What is measured, behind one interface: each client of the service is written as its users would
 * write it (apivideo.c, curl.c, raw.c, ureq/), and harness.c makes a program of each. A caller is for
 * one thread at a time; whatever goes wrong ends the program. */
#ifndef CALLER_H
#define CALLER_H

#include <stdio.h>
#include <stdlib.h>

/* The token asked for, and how many tokens a list has to have. */
#define TOKEN "to1tcmSFHeYY5KzyhO000000"
#define TOKEN_LENGTH 24
#define PAGE_SIZE 100

typedef struct caller caller;

/* A caller of the service at `url`, which trusts the certificates in the file that the environment's
 * SSL_CERT_FILE names. It has a client of its own, or uses that of `sharing`, if that is not NULL and
 * such clients can be used by several threads. */
caller *caller_open(const char *url, caller *sharing);
/* Gets one token, to a finished structure, and frees it. */
void caller_get(caller *it);
/* Lists PAGE_SIZE tokens, to finished structures, and frees them. */
void caller_list(caller *it);
/* Frees the caller, and its client if that is its own. */
void caller_close(caller *it);
/* What it is, with version. */
const char *caller_version(void);

/* Ends the program. */
static inline void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

#endif
