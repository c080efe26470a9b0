/* The commands about tokens: create, get, list, delete and purge; tokens as a table and as JSON. */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- Tokens, as a table ---- */

/* What a token of the library says, to be kept when that is gone. */
struct row {
  char *token;
  int64_t created_at;
  int64_t expires_at;
  int32_t ttl_seconds;
};

struct table {
  struct row *rows;
  size_t count;
  size_t capacity;
};

static void table_add(struct table *table, const av_token *token) {
  struct row row = {strdup(token->token), token->created_at, token->expires_at,
                    token->ttl_seconds};
  if (table->count == table->capacity) {
    table->capacity = table->capacity == 0 ? 128 : 2 * table->capacity;
    table->rows = realloc(table->rows, table->capacity * sizeof *table->rows);
  }
  if (row.token == NULL || table->rows == NULL) {
    tell("apivideo: out of memory");
    exit(CODE_FAILED);
  }
  table->rows[table->count++] = row;
}

static void table_free(struct table *table) {
  for (size_t i = 0; i < table->count; i++) free(table->rows[i].token);
  free(table->rows);
}

/* How many characters there are in UTF-8: the bytes that do not continue one. */
static size_t length(const char *text) {
  size_t characters = 0;
  for (; *text != '\0'; text++) characters += ((unsigned char)*text & 0xC0) != 0x80;
  return characters;
}

static void print_padded(const char *text, size_t width) {
  print_safely(stdout, text);
  for (size_t used = length(text); used < width; used++) putchar(' ');
}

static void table_print(const struct table *table) {
  int64_t now = current_time();
  size_t width = length("TOKEN");
  if (table->count == 0) return;
  for (size_t i = 0; i < table->count; i++) {
    size_t needed = length(table->rows[i].token);
    if (needed > width) width = needed;
  }
  print_padded("TOKEN", width);
  printf("  %-11s  %-19s  %-19s  %s\n", "TTL", "CREATED", "EXPIRES", "LEFT");
  for (size_t i = 0; i < table->count; i++) {
    const struct row *row = &table->rows[i];
    print_padded(row->token, width);
    printf("  %-11s  %-19s  %-19s  %s\n", time_to_live(row->ttl_seconds).chars,
           creation(row->created_at).chars, expiry(row->expires_at, row->ttl_seconds).chars,
           time_left(row->expires_at, row->ttl_seconds, now).chars);
  }
}

/* ---- Tokens, as JSON ---- */

/* With the service's names; what was not told is left out. */
static void print_json_token(const av_token *token) {
  printf("{\"token\":");
  print_json_string(token->token);
  if (token->ttl_seconds >= 0) printf(",\"ttl\":%" PRId32, token->ttl_seconds);
  if (token->created_at != 0) printf(",\"createdAt\":\"%s\"", utc_date(token->created_at).chars);
  if (token->expires_at != 0) printf(",\"expiresAt\":\"%s\"", utc_date(token->expires_at).chars);
  puts("}");
}

/* ---- The commands ---- */

static int print_answer(char *json) {
  puts(json);
  av_string_free(json);
  return CODE_OK;
}

int run_create(const struct session *session, const struct request *request) {
  av_token *token = NULL;
  av_error *error = NULL;

  if (request->json) {
    char payload[32];
    char *answer = NULL;
    snprintf(payload, sizeof payload, "{\"ttl\":%" PRIu32 "}", request->ttl_seconds);
    if (av_tokens_create_json(session->client, payload, &session->call, &answer, &error) !=
        AV_STATUS_OK)
      return fail(error, TASK_CREATE);
    return print_answer(answer);
  }

  if (av_tokens_create(session->client, request->ttl_seconds, &session->call, &token, &error) !=
      AV_STATUS_OK)
    return fail(error, TASK_CREATE);
  print_safely(stdout, token->token);
  putchar('\n');
  if (token->expires_at != 0)
    tell("expires %s (time left: %s)", local_date(token->expires_at).chars,
         time_left(token->expires_at, token->ttl_seconds, current_time()).chars);
  else if (token->ttl_seconds == 0)
    tell("never expires");
  av_token_free(token);
  return CODE_OK;
}

int run_get(const struct session *session, const struct request *request) {
  struct table table = {0};
  av_token *token = NULL;
  av_error *error = NULL;

  if (request->json) {
    char *answer = NULL;
    if (av_tokens_get_json(session->client, request->arguments[0], &session->call, &answer, &error) !=
        AV_STATUS_OK)
      return fail(error, TASK_ONE_TOKEN);
    return print_answer(answer);
  }

  if (av_tokens_get(session->client, request->arguments[0], &session->call, &token, &error) !=
      AV_STATUS_OK)
    return fail(error, TASK_ONE_TOKEN);
  table_add(&table, token);
  table_print(&table);
  table_free(&table);
  av_token_free(token);
  return CODE_OK;
}

