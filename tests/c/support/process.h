/* What the kernel tells of this process. Compiles as C11 and as C++17. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stddef.h>

/* How many entries of a directory, such as /proc/self/fd, link to what begins with `prefix`. */
size_t count_in(const char *directory, const char *prefix);

#endif
