/* What the kernel tells of this process. Compiles as C11 and as C++17. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/* How many entries of a directory, such as /proc/self/fd, link to what begins with `prefix`. */
size_t count_in(const char *directory, const char *prefix);
/* Reads what it tells of a thread in a file such as "stat"; "" if it tells nothing. */
const char *told_of(pid_t thread, const char *what, char *text, size_t size);
/* How many threads of this process have a name that begins so; and how many of them would handle a signal. */
size_t threads_named(const char *name, size_t *with_signals);

#endif
