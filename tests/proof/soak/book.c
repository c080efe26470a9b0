/* One byte for each create, and a mark while it is looked for. */
#include "book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Times to live begin here: no token expires within a soak. */
enum { FIRST_TTL = 1000000, IS_THERE = 0x80 };

struct book {
  unsigned char *fates;
  size_t most, next;
};

book *book_new(size_t most) {
  book *b = malloc(sizeof *b);
  if (!b) exit(2);
  b->fates = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (b->fates == MAP_FAILED) exit(2);
  b->most = most;
  b->next = 0;
  /* Beside the heap that is looked at, and written to: what is noted later takes no more memory. */
  memset(b->fates, NEVER_BEGUN, most);
  return b;
}

void book_free(book *b) {
  munmap(b->fates, b->most);
  free(b);
}

unsigned book_begin(book *b) {
  size_t number = __atomic_fetch_add(&b->next, 1, __ATOMIC_SEQ_CST);
  if (number >= b->most) {
    fprintf(stderr, "more creates than the book has room for\n");
    exit(2);
  }
  __atomic_store_n(&b->fates[number], BEGUN, __ATOMIC_SEQ_CST);
  return (unsigned)(FIRST_TTL + number);
}

void book_write(book *b, unsigned ttl, fate what) {
  __atomic_store_n(&b->fates[ttl - FIRST_TTL], (unsigned char)what, __ATOMIC_SEQ_CST);
}

static void is_wrong(audit *told, size_t number, const char *what) {
  /* Enough to see what kind it is. */
  if (told->wrong++ < 10) fprintf(stderr, "create %zu: %s\n", number, what);
}

/* The fate of one create, with what the service has. */
static fate settled(audit *told, size_t number, fate known, int is_there) {
  switch (known) {
    case MADE:
      if (!is_there) is_wrong(told, number, "was made, and not deleted, but is not there");
      return MADE;
    case NOT_MADE:
      if (is_there) is_wrong(told, number, "AV_OUTCOME_NOT_APPLIED, but it was made");
      return NOT_MADE;
    case MADE_UNSEEN:
      if (!is_there) is_wrong(told, number, "AV_OUTCOME_APPLIED, but it is not there");
      return MADE_UNSEEN;
    case PERHAPS_MADE: return is_there ? MADE_UNSEEN : MADE_FOR_NOBODY;
    case MADE_FOR_NOBODY:
      if (is_there) is_wrong(told, number, "appeared later");
      return MADE_FOR_NOBODY;
    case DELETED:
      if (is_there) is_wrong(told, number, "was deleted, but is there");
      return DELETED;
    case PERHAPS_DELETED: return is_there ? MADE_UNSEEN : DELETED;
    default: is_wrong(told, number, "a call without an end"); return known;
  }
}

audit book_audit(book *b, const av_client *client, int (*found)(void *data, const char *token, unsigned ttl), void *data) {
  av_tokens_list_params params;
  av_token_iter *iterator = NULL;
  const av_token *token = NULL;
  av_error *error = NULL;
  size_t number, count = b->next;
  audit told;
  memset(&told, 0, sizeof told);
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.page_size = 100;
  told.creates = count;
  av_tokens_iterate(client, &params, &iterator, NULL);
  while (av_token_iter_next(iterator, NULL, &token, &error) == AV_STATUS_OK && token) {
    unsigned char *known;
    number = (size_t)(token->ttl_seconds - FIRST_TTL);
    told.there++;
    if (number >= count) {
      is_wrong(&told, number, "nobody has asked for it");
      continue;
    }
    known = &b->fates[number];
    if (*known & IS_THERE) is_wrong(&told, number, "was made twice");
    /* Told of here, where the token is at hand; settled below. */
    if ((*known == PERHAPS_MADE || *known == MADE_UNSEEN || *known == PERHAPS_DELETED) &&
        found(data, token->token, (unsigned)token->ttl_seconds)) {
      told.found += *known == PERHAPS_MADE;
      told.perhaps_made += *known == PERHAPS_MADE;
      told.perhaps_deleted += *known == PERHAPS_DELETED;
      *known = MADE;
    }
    *known |= IS_THERE;
  }
  if (error) {
    fprintf(stderr, "the audit: %s\n", av_error_message(error));
    told.wrong++;
  }
  av_error_free(error);
  av_token_iter_free(iterator);
  for (number = 0; number < count; number++) {
    fate known = (fate)(b->fates[number] & ~IS_THERE);
    int is_there = (b->fates[number] & IS_THERE) != 0;
    told.perhaps_made += known == PERHAPS_MADE;
    told.perhaps_deleted += known == PERHAPS_DELETED;
    known = settled(&told, number, known, is_there);
    b->fates[number] = (unsigned char)known;
    told.not_made += known == NOT_MADE || known == MADE_FOR_NOBODY;
    told.made_unseen += known == MADE_UNSEEN;
    told.deleted += known == DELETED;
    told.made += known == MADE || known == MADE_UNSEEN || known == DELETED;
  }
  return told;
}
