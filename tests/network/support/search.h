/* Looking for what should be wiped in all memory of this process. */
#ifndef SEARCH_H
#define SEARCH_H

#include <stddef.h>

/* What is looked for, kept masked, so that the search does not find it here. */
typedef struct needle {
  unsigned char masked[128];
  size_t length;
} needle;

/* A needle of `length` bytes, at most 128. */
needle needle_of(const char *bytes, size_t length);
/* How often it stands in the memory of this process. */
int copies_of(const needle *it);
/* Overwrites a text of the test's own, whatever an optimiser thinks of that. */
void forget(char *text, size_t length);

#endif
