#!/bin/sh
# What cargo-c installs is what `make install` does, but for what it knows nothing of: CMake, documents.
set -eu
. ./support.sh
need pkg-config pkg-config
command -v cargo-cinstall >/dev/null || {
  echo "$0: cargo-c is missing: cargo install --locked cargo-c@0.10.24+cargo-0.98.0 (10 minutes)"
  exit 1
}

# As docs/PACKAGING.md says.
cinstall() {
  (cd "$ROOT" && CARGO_TARGET_DIR="$OUT/target" cargo cinstall --locked --destdir "$OUT/capi" \
    --prefix /usr --libdir lib "$@")
}
check "cargo-c installs the shared library" cinstall --release --library-type cdylib
check "cargo-c installs the static library" cinstall --profile static --library-type staticlib
install_moved "$OUT/made"
libdir="$OUT/capi/usr/lib"

files() { (cd "$1/usr" && find . ! -type d ! -path './share/*' ! -path './lib/cmake/*' | sort); }
check "the files are the same" same "$(files "$OUT/capi")" "$(files "$OUT/made")"
check "so are the headers" diff -r "$OUT/capi/usr/include" "$OUT/made/usr/include"
ask() { # DIRECTORY: what pkg-config says of it
  PKG_CONFIG_SYSROOT_DIR="$1" PKG_CONFIG_LIBDIR="$1/usr/lib/pkgconfig" PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 \
    PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config --static --cflags --libs --modversion apivideo |
    tr ' ' '\n' | grep . | sed "s|^-\([IL]\)|-\1 |" | while read -r word path; do echo "$word ${path:+$(realpath "$path" | sed "s|^$1||")}"; done
}
check "so is what pkg-config says" same "$(ask "$OUT/capi")" "$(ask "$OUT/made")"
check "the shared library is hardened" is_hardened "$libdir/libapivideo.so"

PKG_CONFIG_LIBDIR="$OUT/made/usr/lib/pkgconfig"
export PKG_CONFIG_LIBDIR
cc_consumer() { cc consumer/consumer.c -o "$OUT/consumer" -I"$OUT/capi/usr/include" "$@"; }
check "a program is built with the shared library" cc_consumer -L"$libdir" -lapivideo
check "it works" runs "$OUT/consumer"
# shellcheck disable=SC2046 # words are meant to be split
check "a program is built with the static library" \
  cc_consumer "$libdir/libapivideo.a" $(pkg-config --static --libs apivideo | sed 's/-L[^ ]* *-lapivideo//')
check "it works" runs_alone "$OUT/consumer"
finish
