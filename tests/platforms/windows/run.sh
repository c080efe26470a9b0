#!/bin/sh
# Runs all tests on Windows: run.sh FOLDER LOCAL_API [TEST…]. What is printed last is a line of figures. STATIC_LIBS
# tells what programs are linked with besides libapivideo.a.
set -eu
folder=$1
local_api=$2
shift 2
cd "$(dirname "$0")"
tests=$folder/tests
only=$*
rm -f "$tests"/*/*.passed

# What some tests have around them.
case $only in
  "" | *network/*)
    PATH=$PATH:/usr/sbin:/sbin ../setup.sh nginx:nginx tinyproxy:tinyproxy microsocks:microsocks ip:iproute2 ss:iproute2
    ;;
esac
[ -n "$only" ] || ../setup.sh go:golang-go

# One Windows for all of them, which is there until the last has ended: each is ended with what it started.
wineserver() { WINEPREFIX=$folder/wine /usr/lib/wine/wineserver "$@" || true; }
trap 'wineserver -k' EXIT
wineserver -p
./wine.sh "$folder/wine" wineboot

ended=0
if [ -z "$only" ]; then
  mkdir -p "$tests/others"
  for script in "exports.sh $folder ../../../include/apivideo.h" \
    "headers.sh ../../../include ../../../examples/cpp $tests/others" \
    "examples.sh $folder $local_api ../../../examples/cpp $tests/others" "tool.sh $folder $local_api" \
    "concepts.sh $folder $local_api" \
    "static.sh $folder $local_api" "go.sh $folder $local_api"; do
    name=${script%%.sh*}
    # shellcheck disable=SC2086 # a command and its arguments
    ./$script >"$tests/others/$name.log" 2>&1 || { ended=1 && cat "$tests/others/$name.log"; }
    tail -n 1 "$tests/others/$name.log" >"$tests/others/$name.passed"
    printf '%-26s %s\n' "$name" "$(cat "$tests/others/$name.passed")"
  done
fi
# Most of them wait for most of their time.
make --no-print-directory --keep-going -j4 --output-sync=target FOLDER="$folder" LOCAL_API="$local_api" ONLY="$only" || ended=1
# This program is of this system, and the last, for it reads what the others have printed.
if [ -z "$only" ]; then
  cc -std=c11 -D_GNU_SOURCE -I../../c -I../../network -o "$tests/secrets_in_logs" ../../network/secrets_in_logs.c
  OUT=$tests/network "$tests/secrets_in_logs" >"$tests/others/secrets_in_logs.log" 2>&1 || {
    ended=1
    cat "$tests/others/secrets_in_logs.log"
  }
  tail -n 1 "$tests/others/secrets_in_logs.log" >"$tests/others/secrets_in_logs.passed"
fi

cat "$tests"/*/*.passed | awk -v size="$(stat -c %s "$folder/bin/apivideo.dll")" -v built_in="$(cat "$folder/built_in")" \
  -v left_out="$(grep -c '  ' left_out)" -v wine="$(/usr/lib/wine/wine64 --version)" '
  { tests++; passed += $1; failed += $3 }
  END {
    printf "windows: apivideo.dll %d bytes, built in %d s; %d tests, %d checks passed, %d failed; %d left out; under %s\n",
      size, built_in, tests, passed, failed, left_out, wine
  }'
exit "$ended"
