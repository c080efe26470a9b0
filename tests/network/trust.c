/* Authorities: the system's, where it has them or the environment says, read once per process, and
 * those of ca_file, which replace them. Run by trust.sh, which counts what is opened. */
#include "support/check.h"
#include "support/outcome.h"

#include <pthread.h>

static const char *files;

static const char *file(const char *name) {
  static char paths[8][300];
  static int next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", files, name);
  return path;
}

static void *make_client(void *barrier) {
  pthread_barrier_wait((pthread_barrier_t *)barrier);
  av_client_free(client_for("https://localhost:4431"));
  return NULL;
}

/* Makes clients and nothing else, to be looked at from outside; "system" makes a call as well, and
 * "none" expects that there is nothing on the system. */
static int make_clients(const char *how) {
  int i;
  if (strcmp(how, "system") == 0) {
    av_client *client = client_for("https://localhost:4431");
    outcome told = try_get(client, NULL);
    if (told.status != AV_STATUS_OK) fprintf(stderr, "by the system's authorities: %s\n", told.message);
    av_client_free(client);
    return told.status == AV_STATUS_OK ? 0 : 1;
  }
  if (strcmp(how, "none") == 0) {
    av_client_config config = config_for("https://localhost:4431");
    av_client *client = NULL;
    outcome told = try_client(&config, &client);
    print_outcome("no authorities on the system", &told);
    return is_failure(&told, AV_STATUS_TLS, 0, 0) && says(&told, "ca_file") && client == NULL ? 0 : 1;
  }
  if (strcmp(how, "three") == 0) {
    for (i = 0; i < 3; i++) av_client_free(client_for("https://localhost:4431"));
  } else if (strcmp(how, "threads") == 0) {
    pthread_t threads[8];
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 8);
    for (i = 0; i < 8; i++) pthread_create(&threads[i], NULL, make_client, &barrier);
    for (i = 0; i < 8; i++) pthread_join(threads[i], NULL);
  } else if (strcmp(how, "plain") == 0) {
    av_client_free(client_for("http://localhost:4431"));
  } else {
    av_client_config config = config_for("https://localhost:4431");
    config.ca_file = file("other.pem");
    av_client_free(client_of(&config));
  }
  return 0;
}

/* A client for https alone has use for what the environment says of certificates. */
static void others_do_without(void) {
  av_client_config config = config_for("http://localhost:4431");
  av_client *client = NULL;
  CHECK(try_client(&config, &client).status == AV_STATUS_OK);
  av_client_free(client);
  config = config_for("https://localhost:4431");
  config.ca_file = file("ours.pem");
  CHECK(try_client(&config, &client).status == AV_STATUS_OK);
  av_client_free(client);
}

/* What the environment names and cannot be used is an error, and none that stays. */
static void unusable_variables(void) {
  static const struct {
    const char *what, *file, *directories, *culprit, *why;
  } rows[] = {
      {"a missing file", "missing", NULL, "SSL_CERT_FILE", "No such file"},
      {"a directory as file", "directory", NULL, "SSL_CERT_FILE", "directory"},
      {"an empty file", "empty", NULL, "SSL_CERT_FILE", "no certificate"},
      {"a key", "ours.key", NULL, "SSL_CERT_FILE", "no certificate"},
      {"a text", "openssl.cnf", NULL, "SSL_CERT_FILE", "no certificate"},
      {"a file cut off", "cut-off.pem", NULL, "SSL_CERT_FILE", "ends too early"},
      {"no base64", "not-base64.pem", NULL, "SSL_CERT_FILE", "is not PEM"},
      {"none that is usable", "no-certificate.pem", NULL, "SSL_CERT_FILE", "no certificate that can be used"},
      {"a bad file and a good directory", "empty", "directory", "SSL_CERT_FILE", "no certificate"},
      {"a missing directory", NULL, "missing", "SSL_CERT_DIR", "no certificate"},
      {"a directory with none", NULL, "no-certificates", "SSL_CERT_DIR", "no certificate"},
      {"several of those", NULL, "no-certificates:missing", "SSL_CERT_DIR", "no certificate"},
      {"a good file and a bad directory", "ours.pem", "no-certificates", "SSL_CERT_DIR", "no certificate"},
      {"a name that is not UTF-8", "\xff", NULL, "SSL_CERT_FILE", "UTF-8"},
      {"another", NULL, "\xff", "SSL_CERT_DIR", "UTF-8"},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    av_client_config config = config_for("https://localhost:4431");
    av_client *client = NULL;
    outcome told;
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    if (rows[i].file) setenv("SSL_CERT_FILE", file(rows[i].file), 1);
    if (rows[i].directories) {
      char list[600];
      snprintf(list, sizeof list, "%s", file(rows[i].directories));
      if (strchr(rows[i].directories, ':')) snprintf(list, sizeof list, "%s/no-certificates:%s/missing", files, files);
      setenv("SSL_CERT_DIR", list, 1);
    }
    told = try_client(&config, &client);
    print_outcome(rows[i].what, &told);
    CHECK_ROW(rows[i].what, is_failure(&told, AV_STATUS_INVALID_ARGUMENT, 0, 0) && client == NULL);
    CHECK_ROW(rows[i].what, says(&told, rows[i].culprit) && says(&told, rows[i].why));
    if (!strstr(rows[i].why, "UTF-8"))
      CHECK_ROW(rows[i].what, says(&told, getenv(rows[i].culprit)) && says(&told, "ca_file"));
    others_do_without();
  }
  unsetenv("SSL_CERT_FILE");
  unsetenv("SSL_CERT_DIR");
}

