#!/bin/sh
# Programs that find the library by Meson's dependency() alone, in a prefix that was moved.
set -eu
. ./support.sh
need meson meson
need ninja ninja-build
need pkg-config pkg-config

install_moved "$OUT/moved"
libdir="$OUT/moved/usr/lib"
cp -r consumer "$OUT/project"

check "the project is configured" \
  meson setup "$OUT/built" "$OUT/project" --pkg-config-path "$libdir/pkgconfig"
check "its programs are built" meson compile -C "$OUT/built"
check_consumers "$OUT/built"
finish
