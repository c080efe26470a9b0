/* What became of every create and delete, call by call: each create asks for a time to live of its
 * own, by which its token is known on whatever page it stands. */
#ifndef BOOK_H
#define BOOK_H

#include <apivideo.h>
#include <stddef.h>

typedef enum fate {
  NEVER_BEGUN,
  BEGUN,
  MADE,           /* handed out, or found */
  NOT_MADE,       /* the outcome said so */
  PERHAPS_MADE,   /* unknown */
  MADE_UNSEEN,    /* the outcome said so, the answer was lost */
  MADE_FOR_NOBODY, /* was perhaps made, and is not there */
  DELETED,
  PERHAPS_DELETED,
  FATES
} fate;

typedef struct book book;

/* A book of at most `most` creates, all of its memory in use from the beginning. */
book *book_new(size_t most);
void book_free(book *b);
/* The time to live for a new create; ends the program if there are too many. */
unsigned book_begin(book *b);
/* What became of it. */
void book_write(book *b, unsigned ttl, fate what);

/* What the audit of a quiet service comes to. */
typedef struct audit {
  size_t creates, made, not_made, perhaps_made, made_unseen, found, deleted, perhaps_deleted, there;
  size_t wrong; /* creates and deletes that are not as they were told; each is printed */
} audit;

/* Lists all tokens of the service, which nobody uses meanwhile, and holds them against the book. Those
 * which were perhaps made or deleted and are there are handed to `found`, which returns whether it
 * takes them: then they are as good as handed out. */
audit book_audit(book *b, const av_client *client, int (*found)(void *data, const char *token, unsigned ttl), void *data);

#endif
