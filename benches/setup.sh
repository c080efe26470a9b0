#!/bin/sh
# Installs what the benches measure with and against: on Debian as root by itself, elsewhere it says what
# is missing. The benches run without it, and say what they could not measure.
set -eu

missing=""
for pair in python3:python3 valgrind:valgrind strace:strace nginx:nginx-light openssl:openssl ldd:libc-bin; do
  PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
for pair in curl/curl.h:libcurl4-openssl-dev cjson/cJSON.h:libcjson-dev; do
  echo "#include <${pair%%:*}>" | cc -E - >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -f /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
  echo "installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of words
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "missing for the benches:$missing (Debian: sudo apt-get install$missing)" >&2
fi
