/* A process that forks while its threads are inside calls: parent and child both go on with the same
 * client, over connections of their own. */
#include "support/call.h"
#include "support/check.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/server.h"
#include "support/watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, CALLS = 1500, TOKENS = 16, ROUNDS = 3, TRIES = 5, CHILD_SECONDS = 200 };

/* What the threads of one process do together. */
typedef struct team {
  const av_client *client;
  av_token *const *tokens;
  int begun, done, wrong, calls;
} team;

static void one_call(team *it, int number) {
  const av_token *wanted = it->tokens[number % TOKENS];
  av_token *got = NULL;
  av_error *error = NULL;
  int right;
  if (number % 5 == 0) {
    uint32_t ttl = 100000 + (uint32_t)number + (uint32_t)(getpid() % 1000) * CALLS;
    right = av_tokens_create(it->client, ttl, NULL, &got, &error) == AV_STATUS_OK && got && got->ttl_seconds == (int32_t)ttl;
  } else {
    right = av_tokens_get(it->client, wanted->token, NULL, &got, &error) == AV_STATUS_OK && got && strcmp(got->token, wanted->token) == 0;
  }
  if (!right && __atomic_fetch_add(&it->wrong, 1, __ATOMIC_SEQ_CST) == 0)
    fprintf(stderr, "process %d: %s\n", (int)getpid(), error ? watched(error) : "another's token");
  av_token_free(got);
  av_error_free(error);
}

static void *take_part(void *argument) {
  team *it = (team *)argument;
  int number;
  while ((number = __atomic_fetch_add(&it->begun, 1, __ATOMIC_SEQ_CST)) < it->calls) {
    one_call(it, number);
    __atomic_add_fetch(&it->done, 1, __ATOMIC_SEQ_CST);
  }
  return NULL;
}

static void start(team *it, pthread_t *threads) {
  size_t i;
  for (i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, take_part, it) != 0) exit(2);
}

