/* A module map names headers beside itself. */
#include <malloc.h>
