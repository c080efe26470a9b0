#include "tls_front.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct tls_front {
  char directory[40], certificate[64], both[64];
  pid_t process;
  FILE *in, *out;
  pthread_mutex_t lock;
};

static void fail(const char *what) {
  perror(what);
  exit(2);
}

/* A server's certificate that is signed by itself, with nothing of what this machine's settings for openssl add. */
static void make_certificate(tls_front *it) {
  char command[900];
  snprintf(it->directory, sizeof it->directory, "/tmp/apivideo-front-XXXXXX");
  if (!mkdtemp(it->directory)) fail(it->directory);
  snprintf(it->certificate, sizeof it->certificate, "%s/certificate.pem", it->directory);
  snprintf(it->both, sizeof it->both, "%s/both.pem", it->directory);
  snprintf(command, sizeof command,
           "cd %s && printf '[req]\\ndistinguished_name = name\\n[name]\\n' >openssl.cnf && "
           "openssl req -x509 -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
           "-subj /CN=localhost -addext 'subjectAltName = IP:127.0.0.1' -addext 'basicConstraints = CA:FALSE' "
           "-keyout both.pem -out certificate.pem 2>openssl.log && cat certificate.pem >>both.pem && rm openssl.*",
           it->directory);
  if (system(command) != 0) fail(command);
}

tls_front *tls_front_start(void) {
  tls_front *it = (tls_front *)calloc(1, sizeof *it);
  int to[2], from[2];
  if (!it) fail("calloc");
  make_certificate(it);
  pthread_mutex_init(&it->lock, NULL);
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) fail("pipe2");
  it->process = fork();
  if (it->process < 0) fail("fork");
  if (it->process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    execlp("python3", "python3", "-B", "support/tls_front.py", it->both, (char *)NULL);
    perror("python3");
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  it->in = fdopen(to[1], "w");
  it->out = fdopen(from[0], "r");
  if (!it->in || !it->out) fail("fdopen");
  return it;
}

const char *tls_front_authority(const tls_front *it) { return it->certificate; }

static uint16_t ask(tls_front *it, const char *what, uint16_t port) {
  unsigned answer = 0;
  pthread_mutex_lock(&it->lock);
  if (fprintf(it->in, "%s %u\n", what, (unsigned)port) < 0 || fflush(it->in) != 0 || fscanf(it->out, "%u", &answer) != 1)
    fail("tls_front.py");
  pthread_mutex_unlock(&it->lock);
  return (uint16_t)answer;
}

uint16_t tls_front_open(tls_front *it, uint16_t port) { return ask(it, "open", port); }

void tls_front_close(tls_front *it, uint16_t opened) { ask(it, "close", opened); }

void tls_front_stop(tls_front *it) {
  fclose(it->in);
  fclose(it->out);
  kill(it->process, SIGKILL);
  waitpid(it->process, NULL, 0);
  unlink(it->certificate);
  unlink(it->both);
  rmdir(it->directory);
  pthread_mutex_destroy(&it->lock);
  free(it);
}
