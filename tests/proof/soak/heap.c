/* The program's malloc: glibc's own, with a count kept of what it gives and gets back. */
#include "heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What glibc calls its own functions, so that they can be put another in front of. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static size_t bytes, blocks, peak;

static void *gained(void *block) {
  size_t now, known;
  if (!block) return NULL;
  __atomic_add_fetch(&blocks, 1, __ATOMIC_RELAXED);
  now = __atomic_add_fetch(&bytes, malloc_usable_size(block), __ATOMIC_RELAXED);
  known = __atomic_load_n(&peak, __ATOMIC_RELAXED);
  while (now > known && !__atomic_compare_exchange_n(&peak, &known, now, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
  return block;
}

static void losing(void *block) {
  if (!block) return;
  __atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
  __atomic_sub_fetch(&bytes, malloc_usable_size(block), __ATOMIC_RELAXED);
}

void *malloc(size_t size) { return gained(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return gained(__libc_calloc(count, size)); }

void *realloc(void *block, size_t size) {
  size_t before = block ? malloc_usable_size(block) : 0;
  void *moved = __libc_realloc(block, size);
  if (!moved && size > 0) return NULL;
  if (block) {
    __atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
    __atomic_sub_fetch(&bytes, before, __ATOMIC_RELAXED);
  }
  return gained(moved);
}

void free(void *block) {
  losing(block);
  __libc_free(block);
}

void *memalign(size_t alignment, size_t size) { return gained(__libc_memalign(alignment, size)); }

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block ? 0 : ENOMEM;
}

size_t heap_bytes(void) { return __atomic_load_n(&bytes, __ATOMIC_RELAXED); }
size_t heap_blocks(void) { return __atomic_load_n(&blocks, __ATOMIC_RELAXED); }
size_t heap_peak(void) { return __atomic_load_n(&peak, __ATOMIC_RELAXED); }
void heap_forget_peak(void) { __atomic_store_n(&peak, heap_bytes(), __ATOMIC_RELAXED); }

/* A figure of /proc/self/status, in bytes; ends the program if there is none. */
static size_t told_by_kernel(const char *name) {
  char line[256];
  size_t kib = 0;
  FILE *status = fopen("/proc/self/status", "re");
  while (status && fgets(line, sizeof line, status))
    if (strncmp(line, name, strlen(name)) == 0) kib = strtoul(line + strlen(name), NULL, 10);
  if (status) fclose(status);
  if (kib == 0) {
    fprintf(stderr, "/proc/self/status does not tell %s\n", name);
    exit(2);
  }
  return kib * 1024;
}

size_t resident_bytes(void) { return told_by_kernel("VmRSS:"); }
size_t resident_peak(void) { return told_by_kernel("VmHWM:"); }

void resident_forget_peak(void) {
  FILE *clear = fopen("/proc/self/clear_refs", "we");
  if (!clear || fputs("5", clear) < 0 || fclose(clear) != 0) {
    perror("/proc/self/clear_refs");
    exit(2);
  }
}
