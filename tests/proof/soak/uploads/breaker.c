/* The relay: a thread for each connection. */
#include "breaker.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  PIECE = 64 * 1024,
  FURTHEST = 14 * 1024 * 1024, /* the byte of what is sent at which it breaks, at most */
  ANSWER = 400,                /* and of what is answered */
  CALM_PERCENT = 40,
  SILENCE_MS = 300
};

typedef struct shared {
  size_t connections, open, broken;
  uint16_t port;
} shared;

struct breaker {
  shared *told;
  pid_t process;
  char url[64];
};

/* Where a connection breaks: after so many bytes to the service, and from it. */
typedef struct relayed {
  shared *told;
  int client;
  size_t left[2];
  int is_silent_first, is_reset;
} relayed;

static void fail(const char *what) {
  perror(what);
  _exit(2);
}

static struct sockaddr_in loopback(uint16_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return address;
}

/* Passes on what has come; 0 if that is the end, or where it is to break. */
static int pass_on(int from, int to, size_t *left) {
  char some[PIECE];
  ssize_t sent, at, got = recv(from, some, *left < PIECE ? *left : PIECE, 0);
  if (got <= 0) return 0;
  for (at = 0; at < got; at += sent)
    if ((sent = send(to, some + at, (size_t)(got - at), MSG_NOSIGNAL)) <= 0) return 0;
  *left -= (size_t)got;
  return *left > 0;
}

static void *relay(void *argument) {
  relayed *it = (relayed *)argument;
  const struct sockaddr_in service = loopback(__atomic_load_n(&it->told->port, __ATOMIC_SEQ_CST));
  const struct linger at_once = {1, 0};
  struct pollfd ends[2] = {{it->client, POLLIN, 0}, {socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), POLLIN, 0}};
  int is_open = connect(ends[1].fd, (const struct sockaddr *)&service, sizeof service) == 0, way;
  while (is_open) {
    if (poll(ends, 2, -1) < 0) fail("poll");
    for (way = 0; way < 2 && is_open; way++)
      if (ends[way].revents) is_open = pass_on(ends[way].fd, ends[!way].fd, &it->left[way]);
  }
  if (it->left[0] == 0 || it->left[1] == 0) {
    __atomic_add_fetch(&it->told->broken, 1, __ATOMIC_SEQ_CST);
    if (it->is_silent_first) poll(ends, 0, SILENCE_MS);
    if (it->is_reset) setsockopt(it->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  close(ends[1].fd);
  close(it->client);
  __atomic_sub_fetch(&it->told->open, 1, __ATOMIC_SEQ_CST);
  free(it);
  return NULL;
}

static unsigned drawn(unsigned long *random, unsigned below) {
  *random = *random * 6364136223846793005UL + 1442695040888963407UL;
  return (unsigned)(*random >> 33) % below;
}

static void serve(shared *told, int listener, unsigned long random) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 4 * PIECE);
  for (;;) {
    const int yes = 1, client = accept(listener, NULL, NULL);
    relayed *it = calloc(1, sizeof *it);
    pthread_t thread;
    if (client < 0 || !it) fail("accept");
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    it->told = told;
    it->client = client;
    it->left[0] = it->left[1] = (size_t)-1;
    if (drawn(&random, 100) >= CALM_PERCENT) {
      const int way = drawn(&random, 2) == 0;
      it->left[way] = 1 + drawn(&random, way == 0 ? FURTHEST : ANSWER);
    }
    it->is_silent_first = drawn(&random, 4) == 0;
    it->is_reset = drawn(&random, 2) == 0;
    __atomic_add_fetch(&told->connections, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&told->open, 1, __ATOMIC_SEQ_CST);
    if (pthread_create(&thread, &attributes, relay, it) != 0) fail("pthread_create");
  }
}

breaker *breaker_start(unsigned long seed) {
  struct sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  breaker *b = calloc(1, sizeof *b);
  if (!b || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 512) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) != 0)
    fail("the breaker");
  b->told = mmap(NULL, sizeof *b->told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (b->told == MAP_FAILED) fail("mmap");
  snprintf(b->url, sizeof b->url, "http://127.0.0.1:%u", ntohs(address.sin_port));
  b->process = fork();
  if (b->process < 0) fail("fork");
  if (b->process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(b->told, listener, seed);
  }
  close(listener);
  return b;
}

const char *breaker_url(const breaker *b) { return b->url; }

void breaker_lead_to(breaker *b, uint16_t port) { __atomic_store_n(&b->told->port, port, __ATOMIC_SEQ_CST); }

void breaker_wait_until_quiet(const breaker *b) {
  while (__atomic_load_n(&b->told->open, __ATOMIC_SEQ_CST) > 0) usleep(1000);
}

size_t breaker_connections(const breaker *b) { return __atomic_load_n(&b->told->connections, __ATOMIC_SEQ_CST); }
size_t breaker_broken(const breaker *b) { return __atomic_load_n(&b->told->broken, __ATOMIC_SEQ_CST); }

void breaker_stop(breaker *b) {
  kill(b->process, SIGKILL);
  waitpid(b->process, NULL, 0);
  munmap(b->told, sizeof *b->told);
  free(b);
}
