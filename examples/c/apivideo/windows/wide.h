/* Windows' strings, of wchar_t, and the tool's, in UTF-8: to be freed, and NULL of what is none. */
#ifndef WIDE_H
#define WIDE_H

#include <wchar.h>

wchar_t *to_wide(const char *text);
char *from_wide(const wchar_t *text);

#endif
