/* A peer on loopback for many connections at once: a function of the test serves each of them on a
 * thread of its own, as slowly and wrongly as it likes. For what takes requests one after the other
 * there is support/peer.h. */
#ifndef SERVER_H
#define SERVER_H

#include <stddef.h>
#include <stdint.h>

typedef struct server server;

/* Serves one connection, which is closed when it returns. */
typedef void (*serve_fn)(server *s, int connection, void *data);

/* A request as received. */
typedef struct request {
  char text[16 * 1024]; /* head and body, NUL-terminated */
  size_t length;
  char method[16], path[4200];
  const char *body; /* within text */
} request;

/* Listens on a port of its own; ends the test program if it cannot. */
server *server_start(serve_fn serve, void *data);
/* The same at an address of this machine, IPv4 or IPv6, and a port, 0 for one of its own. */
server *server_start_at(const char *address, uint16_t port, serve_fn serve, void *data);
/* Its base URL, "http://127.0.0.1:PORT", and the same with another scheme. */
const char *server_url(const server *s);
void server_url_as(const server *s, const char *scheme, char *url, size_t size);
/* Its port. */
uint16_t server_port(const server *s);
/* How many connections it has accepted. */
size_t server_connections(const server *s);
/* How many requests server_receive() has received, by all connections. */
size_t server_requests(const server *s);
/* Closes all connections, waits for what serves them, and frees the server. */
void server_stop(server *s);

/* For serve functions. Receives a whole request; 0 if the client has gone or the server stops. */
int server_receive(server *s, int connection, request *into);
/* Receives a request with a body of any size, and keeps its head alone; 0 likewise. */
int server_receive_large(server *s, int connection, request *into);
/* Sends a text; 0 if the client has gone. */
int server_send(int connection, const char *text);
/* Sends a whole answer: "HTTP/1.1 " + status line + headers (each with its line end) +
 * Content-Length + body. */
int server_answer(int connection, const char *status, const char *headers, const char *body);
/* Sends a text byte by byte, one each `every_ms`; 0 if the client has gone. */
int server_drip(int connection, const char *text, int every_ms);
/* Waits until the client has gone, and throws away what it sends. */
void server_swallow(int connection);
/* Waits until the client has gone, without receiving anything. */
void server_ignore(int connection);

/* A serve function that says nothing until the client has gone. */
void serve_silence(server *s, int connection, void *data);

/* A port on loopback that swallows what wants to connect: its queue is full. Closed when the test
 * program ends. */
uint16_t black_hole(void);
/* The same at an address, IPv4 or IPv6, and a port; on one of its own, which it tells, if `*port` is 0.
 * Returns the listener: who accepts from it lets those in who still knock. */
int black_hole_at(const char *address, uint16_t *port);
/* A port on loopback that refuses connections. */
uint16_t refusing_port(void);
/* A PEM file with an authority that has signed nothing; deleted when the test program ends. */
const char *idle_authority(void);

#endif
