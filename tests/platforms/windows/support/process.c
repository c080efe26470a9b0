/* What tests/c/support/process.h tells, of Windows: the files that it is asked for are told apart by their
 * names. */
#include <winsock2.h>

#include <stdio.h>
#include <string.h>
#include <tlhelp32.h>

#include "support/process.h"

/* Handles are multiples of 4, and the lowest that is free is taken. */
enum { HANDLES = 0x4000 };

static size_t sockets(int streams_alone) {
  size_t count = 0;
  UINT_PTR handle;
  for (handle = 4; handle < HANDLES; handle += 4) {
    int type, size = sizeof type;
    count += getsockopt((SOCKET)handle, SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0 &&
             (type == SOCK_STREAM || !streams_alone);
  }
  return count;
}

static size_t threads(void) {
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  THREADENTRY32 it;
  size_t count = 0;
  BOOL is_there;
  it.dwSize = sizeof it;
  for (is_there = Thread32First(all, &it); is_there; is_there = Thread32Next(all, &it))
    count += it.th32OwnerProcessID == GetCurrentProcessId();
  CloseHandle(all);
  return count;
}

/* A bell is a descriptor of Linux that is no socket, and a socket of Windows that is no stream. */
size_t count_in(const char *directory, const char *prefix) {
  if (strstr(directory, "task")) return threads();
  return sockets(prefix[0] != 0);
}

static ULONGLONG used_by(pid_t thread) {
  HANDLE it = OpenThread(THREAD_QUERY_INFORMATION, FALSE, (DWORD)thread);
  FILETIME begun, ended, kernel = {0, 0}, user = {0, 0};
  GetThreadTimes(it, &begun, &ended, &kernel, &user);
  CloseHandle(it);
  return ((ULONGLONG)kernel.dwHighDateTime << 32 | kernel.dwLowDateTime) + ((ULONGLONG)user.dwHighDateTime << 32 | user.dwLowDateTime);
}

/* Nothing tells that a thread sleeps but that it does not use the processor: as long as a tick of the clock by
 * which that is counted. */
const char *told_of(pid_t thread, const char *what, char *text, size_t size) {
  text[0] = 0;
  if (strcmp(what, "stat") == 0) {
    const ULONGLONG before = used_by(thread);
    Sleep(16);
    snprintf(text, size, "(thread) %c", used_by(thread) == before ? 'S' : 'R');
  }
  return text;
}

typedef HRESULT WINAPI describe_fn(HANDLE thread, PWSTR *name);

/* There are no signals. That a thread has a name is newer than MinGW's headers. */
size_t threads_named(const char *name, size_t *with_signals) {
  describe_fn *const describe = (describe_fn *)(void (*)(void))GetProcAddress(GetModuleHandleA("kernelbase.dll"), "GetThreadDescription");
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  THREADENTRY32 it;
  size_t count = 0;
  BOOL is_there;
  *with_signals = 0;
  it.dwSize = sizeof it;
  for (is_there = Thread32First(all, &it); is_there; is_there = Thread32Next(all, &it)) {
    HANDLE thread;
    PWSTR wide = NULL;
    char text[64] = "";
    if (it.th32OwnerProcessID != GetCurrentProcessId()) continue;
    thread = OpenThread(THREAD_QUERY_LIMITED_INFORMATION, FALSE, it.th32ThreadID);
    if (describe && SUCCEEDED(describe(thread, &wide))) {
      WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, sizeof text, NULL, NULL);
      LocalFree(wide);
    }
    count += strncmp(text, name, strlen(name)) == 0;
    CloseHandle(thread);
  }
  CloseHandle(all);
  return count;
}
