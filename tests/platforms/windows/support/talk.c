/* As tests/network/support/talk.c, by native.py, which ends the program once it is told nothing more. */
#include "support/talk.h"

#include <posix.h>

talk talk_start(const char *command) {
  talk it = {native_start(command), 0};
  return it;
}

void talk_end(const talk *it) { shutdown(it->descriptor, SHUT_WR); }
