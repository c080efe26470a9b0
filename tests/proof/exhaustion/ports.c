/* No port left to connect from: in a network of its own, which has two. */
#include "support/check.h"
#include "support/client.h"
#include "support/local_api.h"
#include "support/outcome.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORTS = 2 };

static void own_network(void) {
  struct ifreq loopback;
  int s;
  if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    perror("this test needs a network namespace: run it as root");
    exit(1);
  }
  s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  memset(&loopback, 0, sizeof loopback);
  strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP;
  if (s < 0 || ioctl(s, SIOCSIFFLAGS, &loopback) != 0) exit(2);
  close(s);
}

static void allow_ports(int first, int last) {
  FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "we");
  if (!range || fprintf(range, "%d %d", first, last) < 0 || fclose(range) != 0) {
    perror("/proc/sys/net/ipv4/ip_local_port_range");
    exit(2);
  }
}

/* A connection that leaves its port free as soon as it is closed. */
static int connected(const char *url) {
  struct sockaddr_in address;
  struct linger at_once = {1, 0};
  int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
  setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  if (s >= 0 && connect(s, (struct sockaddr *)&address, sizeof address) == 0) return s;
  close(s);
  return -1;
}

int main(void) {
  static const char *const arguments[] = {"--api-key", "test-key", NULL};
  local_api *service;
  av_client *client;
  av_request_options once;
  outcome told;
  int taken[PORTS], i;
  setvbuf(stdout, NULL, _IOLBF, 0);
  own_network();
  service = local_api_start(arguments);
  client = client_for(local_api_url(service));
  memset(&once, 0, sizeof once);
  once.struct_size = sizeof once;
  once.max_attempts = 1;
  allow_ports(50000, 50000 + PORTS - 1);
  for (i = 0; i < PORTS; i++) taken[i] = connected(local_api_url(service));
  if (!CHECK(taken[PORTS - 1] >= 0 && connected(local_api_url(service)) < 0)) exit(1); /* proves nothing */

  told = try_create(client, &once);
  print_outcome("no port to be had", &told);
  CHECK(is_failure(&told, AV_STATUS_CONNECT, 1, 1) && says(&told, "Cannot assign requested address"));
  told = try_create(client, NULL);
  CHECK(is_failure(&told, AV_STATUS_CONNECT, 1, 3));

  close(taken[0]);
  told = try_create(client, &once);
  print_outcome("once there is one again", &told);
  CHECK(told.status == AV_STATUS_OK);
  close(taken[1]);
  av_client_free(client);
  local_api_stop(service);
  return checks_report();
}
