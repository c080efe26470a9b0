/* Plays a link: passes connections on to a local port, at a rate that those of one direction share, with a
 * delay each way. What a router would hold is bounded: nothing is read beyond it, so senders have to wait.
 * So is the window of a connection, which is how much of it may be under way: what is read is so until it
 * has arrived and the word of that is back, as acknowledgements are. A connection begins after a round
 * trip, as with a handshake. Nothing is lost, and no connection begins slowly.
 * Prints its URL and ends with the process that began it.
 * Usage: relay PORT ROUND_TRIP_MS MBIT_PER_SECOND WINDOW_KIB */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 32, PACKET = 8 << 10, TICK_US = 500 };

/* What is acknowledged to a sender before it is on the link: as little as goes smoothly. */
static const int beside_the_link = 128 << 10;

typedef struct packet {
  struct packet *next;
  int64_t due;   /* until it has arrived; then, until its sender knows */
  size_t length; /* 0 is the end of what comes */
  char bytes[PACKET];
} packet;

typedef struct queue {
  packet *first, **last;
} queue;

/* One direction of a connection. */
typedef struct flow {
  int from, to;
  queue under_way, arrived;
  size_t window, passed_on; /* bytes that may still be read; of the first one under way, those passed on */
  int begun_to_end, ended;
} flow;

/* One direction of the link. */
typedef struct lane {
  int64_t free_at; /* when all that it holds has been sent off */
} lane;

typedef struct connection {
  int used;
  int64_t begins;
  flow flows[2];
} connection;

static int64_t delay, most_held;
static double ns_per_byte;
static size_t window;
static lane lanes[2];
static connection connections[CONNECTIONS];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void put(queue *into, packet *one) {
  one->next = NULL;
  *into->last = one;
  into->last = &one->next;
}

static packet *take(queue *from) {
  packet *one = from->first;
  from->first = one->next;
  if (!from->first) from->last = &from->first;
  return one;
}

static void begin(queue *it) {
  it->first = NULL;
  it->last = &it->first;
}

static void empty(queue *it) {
  while (it->first) free(take(it));
}

/* Reads a packet onto the link, if there is one, and room for it. False if the connection broke. */
static int send_off(flow *it, lane *on, int64_t now, int *progress) {
  packet *one;
  ssize_t got;
  if (it->begun_to_end || it->window < PACKET || on->free_at > now + most_held) return 1;
  one = malloc(sizeof *one);
  if (!one) fail("malloc");
  got = recv(it->from, one->bytes, PACKET, 0);
  if (got < 0) {
    free(one);
    return errno == EAGAIN;
  }
  one->length = (size_t)got;
  it->begun_to_end = got == 0;
  it->window -= one->length;
  if (on->free_at < now) on->free_at = now;
  on->free_at += (int64_t)((double)got * ns_per_byte);
  one->due = on->free_at + delay;
  put(&it->under_way, one);
  *progress = 1;
  return 1;
}

/* Passes on what has arrived, and gives room in the window for what is known to have. */
static int arrive(flow *it, int64_t now) {
  while (it->under_way.first && it->under_way.first->due <= now) {
    packet *one = it->under_way.first;
    if (one->length == 0) {
      shutdown(it->to, SHUT_WR);
      it->ended = 1;
    }
    while (it->passed_on < one->length) {
      ssize_t sent = send(it->to, one->bytes + it->passed_on, one->length - it->passed_on, MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN;
      it->passed_on += (size_t)sent;
    }
    it->passed_on = 0;
    one->due = now + delay;
    put(&it->arrived, take(&it->under_way));
  }
  while (it->arrived.first && it->arrived.first->due <= now) {
    packet *one = take(&it->arrived);
    it->window += one->length;
    free(one);
  }
  return 1;
}

static void end(connection *it) {
  close(it->flows[0].from);
  close(it->flows[0].to);
  for (int way = 0; way < 2; way++) {
    empty(&it->flows[way].under_way);
    empty(&it->flows[way].arrived);
  }
  it->used = 0;
}

static void make(connection *it, int peer, const struct sockaddr_in *service) {
  int there = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(there, SOL_SOCKET, SO_RCVBUF, &beside_the_link, sizeof beside_the_link);
  if (connect(there, (const struct sockaddr *)service, sizeof *service) != 0) fail("the service");
  int ends[2] = {peer, there};
  memset(it, 0, sizeof *it);
  it->used = 1;
  it->begins = now_ns() + 2 * delay;
  for (int way = 0; way < 2; way++) {
    flow *flow = &it->flows[way];
    fcntl(ends[way], F_SETFL, O_NONBLOCK);
    setsockopt(ends[way], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    flow->from = ends[way];
    flow->to = ends[1 - way];
    flow->window = window;
    begin(&flow->under_way);
    begin(&flow->arrived);
  }
}

static void let_in(int listener, const struct sockaddr_in *service) {
  int peer;
  while ((peer = accept(listener, NULL, NULL)) >= 0) {
    int free_one = 0;
    while (free_one < CONNECTIONS && connections[free_one].used) free_one++;
    if (free_one == CONNECTIONS) fail("too many connections");
    make(&connections[free_one], peer, service);
  }
}

/* All that is to be done by now. Of those that want onto the link each is let by one packet in its turn. */
static void pass_on(int64_t now) {
  static int turn;
  int progress = 1;
  while (progress) {
    progress = 0;
    turn++;
    for (int i = 0; i < CONNECTIONS; i++) {
      connection *it = &connections[(turn + i) % CONNECTIONS];
      if (!it->used || it->begins > now) continue;
      for (int way = 0; way < 2 && it->used; way++)
        if (!arrive(&it->flows[way], now) || !send_off(&it->flows[way], &lanes[way], now, &progress)) end(it);
      if (it->used && it->flows[0].ended && it->flows[1].ended) end(it);
    }
  }
}

int main(int count, char **arguments) {
  struct sockaddr_in address = {.sin_family = AF_INET}, service;
  const struct timespec tick = {0, TICK_US * 1000};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (count != 5) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  service = address;
  service.sin_port = htons((uint16_t)atoi(arguments[1]));
  delay = (int64_t)(atof(arguments[2]) * 1e6 / 2);
  ns_per_byte = 8e3 / atof(arguments[3]);
  window = (size_t)atoi(arguments[4]) << 10;
  most_held = 2 * delay; /* what is on its way in a round trip: enough to fill the link, and as is usual */
  setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &beside_the_link, sizeof beside_the_link);
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 64) != 0) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    let_in(listener, &service);
    pass_on(now_ns());
    nanosleep(&tick, NULL);
  }
}
