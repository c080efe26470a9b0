/* Looking up names: a name server that never answers, shared and remembered answers, names with
 * several addresses, none, and no thread to ask with. The name server is this program's own, on
 * 127.0.0.53; lookup.sh has made it the system's. */
#include "support/check.h"
#include "support/moment.h"
#include "support/outcome.h"
#include "support/peer.h"
#include "support/server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the name server --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char asked[1000][80]; /* the names that IPv4 addresses were asked for */
static size_t asked_count;
static int knows_late_name;

/* How often the address of a name was asked for, or of any (NULL). */
static size_t times_asked(const char *name) {
  size_t i, count = 0;
  pthread_mutex_lock(&lock);
  for (i = 0; i < asked_count; i++) count += !name || strcmp(asked[i], name) == 0;
  pthread_mutex_unlock(&lock);
  return count;
}

static int names; /* the socket */
static pthread_t name_server;

/* Answers "silent…" never, and the addresses of few other names. */
static void *serve_names(void *nothing) {
  static const unsigned char V4 = 1, V6 = 28;
  (void)nothing;
  for (;;) {
    unsigned char message[1024];
    struct sockaddr_in from;
    socklen_t from_size = sizeof from;
    char name[80] = "";
    size_t at = 12, end = 0;
    ssize_t length = recvfrom(names, message, 512, 0, (struct sockaddr *)&from, &from_size);
    unsigned char type;
    int is_known, count = 0;
    if (length == 0) return NULL; /* nobody asks with that but stop_name_server() */
    if (length < 17) continue;
    while (message[at] != 0 && at + message[at] < (size_t)length && end + message[at] + 2 < sizeof name) {
      memcpy(name + end, message + at + 1, message[at]);
      end += message[at];
      at += 1u + message[at];
      name[end++] = '.';
    }
    if (end > 0) name[end - 1] = 0;
    type = message[at + 2];
    at += 5;
    pthread_mutex_lock(&lock);
    if (type == V4 && asked_count < 1000) strcpy(asked[asked_count++], name);
    is_known = strcmp(name, "service.test") == 0 || strcmp(name, "two.test") == 0 ||
               (strcmp(name, "late.test") == 0 && knows_late_name);
    pthread_mutex_unlock(&lock);
    if (strncmp(name, "silent", 6) == 0) continue;
    message[2] = 0x81; /* an answer */
    message[3] = is_known ? 0x80 : 0x83; /* or "no such name" */
    memset(message + 6, 0, 6);
    if (is_known && (type == V4 || strcmp(name, "two.test") == 0)) {
      unsigned char loopback[16] = {127, 0, 0, 1};
      unsigned char size = type == V4 ? 4 : 16;
      if (type == V6) {
        memset(loopback, 0, 16);
        loopback[15] = 1;
      }
      memcpy(message + at, "\xc0\x0c\0", 3);
      message[at + 3] = type;
      memcpy(message + at + 4, "\0\1\0\0\0\1\0", 7); /* one second */
      message[at + 11] = size;
      memcpy(message + at + 12, loopback, size);
      at += 12u + size;
      count = 1;
    }
    message[7] = (unsigned char)count;
    sendto(names, message, at, 0, (struct sockaddr *)&from, from_size);
  }
}

static struct sockaddr_in where_names_are(void) {
  struct sockaddr_in name;
  memset(&name, 0, sizeof name);
  name.sin_family = AF_INET;
  name.sin_port = htons(53);
  name.sin_addr.s_addr = inet_addr("127.0.0.53");
  return name;
}

static void start_name_server(void) {
  struct sockaddr_in name = where_names_are();
  names = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (names < 0 || bind(names, (struct sockaddr *)&name, sizeof name) != 0) {
    perror("the name server");
    exit(2);
  }
  if (pthread_create(&name_server, NULL, serve_names, NULL) != 0) exit(2);
}

static void stop_name_server(void) {
  struct sockaddr_in name = where_names_are();
  if (sendto(names, NULL, 0, 0, (struct sockaddr *)&name, sizeof name) != 0) exit(2);
  pthread_join(name_server, NULL);
  close(names);
}

/* --- the service --- */

/* One answer for each connection, so that every call needs a new one. */
static void answer_once(server *s, int connection, void *data) {
  request got;
  (void)data;
  if (server_receive(s, connection, &got))
    server_answer(connection, "200 OK", "Connection: close\r\n", "{\"token\":\"here\"}");
}

