#!/bin/sh
# The wrappers in C++ and Go on Windows: their examples make, list and delete tokens, and upload what comes through a
# pipe: wrappers.sh FOLDER LOCAL_API
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${APIVIDEO_BASE_URL:-}" ]; then
  # Called anew, with a service beside it.
  exec "$here/../../support/launch.py" --limit 600 --as windows/wrappers "$here/../../languages/with_local_api.sh" "$2" "$here/wrappers.sh" "$@"
fi
folder=$1
local_api=$2
root=$(cd "$here/../../.." && pwd)
out=$folder/tests/wrappers
mkdir -p "$out"
cp "$folder/bin/apivideo.dll" "$out"

for program in tokens record_and_upload; do
  x86_64-w64-mingw32-g++-posix -std=c++17 -Wall -Wextra -Wpedantic -Werror -I"$root/include" -static-libgcc -static-libstdc++ \
    "$root/examples/cpp/$program.cpp" -o "$out/cpp_$program.exe" "$folder/lib/libapivideo.dll.a"
done
# Go's compiler hands pthreads' library on by itself; C++'s may want it.
cp "$(x86_64-w64-mingw32-g++-posix -print-file-name=libwinpthread-1.dll)" "$out"
(
  # Nothing from elsewhere: no other toolchain, no modules, no settings of the user.
  export GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-buildvcs=false GOENV=off GOWORK=off
  export GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc-posix
  export CGO_CFLAGS="-I$root/include" CGO_LDFLAGS="$folder/lib/libapivideo.dll.a -L$folder/lib" GOCACHE="$folder/go"
  cd "$root/examples/go"
  go build -p 1 -o "$out/go_tokens.exe" ./cmd/tokens
)

cd "$out"
passed=0
failed=0
check() { # WHAT COMMAND…
  what=$1
  shift
  if "$@"; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "wrappers: failed: $what: $(cat output)" >&2
  fi
}
windows() {
  "$here/wine.sh" "$folder/wine" "$@"
}
ends_with() { # CODE PROGRAM ARGUMENT…
  code=0
  expected=$1
  shift
  windows "$@" >printed 2>&1 || code=$?
  tr -d '\r' <printed >output
  [ "$code" -eq "$expected" ]
}

for language in cpp go; do
  tokens=$out/${language}_tokens.exe
  case $language in cpp) hour=3600 ;; go) hour=1h ;; esac
  check "$language: a token is made" ends_with 0 "$tokens" create $hour
  token=$(cut -d ' ' -f 1 output)
  check "$language: it is listed" ends_with 0 "$tokens" list
  check "$language: as what it is" grep -q "^$token " output
  check "$language: it is deleted" ends_with 0 "$tokens" delete "$token"
  check "$language: it is gone" ends_with "$([ $language = cpp ] && echo 3 || echo 1)" "$tokens" delete "$token"
done

check "a token that never ends" ends_with 0 "$out/cpp_tokens.exe" create never
token=$(cut -d ' ' -f 1 output)
# The first part is one of several.
head -c 6000000 /dev/urandom >film
windows "$out/cpp_record_and_upload.exe" "$token" 'A film' <film >printed 2>&1 || true
tr -d '\r' <printed >output
check "cpp: what comes through a pipe is uploaded" grep -q 'is whole: 6000000 bytes$' output
"$local_api" --ledger "$APIVIDEO_BASE_URL" >ledger
check "cpp: to the last bit" grep -q "\"sha256\":\"$(sha256sum <film | cut -d ' ' -f 1)\",\"title\":\"A film\"" ledger
rm film
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