/* Tells how much of the whole a page is. */
static void tell_page(const av_token_page *page, const struct request *request) {
  if (page->count == 0 && request->list.current_page > 1)
    tell("page %" PRIu32 " is empty", request->list.current_page);
  else if (page->count == 0)
    tell("no active tokens");
  else if (page->pages_total > 1 && page->items_total > 0 && page->current_page > 0)
    tell("%zu of %" PRIu64 " tokens, page %" PRIu32 " of %" PRIu32 " (--all for all of them)",
         page->count, page->items_total, page->current_page, page->pages_total);
  else
    tell("%zu %s", page->count, page->count == 1 ? "token" : "tokens");
}

static int list_page(const struct session *session, const struct request *request) {
  struct table table = {0};
  av_token_page *page = NULL;
  av_error *error = NULL;

  if (request->json) {
    char *answer = NULL;
    if (av_tokens_list_json(session->client, &request->list, &session->call, &answer, &error) !=
        AV_STATUS_OK)
      return fail(error, TASK_LIST);
    return print_answer(answer);
  }

  if (av_tokens_list(session->client, &request->list, &session->call, &page, &error) !=
      AV_STATUS_OK)
    return fail(error, TASK_LIST);
  for (size_t i = 0; i < page->count; i++) table_add(&table, page->items[i]);
  table_print(&table);
  tell_page(page, request);
  table_free(&table);
  av_token_page_free(page);
  return CODE_OK;
}

/* JSON is printed as the pages come; a table only when its widest token is known. */
static int list_all(const struct session *session, const struct request *request) {
  struct table table = {0};
  size_t count = 0;
  int code = CODE_OK;
  av_token_iter *tokens = NULL;
  const av_token *token = NULL;
  av_error *error = NULL;

  if (av_tokens_iterate(session->client, &request->list, &tokens, &error) != AV_STATUS_OK)
    return fail(error, TASK_LIST);
  while (av_token_iter_next(tokens, &session->call, &token, &error) == AV_STATUS_OK &&
         token != NULL && !ferror(stdout)) {
    count++;
    if (request->json)
      print_json_token(token);
    else
      table_add(&table, token);
  }
  av_token_iter_free(tokens);

  table_print(&table);
  if (error != NULL) {
    code = fail(error, TASK_LIST);
    if (count > 0) tell("hint: the list is not complete, it breaks off after %zu tokens", count);
  } else if (!request->json) {
    if (count == 0)
      tell("no active tokens%s", request->list.current_page > 1 ? " from this page on" : "");
    else
      tell("%zu %s", count, count == 1 ? "token" : "tokens");
  }
  table_free(&table);
  return code;
}

int run_list(const struct session *session, const struct request *request) {
  return request->all ? list_all(session, request) : list_page(session, request);
}

static void print_json_deleted(const char *id) {
  printf("{\"token\":");
  print_json_string(id);
  puts(",\"deleted\":true}");
}

int run_delete(const struct session *session, const struct request *request) {
  int first_failure = CODE_OK;
  for (int i = 0; i < request->argument_count; i++) {
    av_error *error = NULL;
    if (av_tokens_delete(session->client, request->arguments[i], &session->call, &error) !=
        AV_STATUS_OK) {
      int code = fail(error, TASK_ONE_TOKEN);
      /* The message does not show the whole token, which is a secret. */
      if (request->argument_count > 1) tell("that was argument %d of %d", i + 1, request->argument_count);
      if (code == CODE_INTERRUPTED) {
        if (i + 1 < request->argument_count) tell("not tried: the last %d", request->argument_count - i - 1);
        return code;
      }
      if (first_failure == CODE_OK) first_failure = code;
    } else if (request->json) {
      print_json_deleted(request->arguments[i]);
    } else {
      printf("deleted ");
      print_safely(stdout, request->arguments[i]);
      putchar('\n');
    }
  }
  return first_failure;
}

/* ---- Purging ---- */

/* What was not told is no reason to delete anything. */
static bool is_to_go(const av_token *token, const struct request *request, int64_t now) {
  bool never_expires = token->ttl_seconds == 0;
  bool is_older = token->created_at != 0 && now - token->created_at > request->age_seconds;
  return (request->never_expiring && never_expires) || (request->older && is_older);
}

/* Goes through all pages before anything is deleted: a deletion moves what is on later pages to
 * earlier ones. */
