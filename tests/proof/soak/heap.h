/* How much memory this process has asked for and not given back, counted where it is asked for: a
 * program that is linked with this has its own malloc, which the library's allocations come to as
 * well. And how much of the machine's memory the process takes, as the kernel tells. */
#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>

/* Live bytes and blocks of the whole process. */
size_t heap_bytes(void);
size_t heap_blocks(void);
/* The most live bytes there have been since heap_forget_peak(). */
size_t heap_peak(void);
void heap_forget_peak(void);

/* Resident memory, and the most that it has been since resident_forget_peak(), in bytes. */
size_t resident_bytes(void);
size_t resident_peak(void);
void resident_forget_peak(void);

#endif
