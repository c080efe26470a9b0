#!/bin/sh
# Programs that find the library by find_package alone, in a prefix that was moved.
set -eu
. ./support.sh
need cmake cmake
need ninja ninja-build

install_moved "$OUT/moved"
libdir="$OUT/moved/usr/lib"
cp -r consumer versions "$OUT"
cd "$OUT"

check "the project is configured" cmake -G Ninja -S consumer -B built -DCMAKE_PREFIX_PATH="$OUT/moved/usr"
check "its programs are built" cmake --build built
check_consumers built

find_version() { cmake -G Ninja -S versions -B found -DCMAKE_PREFIX_PATH="$OUT/moved/usr" -DWANTED="$1"; }
refused() { ! find_version "$1" >"$OUT/said" 2>&1 && grep -q 'compatible with requested' "$OUT/said"; }
for wanted in "" 0.1 0.1.0 "0.1.0;EXACT" 0.1...0.9; do
  check "version '$wanted' is found" find_version "$wanted"
done
for wanted in 0 0.0.9 0.1.99 0.10 0.2 1 9.0; do
  check "version $wanted is refused" refused "$wanted"
done

targets() { find_version 0.1 | sed -n 's/^-- found //p'; }
check "both libraries are found" same "$(targets)" "apivideo::apivideo;apivideo::static"
rm "$libdir/libapivideo.a"
check "where there is no static one, the other is found" same "$(targets)" apivideo::apivideo
finish