static int collect(const struct session *session, const struct request *request,
                   struct table *doomed, size_t *seen) {
  int64_t now = current_time();
  av_token_iter *tokens = NULL;
  const av_token *token = NULL;
  av_error *error = NULL;
  int code;

  if (av_tokens_iterate(session->client, &request->list, &tokens, &error) != AV_STATUS_OK)
    return fail(error, TASK_LIST);
  while (av_token_iter_next(tokens, &session->call, &token, &error) == AV_STATUS_OK &&
         token != NULL) {
    if (++*seen % 100 == 0) show_progress("looked at %zu tokens", *seen);
    if (!is_to_go(token, request, now)) continue;
    table_add(doomed, token);
    if (request->dry_run && request->json) print_json_token(token);
  }
  av_token_iter_free(tokens);
  if (error == NULL) return CODE_OK;
  code = fail(error, TASK_LIST);
  tell("nothing was deleted");
  return code;
}

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_INTERRUPTED };

static enum answer ask(const char *question) {
  char line[8] = "";

  clear_progress();
  forget_input(); /* what was typed before the question is no answer to it */
  fprintf(stderr, "%s [y/N] ", question);
  fflush(stderr);
  if (wait_for_input() && fgets(line, sizeof line, stdin) != NULL)
    return strcasecmp(line, "y\n") == 0 || strcasecmp(line, "yes\n") == 0 ? ANSWER_YES : ANSWER_NO;
  fputc('\n', stderr);
  return is_interrupted() ? ANSWER_INTERRUPTED : ANSWER_NO;
}

/* The library waits for the rate limit by itself; somebody who watches should know. */
static void show_deletions(size_t deleted, size_t all, const av_response *last) {
  int64_t remaining = -1, seconds = -1;
  av_response_rate_limit(last, NULL, &remaining, &seconds);
  if (remaining == 0 && seconds > 0)
    show_progress("deleted %zu of %zu; waiting for the rate limit, about %" PRId64 " s", deleted,
                  all, seconds);
  else
    show_progress("deleted %zu of %zu", deleted, all);
}

/* Whether a failure to delete one token says nothing about the next. */
static bool is_about_one_token(av_status status) {
  return status == AV_STATUS_INVALID_ARGUMENT || status == AV_STATUS_NOT_FOUND ||
         status == AV_STATUS_REJECTED || status == AV_STATUS_SERVER || status == AV_STATUS_DECODE;
}

static int delete_doomed(const struct session *session, const struct request *request,
                         const struct table *doomed) {
  av_response *response = av_response_new();
  av_request_options call = session->call;
  size_t deleted = 0, gone = 0, failed = 0, left;
  bool stopped = false;
  int code = CODE_OK;

  call.response = response;
  for (size_t i = 0; i < doomed->count && !stopped && !ferror(stdout); i++) {
    const char *token = doomed->rows[i].token;
    av_error *error = NULL;
    av_status status;

    show_deletions(deleted, doomed->count, response);
    status = av_tokens_delete(session->client, token, &call, &error);
    if (status == AV_STATUS_OK) {
      deleted++;
      if (!request->json) continue;
      clear_progress(); /* both may be on one terminal */
      print_json_deleted(token);
    } else if (is_gone(error)) {
      gone++; /* expired, or deleted by somebody else meanwhile */
      av_error_free(error);
    } else {
      int failure = fail(error, TASK_ONE_TOKEN);
      if (code == CODE_OK || failure == CODE_INTERRUPTED) code = failure;
      stopped = !is_about_one_token(status);
      failed += !stopped;
    }
  }
  av_response_free(response);

  left = doomed->count - deleted - gone - failed;
  tell("%zu deleted%s%s%s", deleted, gone > 0 ? text(", %zu already gone", gone).chars : "",
       failed > 0 ? text(", %zu failed", failed).chars : "",
       left > 0 ? text(", %zu left", left).chars : "");
  if (left > 0) tell("hint: the same command again goes on with those that are left");
  return code;
}

static int purge(const struct session *session, const struct request *request,
                 const struct table *doomed, size_t seen) {
  struct text share = text("%zu of %zu %s", doomed->count, seen, seen == 1 ? "token" : "tokens");
  enum answer answer = ANSWER_YES;

  if (request->dry_run) {
    if (!request->json) table_print(doomed);
    tell("%s would be deleted", share.chars);
    return CODE_OK;
  }
  if (doomed->count > 0 && !request->yes)
    answer = ask(text("Delete %s?", share.chars).chars);
  if (answer == ANSWER_YES) return delete_doomed(session, request, doomed);
  tell("nothing was deleted");
  return answer == ANSWER_INTERRUPTED ? CODE_INTERRUPTED : CODE_OK;
}

int run_purge(const struct session *session, const struct request *request) {
  struct table doomed = {0};
  size_t seen = 0;
  int code = collect(session, request, &doomed, &seen);
  if (code == CODE_OK) code = purge(session, request, &doomed, seen);
  table_free(&doomed);
  return code;
}
