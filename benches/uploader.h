/* What uploads are measured with, behind one interface: ours (upload_apivideo.c), libcurl
 * (upload_curl.c) and a bare loop (upload_raw.c), each of which upload.c makes a program of. A file goes
 * in one request, to a video that was made before. */
#ifndef UPLOADER_H
#define UPLOADER_H

#include <stdio.h>
#include <stdlib.h>

#define TOKEN "to1tcmSFHeYY5KzyhO000000"
#define VIDEO_ID "vi4k0jvEUuaTdRAEjQ4Jfrgz"

/* Connects on the first upload and keeps the connection. */
void uploader_open(const char *url);
/* Uploads the file, which has to succeed. */
void uploader_upload(const char *path);
void uploader_close(void);

static inline void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

#endif
