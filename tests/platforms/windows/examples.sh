#!/bin/sh
# The programs of examples/cpp, built for Windows and run against the stand-in service: examples.sh FOLDER
# LOCAL_API EXAMPLES OUT
set -eu
folder=$1
local_api=$2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$4"
for program in tokens record_and_upload; do
  x86_64-w64-mingw32-g++-posix -std=c++17 -Wall -Wextra -Wpedantic -Werror -I"$here/../../../include" \
    "$3/$program.cpp" -o "$4/$program.exe" -static -L"$folder/lib" -l:libapivideo.dll.a
done
cd "$4"

cat >go_through.sh <<'END'
set -eu
. "$checks"
run() { program=$1 && shift && "$wine" "$prefix" "./$program.exe" "$@" | tr -d '\r'; }
token=$(run tokens create never)
check "tokens: what it has made is listed" [ "$(run tokens list)" = "$token" ]
# Every byte there is, and what ends lines or files elsewhere among them.
{ printf 'a\r\nb\n\032c\r\n' && head -c 6000000 /dev/urandom; } >film
run record_and_upload "$token" Recorded <film >output 2>progress
check "record_and_upload: it is whole" grep -q '^vi[^ ]* is whole: 6000009 bytes$' output
"$LOCAL_API" --ledger "$APIVIDEO_BASE_URL" >ledger
check "record_and_upload: to the last byte" grep -q "\"sha256\":\"$(sha256sum <film | cut -d ' ' -f 1)\",\"title\":\"Recorded\"" ledger
checks_report
END
checks=$here/../checks.sh wine=$here/wine.sh prefix=$folder/wine LOCAL_API=$local_api WINEPATH="Z:$folder/bin" \
  "$here/../../support/launch.py" --as windows/examples --limit 120 \
  "$here/../../languages/with_local_api.sh" "$local_api" sh go_through.sh
