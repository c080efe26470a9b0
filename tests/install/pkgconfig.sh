#!/bin/sh
# Programs that find the library by pkg-config alone, in a prefix that was moved.
set -eu
. ./support.sh
need pkg-config pkg-config

install_moved "$OUT/moved"
libdir="$OUT/moved/usr/lib"
PKG_CONFIG_PATH="$libdir/pkgconfig"
export PKG_CONFIG_PATH
cp -r consumer "$OUT/project"
cd "$OUT/project"

check "it is valid" pkg-config --validate apivideo
check "it tells the version" same "$(pkg-config --modversion apivideo)" "$version"

check "C programs are built" build_consumer c cc -std=c11
check "C++ programs are built" build_consumer cpp c++ -std=c++17
check_consumers .

# shellcheck disable=SC2046 # words are meant to be split
headers() {
  c++ -std=c++17 -M consumer.cpp $(pkg-config --cflags apivideo) | tr ' ' '\n' | grep 'apivideo\.h' |
    xargs -n 1 realpath | sort
}
check "with the installed headers" same "$(headers)" \
"$OUT/moved/usr/include/apivideo.h
$OUT/moved/usr/include/apivideo.hpp"
finish
