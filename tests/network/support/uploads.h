/* Files to upload, whose bytes tell where they stand, and what the stand-in service has of them: how many
 * videos of a title there are, whether they are whole, and whether they are the file. */
#ifndef UPLOADS_H
#define UPLOADS_H

#include <apivideo.h>
#include <stddef.h>
#include <stdint.h>

/* What the service takes as a part, but for the last one; and so what the first part of several is. */
#define SMALLEST_PART (5u * 1024 * 1024)

typedef struct source {
  char path[64];
  uint64_t size;
  char sha256[65]; /* in hexadecimal */
} source;

/* Makes a file of `size` random bytes, always the same; ends the test program if it cannot. */
source source_of(uint64_t size);
void source_delete(const source *it);

/* What the service has of a title. */
typedef struct stored {
  size_t videos, whole;
  size_t right;   /* of those that are whole: they are the file */
  uint64_t bytes; /* of all their parts */
} stored;

/* Reads that from the text of a ledger (ledger.h). */
stored stored_in(const char *ledger, const char *title, const source *of);
/* A number of the ledger's "uploads". */
uint64_t uploads_number(const char *ledger, const char *name);
/* The first token that a ledger tells. */
void first_token(const char *ledger, char *token, size_t size);

/* Parameters with this token and title, and short times: a fault is to be seen soon. */
av_upload_params quick_params(const char *token, const char *title);
/* A configuration for the service at `url` that knows no key. */
av_client_config keyless_config(const char *url);

/* How a file is uploaded: by av_upload_file(), its parts one after the other or side by side, or by writing it piece by
 * piece, as if it were just recorded. */
typedef enum upload_way { WHOLE_FILE, FILE_IN_PARALLEL, WRITTEN, WRITTEN_IN_PARALLEL, UPLOAD_WAYS } upload_way;
const char *upload_way_name(upload_way way);
av_status upload_by(upload_way way, const av_client *client, const char *path, const av_upload_params *params,
                    const av_request_options *options, av_uploaded_video **video, av_error **error);

#endif
