/* Which certificates and servers are taken and which are refused, beside what OpenSSL says of each; and
 * that a refusal is told in words, with what to do. Run by certificates.sh, which makes them. The rows
 * that OpenSSL takes and this library does not are those of docs/CERTIFICATES.md. */
#include "support/check.h"
#include "support/outcome.h"

static const char *files;

typedef struct row {
  const char *name;
  const char *openssl; /* "takes" or "refuses" it, at security level 0 */
  const char *why;     /* it is refused here; NULL: it is taken */
} row;

static const row rows[] = {
    {"p256", "takes", NULL},
    {"p384", "takes", NULL},
    {"rsa2048", "takes", NULL},
    {"rsa4096", "takes", NULL},
    {"ed25519", "takes", NULL},
    {"of-p384", "takes", NULL},
    {"of-ed25519", "takes", NULL},
    {"of-v1", "takes", NULL},
    {"of-sha1-root", "takes", NULL},
    {"of-dns-names", "takes", NULL},
    {"of-for-servers", "takes", NULL},
    {"chacha", "takes", NULL},
    {"p521", "takes", "not P-521"},
    {"ed448", "takes", "Ed25519"},
    {"rsa-pss", "takes", "Ed25519"},
    {"brainpool", "takes", "Ed25519"},
    {"of-rsa-pss", "takes", "RSA-PSS"},
    {"of-brainpool", "takes", "a key of"},
    {"rsa1024", "takes", "fewer than 2048 bits"},
    {"of-p521", "takes", "a key of P-521"},
    {"of-between-p521", "takes", "a key of P-521"},
    {"of-secp256k1", "takes", "a key of secp256k1"},
    {"of-rsa1024", "takes", "fewer than 2048 bits"},
    {"ecdsa-sha512", "takes", "ECDSA and SHA-512"},
    {"ecdsa-sha1", "takes", "ECDSA and SHA-1"},
    {"sha1", "takes", "RSA and SHA-1"},
    {"md5", "takes", "RSA and MD5"},
    {"v1", "takes", "version 1"},
    {"unknown-critical", "refuses", "marked critical"},
    {"critical-policies", "takes", "certificate policies"},
    {"of-policies", "takes", "certificate policies"},
    {"of-policy-constraints", "takes", "certificate policies"},
    {"of-any-policy", "takes", "certificate policies"},
    {"of-directory-names", "takes", "directory names"},
    {"of-other-names", "refuses", "may not issue for such a name"},
    {"common-name", "takes", "names none"},
    {"no-host", "refuses", "names none"},
    {"dotted", "refuses", "but for DNS:localhost."},
    {"any-purpose", "refuses", "not meant for servers"},
    {"itself", "takes", "CA:FALSE"},
    {"own", "takes", "issuer"},
    {"tls1.1", "takes", "neither TLS 1.2 nor TLS 1.3"},
    {"cbc", "takes", "AES-GCM or ChaCha20"},
    {"rsa-exchange", "takes", "ECDHE"},
    {"dhe", "takes", "ECDHE"},
    {"group-p521", "takes", "nothing in common"},
};

static const char *names_a_remedy(const char *message) {
  static const char *remedies[] = {"have it", "have the certificate", "must be made with", "name its certificate in ca_file"};
  size_t i;
  for (i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
    if (strstr(message, remedies[i])) return remedies[i];
  return NULL;
}

static void try_row(const row *it, int port, const char *authority, const char *verdict) {
  char url[64], ca_file[400];
  av_client_config config;
  outcome told;
  snprintf(url, sizeof url, "https://localhost:%d", port);
  snprintf(ca_file, sizeof ca_file, "%s/%s.pem", files, authority);
  config = remembered_config(url);
  config.ca_file = ca_file;
  told = try_once(&config);
  print_outcome(it->name, &told);
  CHECK_ROW(it->name, strcmp(verdict, it->openssl) == 0);
  if (!it->why) {
    CHECK_ROW(it->name, told.status == AV_STATUS_OK && strcmp(told.token, "here") == 0);
    return;
  }
  CHECK_ROW(it->name, is_failure(&told, AV_STATUS_TLS, 0, 1));
  CHECK_ROW(it->name, says(&told, it->why) && says(&told, "localhost"));
  CHECK_ROW(it->name, is_in_words(&told) && names_a_remedy(told.message));
}

int main(int count, char **arguments) {
  char path[300], line[300], name[100], authority[100], verdict[20];
  size_t tried = 0, i;
  int port;
  FILE *verdicts;
  if (count != 2) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  files = arguments[1];
  snprintf(path, sizeof path, "%s/verdicts", files);
  verdicts = fopen(path, "r");
  if (!verdicts) return 2;
  while (fgets(line, sizeof line, verdicts)) {
    if (sscanf(line, "%99s %d %99s %19s", name, &port, authority, verdict) != 4) return 2;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
      if (strcmp(rows[i].name, name) == 0) {
        try_row(&rows[i], port, authority, verdict);
        tried++;
      }
  }
  fclose(verdicts);
  CHECK(tried == sizeof rows / sizeof rows[0]);
  return checks_report();
}
