/* A C library that fails where it practically never does: its functions are found here before those
 * of the system. What failed is told, or goes on, and the client works again once it is over. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

/* What goes wrong: once, on the thread that makes the calls; the peer has its own. */
static __thread int poll_fails, send_interrupted, send_takes_nothing;
/* Lookups are made on a thread of the library's. */
static volatile int names_have_no_address;

static int once(int *flag) {
  int is = *flag;
  *flag = 0;
  return is;
}

#define REAL(type, name) (__extension__(type) dlsym(RTLD_NEXT, name))
typedef int poll_fn(struct pollfd *, nfds_t, int);
typedef ssize_t send_fn(int, const void *, size_t, int);
typedef int lookup_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

#ifdef __cplusplus
extern "C" {
#endif
int poll(struct pollfd *entries, nfds_t count, int timeout) {
  if (once(&poll_fails)) return errno = ENOMEM, -1;
  return REAL(poll_fn *, "poll")(entries, count, timeout);
}

ssize_t send(int to, const void *bytes, size_t length, int flags) {
  if (once(&send_interrupted)) return errno = EINTR, -1;
  if (once(&send_takes_nothing)) return 0;
  return REAL(send_fn *, "send")(to, bytes, length, flags);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  *found = NULL;
  if (names_have_no_address) return 0;
  return REAL(lookup_fn *, "getaddrinfo")(name, service, hints, found);
}
#ifdef __cplusplus
}
#endif

/* The status of a get, whose message holds `words`; NULL if it is to have none. */
static av_status get(const av_client *client, const char *words) {
  call made = call_make(client, GET, NULL);
  av_status status = made.status;
  const char *message = made.error ? av_error_message(made.error) : NULL;
  if (!CHECK_ROW(words, words ? message && strstr(message, words) : !message)) puts(message ? message : "no error");
  call_free(&made);
  return status;
}

int main(void) {
  peer *p = peer_start();
  char by_name[64];
  av_client *client, *named;
  client = client_trying_once(peer_url(p));

  poll_fails = 1;
  CHECK(get(client, "Cannot allocate memory") == AV_STATUS_CONNECT);
  send_takes_nothing = 1;
  CHECK(get(client, "write zero") == AV_STATUS_TRANSPORT);
  answer_well(p, GET);
  send_interrupted = 1;
  CHECK(get(client, NULL) == AV_STATUS_OK && !send_interrupted);

  snprintf(by_name, sizeof by_name, "http://localhost%s", strrchr(peer_url(p), ':'));
  named = client_trying_once(by_name);
  names_have_no_address = 1;
  CHECK(get(named, "localhost has no address") == AV_STATUS_CONNECT);
  names_have_no_address = 0;

  av_client_free(named);
  av_client_free(client);
  peer_stop(p);
  return checks_report();
}