/* A client for a name at the port of `service`. */
static av_client *client_of_name(const char *service, const char *name, uint32_t timeout_ms,
                                 av_trace_fn trace, void *userdata) {
  char url[100];
  av_client_config config;
  snprintf(url, sizeof url, "http://%s%s", name, strrchr(service, ':'));
  config = config_for(url);
  config.flags = AV_CLIENT_ALLOW_PLAIN_HTTP;
  config.timeout_ms = timeout_ms;
  config.trace_fn = trace;
  config.trace_userdata = userdata;
  config.trace_level = trace ? AV_TRACE_DEBUG : AV_TRACE_OFF;
  return client_of(&config);
}

/* How many threads of this process look up names. */
static int lookup_threads(void) {
  DIR *directory = opendir("/proc/self/task");
  struct dirent *entry;
  int count = 0;
  while (directory && (entry = readdir(directory))) {
    char path[300], name[32] = "";
    FILE *file;
    snprintf(path, sizeof path, "/proc/self/task/%.20s/comm", entry->d_name);
    file = fopen(path, "r");
    if (file && fgets(name, sizeof name, file)) count += strcmp(name, "apivideo-lookup\n") == 0;
    if (file) fclose(file);
  }
  if (directory) closedir(directory);
  return count;
}

/* Lookups that nobody waits for any more go on until the C library gives up. */
static void wait_until_nobody_looks(void) {
  double begun = now_ms();
  while (lookup_threads() > 0) {
    if (now_ms() - begun > 60000) {
      fprintf(stderr, "a lookup does not end\n");
      exit(2);
    }
    usleep(20000);
  }
}

/* --- the name server is silent --- */

static void deadline_while_it_is_silent(const server *s) {
  double own[5], shared[5];
  int i;
  av_client *client = client_of_name(server_url(s), "silent.test", 300, NULL, NULL);
  /* In a row, before the first one's lookup is given up by the C library. */
  for (i = 0; i < 5; i++) {
    outcome told = i % 2 ? try_create(client, NULL) : try_get(client, NULL);
    shared[i] = told.own_ms;
    CHECK(is_failure(&told, AV_STATUS_TIMEOUT, 1, 1) && says(&told, "looking up"));
  }
  av_client_free(client);
  for (i = 0; i < 5; i++) {
    outcome told;
    client = client_of_name(server_url(s), "silent.test", 300, NULL, NULL);
    told = try_get(client, NULL);
    own[i] = told.own_ms;
    CHECK(told.ms >= 299);
    CHECK(is_failure(&told, AV_STATUS_TIMEOUT, 1, 1) && says(&told, "looking up"));
    if (i == 0) print_outcome("a silent name server, 300 ms", &told);
    av_client_free(client);
  }
  CHECK_WITHIN("  a lookup of 300 ms", own, 5, 350);
  CHECK_WITHIN("  of those that share one", shared, 5, 350);
}

static void connect_timeout_while_it_is_silent(const server *s) {
  char url[100];
  av_client_config config;
  double took[3];
  int i;
  snprintf(url, sizeof url, "http://silent.test%s", strrchr(server_url(s), ':'));
  config = config_for(url);
  config.flags = AV_CLIENT_ALLOW_PLAIN_HTTP;
  config.connect_timeout_ms = 100;
  config.max_attempts = 2;
  for (i = 0; i < 3; i++) {
    av_client *client = client_of(&config);
    outcome told = try_create(client, NULL);
    took[i] = told.own_ms;
    CHECK(is_failure(&told, AV_STATUS_TIMEOUT, 1, 2) && told.ms >= 200);
    av_client_free(client);
  }
  CHECK_WITHIN("  connect_timeout_ms 100, two attempts", took, 3, 100 + 200 + 100 + 100); /* and a back-off */
}

typedef struct cancelled {
  const av_client *client;
  av_cancel *cancel;
  outcome told;
  pid_t thread;
  int begun;
  moment returned;
} cancelled;

static void *call_to_cancel(void *argument) {
  cancelled *it = (cancelled *)argument;
  av_request_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.cancel = it->cancel;
  it->thread = thread_id();
  __atomic_store_n(&it->begun, 1, __ATOMIC_SEQ_CST);
  it->told = try_get(it->client, &options);
  it->returned = moment_here();
  return NULL;
}

