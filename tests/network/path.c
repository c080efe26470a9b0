/* A token never changes the path: what would lead elsewhere, for whoever decodes a path on its way, is
 * refused before anything is sent. path.sh has nginx decode and resolve it, and counts what arrives. */
#include "support/check.h"
#include "support/client.h"

#include <stdlib.h>

static const char *const bases[] = {"http://127.0.0.1:4440/resolved", "http://127.0.0.1:4440/rewritten",
                                    "http://127.0.0.1:4440/decoded"};
enum { BASES = sizeof bases / sizeof *bases };

static const char *const leading_away[] = {
    "",     ".",      "..",           "/",         "//",           "../videos/vi123", "../../videos", "to1/../../videos/vi123",
    "to1/", "\\",     "..\\videos",   "to1\nx",    "to1\r\nX: y",  "\x01",            "to1\x7f",      "to1\xC2\x85",
    "%2e",  "%2E%2E", ".%2e",         "..%2f",     "..%2Fvideos",  "to1%2fx",         "%5c",          "..%5Cvideos",
    "%00",  "to1%0a", "%252e%252e",   "..%252fvideos", "%252525252f", "..;",          "..;x=y",       ";x",
    "..?x", "?",      "..#",          "%2e%2e%3bx",
};
/* Awkward, but in its place; one for each base. */
static const char *const staying[] = {"to1plainAndKnownToNobody", "to1...", "to1..", "to1b+c", "to1~!$&'()*,=:@"};
enum { STAYING = sizeof staying / sizeof *staying };

static void check_refused(const char *token, av_status status, av_error *error) {
  CHECK_ROW(token, status == AV_STATUS_INVALID_ARGUMENT);
  CHECK_ROW(token, av_error_outcome(error) == AV_OUTCOME_NOT_APPLIED && av_error_attempts(error) == 0);
  CHECK_ROW(token, strstr(av_error_message(error), "token") != NULL);
  av_error_free(error);
}

static void call(const char *base) {
  av_client *client = client_trying_once(base);
  av_error *error = NULL;
  size_t i;
  for (i = 0; i < sizeof leading_away / sizeof *leading_away; i++) {
    const char *token = leading_away[i];
    av_token *found = NULL;
    char *json = NULL;
    av_status status = av_tokens_delete(client, token, NULL, &error);
    check_refused(token, status, error);
    status = av_tokens_get(client, token, NULL, &found, &error);
    check_refused(token, status, error);
    status = av_tokens_get_json(client, token, NULL, &json, &error);
    check_refused(token, status, error);
    CHECK_ROW(token, found == NULL && json == NULL);
  }
  for (i = 0; i < STAYING; i++) CHECK_ROW(staying[i], av_tokens_delete(client, staying[i], NULL, NULL) == AV_STATUS_OK);
  av_client_free(client);
}

int main(int count, char **arguments) {
  size_t i;
  if (count > 1 && strcmp(arguments[1], "calls") == 0) {
    av_client *client = client_trying_once(bases[0]);
    for (i = 0; i < BASES; i++) call(bases[i]);
    CHECK(av_tokens_delete(client, "the-last", NULL, NULL) == AV_STATUS_OK);
    av_client_free(client);
    return checks_report();
  }
  if (count != 4) return 2;
  printf("behind %d kinds of proxy: %s requests arrived elsewhere, %s at their token\n", (int)BASES, arguments[2], arguments[3]);
  CHECK(atoi(arguments[2]) == 0);
  CHECK(atoi(arguments[3]) == BASES * STAYING);
  return checks_report();
}
