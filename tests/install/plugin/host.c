/* Loads the plugin named on the command line and runs it. */
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments) {
  void *plugin = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  int (*run)(void) = NULL;
  if (plugin) *(void **)&run = dlsym(plugin, "plugin_run");
  if (!run) {
    fprintf(stderr, "%s\n", count == 2 ? dlerror() : "usage: host PLUGIN");
    return 2;
  }
  return run();
}
