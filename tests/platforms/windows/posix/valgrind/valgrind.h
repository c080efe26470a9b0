/* Wine is no valgrind, but as slow at times: no bound of time is checked. */
#define RUNNING_ON_VALGRIND 1
