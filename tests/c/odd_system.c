/* A C library that fails where it practically never does: its functions are found here before those
 * of the system. What failed is told, or goes on, and the client works again once it is over. */
#include "support/call.h"
#include "support/check.h"
#include "support/client.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What goes wrong: once, on the thread that makes the calls; the peer has its own. */
static __thread int poll_fails, send_interrupted, send_takes_nothing;
/* As where a filter of system calls forbids it, or the system knows no such request: each time. */
static __thread int ioctls_refused;
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
/* POSIX has an int for the request, and musl keeps to it. */
#ifdef __GLIBC__
typedef unsigned long ioctl_request;
#else
typedef int ioctl_request;
#endif
typedef int ioctl_fn(int, ioctl_request, void *);
typedef int lookup_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef void freed_fn(struct addrinfo *);

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

int ioctl(int of, ioctl_request request, ...) {
  va_list rest;
  void *argument;
  if (ioctls_refused) return ioctls_refused++, errno = ENOTTY, -1;
  va_start(rest, request);
  argument = va_arg(rest, void *);
  va_end(rest);
  return REAL(ioctl_fn *, "ioctl")(of, request, argument);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  *found = NULL;
  if (names_have_no_address) return 0;
  return REAL(lookup_fn *, "getaddrinfo")(name, service, hints, found);
}

/* musl's wants addresses, as its lookups never find none. */
void freeaddrinfo(struct addrinfo *found) {
  if (found) REAL(freed_fn *, "freeaddrinfo")(found);
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

/* Where nobody tells what has arrived, what the system has taken has to do: an upload that gets on is none
 * that stands still. */
static void upload_slower_than_a_standstill(const av_client *client, peer *p) {
  char path[] = "/tmp/apivideo-odd-XXXXXX";
  int file = mkstemp(path);
  av_upload_params params;
  av_uploaded_video *video = NULL;
  av_error *error = NULL;
  CHECK(file >= 0 && ftruncate(file, 200000) == 0 && close(file) == 0);
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.token = "to1";
  params.max_bytes_per_second = 100000;
  params.stall_timeout_ms = 1000;
  peer_answer_json(p, "201 Created", "{\"videoId\":\"vi1\",\"title\":\"T\"}");
  ioctls_refused = 1;
  if (!CHECK(av_upload_file(client, path, &params, NULL, &video, &error) == AV_STATUS_OK)) puts(av_error_message(error));
  CHECK(ioctls_refused > 1);
  ioctls_refused = 0;
  av_uploaded_video_free(video);
  av_error_free(error);
  unlink(path);
}

int main(void) {
  peer *p = peer_start();
  char by_name[64];
  av_client *client, *named;
  client = client_trying_once(peer_url(p));

  poll_fails = 1;
  CHECK(get(client, strerror(ENOMEM)) == AV_STATUS_CONNECT);
  send_takes_nothing = 1;
  CHECK(get(client, "write zero") == AV_STATUS_TRANSPORT);
  answer_well(p, GET);
  send_interrupted = 1;
  CHECK(get(client, NULL) == AV_STATUS_OK && !send_interrupted);

  upload_slower_than_a_standstill(client, p);

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
