#!/bin/sh
# Two static libraries that are both in Rust, in one program.
set -eu
. ./support.sh
need pkg-config pkg-config

install_moved "$OUT/moved"
libdir="$OUT/moved/usr/lib"
PKG_CONFIG_PATH="$libdir/pkgconfig"
export PKG_CONFIG_PATH
cp two_archives/* plugin/plugin.c "$OUT"
cd "$OUT"

ours="$libdir/libapivideo.a"
# shellcheck disable=SC2046 # words are meant to be split
build() { # PROGRAM ARCHIVE…
  program=$1
  shift
  cc both.c plugin.c -o "$program" $(pkg-config --cflags apivideo) "$@" \
    $(pkg-config --static --libs apivideo | sed 's/-L[^ ]* *-lapivideo//')
}
for level in 0 2; do
  check "another Rust library is built" \
    rustc --edition 2024 --crate-type staticlib -C opt-level=$level other.rs -o libother.a \
    --print native-static-libs
  check "it needs what ours says that it needs" same \
    "$(sed -n 's/.*native-static-libs: //p' "$OUT/output")" \
    "$(pkg-config --static --libs-only-l apivideo | sed 's/-lapivideo *//; s/ *$//')"
  check "they are linked, ours first" build ours-first "$ours" libother.a
  check "both work" runs_alone ./ours-first
  check "they are linked, ours last" build ours-last libother.a "$ours"
  check "both work" runs_alone ./ours-last
done
finish
