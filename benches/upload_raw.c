/* The floor: a socket, and a loop of pread() and send() by 256 KiB that looks at nothing meanwhile. */
#include "uploader.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEGINNING                                                                                        \
  "--b\r\nContent-Disposition: form-data; name=\"videoId\"\r\n\r\n" VIDEO_ID "\r\n"                      \
  "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"video\"\r\n\r\n"
#define END "\r\n--b--\r\n"

static int peer = -1;
static char buffer[256 << 10];

static void send_all(const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(peer, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) fail("not sent");
    bytes += sent;
    length -= (size_t)sent;
  }
}

void uploader_open(const char *url) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  char host[64];
  int port, yes = 1;
  if (sscanf(url, "http://%63[^:]:%d", host, &port) != 2) fail("not such a URL");
  address.sin_port = htons((unsigned short)port);
  inet_pton(AF_INET, host, &address.sin_addr);
  peer = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* or the end of a form waits for 40 ms */
  if (connect(peer, (struct sockaddr *)&address, sizeof address) != 0) fail("no connection");
}

void uploader_upload(const char *path) {
  struct stat found;
  char head[512], answer[4096];
  int file = open(path, O_RDONLY);
  if (file < 0 || fstat(file, &found) != 0) fail("no such file");
  send_all(head, (size_t)snprintf(head, sizeof head,
                                  "POST /upload?token=" TOKEN " HTTP/1.1\r\nHost: benches\r\nContent-Range: part 1/1\r\n"
                                  "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %zu\r\n\r\n" BEGINNING,
                                  strlen(BEGINNING END) + (size_t)found.st_size));
  for (off_t at = 0; at < found.st_size;) {
    ssize_t read = pread(file, buffer, sizeof buffer, at);
    if (read <= 0) fail("not read");
    send_all(buffer, (size_t)read);
    at += read;
  }
  send_all(END, strlen(END));
  if (recv(peer, answer, sizeof answer, 0) < 12 || memcmp(answer, "HTTP/1.1 201", 12) != 0) fail("not taken");
  close(file);
}

void uploader_close(void) { close(peer); }
