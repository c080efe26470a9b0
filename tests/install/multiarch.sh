#!/bin/sh
# Where libraries are not in lib, as on Debian (lib/x86_64-linux-gnu) and Fedora (lib64).
set -eu
. ./support.sh
need cmake cmake
need ninja ninja-build
need pkg-config pkg-config

arch=$(cc -print-multiarch)
lib=lib${arch:+/$arch}
[ -n "$arch" ] || lib=lib64
install_moved "$OUT/moved" LIBDIR="/usr/$lib" INCLUDEDIR=/usr/include/api
libdir="$OUT/moved/usr/$lib"
cp -r consumer "$OUT/project"
cd "$OUT"

PKG_CONFIG_PATH="$libdir/pkgconfig"
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # words are meant to be split
build() { cc project/consumer.c $(pkg-config --cflags --libs apivideo) -o by-pkg-config; }
check "pkg-config finds it" build
check "the program works" runs ./by-pkg-config
check "all is in LIBDIR" not test -e moved/usr/lib/libapivideo.so -o -e moved/usr/lib/pkgconfig

# As on a system where /lib is a link to /usr/lib, and CMake looks there first.
ln -s "usr/${lib%%/*}" "moved/${lib%%/*}"
check "CMake finds it" cmake -G Ninja -S project -B built -DCMAKE_PREFIX_PATH="$OUT/moved"
check "by the link" grep -q "^apivideo_DIR.*=$OUT/moved/$lib/cmake/apivideo" built/CMakeCache.txt
check "its programs are built" cmake --build built
check_consumers built
finish