static void cancel_while_it_is_silent(const server *s) {
  double took[20];
  int i;
  for (i = 0; i < 20; i++) {
    cancelled it;
    pthread_t thread;
    moment triggered;
    size_t before = times_asked("silent.test");
    av_client *client = client_of_name(server_url(s), "silent.test", 20000, NULL, NULL);
    memset(&it, 0, sizeof it);
    it.client = client;
    it.cancel = av_cancel_new();
    pthread_create(&thread, NULL, call_to_cancel, &it);
    wait_until(&it.begun, 1, "a call to begin");
    while (times_asked("silent.test") == before) usleep(1000);
    /* Not in step with the slices in which it looks. */
    usleep((useconds_t)(10000 + 700 * i));
    triggered = moment_of(it.thread);
    av_cancel_trigger(it.cancel);
    pthread_join(thread, NULL);
    took[i] = between(triggered, it.returned);
    CHECK(it.told.status == AV_STATUS_CANCELLED && it.told.outcome == AV_OUTCOME_NOT_APPLIED);
    CHECK(says(&it.told, "looking up"));
    av_cancel_free(it.cancel);
    av_client_free(client);
  }
  CHECK_WITHIN("  cancelled during the lookup", took, 20, 20);
}

typedef struct together {
  const av_client *client;
  pthread_barrier_t *barrier;
  outcome told;
} together;

static void *call_together(void *argument) {
  together *it = (together *)argument;
  pthread_barrier_wait(it->barrier);
  it->told = try_get(it->client, NULL);
  return NULL;
}

static void one_lookup_for_all(const server *s) {
  pthread_t threads[8];
  together calls[8];
  pthread_barrier_t barrier;
  av_client *client = client_of_name(server_url(s), "silent-too.test", 300, NULL, NULL);
  int i, most = 0;
  double begun, took[8];
  wait_until_nobody_looks();
  pthread_barrier_init(&barrier, NULL, 9);
  for (i = 0; i < 8; i++) {
    calls[i].client = client;
    calls[i].barrier = &barrier;
    pthread_create(&threads[i], NULL, call_together, &calls[i]);
  }
  pthread_barrier_wait(&barrier);
  for (begun = now_ms(); now_ms() - begun < 250; usleep(5000)) {
    int count = lookup_threads();
    if (count > most) most = count;
  }
  for (i = 0; i < 8; i++) {
    pthread_join(threads[i], NULL);
    CHECK(is_failure(&calls[i].told, AV_STATUS_TIMEOUT, 1, 1));
    took[i] = calls[i].told.own_ms;
  }
  pthread_barrier_destroy(&barrier);
  printf("  8 threads that ask for one name: %d lookup, %zu query\n", most, times_asked("silent-too.test"));
  CHECK(most <= 1 && times_asked("silent-too.test") == 1);
  CHECK_WITHIN("  each of them, of 300 ms", took, 8, 350);
  /* The client goes, the lookup is left behind. */
  CHECK(lookup_threads() == 1);
  av_client_free(client);
  wait_until_nobody_looks();
}

/* --- it answers --- */

static void answers_are_remembered(server *s) {
  av_client *client = client_of_name(server_url(s), "service.test", 5000, NULL, NULL);
  size_t connections = server_connections(s);
  int i;
  for (i = 0; i < 20; i++) {
    outcome told = i % 2 ? try_create(client, NULL) : try_get(client, NULL);
    CHECK(told.status == AV_STATUS_OK && told.attempts == 0);
    if (i == 0) wait_until_nobody_looks();
    CHECK(lookup_threads() == 0);
  }
  printf("  20 calls by name on %zu connections: %zu query\n", server_connections(s) - connections,
         times_asked("service.test"));
  CHECK(server_connections(s) - connections == 20 && times_asked("service.test") == 1);
  av_client_free(client);
  /* Another client asks for itself. */
  client = client_of_name(server_url(s), "service.test", 5000, NULL, NULL);
  CHECK(try_get(client, NULL).status == AV_STATUS_OK && times_asked("service.test") == 2);
  av_client_free(client);
}

static void failures_are_not_remembered(const server *s) {
  av_client *client = client_of_name(server_url(s), "late.test", 5000, NULL, NULL);
  av_request_options once;
  outcome told;
  memset(&once, 0, sizeof once);
  once.struct_size = sizeof once;
  once.max_attempts = 1;
  told = try_get(client, NULL);
  print_outcome("an unknown name", &told);
  CHECK(is_failure(&told, AV_STATUS_CONNECT, 1, 3) && says(&told, "late.test"));
  told = try_create(client, &once);
  CHECK(is_failure(&told, AV_STATUS_CONNECT, 1, 1) && says(&told, "late.test"));
  pthread_mutex_lock(&lock);
  knows_late_name = 1;
  pthread_mutex_unlock(&lock);
  told = try_create(client, &once);
  print_outcome("the same once it is known", &told);
  CHECK(told.status == AV_STATUS_OK);
  av_client_free(client);
}

