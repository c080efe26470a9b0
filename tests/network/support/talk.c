#include "support/talk.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

talk talk_start(const char *command) {
  talk it;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 || (it.process = fork()) < 0) {
    perror(command);
    exit(2);
  }
  if (it.process == 0) {
    dup2(ends[1], 0);
    dup2(ends[1], 1);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  it.descriptor = ends[0];
  return it;
}

void talk_end(const talk *it) {
  kill(it->process, SIGTERM);
  waitpid(it->process, NULL, 0);
}
