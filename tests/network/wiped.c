/* "The credential is wiped when the client is freed": after calls over plain HTTP, none of the
 * process's memory holds the key, or what it was sent as. The needles are kept masked, so that the
 * search does not find itself. */
#include "support/check.h"
#include "support/client.h"
#include "support/peer.h"
#include <fcntl.h>
#include <unistd.h>

#define LENGTH 48 /* of the key; divisible by 3, so that its encoding stands by itself */
#define MASK 0x5A
#define LARGEST (1ul << 30) /* of a mapping: a sanitizer's shadow, of up to 16 TB, holds no data */

static unsigned char needles[2][LENGTH / 3 * 4];
static const size_t needle_lengths[2] = {LENGTH, LENGTH / 3 * 4};

static void make_needles(const char *key) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t i, j;
  for (i = 0; i < LENGTH; i++) needles[0][i] = (unsigned char)(key[i] ^ MASK);
  for (i = 0, j = 0; i < LENGTH; i += 3) {
    unsigned group = (unsigned)(unsigned char)key[i] << 16 | (unsigned)(unsigned char)key[i + 1] << 8 |
                     (unsigned)(unsigned char)key[i + 2];
    int shift;
    for (shift = 18; shift >= 0; shift -= 6)
      needles[1][j++] = (unsigned char)(digits[group >> shift & 63] ^ MASK);
  }
}

static int is_needle(const unsigned char *at, int needle) {
  size_t i;
  for (i = 0; i < needle_lengths[needle]; i++)
    if ((at[i] ^ MASK) != needles[needle][i]) return 0;
  return 1;
}

/* How often a needle stands in the memory of this process. */
static int count(int needle) {
  static unsigned char page[1 << 16];
  FILE *maps = fopen("/proc/self/maps", "r");
  int memory = open("/proc/self/mem", O_RDONLY), found = 0;
  char line[512];
  if (!maps || memory < 0) exit(2);
  while (fgets(line, sizeof line, maps)) {
    unsigned long begin, end, at;
    char access[8];
    if (sscanf(line, "%lx-%lx %7s", &begin, &end, access) != 3 || access[0] != 'r') continue;
    if (end - begin > LARGEST) continue;
    for (at = begin; at < end; at += sizeof page - LENGTH * 2) {
      size_t wanted = end - at < sizeof page ? end - at : sizeof page, i;
      ssize_t got = pread(memory, page, wanted, (off_t)at);
      for (i = 0; got > 0 && i + needle_lengths[needle] <= (size_t)got; i++) {
        /* Not the copy that is being searched. */
        int is_own = at + i >= (unsigned long)page && at + i < (unsigned long)page + sizeof page;
        if (!is_own && (page[i] ^ MASK) == needles[needle][0] && is_needle(page + i, needle)) found++;
      }
    }
  }
  memset(page, 0, sizeof page);
  fclose(maps);
  close(memory);
  return found;
}

/* Makes calls with a key, given as one or the other kind of credential, and frees the client. */
static void check_wiped(int as_bearer) {
  const char *name = as_bearer ? "access_token" : "api_key";
  int before, needle, needle_count = as_bearer ? 1 : 2, i;
  peer *p = peer_start();
  av_client_config config = config_for(peer_url(p));
  av_client *client;
  char *key = (char *)malloc(LENGTH + 1);
  if (!key) exit(2);
  for (i = 0; i < LENGTH; i++) key[i] = "abcdefghijkmnpqrstuvwxyz23456789"[rand() % 32];
  key[LENGTH] = 0;
  make_needles(key);
  config.api_key = as_bearer ? NULL : key;
  config.access_token = as_bearer ? key : NULL;
  client = client_of(&config);
  memset(key, 0, LENGTH);
  __asm__ volatile("" : : "r"(key) : "memory"); /* the key is gone here whatever an optimiser thinks */
  for (i = 0; i < 3; i++) {
    av_token *token = NULL;
    peer_answer_json(p, i == 1 ? "401 Unauthorized" : "200 OK", "{\"token\":\"to1\"}");
    av_tokens_create(client, 60, NULL, &token, NULL);
    av_token_free(token);
  }
  for (before = 0, needle = 0; needle < needle_count; needle++) before += count(needle);
  CHECK_ROW(name, before > 0); /* else the search finds nothing whatever there is */
  av_client_free(client);
  peer_stop(p); /* which holds what it received */
  for (needle = 0; needle < needle_count; needle++) {
    int after = count(needle);
    printf("%s: %d copies in memory before av_client_free, %d of form %d after\n", name, before, after, needle);
    CHECK_ROW(name, after == 0);
  }
  free(key);
}

int main(void) {
  srand((unsigned)getpid());
  check_wiped(0);
  check_wiped(1);
  return checks_report();
}
