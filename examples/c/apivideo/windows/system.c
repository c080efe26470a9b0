/* What the program begins with, terminals and clocks, by Windows. */
#define NO_OLDNAMES /* one of them is a tell() */

#include "../tool.h"
#include "wide.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <time.h>
#include <windows.h>
#include <shellapi.h> /* after windows.h */

wchar_t *to_wide(const char *text) {
  int size = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
  wchar_t *wide = size > 0 ? malloc((size_t)size * sizeof *wide) : NULL;
  if (wide != NULL) MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, size);
  return wide;
}

char *from_wide(const wchar_t *wide) {
  int size = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, NULL, 0, NULL, NULL);
  char *text = size > 0 ? malloc((size_t)size) : NULL;
  if (text != NULL) WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
  return text;
}

/* What main is given is in a code page, which has not the names of all files. They are kept to the end. */
static void take_arguments(int *argc, char ***argv) {
  wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), argc);
  char **arguments = wide != NULL ? calloc((size_t)*argc + 1, sizeof *arguments) : NULL;
  if (arguments == NULL) {
    fputs("apivideo: out of memory\n", stderr);
    exit(CODE_FAILED);
  }
  for (int i = 0; i < *argc; i++) {
    arguments[i] = from_wide(wide[i]);
    if (arguments[i] == NULL) misuse("argument %d is not Unicode", i);
  }
  LocalFree(wide);
  *argv = arguments;
}

/* The console's own, for whoever uses it next. */
static UINT code_page;

static void restore_code_page(void) {
  SetConsoleOutputCP(code_page);
}

/* What is printed is the same bytes as elsewhere, and a console takes them for UTF-8: as long as it gets no
 * half characters. */
void prepare(int *argc, char ***argv) {
  HANDLE console = GetStdHandle(STD_ERROR_HANDLE);
  DWORD mode;
  _setmode(_fileno(stdout), _O_BINARY);
  _setmode(_fileno(stderr), _O_BINARY);
  setvbuf(stderr, NULL, _IOFBF, BUFSIZ);
  code_page = GetConsoleOutputCP();
  if (code_page != 0) {
    atexit(restore_code_page);
    SetConsoleOutputCP(CP_UTF8);
  }
  if (GetConsoleMode(console, &mode)) SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
  _tzset();
  take_arguments(argc, argv);
}

bool is_terminal(FILE *stream) {
  DWORD mode;
  return GetConsoleMode((HANDLE)_get_osfhandle(_fileno(stream)), &mode);
}

/* In columns; 0 is not known. */
size_t terminal_width(void) {
  CONSOLE_SCREEN_BUFFER_INFO info;
  if (!GetConsoleScreenBufferInfo(GetStdHandle(STD_ERROR_HANDLE), &info)) return 0;
  return (size_t)(info.srWindow.Right - info.srWindow.Left + 1);
}

void forget_input(void) {
  FlushConsoleInputBuffer(GetStdHandle(STD_INPUT_HANDLE));
}

/* In Unix seconds. Windows counts tenths of microseconds from 1601. */
int64_t current_time(void) {
  FILETIME now;
  GetSystemTimePreciseAsFileTime(&now);
  return (int64_t)((((uint64_t)now.dwHighDateTime << 32) | now.dwLowDateTime) / 10000000) - INT64_C(11644473600);
}

/* By a clock that only goes forward. */
int64_t now_ms(void) {
  return (int64_t)GetTickCount64();
}
