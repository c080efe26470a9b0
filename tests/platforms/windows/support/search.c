/* As tests/network/support/search.c, of the memory that VirtualQuery() tells. */
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "support/search.h"

#define MASK 0x5A

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
  const unsigned char *from = NULL;
  MEMORY_BASIC_INFORMATION of, of_threads;
  int found = 0;
  /* Among what the system knows of threads, Wine keeps texts that it would trace: what the tests' servers pass to
   * strtoul(), above all. */
  VirtualQuery(NtCurrentTeb(), &of_threads, sizeof of_threads);
  for (; VirtualQuery(from, &of, sizeof of) == sizeof of; from = (const unsigned char *)of.BaseAddress + of.RegionSize) {
    size_t at, i;
    SIZE_T got;
    if (of.State != MEM_COMMIT || of.Protect & (PAGE_NOACCESS | PAGE_GUARD)) continue;
    if (of.AllocationBase == of_threads.AllocationBase) continue;
    /* Windows that overlap, so that none is missed at a border. */
    for (at = 0; at < of.RegionSize; at += sizeof page - it->length + 1) {
      const unsigned char *begin = (const unsigned char *)of.BaseAddress + at;
      const size_t left = of.RegionSize - at;
      if (!ReadProcessMemory(GetCurrentProcess(), begin, page, left < sizeof page ? left : sizeof page, &got)) continue;
      for (i = 0; i + it->length <= got; i++)
        /* Not the copy that is being searched. */
        if (!(begin + i >= page && begin + i < page + sizeof page) && stands_at(page + i, it)) found++;
    }
  }
  memset(page, 0, sizeof page);
  return found;
}

void forget(char *text, size_t length) {
  memset(text, 0, length);
  __asm__ volatile("" : : "r"(text) : "memory");
}
