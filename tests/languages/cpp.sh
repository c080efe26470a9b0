#!/bin/sh
# Builds the C++ examples from an installed prefix, shared and static, and runs them; compiles what
# their README shows. Set PREFIX (where libapivideo is installed), LOCAL_API (the stand-in service)
# and OUT (a scratch directory); CXX is another compiler than c++.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cxx=${CXX:-c++}

needs() { # COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 || {
    echo "cpp: $1 is missing: apt-get install --no-install-recommends $2" >&2
    exit 1
  }
}
needs "$cxx" g++
needs pkg-config pkg-config

rm -rf "$OUT/cpp"
cp -R "$here/../../examples/cpp" "$OUT/cpp"
cd "$OUT/cpp"
PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig
export PKG_CONFIG_PATH

warnings="-Wall -Wextra -Wpedantic -Werror -Wconversion -Wold-style-cast -Wshadow"
flags=$(pkg-config --cflags apivideo)
shared=$(pkg-config --libs apivideo)
static=$(pkg-config --static --libs apivideo | sed 's/-lapivideo/-l:libapivideo.a/')
# shellcheck disable=SC2086 # lists of words
{
  "$cxx" -std=c++17 $warnings tokens.cpp -o shared $flags $shared -Wl,-rpath,"$PREFIX/lib"
  "$cxx" -std=c++17 $warnings tokens.cpp -o static $flags $static
  "$cxx" -std=c++17 $warnings record_and_upload.cpp -o record_and_upload $flags $shared -Wl,-rpath,"$PREFIX/lib"

  # The first listing of the README is a program's beginning, and the others go on from it.
  {
    printf '#include <apivideo.hpp>\n#include <iostream>\n#include <thread>\nint main() {\n'
    sed -n '/^ *```cpp$/,/^ *```$/{/```/d;p;}' README.md
    echo '}'
  } >readme.cpp
  "$cxx" -std=c++17 $warnings readme.cpp -o readme $flags $shared -Wl,-rpath,"$PREFIX/lib"
}

passed=0
check() { # WHAT COMMAND…
  what=$1
  shift
  "$@" || {
    echo "cpp: failed: $what" >&2
    exit 1
  }
  passed=$((passed + 1))
}
needs_library() { readelf -d "$1" | grep -q 'NEEDED.*libapivideo'; }
check "the shared program needs the library" needs_library shared
check "the static program needs none" eval '! needs_library static'

cat >go_through.sh <<'END'
set -eu
tokens=$1
ends_with() { # STATUS COMMAND…
  wanted=$1
  shift
  status=0
  "$@" >output 2>&1 || status=$?
  [ "$status" -eq "$wanted" ] || {
    echo "cpp: exit status $status, not $wanted: $*" >&2
    cat output >&2
    exit 1
  }
}
ends_with 0 "$tokens" create 3600
grep -q '  until 2.*UTC$' output
token=$(cut -d ' ' -f 1 output)
ends_with 0 "$tokens" create never
! grep -q until output
other=$(cat output)
ends_with 0 "$tokens" get "$token"
grep -q "^$token  until" output
ends_with 0 "$tokens" list
[ "$(cut -d ' ' -f 1 output)" = "$token
$other" ]
ends_with 0 "$tokens" delete "$token" "$other"
ends_with 3 "$tokens" delete "$token"
ends_with 3 "$tokens" get "$token"
ends_with 0 "$tokens" list
[ ! -s output ]
ends_with 2 "$tokens" create
ends_with 1 "$tokens" create 0
ends_with 1 "$tokens" create -1
ends_with 1 "$tokens" create 4294967301
APIVIDEO_API_KEY=wrong ends_with 1 "$tokens" list
grep -q 401 output
ends_with 2 "$tokens"
ends_with 2 "$tokens" create soon
END
for way in shared static; do
  check "the $way program goes through every command" \
    "$here/../support/launch.py" --as cpp "$here/with_local_api.sh" "$LOCAL_API" sh go_through.sh "./$way"
done

cat >record.sh <<'END'
set -eu
token=$(./shared create never)
# The first part is one of several.
head -c 6000000 /dev/urandom >film
cat film | ./record_and_upload "$token" Recorded >output 2>progress
grep -q '^vi[^ ]* is whole: 6000000 bytes$' output
grep -q '6000000 bytes are there' progress
"$LOCAL_API" --ledger "$APIVIDEO_BASE_URL" >ledger
grep -q "\"sha256\":\"$(sha256sum <film | cut -d ' ' -f 1)\",\"title\":\"Recorded\"" ledger
if ./record_and_upload wrong <film >output 2>progress; then exit 1; fi
grep -q 401 progress
END
export LOCAL_API
check "what comes through a pipe is uploaded" \
  "$here/../support/launch.py" --as cpp "$here/with_local_api.sh" "$LOCAL_API" sh record.sh
echo "cpp: $passed passed"
