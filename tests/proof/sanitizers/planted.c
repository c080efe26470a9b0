/* Faults, planted: each argument names one, which a sanitizer has to report. They are the caller's, in C
 * or in Rust's part of the library by calls that the header forbids. */
#include <apivideo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void overflow_in_c(void) {
  volatile char *block = (volatile char *)malloc(8);
  block[8] = 1;
  free((void *)block);
}

/* A configuration that says that it is larger than it is: the library looks at what follows. */
static void overflow_in_rust(void) {
  av_client *client = NULL;
  av_client_config *config = (av_client_config *)calloc(1, sizeof *config);
  config->struct_size = sizeof *config + 16;
  config->api_key = "test-key";
  av_client_new(config, &client, NULL);
  av_client_free(client);
  free(config);
}

static void freed_twice_in_rust(void) {
  av_cancel *cancel = av_cancel_new();
  av_cancel_free(cancel);
  av_cancel_free(cancel);
}

static void leak_from_rust(void) {
  if (!av_cancel_new()) exit(0);
}

static void undefined_in_c(void) {
  volatile int most = 0x7fffffff;
  most = most + 1;
}

/* Other threads see the order of the two steps, but nothing that makes it one: a relaxed atomic does
 * not. */
static int stepped;
static void step(void) { __atomic_store_n(&stepped, 1, __ATOMIC_RELAXED); }
static void wait_for_step(void) {
  while (!__atomic_load_n(&stepped, __ATOMIC_RELAXED)) {}
}

static int counted;

static void *count(void *nothing) {
  (void)nothing;
  counted++;
  step();
  return NULL;
}

static void *trigger(void *cancel) {
  av_cancel_trigger((av_cancel *)cancel);
  step();
  return NULL;
}

static void race_in_c(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, count, NULL) != 0) exit(0);
  wait_for_step();
  counted++;
  pthread_join(thread, NULL);
}

/* Freed by one thread while another one's use of it is not known to have ended. */
static void race_in_rust(void) {
  pthread_t thread;
  av_cancel *cancel = av_cancel_new();
  if (pthread_create(&thread, NULL, trigger, cancel) != 0) exit(0);
  wait_for_step();
  av_cancel_free(cancel);
  pthread_join(thread, NULL);
}

int main(int count_of, char **arguments) {
  static const struct {
    const char *name;
    void (*plant)(void);
  } faults[] = {
      {"overflow_in_c", overflow_in_c},
      {"overflow_in_rust", overflow_in_rust},
      {"freed_twice_in_rust", freed_twice_in_rust},
      {"leak_from_rust", leak_from_rust},
      {"undefined_in_c", undefined_in_c},
      {"race_in_c", race_in_c},
      {"race_in_rust", race_in_rust},
  };
  size_t i;
  for (i = 0; count_of == 2 && i < sizeof faults / sizeof faults[0]; i++)
    if (strcmp(arguments[1], faults[i].name) == 0) {
      faults[i].plant();
      return 0;
    }
  fprintf(stderr, "no such fault\n");
  return 0;
}
