/* What the tests use of POSIX and MinGW lacks: sockets that are descriptors, as files are, poll(), pipes, and
 * commands of the system around Wine. Included before each file of theirs; the headers beside it stand where
 * POSIX has those of their names. windows.h is in none of them: its names are not the tests' to avoid. */
#ifndef POSIX_H
#define POSIX_H

#include <errno.h>
/* A name that MinGW takes for a function of files, and tests for what they like. */
#define tell io_tell
#include <io.h>
#undef tell
#include <process.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int socklen_t;

/* As Windows has them, which has none of these names here: sockets.c includes its own. */
#ifndef _WINSOCK2API_

typedef uint16_t in_port_t;
typedef uint32_t in_addr_t;

#define AF_INET 2
#define AF_INET6 23
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define IPPROTO_TCP 6
#define IPPROTO_IPV6 41
#define TCP_NODELAY 1
#define IPV6_V6ONLY 27
#define SOL_SOCKET 0xffff
#define SO_REUSEADDR 0x0004
#define SO_LINGER 0x0080
#define SO_SNDBUF 0x1001
#define SO_RCVBUF 0x1002
#define MSG_PEEK 2
#define MSG_WAITALL 8
#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2
#define INADDR_LOOPBACK 0x7f000001u

struct sockaddr {
  uint16_t sa_family;
  char sa_data[14];
};
struct in_addr {
  in_addr_t s_addr;
};
struct sockaddr_in {
  uint16_t sin_family;
  in_port_t sin_port;
  struct in_addr sin_addr;
  char sin_zero[8];
};
struct in6_addr {
  uint16_t s6_words[8];
};
struct sockaddr_in6 {
  uint16_t sin6_family;
  in_port_t sin6_port;
  uint32_t sin6_flowinfo;
  struct in6_addr sin6_addr;
  uint32_t sin6_scope_id;
};
struct sockaddr_storage {
  uint16_t ss_family;
  char padding[6];
  uint64_t more[15];
};
struct linger {
  uint16_t l_onoff, l_linger;
};

#define socket posix_socket
#define bind posix_bind
#define listen posix_listen
#define accept posix_accept
#define connect posix_connect
#define getsockname posix_getsockname
#define getsockopt posix_getsockopt
#define setsockopt posix_setsockopt
#define shutdown posix_shutdown
#define recv posix_recv
#define send posix_send
#define poll posix_poll
#define pollfd posix_pollfd
#define htons posix_swapped
#define ntohs posix_swapped
#define htonl __builtin_bswap32
#define ntohl __builtin_bswap32
#define inet_pton posix_inet_pton
#define inet_ntop posix_inet_ntop
#undef POLLIN
#define POLLIN 0x001
#define POLLOUT 0x004
#define POLLERR 0x008
#define POLLHUP 0x010
#define POLLRDHUP 0x2000

/* Streams of C++ have members of these names, and programs in it no sockets of their own: what they share with
 * those in C says so. */
#if !defined __cplusplus || defined POSIX_SOCKETS
#define close posix_close
#define read posix_read
#define write posix_write
#endif
#define mkstemp posix_mkstemp
#undef popen
#undef pclose
#define popen posix_popen
#define pclose posix_pclose
#define system posix_system
#undef rand_r
#define rand_r posix_rand_r

#endif

/* Windows sends no signal for a peer that has gone, and inherits no socket here. */
#define MSG_NOSIGNAL 0
#define SOCK_CLOEXEC 0
#define SOCK_NONBLOCK 0x800
#define O_CLOEXEC 0

struct posix_pollfd {
  int fd;
  short events, revents;
};
typedef unsigned nfds_t;

int posix_socket(int family, int type, int protocol);
int posix_bind(int fd, const struct sockaddr *address, socklen_t size);
int posix_listen(int fd, int backlog);
int posix_accept(int fd, struct sockaddr *address, socklen_t *size);
int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
int posix_connect(int fd, const struct sockaddr *address, socklen_t size);
int posix_getsockname(int fd, struct sockaddr *address, socklen_t *size);
int posix_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int posix_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int posix_shutdown(int fd, int how);
ssize_t posix_recv(int fd, void *bytes, size_t length, int flags);
ssize_t posix_send(int fd, const void *bytes, size_t length, int flags);
int posix_poll(struct posix_pollfd *fds, nfds_t count, int milliseconds);
int posix_inet_pton(int family, const char *text, void *address);
const char *posix_inet_ntop(int family, const void *address, char *text, socklen_t size);
static inline uint16_t posix_swapped(uint16_t number) { return (uint16_t)(number << 8 | number >> 8); }

/* Of sockets, pipes and files. */
int pipe(int ends[2]);
int posix_close(int fd);
ssize_t posix_read(int fd, void *bytes, size_t length);
ssize_t posix_write(int fd, const void *bytes, size_t length);
/* From where it wrote, the next write() goes on. */
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at);

/* The name is other each time: MinGW's own gives out that of a file that was deleted anew. */
int posix_mkstemp(char *path);
char *mkdtemp(char *path);

/* Starts a shell command outside of Wine, by native.py, which ends it when the descriptor is closed: this is
 * its standard input and output. Ends the test program if it cannot. */
int native_start(const char *command);
FILE *posix_popen(const char *command, const char *mode);
int posix_pclose(FILE *output);
int posix_system(const char *command);

int setenv(const char *name, const char *value, int replaces);
int unsetenv(const char *name);
int posix_rand_r(unsigned *seed);
void explicit_bzero(void *bytes, size_t length);
void *memmem(const void *in, size_t length, const void *wanted, size_t wanted_length);
char *strcasestr(const char *in, const char *wanted);
char *strndup(const char *text, size_t most);

#ifdef __cplusplus
}
#endif

#endif
