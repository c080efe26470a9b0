#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t count_in(const char *directory, const char *prefix) {
  DIR *entries = opendir(directory);
  size_t count = 0;
  struct dirent *entry;
  if (!entries) exit(2);
  while ((entry = readdir(entries))) {
    char path[512], target[64];
    ssize_t length;
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
    length = readlink(path, target, sizeof target - 1);
    target[length > 0 ? length : 0] = 0;
    count += strncmp(target, prefix, strlen(prefix)) == 0;
  }
  closedir(entries);
  return count;
}

const char *told_of(pid_t thread, const char *what, char *text, size_t size) {
  char path[64];
  FILE *file;
  size_t length = 0;
  snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)thread, what);
  file = fopen(path, "r");
  if (file) {
    length = fread(text, 1, size - 1, file);
    fclose(file);
  }
  text[length] = 0;
  return text;
}

size_t threads_named(const char *name, size_t *with_signals) {
  DIR *tasks = opendir("/proc/self/task");
  struct dirent *task;
  size_t count = 0;
  *with_signals = 0;
  if (!tasks) exit(2);
  while ((task = readdir(tasks)) != NULL) {
    char path[300], line[200], is_it = 0;
    FILE *status;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
    status = fopen(path, "r");
    while (status && fgets(line, sizeof line, status)) {
      if (strncmp(line, "Name:\t", 6) == 0) is_it = strncmp(line + 6, name, strlen(name)) == 0;
      /* All but those that cannot be blocked. */
      if (is_it && strncmp(line, "SigBlk:\t", 8) == 0) {
        const unsigned long long blocked = strtoull(line + 8, NULL, 16);
        count++;
        *with_signals += (blocked & 0x7ffbfeffull) != 0x7ffbfeffull;
      }
    }
    if (status) fclose(status);
  }
  closedir(tasks);
  return count;
}
