/* A module map names headers beside itself; the installed one is found through pkg-config. */
#include <apivideo.h>
