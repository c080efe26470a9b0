#!/bin/sh
# Tests examples/swift from an installed prefix: debug with the shared library, release with the
# static one. Set PREFIX (where libapivideo is installed), LOCAL_API (the stand-in service) and OUT (a
# scratch directory). Swift is the one on the path, or else that of swift_toolchain.sh.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
chroot=${SWIFT_CHROOT:-$here/../../build/swift}

fail() {
  echo "swift: $1" >&2
  exit 1
}

# Builds, links and tests in $OUT/swift, where Swift and the stand-in services are at hand.
test_package() {
  cd "$OUT/swift"
  HOME=$OUT/swift/home
  export HOME
  swift --version 2>&1 | head -n 1
  swift format lint --strict --recursive Package.swift Sources Tests

  # What README.md shows must build: each of its pieces is the body of a function.
  {
    echo "import ApiVideo"
    echo "import Foundation"
    awk '/^```swift$/ { inside = 1
           print "func piece" ++pieces "(key: String, token: String, file: URL,"
           print "    recording: AsyncStream<Data>) async throws {"; next }
         /^```$/ && inside { inside = 0; print "}" }
         inside' README.md
  } >Tests/ApiVideoTests/Readme.swift

  test_linked shared debug "$PREFIX"

  # As README.md tells it: where there is only an archive, that is what gets linked.
  mkdir -p archive/lib/pkgconfig
  cp -R "$PREFIX/include" archive
  cp "$PREFIX/lib/libapivideo.a" archive/lib
  cp "$PREFIX/lib/pkgconfig/apivideo.pc" archive/lib/pkgconfig
  test_linked static release "$OUT/swift/archive"

  echo "swift: $(cat shared.log static.log | grep -c '^Test Case .* passed') passed"
}

test_linked() { # KIND CONFIGURATION PREFIX
  export PKG_CONFIG_PATH="$3/lib/pkgconfig" LD_LIBRARY_PATH="$3/lib"
  options="--configuration $2 --scratch-path $1 -Xswiftc -warnings-as-errors"
  # shellcheck disable=SC2086 # a list of words
  swift build $options --build-tests >build.log 2>&1 || {
    cat build.log
    fail "the package does not build, $1"
  }
  tokens=./$1/$2/tokens
  case $1,$(ldd "$tokens") in
    shared,*"libapivideo.so."*" => $3/"*) ;;
    shared,*) fail "the shared library of the prefix is not linked" ;;
    static,*libapivideo*) fail "a shared library is linked, not the archive" ;;
  esac

  token=$("$tokens" create 600)
  "$tokens" list | grep -q "^$token until " || fail "tokens list does not show what create made"
  "$tokens" delete "$token"
  if "$tokens" list | grep "$token"; then fail "tokens delete does not delete"; fi
  for ttl in "" 0 -1 0.4 1h; do # unquoted: the first is none at all
    # shellcheck disable=SC2086
    if "$tokens" create $ttl 2>/dev/null; then fail "tokens create $ttl makes one"; fi
  done
  token=$("$tokens" create never)
  "$tokens" list | grep -q "^$token for ever" || fail "tokens create never does not make an endless one"
  "$tokens" delete "$token"

  token=$("$tokens" create 600)
  upload=./$1/$2/upload
  if APIVIDEO_UPLOAD_TOKEN=$token "$upload" /nowhere 2>/dev/null; then fail "upload uploads no file"; fi
  env -u APIVIDEO_API_KEY APIVIDEO_UPLOAD_TOKEN="$token" "$upload" README.md 2>upload.log | grep -q '^vi' ||
    fail "upload does not upload: $(cat upload.log)"
  grep -q ' of ' upload.log || fail "upload does not tell how far it is"
  "$tokens" delete "$token"

  # shellcheck disable=SC2086 # a list of words
  timeout 300 swift test $options --skip-build >"$1.log" 2>&1 || {
    cat "$1.log"
    fail "tests fail, $1"
  }
  echo "$1, $2:"
  grep -E '^Test Case .* passed|Executed .* tests' "$1.log"
}

case ${1-} in
  "")
    rm -rf "$OUT/swift"
    mkdir -p "$OUT/swift/home"
    for file in Package.swift .swift-format README.md Sources Tests; do
      cp -R "$here/../../examples/swift/$file" "$OUT/swift"
    done
    if command -v swift >/dev/null 2>&1; then
      set -- sh "$here/swift.sh" test_package
    elif [ -d "$chroot" ]; then
      set -- unshare --mount sh "$here/swift.sh" enter_chroot
    else
      fail "Swift is missing: tests/languages/swift_toolchain.sh prepares it (or make test-swift)"
    fi
    exec "$here/../support/launch.py" --as swift "$here/with_local_api.sh" "$LOCAL_API" "$@"
    ;;
  enter_chroot) # in a mount namespace of its own, so that nothing stays mounted
    cp "$here/swift.sh" "$OUT/swift"
    mkdir -p "$chroot/mnt/out" "$chroot/mnt/prefix"
    mount -t proc proc "$chroot/proc"
    mount --rbind /dev "$chroot/dev"
    mount --bind "$OUT" "$chroot/mnt/out"
    mount -o bind,ro "$PREFIX" "$chroot/mnt/prefix"
    exec chroot "$chroot" env -u TMPDIR PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      OUT=/mnt/out PREFIX=/mnt/prefix sh /mnt/out/swift/swift.sh test_package
    ;;
  test_package) test_package ;;
esac
