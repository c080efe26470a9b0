/* Clients as the C tests want them: against a peer on loopback, made in one line. */
#ifndef CLIENT_H
#define CLIENT_H

#include <apivideo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An empty configuration for `url`, with an API key. */
static inline av_client_config config_for(const char *url) {
  av_client_config config;
  memset(&config, 0, sizeof config);
  config.struct_size = sizeof config;
  config.api_key = "test-key";
  config.base_url = url;
  config.timeout_ms = 20000;
  return config;
}

/* The client of a configuration; ends the test program if there is none. */
static inline av_client *client_of(const av_client_config *config) {
  av_client *client = NULL;
  av_error *error = NULL;
  if (av_client_new(config, &client, &error) != AV_STATUS_OK) {
    fprintf(stderr, "av_client_new: %s\n", av_error_message(error));
    exit(2);
  }
  return client;
}

/* A client for `url`. */
static inline av_client *client_for(const char *url) {
  av_client_config config = config_for(url);
  return client_of(&config);
}

/* A client for `url` that tries each request once: for what a single answer comes to. */
static inline av_client *client_trying_once(const char *url) {
  av_client_config config = config_for(url);
  config.max_attempts = 1;
  return client_of(&config);
}

#endif
