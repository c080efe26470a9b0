/* A library to be loaded before all others (LD_PRELOAD), which counts what a process takes from the
 * heap. On its end the process prints "allocations N". It stands on the names that the GNU C library
 * has for its own allocator. */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *old);

static atomic_long made, live;

/* The bytes that are on the heap now. */
long allocations_live(void);
long allocations_live(void) { return live; }

static void *count(void *block) {
  made++;
  live += (long)malloc_usable_size(block);
  return block;
}

void *malloc(size_t size) { return count(__libc_malloc(size)); }

void *calloc(size_t items, size_t size) { return count(__libc_calloc(items, size)); }

void *realloc(void *old, size_t size) {
  live -= (long)malloc_usable_size(old);
  return count(__libc_realloc(old, size));
}

void *memalign(size_t alignment, size_t size) { return count(__libc_memalign(alignment, size)); }

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size) {
  void *block = memalign(alignment, size);
  if (!block) return ENOMEM;
  *out = block;
  return 0;
}

void free(void *old) {
  live -= (long)malloc_usable_size(old);
  __libc_free(old);
}

__attribute__((destructor)) static void tell(void) { dprintf(STDERR_FILENO, "allocations %ld\n", made); }
