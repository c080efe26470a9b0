/* A test that puts a function before that of a library finds the other one. */
#include <posix.h>
#define RTLD_NEXT NULL
#ifdef __cplusplus
extern "C"
#endif
void *dlsym(void *next, const char *name);
