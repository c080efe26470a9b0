/* Names of files, the environment, and texts. */
#include "posix.h"

#include <direct.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Of files, no byte is another one than what is written, and no line waits when a program crashes. */
__attribute__((constructor)) static void start(void) {
  _fmode = _O_BINARY;
  _setmode(1, _O_BINARY);
  _setmode(2, _O_BINARY);
  setvbuf(stdout, NULL, _IONBF, 0);
}

/* Puts another name in place of the six letters at its end. */
static void name_it(char *path) {
  static unsigned count;
  const unsigned process = (unsigned)_getpid(), number = __atomic_fetch_add(&count, 1, __ATOMIC_SEQ_CST);
  snprintf(path + strlen(path) - 6, 7, "%03x%03x", process % 4096, number % 4096);
}

int posix_mkstemp(char *path) {
  int tries, fd = -1;
  for (tries = 0; tries < 4096 && fd < 0; tries++) {
    name_it(path);
    fd = _open(path, _O_RDWR | _O_CREAT | _O_EXCL | _O_BINARY, _S_IREAD | _S_IWRITE);
  }
  return fd;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  return _lseeki64(fd, at, SEEK_SET) < 0 ? -1 : _write(fd, bytes, (unsigned)length);
}

char *mkdtemp(char *path) {
  int tries;
  for (tries = 0; tries < 4096; tries++) {
    name_it(path);
    if (_mkdir(path) == 0) return path;
  }
  return NULL;
}

int setenv(const char *name, const char *value, int replaces) {
  (void)replaces;
  return _putenv_s(name, value);
}

int unsetenv(const char *name) { return _putenv_s(name, ""); }

int posix_rand_r(unsigned *seed) {
  *seed = *seed * 1103515245u + 12345u;
  return (int)(*seed >> 8 & RAND_MAX);
}

void explicit_bzero(void *bytes, size_t length) {
  volatile char *at = (volatile char *)bytes;
  while (length-- > 0) *at++ = 0;
}

void *memmem(const void *in, size_t length, const void *wanted, size_t wanted_length) {
  const char *at = (const char *)in;
  for (; length >= wanted_length; at++, length--)
    if (memcmp(at, wanted, wanted_length) == 0) return (void *)(uintptr_t)at;
  return NULL;
}

char *strcasestr(const char *in, const char *wanted) {
  const size_t length = strlen(wanted);
  for (; strlen(in) >= length; in++)
    if (_strnicmp(in, wanted, length) == 0) return (char *)(uintptr_t)in;
  return NULL;
}

char *strndup(const char *text, size_t most) {
  const size_t length = strnlen(text, most);
  char *copy = (char *)calloc(1, length + 1);
  return copy ? (char *)memcpy(copy, text, length) : NULL;
}
