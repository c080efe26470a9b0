/* Commands of the system around Wine, by native.py. */
#include "posix.h"

static void fail(const char *what) {
  perror(what);
  exit(2);
}

int native_start(const char *command) {
  const char *port = getenv("NATIVE_PORT");
  size_t length = strlen(command) + 1;
  struct sockaddr_in address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!port) fail("this is run by native.py, which sets NATIVE_PORT");
  address.sin_port = htons((uint16_t)atoi(port));
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("native.py");
  if (send(fd, command, length, MSG_NOSIGNAL) != (ssize_t)length) fail(command);
  return fd;
}

/* Runs a command to its end; its output, and its status. */
static FILE *run(const char *command, int *status) {
  size_t size = strlen(command) + 32;
  char *told = (char *)malloc(size), some[4096], last[16] = "";
  FILE *output = tmpfile();
  ssize_t got;
  int fd;
  if (!told || !output) fail("a command");
  snprintf(told, size, "(%s); printf '%%9d' $?", command);
  fd = native_start(told);
  free(told);
  while ((got = read(fd, some, sizeof some)) > 0) fwrite(some, 1, (size_t)got, output);
  close(fd);
  /* The status is what comes last. */
  if (fseek(output, -9, SEEK_END) != 0 || fread(last, 1, 9, output) != 9) fail(command);
  *status = atoi(last);
  if (_chsize(_fileno(output), ftell(output) - 9) != 0) fail(command);
  rewind(output);
  return output;
}

/* What pclose() is to tell: no test has two at once in a thread. */
static __thread int ended_with;

FILE *posix_popen(const char *command, const char *mode) {
  if (strcmp(mode, "r") != 0) return NULL;
  return run(command, &ended_with);
}

int posix_pclose(FILE *output) {
  fclose(output);
  return ended_with;
}

int posix_system(const char *command) {
  int status;
  char some[4096];
  size_t got;
  FILE *output = run(command, &status);
  while ((got = fread(some, 1, sizeof some, output)) > 0) fwrite(some, 1, got, stdout);
  fclose(output);
  return status;
}
