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
