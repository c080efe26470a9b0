#include "call.h"

#include <stddef.h>

/* What stands in `out` and `error` before a call: an address that can be freed by nobody. */
static max_align_t garbage;

call call_make(const av_client *client, operation op, const av_request_options *options) {
  call made;
  av_token **token = &made.token;
  av_token_page **page = &made.page;
  char **json = &made.json;
  made.op = op;
  made.status = -1;
  made.token = NULL;
  made.page = NULL;
  made.json = NULL;
  made.error = (av_error *)&garbage;
  if (op == CREATE || op == GET) made.token = (av_token *)&garbage;
  if (op == LIST) made.page = (av_token_page *)&garbage;
  if (op >= CREATE_JSON) made.json = (char *)&garbage;
  switch (op) {
    case CREATE: made.status = av_tokens_create(client, 3600, options, token, &made.error); break;
    case GET: made.status = av_tokens_get(client, TOKEN, options, token, &made.error); break;
    case LIST: made.status = av_tokens_list(client, NULL, options, page, &made.error); break;
    case DELETE: made.status = av_tokens_delete(client, TOKEN, options, &made.error); break;
    case CREATE_JSON:
      made.status = av_tokens_create_json(client, NULL, options, json, &made.error);
      break;
    case GET_JSON: made.status = av_tokens_get_json(client, TOKEN, options, json, &made.error); break;
    case LIST_JSON: made.status = av_tokens_list_json(client, NULL, options, json, &made.error); break;
    case OPERATIONS: break;
  }
  return made;
}

int call_gave(const call *made) { return made->token || made->page || made->json; }

void call_free(call *made) {
  av_token_free(made->token);
  av_token_page_free(made->page);
  av_string_free(made->json);
  av_error_free(made->error);
}

const char *operation_name(operation op) {
  static const char *const names[] = {"create",      "get",      "list",     "delete",
                                      "create_json", "get_json", "list_json"};
  return op < OPERATIONS ? names[op] : "?";
}

const char *operation_shown(operation op) {
  switch (op) {
    case CREATE:
    case CREATE_JSON: return "POST /upload-tokens:";
    case GET:
    case GET_JSON: return "GET /upload-tokens/to1t";
    case LIST:
    case LIST_JSON: return "GET /upload-tokens:";
    case DELETE: return "DELETE /upload-tokens/to1t";
    case OPERATIONS: break;
  }
  return "?";
}

int operation_reads(operation op) { return op != CREATE && op != CREATE_JSON && op != DELETE; }

void answer_well(peer *p, operation op) {
  if (op == DELETE)
    peer_answer_text(p, "HTTP/1.1 204 No Content\r\n\r\n", PEER_KEEP);
  else
    peer_answer_json(p, "200 OK", op == LIST || op == LIST_JSON ? PAGE_BODY : TOKEN_BODY);
}
