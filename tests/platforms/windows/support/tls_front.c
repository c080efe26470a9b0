/* As tests/network/support/tls_front.c, by native.py. */
#include "support/tls_front.h"

#include <posix.h>

struct tls_front {
  char directory[40], certificate[64];
  int connection;
  pthread_mutex_t lock;
};

static void fail(const char *what) {
  perror(what);
  exit(2);
}

/* The directory that it is given, with a server's certificate that is signed by itself, and nothing of what this
 * machine's settings for openssl add. */
static const char certified[] =
    "cd %s && printf '[req]\\ndistinguished_name = name\\n[name]\\n' >openssl.cnf && "
    "openssl req -x509 -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
    "-subj /CN=localhost -addext 'subjectAltName = IP:127.0.0.1' -addext 'basicConstraints = CA:FALSE' "
    "-keyout both.pem -out certificate.pem 2>openssl.log && cat certificate.pem >>both.pem && rm openssl.*";

tls_front *tls_front_start(void) {
  tls_front *it = (tls_front *)calloc(1, sizeof *it);
  char command[900];
  if (!it) fail("calloc");
  snprintf(it->directory, sizeof it->directory, "/tmp/apivideo-front-XXXXXX");
  if (!mkdtemp(it->directory)) fail(it->directory);
  snprintf(it->certificate, sizeof it->certificate, "%s/certificate.pem", it->directory);
  snprintf(command, sizeof command, certified, it->directory);
  if (system(command) != 0) fail(command);
  pthread_mutex_init(&it->lock, NULL);
  snprintf(command, sizeof command, "exec python3 -B support/tls_front.py %s/both.pem", it->directory);
  it->connection = native_start(command);
  return it;
}

const char *tls_front_authority(const tls_front *it) { return it->certificate; }

static uint16_t ask(tls_front *it, const char *what, uint16_t port) {
  char line[32];
  size_t length = 0;
  pthread_mutex_lock(&it->lock);
  snprintf(line, sizeof line, "%s %u\n", what, (unsigned)port);
  if (write(it->connection, line, strlen(line)) != (ssize_t)strlen(line)) fail("tls_front.py");
  do
    if (length == sizeof line - 1 || read(it->connection, &line[length], 1) != 1) fail("tls_front.py");
  while (line[length++] != '\n');
  pthread_mutex_unlock(&it->lock);
  return (uint16_t)atoi(line);
}

uint16_t tls_front_open(tls_front *it, uint16_t port) { return ask(it, "open", port); }

void tls_front_close(tls_front *it, uint16_t opened) { ask(it, "close", opened); }

void tls_front_stop(tls_front *it) {
  char command[80];
  close(it->connection);
  snprintf(command, sizeof command, "rm -r %s", it->directory);
  system(command);
  pthread_mutex_destroy(&it->lock);
  free(it);
}
