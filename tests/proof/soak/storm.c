/* The relay: a thread for each connection of the client's, which has a connection of its own to the
 * service and passes requests on one after the other. */
#include "storm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 1024, MESSAGE = 64 * 1024 };

/* Of a thousand requests, how many get each fault; the others none. REFUSE is of connections. */
static const unsigned per_thousand[FAULTS] = {
    [REFUSE] = 20, [RESET_BEFORE] = 5, [CLOSE_BEFORE] = 5, [RESET_AFTER] = 5, [CLOSE_AFTER] = 5, [CUT_HEAD] = 5,
    [CUT_BODY] = 5, [STALE] = 20, [SLOW] = 40, [HANG] = 1, [DRIP] = 20,
};

static const char *const names[FAULTS] = {
    [CALM] = "passed on", [REFUSE] = "refused", [RESET_BEFORE] = "reset before", [CLOSE_BEFORE] = "closed before",
    [RESET_AFTER] = "reset after", [CLOSE_AFTER] = "closed after", [CUT_HEAD] = "cut in the head", [CUT_BODY] = "cut in the body",
    [STALE] = "gone stale", [SLOW] = "slow", [HANG] = "hung", [DRIP] = "dripped",
};

const char *fault_name(fault kind) { return names[kind]; }

/* Shared by the relay and the program that has started it. */
typedef struct shared {
  size_t played[FAULTS];
} shared;

struct storm {
  shared *told;
  pid_t process;
  int control;
  char url[64];
};

static void fail(const char *what) {
  perror(what);
  _exit(2);
}

/* ---------------------------------------------------------------------------------------- the relay */

static shared *told;
static struct sockaddr_in service;
static int listener;
static unsigned long first_seed;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int open_connections[MOST_CONNECTIONS];
static size_t open_count;
/* Connections that something is being done with. */
static int busy;

typedef struct relayed {
  int client, service; /* the latter -1 until it is needed */
  unsigned long random;
} relayed;

static unsigned drawn(relayed *it, unsigned below) {
  it->random = it->random * 6364136223846793005UL + 1442695040888963407UL;
  return (unsigned)(it->random >> 33) % below;
}

static void played(fault kind) { __atomic_add_fetch(&told->played[kind], 1, __ATOMIC_RELAXED); }

static int send_all(int connection, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(connection, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return 0;
    bytes += sent;
    length -= (size_t)sent;
  }
  return 1;
}

/* One message, head and body by Content-Length; 0 if it does not come whole. */
static size_t receive(int connection, char *text, size_t *head) {
  size_t length = 0, whole = 0;
  while (whole == 0 || length < whole) {
    ssize_t got = recv(connection, text + length, MESSAGE - 1 - length, 0);
    const char *end, *size;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    length += (size_t)got;
    text[length] = 0;
    end = strstr(text, "\r\n\r\n");
    if (!end) continue;
    *head = (size_t)(end + 4 - text);
    size = strcasestr(text, "\r\ncontent-length:");
    whole = *head + (size && size < end ? strtoul(size + 17, NULL, 10) : 0);
    if (whole > MESSAGE - 1) fail("a message that is too large for the relay");
  }
  return length;
}

static void reset_when_closed(int connection) {
  struct linger at_once = {1, 0};
  setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* Waits for so long, or until the client has gone; then 0. */
static int wait_ms(const relayed *it, int milliseconds) {
  struct pollfd client = {it->client, POLLRDHUP, 0};
  return poll(&client, 1, milliseconds) == 0;
}

static int connect_to_service(void) {
  int yes = 1, connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0 || connect(connection, (struct sockaddr *)&service, sizeof service) != 0) fail("the service");
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return connection;
}

static int send_in_pieces(const relayed *it, const char *text, size_t length) {
  size_t piece = length / 8 + 1, at;
  for (at = 0; at < length; at += piece) {
    size_t now = length - at < piece ? length - at : piece;
    if (!send_all(it->client, text + at, now) || !wait_ms(it, 1)) return 0;
  }
  return 1;
}

static fault drawn_fault(relayed *it) {
  unsigned number = drawn(it, 1000), kind;
  for (kind = RESET_BEFORE; kind < FAULTS; kind++) {
    if (number < per_thousand[kind]) return (fault)kind;
    number -= per_thousand[kind];
  }
  return CALM;
}

/* One request and its answer; 0 if the connection is to be closed. */
static int exchange(relayed *it) {
  char text[MESSAGE];
  size_t head = 0, length = receive(it->client, text, &head), cut;
  fault kind;
  if (length == 0) return 0;
  kind = drawn_fault(it);
  if (kind != RESET_BEFORE && kind != CLOSE_BEFORE) {
    if (it->service < 0) it->service = connect_to_service();
    /* Whatever follows, the service has done its work by then: nothing is done when all is quiet. */
    if (!send_all(it->service, text, length) || (length = receive(it->service, text, &head)) == 0) return 0;
  }
  if (kind == CUT_BODY && length == head) kind = CALM;
  played(kind);
  switch (kind) {
    case RESET_BEFORE:
    case RESET_AFTER: reset_when_closed(it->client); return 0;
    case CLOSE_BEFORE:
    case CLOSE_AFTER: return 0;
    case CUT_HEAD:
    case CUT_BODY:
      cut = kind == CUT_HEAD ? 1 + drawn(it, (unsigned)head - 1) : head + drawn(it, (unsigned)(length - head));
      if (!send_all(it->client, text, cut)) return 0;
      if (drawn(it, 2)) reset_when_closed(it->client);
      return 0;
    case STALE:
      send_all(it->client, text, length);
      if (drawn(it, 2)) reset_when_closed(it->client);
      return 0;
    case SLOW: return wait_ms(it, 5 + (int)drawn(it, 95)) && send_all(it->client, text, length);
    case HANG: return wait_ms(it, 1500) && send_all(it->client, text, length);
    case DRIP: return send_in_pieces(it, text, length);
    default: return send_all(it->client, text, length);
  }
}

