/* What it takes to go on with an upload, in a file that one run has at a time, by Windows. What is held is
 * another file beside it, PATH.lock: nobody else can open that, and it is gone with whoever holds it. The
 * file itself cannot be replaced while it is open. */
#include "../tool.h"
#include "wide.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

static void keep_reason(struct state *state, DWORD error) {
  wchar_t wide[200] = L"";
  char *text;
  FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK, NULL,
                 error, 0, wide, sizeof wide / sizeof wide[0], NULL);
  text = from_wide(wide);
  if (text != NULL && text[0] != '\0')
    snprintf(state->reason, sizeof state->reason, "%s", text);
  else
    snprintf(state->reason, sizeof state->reason, "error %lu", error);
  free(text);
}

/* The path with this behind it; NULL if there is no memory, or the path is not Unicode. */
static wchar_t *path_with(const struct state *state, const char *end) {
  size_t size = strlen(state->path) + strlen(end) + 1;
  char *path = malloc(size);
  wchar_t *wide;
  if (path == NULL) return NULL;
  snprintf(path, size, "%s%s", state->path, end);
  wide = to_wide(path);
  free(path);
  return wide;
}

/* From the root, with slashes as elsewhere. */
char *whole_path(const char *path) {
  wchar_t *wide = to_wide(path);
  DWORD size = wide != NULL ? GetFullPathNameW(wide, 0, NULL, NULL) : 0;
  wchar_t *whole = size > 0 ? malloc(size * sizeof *whole) : NULL;
  char *result = NULL;
  if (whole != NULL && GetFullPathNameW(wide, size, whole, NULL) < size) result = from_wide(whole);
  for (char *c = result; c != NULL && *c != '\0'; c++)
    if (*c == '\\') *c = '/';
  free(whole);
  free(wide);
  return result;
}

enum hold hold_state(struct state *state) {
  wchar_t *path = path_with(state, "");
  wchar_t *lock = path_with(state, ".lock");
  enum hold result = HOLD_GOT;
  HANDLE handle = lock == NULL ? INVALID_HANDLE_VALUE
                               : CreateFileW(lock, GENERIC_WRITE | DELETE, 0, NULL, OPEN_ALWAYS,
                                             FILE_ATTRIBUTE_HIDDEN | FILE_FLAG_DELETE_ON_CLOSE, NULL);
  state->held = (intptr_t)handle;
  if (handle == INVALID_HANDLE_VALUE) {
    DWORD error = lock == NULL ? ERROR_NOT_ENOUGH_MEMORY : GetLastError();
    keep_reason(state, error);
    state->held = -1;
    /* Where there is none it may be done without; one that is there must not be lost. */
    if (error == ERROR_SHARING_VIOLATION)
      result = HOLD_TAKEN;
    else
      result = path != NULL && GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES ? HOLD_FAILED : HOLD_NONE;
  }
  free(lock);
  free(path);
  return result;
}

/* What an earlier run left; NULL if there is nothing. */
char *read_state(const struct state *state) {
  wchar_t *path = state->held != -1 ? path_with(state, "") : NULL;
  char *text = calloc(1, 8192); /* it is a line of at most 4096 bytes */
  DWORD length = 0;
  if (path != NULL && text != NULL) {
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
    if (file != INVALID_HANDLE_VALUE) {
      if (!ReadFile(file, text, 8191, &length, NULL)) length = 0;
      CloseHandle(file);
    }
  }
  free(path);
  if (length > 0) {
    text[strcspn(text, "\r\n")] = '\0';
    return text;
  }
  free(text);
  return NULL;
}

static bool write_file(const wchar_t *path, const char *text) {
  DWORD length = (DWORD)strlen(text), written = 0;
  HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
  bool is_written;
  if (file == INVALID_HANDLE_VALUE) return false;
  is_written = WriteFile(file, text, length, &written, NULL) && written == length &&
               WriteFile(file, "\n", 1, &written, NULL) && written == 1 && FlushFileBuffers(file);
  return CloseHandle(file) && is_written;
}

/* Puts a whole new file in the place of the old one: a crash leaves one or the other. */
bool write_state(struct state *state, const char *text) {
  wchar_t *path = path_with(state, "");
  wchar_t *new_path = path_with(state, ".new");
  bool written = path != NULL && new_path != NULL && write_file(new_path, text) &&
                 MoveFileExW(new_path, path, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
  if (!written) {
    keep_reason(state, GetLastError());
    if (new_path != NULL) DeleteFileW(new_path);
  }
  free(new_path);
  free(path);
  return written;
}

/* Whether nothing is kept any more. */
bool empty_state(struct state *state) {
  wchar_t *path = path_with(state, "");
  bool is_gone = path != NULL && (DeleteFileW(path) || GetLastError() == ERROR_FILE_NOT_FOUND);
  free(path);
  return is_gone;
}

/* Ends the run's hold on the file, which stays if there is anything in it to go on from. */
void close_state(struct state *state, bool is_uploaded) {
  if (state->held == -1) return;
  if (is_uploaded) empty_state(state);
  CloseHandle((HANDLE)state->held);
}
