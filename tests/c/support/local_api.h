/* The stand-in service (examples/local_api) as a process of its own: the binary that the environment
 * variable LOCAL_API names. Compiles as C11 and as C++17. */
#ifndef LOCAL_API_H
#define LOCAL_API_H

typedef struct local_api local_api;

/* Starts it on a free port, with `arguments` (up to a NULL) besides, and waits until it is ready;
 * ends the test program if it cannot. It never outlives the test program. */
local_api *local_api_start(const char *const *arguments);
/* Its base URL, such as "http://127.0.0.1:34567". */
const char *local_api_url(const local_api *service);
/* Ends it and waits until it has gone. */
void local_api_stop(local_api *service);

#endif
