/* A scripted peer: a real socket on loopback that records what it is sent and answers with the bytes
 * it was told, whatever they are. Requests are taken one after the other, over as many connections
 * as the client opens. Compiles as C11 and as C++17. */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>

typedef struct peer peer;

/* What the peer does after an answer. */
typedef enum peer_end {
  PEER_KEEP,  /* keeps the connection for the next request */
  PEER_CLOSE, /* closes it */
  PEER_STALL, /* stays silent until the client has gone */
  PEER_DRIP   /* sends an "x" now and then, until the client has gone */
} peer_end;

/* Listens on a port of its own; ends the test program if it cannot. */
peer *peer_start(void);
/* Its base URL, such as "http://127.0.0.1:34567". */
const char *peer_url(const peer *p);
/* What the next request that has no answer yet is answered with. The bytes are copied. Without any
 * answer left, the peer closes the connection upon a request. */
void peer_answer(peer *p, const void *bytes, size_t length, peer_end end);
/* The same for a text. */
void peer_answer_text(peer *p, const char *text, peer_end end);
/* The same for a whole HTTP answer: "HTTP/1.1 " + status line + Content-Length + body. */
void peer_answer_json(peer *p, const char *status, const char *body);
/* How many requests it has received whole (head, and body by Content-Length). */
size_t peer_request_count(peer *p);
/* The request `index`, from 0, NUL-terminated; lives until peer_stop(). NULL if there is none.
 * `length`, which may be NULL, receives its length. */
const char *peer_request(peer *p, size_t index, size_t *length);
/* How many connections it has accepted. */
size_t peer_connection_count(peer *p);
/* Closes everything and frees the peer. */
void peer_stop(peer *p);

#endif