static void *serve(void *argument) {
  relayed it = *(relayed *)argument;
  int goes_on = 1;
  size_t i;
  free(argument);
  while (goes_on) {
    struct pollfd client = {it.client, POLLIN, 0};
    if (poll(&client, 1, -1) < 0 && errno == EINTR) continue;
    /* Before it is read: what has come is either still there or being served. */
    __atomic_add_fetch(&busy, 1, __ATOMIC_SEQ_CST);
    goes_on = exchange(&it);
    if (goes_on) __atomic_sub_fetch(&busy, 1, __ATOMIC_SEQ_CST);
  }
  pthread_mutex_lock(&lock);
  for (i = 0; open_connections[i] != it.client; i++) {}
  open_connections[i] = open_connections[--open_count];
  pthread_mutex_unlock(&lock);
  close(it.client);
  if (it.service >= 0) close(it.service);
  __atomic_sub_fetch(&busy, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void welcome(int connection, unsigned long number) {
  pthread_attr_t attributes;
  pthread_t thread;
  relayed *it = malloc(sizeof *it);
  int yes = 1;
  if (!it) fail("malloc");
  it->client = connection;
  it->service = -1;
  it->random = first_seed + number;
  drawn(it, 2); /* neighbours' first numbers are alike */
  if (drawn(it, 1000) < per_thousand[REFUSE]) {
    played(REFUSE);
    reset_when_closed(connection);
    close(connection);
    free(it);
    return;
  }
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  pthread_mutex_lock(&lock);
  if (open_count == MOST_CONNECTIONS) fail("too many connections");
  open_connections[open_count++] = connection;
  pthread_mutex_unlock(&lock);
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  if (pthread_create(&thread, &attributes, serve, it) != 0) fail("pthread_create");
  pthread_attr_destroy(&attributes);
}

static void *accept_all(void *argument) {
  unsigned long number = 0;
  (void)argument;
  for (;;) {
    struct pollfd queue = {listener, POLLIN, 0};
    int connection;
    if (poll(&queue, 1, -1) < 0) continue;
    __atomic_add_fetch(&busy, 1, __ATOMIC_SEQ_CST);
    connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection >= 0) welcome(connection, ++number);
    else if (errno != ECONNABORTED && errno != EINTR) fail("accept");
    __atomic_sub_fetch(&busy, 1, __ATOMIC_SEQ_CST);
  }
  return NULL;
}

static int is_quiet(void) {
  struct pollfd all[MOST_CONNECTIONS + 1];
  size_t count, i;
  pthread_mutex_lock(&lock);
  all[0].fd = listener;
  for (count = 0; count < open_count; count++) all[count + 1].fd = open_connections[count];
  for (i = 0; i <= count; i++) all[i].events = POLLIN;
  i = (size_t)poll(all, count + 1, 0);
  pthread_mutex_unlock(&lock);
  return i == 0 && __atomic_load_n(&busy, __ATOMIC_SEQ_CST) == 0;
}

static void listen_somewhere(char *url, size_t size) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 1024) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) != 0)
    fail("listen");
  /* By name, so that there are lookups. */
  snprintf(url, size, "http://localhost:%u", (unsigned)ntohs(address.sin_port));
}

/* Answers each byte that it is sent once it is quiet; ends with the one who sends. */
static void relay(int control) {
  pthread_t thread;
  char byte;
  if (pthread_create(&thread, NULL, accept_all, NULL) != 0) fail("pthread_create");
  while (read(control, &byte, 1) == 1) {
    while (!is_quiet()) usleep(1000); /* there is nothing that tells of it */
    if (write(control, &byte, 1) != 1) break;
  }
  _exit(0);
}

/* -------------------------------------------------------------------------------- who has started it */

storm *storm_start(const char *url, unsigned long seed) {
  storm *s = calloc(1, sizeof *s);
  int ends[2];
  if (!s || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("a storm");
  s->told = mmap(NULL, sizeof *s->told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (s->told == MAP_FAILED) fail("mmap");
  service.sin_family = AF_INET;
  service.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  service.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
  told = s->told;
  first_seed = seed;
  listen_somewhere(s->url, sizeof s->url);
  s->process = fork();
  if (s->process < 0) fail("fork");
  if (s->process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    relay(ends[1]);
  }
  close(listener);
  close(ends[1]);
  s->control = ends[0];
  return s;
}

const char *storm_url(const storm *s) { return s->url; }

void storm_wait_until_quiet(storm *s) {
  char byte = 'q';
  if (write(s->control, &byte, 1) != 1 || read(s->control, &byte, 1) != 1) fail("the storm has gone");
}

size_t storm_played(const storm *s, fault kind) { return __atomic_load_n(&s->told->played[kind], __ATOMIC_RELAXED); }

void storm_stop(storm *s) {
  close(s->control);
  while (waitpid(s->process, NULL, 0) < 0 && errno == EINTR) {}
  munmap(s->told, sizeof *s->told);
  free(s);
}
