#include "search.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MASK 0x5A
#define LARGEST (1ul << 30) /* of a mapping: a sanitizer's shadow, of up to 16 TB, holds no data */

needle needle_of(const char *bytes, size_t length) {
  needle it;
  size_t i;
  if (length == 0 || length > sizeof it.masked) exit(2);
  for (i = 0; i < length; i++) it.masked[i] = (unsigned char)(bytes[i] ^ MASK);
  it.length = length;
  return it;
}

static int stands_at(const unsigned char *at, const needle *it) {
  size_t i;
  for (i = 0; i < it->length; i++)
    if ((at[i] ^ MASK) != it->masked[i]) return 0;
  return 1;
}

int copies_of(const needle *it) {
  static unsigned char page[1 << 16];
  FILE *maps = fopen("/proc/self/maps", "r");
  int memory = open("/proc/self/mem", O_RDONLY), found = 0;
  char line[512];
  if (!maps || memory < 0) exit(2);
  while (fgets(line, sizeof line, maps)) {
    unsigned long begin, end, at;
    char access[8];
    if (sscanf(line, "%lx-%lx %7s", &begin, &end, access) != 3 || access[0] != 'r') continue;
    if (end - begin > LARGEST) continue;
    /* Windows that overlap, so that none is missed at a border. */
    for (at = begin; at < end; at += sizeof page - it->length + 1) {
      size_t wanted = end - at < sizeof page ? end - at : sizeof page, i;
      ssize_t got = pread(memory, page, wanted, (off_t)at);
      for (i = 0; got > 0 && i + it->length <= (size_t)got; i++) {
        /* Not the copy that is being searched. */
        int is_own = at + i >= (unsigned long)page && at + i < (unsigned long)page + sizeof page;
        if (!is_own && stands_at(page + i, it)) found++;
      }
    }
  }
  memset(page, 0, sizeof page);
  fclose(maps);
  close(memory);
  return found;
}

void forget(char *text, size_t length) {
  memset(text, 0, length);
  __asm__ volatile("" : : "r"(text) : "memory");
}
