/* A program of this system that is talked with: what is written into the descriptor it reads, and what it prints is
 * read from there. */
#ifndef TALK_H
#define TALK_H

#include <sys/types.h>

typedef struct talk {
  int descriptor;
  pid_t process;
} talk;

/* Starts a shell command; ends the test program if it cannot. */
talk talk_start(const char *command);
/* Ends what was started: then there is nothing more to be read but what it has printed. The descriptor is left to
 * close, as another thread may read from it. */
void talk_end(const talk *it);

#endif
