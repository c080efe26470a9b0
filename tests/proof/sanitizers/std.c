/* What Rust's standard library does to keep threads apart, told to ThreadSanitizer, which cannot see it:
 * the library comes compiled, without instrumentation. Only its slow ways matter, since the quick ones
 * are compiled anew into the crate that uses them. The linker puts each __wrap_ function here in the
 * place of the one it is named after (--wrap), so that nothing need be suppressed: whatever is changed
 * outside a lock is still reported.
 *
 * The Makefile gives the names of the functions in this Rust, which are mangled: LOCK_CONTENDED etc. */
#include <sanitizer/tsan_interface.h>
#include <sanitizer/tsan_interface_atomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAMED(prefix, name) NAMED_NOW(prefix, name)
#define NAMED_NOW(prefix, name) prefix##name
#define REAL(name) NAMED(__real_, name)
#define WRAP(name) NAMED(__wrap_, name)

/* A lock that had to be waited for: taking it acquires what was released by who held it. Its first
 * member is the atomic that the quick ways use, hence the same address. */
void REAL(LOCK_CONTENDED)(void *lock);
void WRAP(LOCK_CONTENDED)(void *lock) {
  REAL(LOCK_CONTENDED)(lock);
  __tsan_acquire(lock);
}

void REAL(READ_CONTENDED)(void *lock);
void WRAP(READ_CONTENDED)(void *lock) {
  REAL(READ_CONTENDED)(lock);
  __tsan_acquire(lock);
}

void REAL(WRITE_CONTENDED)(void *lock);
void WRAP(WRITE_CONTENDED)(void *lock) {
  REAL(WRITE_CONTENDED)(lock);
  __tsan_acquire(lock);
}

/* Waiting for a condition gives up the lock and takes it again. */
void REAL(CONDVAR_WAIT)(void *condition, void *lock);
void WRAP(CONDVAR_WAIT)(void *condition, void *lock) {
  __tsan_release(lock);
  REAL(CONDVAR_WAIT)(condition, lock);
  __tsan_acquire(lock);
}

/* The duration as Rust passes it: seconds and nanoseconds. */
bool REAL(CONDVAR_WAIT_TIMEOUT)(void *condition, void *lock, uint64_t seconds, uint32_t nanoseconds);
bool WRAP(CONDVAR_WAIT_TIMEOUT)(void *condition, void *lock, uint64_t seconds, uint32_t nanoseconds) {
  bool in_time;
  __tsan_release(lock);
  in_time = REAL(CONDVAR_WAIT_TIMEOUT)(condition, lock, seconds, nanoseconds);
  __tsan_acquire(lock);
  return in_time;
}

/* What is done once, such as filling a LazyLock, is a closure as Rust passes it: its data, and a table
 * of its functions. What it writes is released as it ends, before others are told that it has; its
 * first member, again, is what the quick way looks at. */
typedef struct closure_functions {
  void (*drop)(void *);
  size_t size, align;
  void (*call_once)(void *, void *), (*call)(void *, void *);
} closure_functions;

typedef struct done_once {
  void *once, *closure;
  const closure_functions *functions;
} done_once;

static void do_once(void *argument, void *state) {
  done_once *it = argument;
  it->functions->call(it->closure, state);
  __tsan_release(it->once);
}

void REAL(ONCE_CALL)(void *once, bool after_panic, void *closure, const closure_functions *functions, const void *caller);
void WRAP(ONCE_CALL)(void *once, bool after_panic, void *closure, const closure_functions *functions, const void *caller) {
  static const closure_functions told = {NULL, sizeof(done_once), _Alignof(done_once), do_once, do_once};
  done_once it = {once, closure, functions};
  REAL(ONCE_CALL)(once, after_panic, &it, &told, caller);
  __tsan_acquire(once);
}

/* Arc counts down with release, and whoever reaches zero passes an acquire fence, which
 * ThreadSanitizer does not know. To count down with both comes to the same for Arc. */
__tsan_atomic64 __real___tsan_atomic64_fetch_sub(volatile __tsan_atomic64 *, __tsan_atomic64, __tsan_memory_order);
__tsan_atomic64 __wrap___tsan_atomic64_fetch_sub(volatile __tsan_atomic64 *count, __tsan_atomic64 by, __tsan_memory_order order) {
  return __real___tsan_atomic64_fetch_sub(count, by, order == __tsan_memory_order_release ? __tsan_memory_order_acq_rel : order);
}
