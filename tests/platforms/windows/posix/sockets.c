/* Sockets as descriptors: a number of this table, above those that files have. */
#include <winsock2.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>

#include "posix.h"

enum { FIRST = 0x10000, MOST = 8192, LOOK_EVERY_MS = 20 };
enum { EVENT_IN = 0x001, EVENT_OUT = 0x004, EVENT_ERR = 0x008, EVENT_HUP = 0x010, EVENT_RDHUP = 0x2000 };

/* A place is free if its `socket` is 0, which is none. */
static struct {
  SOCKET socket;
  int is_shut;
} table[MOST];

__attribute__((constructor)) static void start(void) {
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
}

static int is_socket(int fd) { return fd >= FIRST && fd < FIRST + MOST; }

static SOCKET socket_of(int fd) { return is_socket(fd) ? table[fd - FIRST].socket : INVALID_SOCKET; }

static int descriptor_of(SOCKET socket) {
  const DWORD look_every = LOOK_EVERY_MS;
  int i;
  if (socket == INVALID_SOCKET) return -1;
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, (const char *)&look_every, sizeof look_every);
  for (i = 0; i < MOST; i++)
    if (InterlockedCompareExchange64((LONG64 *)&table[i].socket, (LONG64)socket, 0) == 0) {
      table[i].is_shut = 0;
      return FIRST + i;
    }
  closesocket(socket);
  errno = EMFILE;
  return -1;
}

/* With the reason, of those that tests ask for. */
static int result(int value) {
  if (value >= 0) return value;
  switch (WSAGetLastError()) {
    case WSAEWOULDBLOCK: errno = EAGAIN; break;
    case WSAECONNRESET: errno = ECONNRESET; break;
    case WSAECONNABORTED: errno = ECONNABORTED; break;
    case WSAEADDRINUSE: errno = EADDRINUSE; break;
    case WSAENOTSOCK: errno = EBADF; break;
    default: errno = EIO; break;
  }
  return -1;
}

int posix_socket(int family, int type, int protocol) {
  SOCKET made = socket(family, type & ~SOCK_NONBLOCK, protocol);
  u_long yes = 1;
  if (made != INVALID_SOCKET && type & SOCK_NONBLOCK) ioctlsocket(made, FIONBIO, &yes);
  return descriptor_of(made);
}

int posix_bind(int fd, const struct sockaddr *address, socklen_t size) {
  return result(bind(socket_of(fd), address, size));
}

int posix_listen(int fd, int backlog) { return result(listen(socket_of(fd), backlog)); }

/* Shutting it down wakes nobody here, as it does on Linux: who waits looks for that now and then. */
static int is_shut(int fd) { return is_socket(fd) && table[fd - FIRST].is_shut; }

int posix_accept(int fd, struct sockaddr *address, socklen_t *size) {
  WSAPOLLFD it = {socket_of(fd), POLLRDNORM, 0};
  while (WSAPoll(&it, 1, LOOK_EVERY_MS) == 0)
    if (is_shut(fd)) {
      errno = EINVAL;
      return -1;
    }
  return descriptor_of(accept(socket_of(fd), address, size));
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) {
  (void)flags;
  return posix_accept(fd, address, size);
}

int posix_connect(int fd, const struct sockaddr *address, socklen_t size) {
  return result(connect(socket_of(fd), address, size));
}

int posix_getsockname(int fd, struct sockaddr *address, socklen_t *size) {
  return result(getsockname(socket_of(fd), address, size));
}

int posix_getsockopt(int fd, int level, int name, void *value, socklen_t *size) {
  return result(getsockopt(socket_of(fd), level, name, (char *)value, size));
}

int posix_setsockopt(int fd, int level, int name, const void *value, socklen_t size) {
  /* Of this name Windows has what lets another one take the port. */
  if (level == SOL_SOCKET && name == SO_REUSEADDR) return 0;
  return result(setsockopt(socket_of(fd), level, name, (const char *)value, size));
}

int posix_shutdown(int fd, int how) {
  BOOL listens = 0;
  int size = sizeof listens;
  const SOCKET it = socket_of(fd);
  if (is_socket(fd) && how != SD_SEND) table[fd - FIRST].is_shut = 1;
  if (getsockopt(it, SOL_SOCKET, SO_ACCEPTCONN, (char *)&listens, &size) == 0 && listens) return 0;
  return result(shutdown(it, how));
}

static int at_most(size_t length) { return length > INT_MAX ? INT_MAX : (int)length; }

ssize_t posix_recv(int fd, void *bytes, size_t length, int flags) {
  int got;
  do got = recv(socket_of(fd), (char *)bytes, at_most(length), flags);
  while (got < 0 && WSAGetLastError() == WSAETIMEDOUT && !is_shut(fd));
  return is_shut(fd) && got < 0 ? 0 : result(got);
}

ssize_t posix_send(int fd, const void *bytes, size_t length, int flags) {
  return result(send(socket_of(fd), (const char *)bytes, at_most(length), flags));
}

