#include <stdint.h>
#include <windows.h>

void *dlsym(void *next, const char *name);

/* All that tests put themselves before is of this one. */
void *dlsym(void *next, const char *name) {
  (void)next;
  return (void *)(uintptr_t)GetProcAddress(GetModuleHandleA("libwinpthread-1.dll"), name);
}
