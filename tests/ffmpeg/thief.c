/* What must never happen, so that the test of it is seen to fail: with TAKES a name of FFmpeg is
 * defined, otherwise one is used. */
#include <stdlib.h>

#ifdef TAKES
void *av_malloc(size_t size);
void *av_malloc(size_t size) {
  void *place = NULL;
  return posix_memalign(&place, 64, size ? size : 1) == 0 ? place : NULL;
}
#else
int av_get_cpu_flags(void);
int uses_ffmpeg(void);
int uses_ffmpeg(void) { return av_get_cpu_flags(); }
#endif
