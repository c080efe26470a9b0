#!/bin/sh
# Tests examples/go from an installed prefix: shared under the race detector, static without it.
# Set PREFIX (where libapivideo is installed), LOCAL_API (the stand-in service) and OUT (a scratch
# directory); GO is another Go than the one on the PATH.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
go=${GO:-go}

needs() { # COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 || {
    echo "go: $1 is missing: apt-get install --no-install-recommends $2" >&2
    exit 1
  }
}
needs "$go" golang-go
needs pkg-config pkg-config
needs gcc "gcc libc6-dev"

# Nothing from elsewhere: no other toolchain, no modules, no settings of the user.
export GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-buildvcs=false GOENV=off GOWORK=off CGO_ENABLED=1
export PKG_CONFIG_PATH="$PREFIX/lib/pkgconfig" LD_LIBRARY_PATH="$PREFIX/lib"

rm -rf "$OUT/go"
cp -R "$here/../../examples/go" "$OUT/go"
cd "$OUT/go"
# Go does not see when a header or a library outside has changed; this makes it look again.
printf 'package apivideo\n\n// %s\n' \
  "$(cat "$PREFIX/include/apivideo.h" "$PREFIX"/lib/libapivideo.* | cksum)" >prefix.go

unformatted=$("$("$go" env GOROOT)/bin/gofmt" -l .)
if [ -n "$unformatted" ]; then
  echo "go: not as gofmt would have it: $unformatted" >&2
  exit 1
fi
"$go" vet ./...
"$go" vet -tags apivideo_static ./...

# What the README shows compiles.
{
  printf 'package apivideo_test\n\nimport (\n\t"context"\n\t"errors"\n\t"fmt"\n\t"os"\n\t"time"\n\n\t"example.com/apivideo"\n)\n\n'
  printf 'func readme(ctx context.Context, path, tokenID, stateFile string) error {\n'
  sed -n '/^```go$/,/^```$/{/```/d;p;}' README.md
  printf '\t_, _ = token, video\n\treturn err\n}\n'
} >readme_test.go

# One package at a time: the tests count what the stand-in is asked.
passed=0
check() { # FLAG… of go test
  "$here/../support/launch.py" --as go "$here/with_local_api.sh" "$LOCAL_API" "$go" test -p 1 -count=1 -timeout 300s -v "$@" ./... >log 2>&1 || {
    cat log
    echo "go: go test $* failed" >&2
    exit 1
  }
  passed=$((passed + $(grep -c '^--- PASS' log)))
}
check -race
check -tags apivideo_static

# Each program is linked as it says.
"$go" build -o shared ./cmd/tokens
"$go" build -tags apivideo_static -o static ./cmd/tokens
if ! ldd ./shared | grep -q "libapivideo.* => $PREFIX/"; then
  echo "go: the shared library is not linked" >&2
  exit 1
fi
if ldd ./static | grep libapivideo >&2; then
  echo "go: with -tags apivideo_static the shared library is linked all the same" >&2
  exit 1
fi

echo "go: $passed passed"
