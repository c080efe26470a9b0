/* No thread to be had, by the limit of an unprivileged user: a name cannot be looked up, which many
 * callers at once are told clearly, and a call that is still trying when the shortage ends succeeds.
 * (tests/network/lookup.c has the case of a single caller.) */
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"
#include "support/moment.h"
#include "support/outcome.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLERS = 32 };

static struct rlimit usual;

static void limit_threads(int is_limited) {
  struct rlimit limit = usual;
  if (is_limited) limit.rlim_cur = 0;
  if (setrlimit(RLIMIT_NPROC, &limit) != 0) {
    perror("RLIMIT_NPROC");
    exit(2);
  }
}

static void *nothing(void *argument) { return argument; }

static pthread_barrier_t barrier;

typedef struct caller {
  const av_client *client;
  pthread_t thread;
  outcome alone, again, after;
} caller;

static void *call_thrice(void *argument) {
  caller *it = (caller *)argument;
  av_request_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.max_attempts = 1;
  pthread_barrier_wait(&barrier); /* there are no threads left */
  it->alone = try_create(it->client, &options);
  it->again = try_create(it->client, NULL);
  pthread_barrier_wait(&barrier); /* all have tried */
  pthread_barrier_wait(&barrier); /* there are some again */
  it->after = try_create(it->client, &options);
  return NULL;
}

static void all_at_once(const char *url, const char *address) {
  caller callers[CALLERS];
  av_client *client = client_for(url), *by_address = client_for(address);
  pthread_t thread;
  int i;
  memset(callers, 0, sizeof callers);
  pthread_barrier_init(&barrier, NULL, CALLERS + 1);
  for (i = 0; i < CALLERS; i++) {
    callers[i].client = client;
    if (pthread_create(&callers[i].thread, NULL, call_thrice, &callers[i]) != 0) exit(2);
  }
  limit_threads(1);
  if (!CHECK(pthread_create(&thread, NULL, nothing, NULL) == EAGAIN)) exit(1); /* proves nothing */
  pthread_barrier_wait(&barrier);
  /* What needs no lookup needs no thread. */
  CHECK(try_create(by_address, NULL).status == AV_STATUS_OK);
  pthread_barrier_wait(&barrier);
  limit_threads(0);
  pthread_barrier_wait(&barrier);
  for (i = 0; i < CALLERS; i++) pthread_join(callers[i].thread, NULL);
  print_outcome("no thread to be had", &callers[0].alone);
  for (i = 0; i < CALLERS; i++) {
    CHECK(is_failure(&callers[i].alone, AV_STATUS_CONNECT, 1, 1) && says(&callers[i].alone, "thread"));
    CHECK(is_failure(&callers[i].again, AV_STATUS_CONNECT, 1, 3) && says(&callers[i].again, "thread"));
    CHECK(callers[i].after.status == AV_STATUS_OK);
  }
  pthread_barrier_destroy(&barrier);
  av_client_free(client);
  av_client_free(by_address);
}

static void end_it(void *userdata, int32_t level, const char *line) {
  (void)level;
  if (strstr(line, "again in")) {
    ++*(int *)userdata;
    limit_threads(0);
  }
}

static void over_during_the_call(const char *url) {
  av_client_config config = config_for(url);
  av_client *client;
  outcome told;
  int failed = 0;
  config.trace_fn = end_it;
  config.trace_userdata = &failed;
  config.trace_level = AV_TRACE_ERROR;
  client = client_of(&config);
  limit_threads(1);
  told = try_create(client, NULL);
  print_outcome("the shortage ends before the second attempt", &told);
  CHECK(told.status == AV_STATUS_OK && failed == 1);
  av_client_free(client);
}

/* As nobody: the limit does not hold for root. Who is not root is it already. */
static int as_nobody(const char *address) {
  char named[96];
  size_t threads = threads_now();
  double begun = now_ms();
  if (getuid() == 0 && setresuid(65534, 65534, 65534) != 0) {
    perror("setresuid");
    return 2;
  }
  snprintf(named, sizeof named, "http://localhost%s", strrchr(address, ':'));
  if (getrlimit(RLIMIT_NPROC, &usual) != 0) return 2;
  all_at_once(named, address);
  over_during_the_call(named);
  while (threads_now() > threads && now_ms() - begun < 20000) usleep(1000);
  CHECK(threads_now() == threads);
  return checks_report();
}

int main(void) {
  static const char *const arguments[] = {"--api-key", "test-key", NULL};
  local_api *service = local_api_start(arguments);
  int status = 0;
  pid_t child;
  setvbuf(stdout, NULL, _IOLBF, 0);
  /* A process of its own, for there is no way back to root, who stops the service. */
  child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    exit(as_nobody(local_api_url(service)));
  }
  if (child < 0 || waitpid(child, &status, 0) != child) exit(2);
  local_api_stop(service);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