int posix_inet_pton(int family, const char *text, void *address) { return inet_pton(family, text, address); }

const char *posix_inet_ntop(int family, const void *address, char *text, socklen_t size) {
  return inet_ntop(family, address, text, (size_t)size);
}

/* Whether the other end is no longer connected, though not all may be read that it has sent: the system's
 * table of connections tells. */
static int has_gone_behind(SOCKET socket) {
  struct sockaddr_in here, there;
  int size = sizeof here, gone = 1;
  DWORD bytes = 0, i;
  MIB_TCPTABLE *all = NULL;
  if (getsockname(socket, (struct sockaddr *)&here, &size) != 0 || here.sin_family != AF_INET) return 0;
  size = sizeof there;
  if (getpeername(socket, (struct sockaddr *)&there, &size) != 0) return 1;
  while (GetTcpTable(all, &bytes, FALSE) == ERROR_INSUFFICIENT_BUFFER) all = (MIB_TCPTABLE *)realloc(all, bytes += 4096);
  for (i = 0; all && i < all->dwNumEntries; i++) {
    const MIB_TCPROW *row = &all->table[i];
    if (row->dwLocalPort == here.sin_port && row->dwRemotePort == there.sin_port && row->dwLocalAddr == here.sin_addr.s_addr)
      gone = row->dwState != MIB_TCP_STATE_ESTAB;
  }
  free(all);
  return gone;
}

static int has_gone(SOCKET socket) {
  WSAPOLLFD it = {socket, POLLRDNORM, 0};
  char byte;
  int got;
  if (WSAPoll(&it, 1, 0) <= 0) return 0;
  if (!(it.revents & POLLRDNORM)) return 1;
  got = recv(socket, &byte, 1, MSG_PEEK);
  return got <= 0 || has_gone_behind(socket);
}

/* POLLRDHUP, which Windows lacks, is looked for now and then. */
int posix_poll(struct posix_pollfd *fds, nfds_t count, int milliseconds) {
  WSAPOLLFD all[8];
  const ULONGLONG begun = GetTickCount64();
  nfds_t i;
  int looks = 0, ready = 0;
  if (count > sizeof all / sizeof all[0]) {
    errno = EINVAL;
    return -1;
  }
  for (i = 0; i < count; i++) {
    all[i].fd = socket_of(fds[i].fd);
    all[i].events = (SHORT)((fds[i].events & EVENT_IN ? POLLRDNORM : 0) | (fds[i].events & EVENT_OUT ? POLLWRNORM : 0));
    looks |= fds[i].events & EVENT_RDHUP;
  }
  for (;;) {
    const ULONGLONG passed = GetTickCount64() - begun;
    const int left = milliseconds < 0 ? -1 : passed < (ULONGLONG)milliseconds ? (int)((ULONGLONG)milliseconds - passed) : 0;
    if (WSAPoll(all, count, looks && (left < 0 || left > LOOK_EVERY_MS) ? LOOK_EVERY_MS : left) < 0) return result(-1);
    for (i = 0; i < count; i++) {
      const SHORT is = all[i].revents;
      fds[i].revents = (short)((is & POLLRDNORM ? EVENT_IN : 0) | (is & POLLWRNORM ? EVENT_OUT : 0) |
                               (is & POLLHUP ? EVENT_HUP : 0) | (is & (POLLERR | POLLNVAL) ? EVENT_ERR : 0));
      if (fds[i].events & EVENT_RDHUP && has_gone(all[i].fd)) fds[i].revents |= EVENT_RDHUP;
      ready += fds[i].revents != 0;
    }
    if (ready > 0 || left == 0) return ready;
  }
}

/* What is written comes out at the other end: no end tells when the other one is closed. */
int pipe(int ends[2]) {
  struct sockaddr_in address;
  int size = sizeof address;
  SOCKET reader = socket(AF_INET, SOCK_DGRAM, 0), writer = socket(AF_INET, SOCK_DGRAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(reader, (struct sockaddr *)&address, size) != 0 || getsockname(reader, (struct sockaddr *)&address, &size) != 0 ||
      connect(writer, (struct sockaddr *)&address, size) != 0)
    return result(-1);
  ends[0] = descriptor_of(reader);
  ends[1] = descriptor_of(writer);
  return 0;
}

int posix_close(int fd) {
  SOCKET closed;
  if (!is_socket(fd)) return _close(fd);
  closed = (SOCKET)InterlockedExchange64((LONG64 *)&table[fd - FIRST].socket, 0);
  return result(closesocket(closed));
}

ssize_t posix_read(int fd, void *bytes, size_t length) {
  return is_socket(fd) ? posix_recv(fd, bytes, length, 0) : _read(fd, bytes, (unsigned)at_most(length));
}

ssize_t posix_write(int fd, const void *bytes, size_t length) {
  return is_socket(fd) ? posix_send(fd, bytes, length, 0) : _write(fd, bytes, (unsigned)at_most(length));
}
