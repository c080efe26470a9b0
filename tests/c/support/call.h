/* The seven calls behind one function, so that a table can name them. Compiles as C11 and C++17. */
#ifndef CALL_H
#define CALL_H

#include "peer.h"
#include <apivideo.h>

/* The token that the calls ask for: long enough to be shown in part. */
#define TOKEN "to1tcmSFHeYY5KzyhOqVKMKb"
/* The same as an answer's body, with a time to live, and dates an hour apart. */
#define TOKEN_BODY                                                                    \
  "{\"token\":\"" TOKEN "\",\"ttl\":3600,\"createdAt\":\"2020-12-02T10:13:19+00:00\"," \
  "\"expiresAt\":\"2020-12-02T11:13:19+00:00\"}"
/* A page with that token alone. */
#define PAGE_BODY                                                                          \
  "{\"data\":[" TOKEN_BODY "],\"pagination\":{\"currentPage\":1,\"currentPageItems\":1," \
  "\"pageSize\":25,\"pagesTotal\":1,\"itemsTotal\":1,\"links\":[]}}"

typedef enum operation { CREATE, GET, LIST, DELETE, CREATE_JSON, GET_JSON, LIST_JSON, OPERATIONS } operation;

/* A call that has returned, with what it handed out: at most one of the pointers is not NULL. */
typedef struct call {
  operation op;
  av_status status;
  av_token *token;
  av_token_page *page;
  char *json;
  av_error *error;
} call;

/* Makes the call with its `out` and `error` preset to what must not be left there. */
call call_make(const av_client *client, operation op, const av_request_options *options);
/* Whether anything was handed out. */
int call_gave(const call *made);
/* Frees what the call handed out. */
void call_free(call *made);

/* Its name, for a failing row. */
const char *operation_name(operation op);
/* What an error's message begins with: method and path, up to what is shown of the token. */
const char *operation_shown(operation op);
/* Whether it leaves the service as it was. */
int operation_reads(operation op);
/* Has the peer answer it well. */
void answer_well(peer *p, operation op);

#endif
