/* What it takes to go on with an upload, in a file that is locked, by POSIX. */
#define _XOPEN_SOURCE 700 /* POSIX with realpath() */
#define _DARWIN_C_SOURCE  /* and on macOS with flock() */

#include "../tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void keep_reason(struct state *state, int error) {
  snprintf(state->reason, sizeof state->reason, "%s", strerror(error));
}

/* From the root, through no link. */
char *whole_path(const char *path) {
  return realpath(path, NULL);
}

/* Opens the file, which is made if need be, and locks it. What is locked has to be what is found at the path:
 * whoever had it may have put another in its place, or removed it, before it was locked here. */
enum hold hold_state(struct state *state) {
  for (;;) {
    struct stat opened, found;
    int descriptor = open(state->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (descriptor < 0) {
      keep_reason(state, errno);
      /* Where there is none it may be done without; one that is there must not be lost. */
      return lstat(state->path, &found) != 0 ? HOLD_NONE : HOLD_FAILED;
    }
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      close(descriptor);
      return HOLD_TAKEN;
    }
    if (fstat(descriptor, &opened) == 0 && lstat(state->path, &found) == 0 &&
        opened.st_dev == found.st_dev && opened.st_ino == found.st_ino) {
      state->held = descriptor;
      return HOLD_GOT;
    }
    close(descriptor);
  }
}

/* What an earlier run left; NULL if there is nothing. */
char *read_state(const struct state *state) {
  char *text = calloc(1, 8192); /* it is a line of at most 4096 bytes */
  ssize_t length = state->held >= 0 && text != NULL ? pread((int)state->held, text, 8191, 0) : 0;
  if (length > 0) {
    text[strcspn(text, "\n")] = '\0';
    return text;
  }
  free(text);
  return NULL;
}

/* Until it is on the disk itself: macOS's fsync() leaves it to the disk when. */
static bool sync_file(int descriptor) {
#ifdef F_FULLFSYNC
  if (fcntl(descriptor, F_FULLFSYNC) == 0) return true;
#endif
  return fsync(descriptor) == 0;
}

/* Puts a whole new file in the place of the old one: a crash leaves one or the other. */
bool write_state(struct state *state, const char *text) {
  size_t length = strlen(text);
  size_t size = strlen(state->path) + sizeof ".new";
  char *new_path = malloc(size);
  int descriptor;
  bool written;
  if (new_path == NULL) {
    keep_reason(state, ENOMEM);
    return false;
  }
  snprintf(new_path, size, "%s.new", state->path);
  descriptor = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  written = descriptor >= 0;
  if (written) flock(descriptor, LOCK_EX | LOCK_NB); /* before anybody finds it */
  written = written && write(descriptor, text, length) == (ssize_t)length &&
            write(descriptor, "\n", 1) == 1 && sync_file(descriptor) &&
            rename(new_path, state->path) == 0;
  if (written) {
    if (state->held >= 0) close((int)state->held);
    state->held = descriptor;
  } else {
    keep_reason(state, errno);
    if (descriptor >= 0) {
      unlink(new_path);
      close(descriptor);
    }
  }
  free(new_path);
  return written;
}

/* Whether nothing is kept any more. */
bool empty_state(struct state *state) {
  return state->held < 0 || ftruncate((int)state->held, 0) == 0;
}

/* Ends the run's hold on the file, which stays if there is anything in it to go on from. */
void close_state(struct state *state, bool is_uploaded) {
  struct stat opened;
  if (state->held < 0) return;
  if (is_uploaded || (fstat((int)state->held, &opened) == 0 && opened.st_size == 0)) unlink(state->path);
  close((int)state->held);
}
