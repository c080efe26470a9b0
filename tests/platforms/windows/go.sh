#!/bin/sh
# The wrapper in Go on Windows, built by cgo with MinGW: its own tests, but for those in left_out. go.sh FOLDER LOCAL_API
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
out=$folder/tests/go

if [ -z "${APIVIDEO_BASE_URL:-}" ]; then
  root=$(cd "$here/../../.." && pwd)
  rm -rf "$out"
  cp -R "$root/examples/go" "$out"
  cd "$out"
  cp "$folder/bin/apivideo.dll" .
  # Go does not see when a header or a library outside has changed; this makes it look again.
  printf 'package apivideo\n\n// %s\n' "$(cat "$root/include/apivideo.h" "$folder/lib/libapivideo.dll.a" | cksum)" >prefix.go
  (
    # Nothing from elsewhere: no other toolchain, no modules, no settings of the user.
    export GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-buildvcs=false GOENV=off GOWORK=off GOCACHE="$folder/go"
    export GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc-posix
    export CGO_CFLAGS="-I$root/include" CGO_LDFLAGS="-L$folder/lib"
    go test -c -p 1 -o wrapper.exe .
    go test -c -p 1 -o program.exe ./cmd/tokens
  )
  # Called anew, with a service beside it.
  exec "$here/../../support/launch.py" --limit 1300 --as windows/go "$here/../../languages/with_local_api.sh" "$2" "$here/go.sh" "$@"
fi

cd "$out"
windows() {
  "$here/wine.sh" "$folder/wine" "$@" 2>&1
}
left_out=$(sed -n 's/^go\/\(Test[^ ]*\)  .*/\1/p' "$here/left_out")
wanted() { # the tests of a program that are run, as an expression
  windows "$1" -test.list . | tr -d '\r' | grep '^Test' | grep -vxF "$left_out" | paste -sd '|'
}
for program in wrapper program; do
  windows "./$program.exe" -test.v -test.timeout 1200s -test.run "^($(wanted "./$program.exe"))\$" || true
done >log
passed=$(grep -c '^--- PASS' log || true)
# What ends before its time prints no verdict.
failed=$(($(grep -c '^--- FAIL' log || true) + 2 - $(tr -d '\r' <log | grep -cx PASS || true)))
[ "$failed" -eq 0 ] || cat log
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