static void join(pthread_t *threads) {
  size_t i;
  for (i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* A child's end: whether all its calls were right. Whatever hangs is ended by the alarm. */
static int ended_well(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) exit(2);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fprintf(stderr, "a child ended with %x\n", (unsigned)status);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The child's calls, and some of a child of its own; what it exits with. */
static int as_child(av_client *client, av_token *const *tokens, int has_child) {
  team mine = {client, tokens, 0, 0, 0, has_child ? CALLS : CALLS / 10};
  pthread_t threads[THREADS];
  pid_t grandchild = 0;
  alarm(CHILD_SECONDS);
  /* The first one alone: the thread that forked is all that there is. */
  one_call(&mine, 1);
  start(&mine, threads);
  if (has_child) {
    wait_until(&mine.done, mine.calls / 4, "a quarter of the child's calls");
    grandchild = fork();
    if (grandchild == 0) _exit(as_child(client, tokens, 0));
  }
  join(threads);
  if (has_child && !ended_well(grandchild)) mine.wrong++;
  av_client_free(client);
  return mine.wrong == 0 && mine.done == mine.calls && secrets_seen() == 0 ? 0 : 1;
}

static void forked_among_calls(const char *scheme, const char *url, const char *ca_file) {
  av_client_config config = watched_config(url);
  av_client *client;
  av_token *tokens[TOKENS];
  int round, wrong = 0;
  size_t i;
  double begin = now_ms();
  config.ca_file = ca_file;
  client = client_of(&config);
  for (i = 0; i < TOKENS; i++) {
    tokens[i] = NULL;
    if (!CHECK(av_tokens_create(client, 0, NULL, &tokens[i], NULL) == AV_STATUS_OK)) exit(1);
  }
  for (round = 0; round < ROUNDS; round++) {
    team mine = {client, tokens, 0, 0, 0, CALLS};
    pthread_t threads[THREADS];
    pid_t child;
    start(&mine, threads);
    wait_until(&mine.done, CALLS / 10 * (1 + round), "some of the parent's calls");
    child = fork();
    if (child < 0) exit(2);
    if (child == 0) _exit(as_child(client, tokens, 1));
    join(threads);
    CHECK_ROW(scheme, mine.done == CALLS);
    CHECK_ROW(scheme, mine.wrong == 0);
    CHECK_ROW(scheme, ended_well(child));
    wrong += mine.wrong;
  }
  printf("%s: forked %d times among %d threads: parent and child %d calls each, %d wrong, %.1f s\n", scheme, ROUNDS, THREADS, CALLS, wrong,
         (now_ms() - begin) / 1000);
  for (i = 0; i < TOKENS; i++) av_token_free(tokens[i]);
  av_client_free(client);
}

/* ---------------------------------------------------------------- children that no fork handler is told of */

enum { CHILDREN = 200, CALLS_BESIDE = 5 };

static pid_t by_clone(void) { return (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L); }

/* How many of some calls for `token` were not answered it. */
static int wrong_answers(const av_client *client, const char *token) {
  int i, wrong = 0;
  for (i = 0; i < CALLS_BESIDE; i++) {
    av_token *got = NULL;
    av_error *error = NULL;
    if (av_tokens_get(client, token, NULL, &got, &error) != AV_STATUS_OK || strcmp(got->token, token) != 0) wrong++;
    if (error) fprintf(stderr, "process %d: %s\n", (int)getpid(), watched(error));
    av_token_free(got);
    av_error_free(error);
  }
  return wrong;
}

/* _Fork() and clone() do not run what pthread_atfork() was given. Parent and child ask for one token
 * each, at the same time; the child of every tenth child does so too. */
static void copied_without_handlers(const char *row, pid_t (*copy)(void), const char *url, const char *ca_file) {
  av_client_config config = watched_config(url);
  av_client *client;
  av_token *tokens[3] = {NULL, NULL, NULL};
  int i, wrong = 0, children_wrong = 0;
  config.ca_file = ca_file;
  client = client_of(&config);
  for (i = 0; i < 3; i++)
    if (!CHECK(av_tokens_create(client, 0, NULL, &tokens[i], NULL) == AV_STATUS_OK)) exit(1);
  for (i = 0; i < CHILDREN; i++) {
    pid_t child = copy();
    if (child < 0) exit(2);
    if (child == 0) {
      int failed;
      pid_t grandchild = 0;
      alarm(60);
      failed = wrong_answers(client, tokens[1]->token);
      if (i % 10 == 0 && (grandchild = copy()) == 0) _exit(wrong_answers(client, tokens[2]->token) ? 1 : 0);
      failed += wrong_answers(client, tokens[1]->token);
      if (grandchild && !ended_well(grandchild)) failed++;
      _exit(failed ? 1 : 0);
    }
    wrong += wrong_answers(client, tokens[0]->token);
    children_wrong += !ended_well(child);
  }
  printf("%s: %d children, %d wrong answers to the parent, %d children with wrong ones\n", row, CHILDREN, wrong, children_wrong);
  CHECK_ROW(row, wrong == 0);
  CHECK_ROW(row, children_wrong == 0);
  for (i = 0; i < 3; i++) av_token_free(tokens[i]);
  av_client_free(client);
}

/* A kernel that knows nothing of memory which is wiped in a child, and an emulator of one that takes any
 * advice and follows none. */
static enum { AS_IT_IS, REFUSED, IGNORED } advice;

int madvise(void *address, size_t length, int what) {
  typedef int advise(void *, size_t, int);
  advise *real;
  *(void **)&real = dlsym(RTLD_NEXT, "madvise");
  if (advice == IGNORED) return 0;
  if (advice == REFUSED && (what == MADV_WIPEONFORK || what < 0)) return errno = EINVAL, -1;
  return real(address, length, what);
}

/* In a process of its own, since the library asks once. */
static void without_wiped_memory(int how) {
  static const char *const arguments[] = {"--api-key", "test-key", NULL};
  pid_t process = fork();
  if (process < 0) exit(2);
  if (process == 0) {
    local_api *service = local_api_start(arguments);
    advice = how;
    copied_without_handlers(how == REFUSED ? "advice refused" : "advice ignored", by_clone, local_api_url(service), NULL);
    local_api_stop(service);
    fflush(stdout);
    _exit(checks_failed > 0);
  }
  CHECK(ended_well(process));
}

/* ------------------------------------------------------------------------- a cancel handle in a child */

static int asked, let_go;

/* Holds its answer until it is let go. */
static void serve_held(server *s, int connection, void *data) {
  request it;
  (void)data;
  if (!server_receive(s, connection, &it)) return;
  __atomic_add_fetch(&asked, 1, __ATOMIC_SEQ_CST);
  wait_until(&let_go, 1, "a server that is let go");
  server_answer(connection, "200 OK", "", TOKEN_BODY);
}

typedef struct caller {
  const av_client *client;
  av_request_options options;
  pid_t thread;
  int started;
  call made;
  moment back;
} caller;

static void *make_call(void *argument) {
  caller *it = (caller *)argument;
  it->thread = thread_id();
  __atomic_store_n(&it->started, 1, __ATOMIC_SEQ_CST);
  it->made = call_make(it->client, GET, &it->options);
  it->back = moment_here();
  return NULL;
}

/* An inherited handle ends the child's calls, and none of the parent's. */
static void cancelled_in_child(void) {
  server *s = server_start(serve_held, NULL);
  av_client *client = watched_client(server_url(s));
  av_cancel *cancel[TRIES];
  caller it;
  pthread_t thread;
  pid_t child;
  size_t i;
  for (i = 0; i < TRIES; i++) cancel[i] = av_cancel_new();
  memset(&it, 0, sizeof it);
  it.client = client;
  it.options.struct_size = sizeof it.options;
  it.options.cancel = cancel[0];
  it.options.timeout_ms = 60000;
  __atomic_store_n(&asked, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(&let_go, 0, __ATOMIC_SEQ_CST);
  if (pthread_create(&thread, NULL, make_call, &it) != 0) exit(2);
  wait_until(&asked, 1, "the parent's request");
  child = fork();
  if (child < 0) exit(2);
  if (child == 0) {
    pthread_t own;
    double took[TRIES];
    int right = 1;
    alarm(CHILD_SECONDS);
    for (i = 0; i < TRIES; i++) {
      moment triggered;
      it.options.cancel = cancel[i];
      it.started = 0;
      if (pthread_create(&own, NULL, make_call, &it) != 0) _exit(2);
      /* The server is the parent's: what it has been asked is not seen here. */
      wait_until(&it.started, 1, "a thread that starts");
      wait_until_asleep(it.thread);
      triggered = moment_of(it.thread);
      av_cancel_trigger(cancel[i]);
      pthread_join(own, NULL);
      took[i] = between(triggered, it.back);
      right &= it.made.status == AV_STATUS_CANCELLED;
      call_free(&it.made);
    }
    fprintf(stderr, "cancelled in a child, with the parent's handles: back in %.1f ms, worst of %d %.1f ms\n",
            median(took, TRIES), TRIES, worst(took, TRIES));
    right &= is_slowed() || median(took, TRIES) <= 20;
    _exit(right ? 0 : 1);
  }
  CHECK(ended_well(child));
  __atomic_store_n(&let_go, 1, __ATOMIC_SEQ_CST);
  pthread_join(thread, NULL);
  CHECK(it.made.status == AV_STATUS_OK);
  call_free(&it.made);
  for (i = 0; i < TRIES; i++) av_cancel_free(cancel[i]);
  av_client_free(client);
  server_stop(s);
}

/* A handle that was made before the first client, as by a server that forks its workers first: one
 * worker's trigger is nothing to another, which does not even spend its time on it. */
static void cancelled_among_workers(void) {
  server *s = server_start(serve_held, NULL);
  av_cancel *cancel = av_cancel_new();
  struct timespec second = {1, 0};
  pid_t worker, other;
  worker = fork();
  if (worker < 0) exit(2);
  if (worker == 0) {
    struct rusage used;
    double seconds;
    av_client *client = client_for(server_url(s));
    av_request_options options;
    call made;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.cancel = cancel;
    options.timeout_ms = 60000;
    made = call_make(client, GET, &options);
    getrusage(RUSAGE_SELF, &used);
    seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
              (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    fprintf(stderr, "a worker whose sibling cancels: %s, %.2f s of processor time\n", av_status_name(made.status), seconds);
    _exit(made.status == AV_STATUS_OK && (is_slowed() || seconds < 0.5) ? 0 : 1);
  }
  wait_until(&asked, 1, "the worker's request");
  other = fork();
  if (other < 0) exit(2);
  if (other == 0) {
    av_cancel_trigger(cancel);
    _exit(0);
  }
  CHECK(ended_well(other));
  /* In which the worker might spend its time. */
  nanosleep(&second, NULL);
  __atomic_store_n(&let_go, 1, __ATOMIC_SEQ_CST);
  CHECK(ended_well(worker));
  av_cancel_free(cancel);
  server_stop(s);
}

/* --------------------------------------------------------------------- a client that a child gives up */

static void serve_tokens(server *s, int connection, void *data) {
  request it;
  (void)data;
  while (server_receive(s, connection, &it)) server_answer(connection, "200 OK", "", TOKEN_BODY);
}

/* Freed by a child that has not used it, and by one that has: the parent keeps its connection. */
static void freed_in_child(void) {
  server *s = server_start(serve_tokens, NULL);
  av_client *client = watched_client(server_url(s));
  int is_used;
  call made = call_make(client, GET, NULL);
  CHECK(made.status == AV_STATUS_OK);
  call_free(&made);
  for (is_used = 0; is_used < 2; is_used++) {
    const char *row = is_used ? "used by the child" : "not used by the child";
    pid_t child = fork();
    if (child < 0) exit(2);
    if (child == 0) {
      int right = 1;
      alarm(CHILD_SECONDS);
      if (is_used) {
        made = call_make(client, GET, NULL);
        right = made.status == AV_STATUS_OK;
        call_free(&made);
      }
      av_client_free(client);
      _exit(right ? 0 : 1);
    }
    CHECK_ROW(row, ended_well(child));
    made = call_make(client, GET, NULL);
    CHECK_ROW(row, made.status == AV_STATUS_OK);
    call_free(&made);
  }
  printf("a client freed by 2 children: %zu connections, one of them a child's\n", server_connections(s));
  CHECK(server_connections(s) == 2);
  av_client_free(client);
  server_stop(s);
}

int main(void) {
  static const char *const plain[] = {"--api-key", "test-key", NULL};
  char ca_file[] = "/tmp/apivideo-ca-XXXXXX";
  const char *with_tls[] = {"--api-key", "test-key", "--tls", "--tls-ca-file", ca_file, NULL};
  local_api *service;
  alarm(2 * CHILD_SECONDS);
  without_wiped_memory(REFUSED);
  without_wiped_memory(IGNORED);
  cancelled_among_workers(); /* before any client is made here */
  service = local_api_start(plain);
  copied_without_handlers("http, by clone", by_clone, local_api_url(service), NULL);
  copied_without_handlers("http, by _Fork", _Fork, local_api_url(service), NULL);
  forked_among_calls("http", local_api_url(service), NULL);
  local_api_stop(service);
  close(mkstemp(ca_file));
  service = local_api_start(with_tls);
  copied_without_handlers("https, by clone", by_clone, local_api_url(service), ca_file);
  forked_among_calls("https", local_api_url(service), ca_file);
  local_api_stop(service);
  unlink(ca_file);
  cancelled_in_child();
  freed_in_child();
  CHECK(secrets_seen() == 0);
  return checks_report();
}
