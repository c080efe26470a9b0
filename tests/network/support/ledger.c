#include "ledger.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(2);
}

/* The number that follows a name, looked for from a place on. */
static size_t number(const char *from, const char *name) {
  const char *found = strstr(from, name);
  if (!found) {
    fprintf(stderr, "the ledger has no %s: %s\n", name, from);
    exit(2);
  }
  return strtoul(found + strlen(name), NULL, 10);
}

ledger ledger_of(const char *url) {
  static const char question[] = "GET /local-api/ledger HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n\r\n";
  const char *port = strrchr(url, ':'), *at;
  int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  size_t capacity = 1 << 16, length = 0;
  struct sockaddr_in address;
  ledger of;
  memset(&of, 0, sizeof of);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)atoi(port + 1));
  if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address) != 0 ||
      send(connection, question, sizeof question - 1, MSG_NOSIGNAL) != (ssize_t)sizeof question - 1)
    fail("the ledger");
  of.text = (char *)malloc(capacity + 1);
  for (;;) {
    ssize_t got;
    if (!of.text) fail("malloc");
    got = recv(connection, of.text + length, capacity - length, 0);
    if (got < 0) fail("recv");
    if (got == 0) break;
    length += (size_t)got;
    if (length == capacity) of.text = (char *)realloc(of.text, (capacity *= 2) + 1);
  }
  close(connection);
  of.text[length] = 0;
  of.requests = number(of.text, "\"requests\":");
  of.connections = number(of.text, "\"connections\":");
  of.rate_limited = number(of.text, "\"rate_limited\":");
  of.created = number(of.text, "\"created\":");
  of.deleted = number(of.text, "\"deleted\":");
  of.creates_lost = number(of.text, "\"create\":");
  of.deletes_lost = number(of.text, "\"delete\":");
  of.others_lost = number(of.text, "\"read\":");
  at = strstr(of.text, "\"tokens\":[");
  if (!at) fail("no tokens in the ledger");
  for (at += 10; *at && *at != ']'; at++) of.token_count += *at == '"';
  of.token_count /= 2;
  return of;
}

const char *ledger_over_tls(const char *url, const char *authority) {
  static char text[1 << 16];
  char command[300];
  size_t length;
  FILE *answer;
  snprintf(command, sizeof command,
           "printf 'GET /local-api/ledger HTTP/1.1\\r\\nHost: ledger\\r\\nConnection: close\\r\\n\\r\\n' | "
           "openssl s_client -quiet -verify_quiet -CAfile %s -connect %s 2>/dev/null",
           authority, url + strlen("https://"));
  answer = popen(command, "r");
  if (!answer) fail("openssl");
  length = fread(text, 1, sizeof text - 1, answer);
  text[length] = 0;
  pclose(answer);
  return text;
}

int ledger_has(const ledger *of, const char *token) { return strstr(of->text, token) != NULL; }

void ledger_free(ledger *of) { free(of->text); }
