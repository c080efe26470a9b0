#!/bin/sh
# The tool, linked with libapivideo.a by MinGW, runs without apivideo.dll, and the libraries that are told to link
# with, in STATIC_LIBS, are all that it takes: static.sh FOLDER LOCAL_API
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${APIVIDEO_BASE_URL:-}" ]; then
  # Called anew, with a service beside it.
  exec "$here/../../support/launch.py" --limit 120 --as windows/static "$here/../../languages/with_local_api.sh" "$2" "$here/static.sh" "$@"
fi
folder=$1
local_api=$2
root=$here/../../..
out=$folder/tests/static
mkdir -p "$out"
# shellcheck disable=SC2086 # a list of words
x86_64-w64-mingw32-gcc-posix -std=c11 -O2 -I"$root/include" -o "$out/apivideo.exe" \
  "$root"/examples/c/apivideo/*.c "$root"/examples/c/apivideo/windows/*.c -static "$folder/lib/libapivideo.a" $STATIC_LIBS

cd "$out"
# shellcheck source=../checks.sh
. "$here/../checks.sh"
checks_shown=errors
apivideo() {
  "$here/wine.sh" "$folder/wine" ./apivideo.exe "$@" >output 2>errors
}
: >errors
needed=$(x86_64-w64-mingw32-objdump -p apivideo.exe | sed -n 's/^.*DLL Name: //p' | tr '[:upper:]' '[:lower:]')
check "it needs no DLL of ours, nor of the compiler's: $(echo "$needed" | tr '\n' ' ')" \
  eval '! echo "$needed" | grep -q "apivideo\|gcc\|winpthread"'
check "it tells the library's version" apivideo --version
check "a token is made" apivideo create --ttl 1h
token=$(cat output)
head -c 6000000 /dev/urandom >film
check "a file is uploaded" apivideo upload --token "$token" film
"$local_api" --ledger "$APIVIDEO_BASE_URL" >ledger
check "whole" grep -q "\"sha256\":\"$(sha256sum <film | cut -d ' ' -f 1)\"" ledger
rm film
checks_report
