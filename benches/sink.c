/* Takes uploads, each connection's in a process of its own, throws away what comes without a look at it,
 * and answers each with the same video. Prints its URL and ends with the process that began it. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define VIDEO "{\"videoId\":\"vi4k0jvEUuaTdRAEjQ4Jfrgz\",\"title\":\"video\",\"public\":true}"
#define LENGTH_HEADER "\nContent-Length:"

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* Takes in one request; false at the connection's end. */
static int take(int peer) {
  static char head[16384], rest[1 << 20];
  static const char answer[] = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: ";
  size_t come = 0;
  char *end = NULL, *told;
  while (!end) {
    ssize_t more = recv(peer, head + come, sizeof head - 1 - come, 0);
    if (more <= 0) return 0;
    come += (size_t)more;
    head[come] = 0;
    end = memmem(head, come, "\r\n\r\n", 4);
  }
  *end = 0;
  told = strcasestr(head, LENGTH_HEADER);
  if (!told) return 0;
  size_t left = strtoul(told + strlen(LENGTH_HEADER), NULL, 10) - (come - (size_t)(end + 4 - head));
  while (left > 0) { /* the kernel throws it away */
    ssize_t more = recv(peer, rest, left < sizeof rest ? left : sizeof rest, MSG_TRUNC);
    if (more <= 0) return 0;
    left -= (size_t)more;
  }
  int length = snprintf(head, sizeof head, "%s%zu\r\n\r\n%s", answer, strlen(VIDEO), VIDEO);
  return send(peer, head, (size_t)length, MSG_NOSIGNAL) == length;
}

int main(void) {
  struct sockaddr_in address = {0};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), peer;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 64) != 0) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  signal(SIGCHLD, SIG_IGN);
  while ((peer = accept(listener, NULL, NULL)) >= 0) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      while (take(peer)) continue;
      return 0;
    }
    close(peer);
  }
  fail("accept");
}