static void note_addresses(void *userdata, int32_t level, const char *line) {
  char *text = (char *)userdata;
  (void)level;
  if (strstr(line, "connect")) snprintf(text + strlen(text), 1000 - strlen(text), "[%.200s]", line);
}

static void the_second_address(const server *s) {
  char trace[1000] = "";
  av_client *client = client_of_name(server_url(s), "two.test", 5000, note_addresses, trace);
  outcome told = try_create(client, NULL);
  char *refused = strstr(trace, "no connection to [::1]"), *taken = strstr(trace, "connected to 127.0.0.1");
  printf("  two addresses: %s %.150s\n", av_status_name(told.status), trace);
  CHECK(told.status == AV_STATUS_OK);
  CHECK(refused && taken && refused < taken);
  av_client_free(client);
}

static void literals_and_the_hosts_file(const server *s) {
  static const char *hosts[] = {"127.0.0.1", "localhost"};
  size_t before = times_asked(NULL), i;
  for (i = 0; i < 2; i++) {
    av_client *client = client_of_name(server_url(s), hosts[i], 5000, NULL, NULL);
    CHECK_ROW(hosts[i], try_get(client, NULL).status == AV_STATUS_OK);
    av_client_free(client);
  }
  {
    av_client *client = client_of_name(server_url(s), "[::1]", 5000, NULL, NULL);
    outcome told = try_get(client, NULL);
    CHECK(told.status == AV_STATUS_CONNECT && says(&told, "[::1]"));
    av_client_free(client);
  }
  CHECK(times_asked(NULL) == before);
}

/* --- no thread to ask with --- */

static void no_thread_to_be_had(void) {
  struct rlimit limit;
  rlim_t usual;
  /* This peer needs no thread for a connection. */
  peer *p = peer_start();
  av_client *cold = client_of_name(peer_url(p), "service.test", 5000, NULL, NULL);
  av_client *warm = client_of_name(peer_url(p), "service.test", 5000, NULL, NULL);
  av_client *by_address = client_of_name(peer_url(p), "127.0.0.1", 5000, NULL, NULL);
  av_request_options once;
  pthread_t thread;
  outcome told;
  int i;
  memset(&once, 0, sizeof once);
  once.struct_size = sizeof once;
  once.max_attempts = 1;
  for (i = 0; i < 4; i++)
    peer_answer_text(p, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 16\r\n\r\n{\"token\":\"here\"}",
                     PEER_CLOSE);
  CHECK(try_get(warm, NULL).status == AV_STATUS_OK);
  wait_until_nobody_looks();
  /* Root has no limit: as nobody. In a namespace that has none, as whoever it really is. */
  if (setresuid(65534, 65534, 65534) != 0) perror("setresuid, going on");
  getrlimit(RLIMIT_NPROC, &limit);
  usual = limit.rlim_cur;
  limit.rlim_cur = 0;
  CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
  if (!CHECK(pthread_create(&thread, NULL, call_together, NULL) != 0)) exit(1); /* proves nothing */
  told = try_get(cold, &once);
  print_outcome("no thread to be had", &told);
  CHECK(is_failure(&told, AV_STATUS_CONNECT, 1, 1) && says(&told, "thread"));
  told = try_create(cold, NULL);
  CHECK(is_failure(&told, AV_STATUS_CONNECT, 1, 3));
  CHECK(try_get(warm, NULL).status == AV_STATUS_OK);
  CHECK(try_get(by_address, NULL).status == AV_STATUS_OK);
  printf("  meanwhile a name that is remembered and an address: %zu connections\n",
         peer_connection_count(p));
  CHECK(peer_connection_count(p) == 3);
  limit.rlim_cur = usual;
  CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
  told = try_create(cold, &once);
  print_outcome("once there are threads again", &told);
  CHECK(told.status == AV_STATUS_OK);
  av_client_free(cold);
  av_client_free(warm);
  av_client_free(by_address);
  peer_stop(p);
}

int main(void) {
  server *s;
  setvbuf(stdout, NULL, _IOLBF, 0);
  start_name_server();
  s = server_start(answer_once, NULL);
  deadline_while_it_is_silent(s);
  connect_timeout_while_it_is_silent(s);
  cancel_while_it_is_silent(s);
  one_lookup_for_all(s);
  answers_are_remembered(s);
  failures_are_not_remembered(s);
  the_second_address(s);
  literals_and_the_hosts_file(s);
  no_thread_to_be_had();
  server_stop(s);
  stop_name_server();
  return checks_report();
}