static void authorities_once_they_are_there(void) {
  av_client_config config = config_for("https://localhost:4431");
  av_client *client = NULL;
  outcome told;
  double first;
  setenv("SSL_CERT_FILE", file("ours-and-garbage.pem"), 1);
  unsetenv("SSL_CERT_DIR");
  told = try_client(&config, &client);
  CHECK(told.status == AV_STATUS_OK);
  first = told.ms;
  told = try_get(client, NULL);
  CHECK(told.status == AV_STATUS_OK && strcmp(told.token, "here") == 0);
  av_client_free(client);
  /* What was read stays. */
  setenv("SSL_CERT_FILE", file("empty"), 1);
  told = try_client(&config, &client);
  CHECK(told.status == AV_STATUS_OK);
  printf("  av_client_new: %.2f ms the first time, %.2f ms the second\n", first, told.ms);
  CHECK(try_get(client, NULL).status == AV_STATUS_OK);
  av_client_free(client);
}

static void unusable_files(void) {
  static const struct {
    const char *name, *why;
  } rows[] = {
      {"missing", "No such file"},      {"", "directory"},
      {"empty", "no certificate"},      {"ours.key", "no certificate"},
      {"openssl.cnf", "no certificate"}, {"no-certificate.pem", "unusable"},
      {"partly-good.pem", "unusable"},  {"cut-off.pem", "ends too early"},
      {"not-base64.pem", "is not PEM"},  {"for-mail.pem", "no certificate"},
      {"distrusted.pem", "no certificate"},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const char *urls[] = {"https://localhost:4431", "http://localhost:4431"};
    size_t u;
    for (u = 0; u < 2; u++) {
      av_client_config config = config_for(urls[u]);
      av_client *client = NULL;
      outcome told;
      config.ca_file = file(rows[i].name);
      told = try_client(&config, &client);
      if (u == 0) print_outcome(rows[i].name[0] ? rows[i].name : "a directory", &told);
      CHECK_ROW(rows[i].name, told.status == AV_STATUS_INVALID_ARGUMENT && client == NULL);
      CHECK_ROW(rows[i].name, says(&told, "ca_file"));
      CHECK_ROW(rows[i].name, says(&told, rows[i].why));
    }
  }
  {
    av_client_config config = config_for("https://localhost:4431");
    av_client *client = NULL;
    config.ca_file = "";
    CHECK(try_client(&config, &client).status == AV_STATUS_INVALID_ARGUMENT);
  }
}

/* As editors, other systems and OpenSSL write them. That SSL_CERT_FILE takes the same, trust.sh tries. */
static void forms_of_files(void) {
  static const char *names[] = {"ours.pem",    "mark.pem",   "marks.pem",    "crlf.pem",
                                "trusted.pem", "x509.pem",   "with-text.pem", "indented.pem",
                                "trusted-or-not.pem"};
  size_t i;
  for (i = 0; i < sizeof names / sizeof names[0]; i++) {
    av_client_config config = config_for("https://localhost:4431");
    outcome told;
    config.ca_file = file(names[i]);
    told = try_once(&config);
    if (!CHECK_ROW(names[i], told.status == AV_STATUS_OK && strcmp(told.token, "here") == 0))
      print_outcome(names[i], &told);
  }
}

/* The file replaces the system's authorities, it does not add to them. */
static void a_file_replaces_the_systems(void) {
  av_client_config config = config_for("https://localhost:4431");
  av_client *client;
  outcome told;
  config.ca_file = file("other.pem");
  client = client_of(&config);
  told = try_get(client, NULL);
  print_outcome("ca_file with another authority", &told);
  CHECK(told.status == AV_STATUS_TLS && says(&told, "issuer"));
  av_client_free(client);
}

int main(int count, char **arguments) {
  files = arguments[1];
  if (count == 3) return make_clients(arguments[2]);
  if (count != 10) return 2;
  printf("  openings of the system's bundle: %s by 3 clients, %s by 8 threads with a client each, "
         "%s by a plain one, %s with ca_file; of the directory's file: %s by 3\n",
         arguments[3], arguments[5], arguments[6], arguments[7], arguments[4]);
  printf("  where the system has them: the bundle opened %s times, of the directory beside it %s\n",
         arguments[8], arguments[9]);
  CHECK(strcmp(arguments[8], "1") == 0 && strcmp(arguments[9], "0") == 0);
  CHECK(strcmp(arguments[3], "1") == 0);
  CHECK(strcmp(arguments[4], "1") == 0);
  CHECK(strcmp(arguments[5], "1") == 0);
  CHECK(strcmp(arguments[6], "0") == 0);
  CHECK(strcmp(arguments[7], "0") == 0);
  unusable_variables();
  unusable_files();
  forms_of_files();
  authorities_once_they_are_there();
  a_file_replaces_the_systems();
  return checks_report();
}
