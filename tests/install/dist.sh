#!/bin/sh
# What `make dist` has packed: runs on an old glibc, and does what an installed library does.
set -eu
. ./support.sh
need pkg-config pkg-config

tarball="$ROOT/build/dist/apivideo-$version-x86_64-linux-gnu.tar.gz"
mkdir "$OUT/unpacked"
tar -xzf "$tarball" -C "$OUT/unpacked"
moved="$OUT/unpacked/apivideo-$version-x86_64-linux-gnu"
check "all is in one directory" same "$(ls "$OUT/unpacked")" "apivideo-$version-x86_64-linux-gnu"
libdir="$moved/lib"
library="$libdir/libapivideo.so.$version"

from_root docs install DESTDIR="$OUT/installed" PREFIX= >"$OUT/output"
# What it is made of, and under which licences, is for what is handed on.
made_of="apivideo-$version.cdx.json THIRD-PARTY.txt rust-standard-library.html"
files() {
  (cd "$1" && find . -printf '%p %y %m %l\n' | sort |
    grep -vE "/share/doc/apivideo/($(echo "$made_of" | tr ' ' '|')) f 644 \$")
}
check "it has what make install installs" same "$(files "$moved")" "$(files "$OUT/installed")"
for file in $made_of; do
  check "it has $file" test -s "$moved/share/doc/apivideo/$file"
done
check "the unwinder inside is told" grep -q '"name": "libunwind"' "$moved/share/doc/apivideo/apivideo-$version.cdx.json"

# The newest version of glibc that it asks for.
glibc() { readelf -VW "$1" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1; }
check "it asks for glibc 2.17 and nothing newer" same "$(glibc "$library")" GLIBC_2.17
check "its list of libraries is short" same "$(needed "$library" | sort)" "ld-linux-x86-64.so.2
libc.so.6
libdl.so.2
libpthread.so.0"
check "it is hardened" is_hardened "$library"
check "no file names a place of this machine" not grep -rlF -e "$ROOT" -e "$HOME/" "$moved"
owners() { tar --numeric-owner -tvzf "$tarball" | awk '{ print $2 }' | sort -u; }
moments() { tar --full-time -tvzf "$tarball" | awk '{ print $4, $5 }' | sort -u; }
check "all of it is root's" same "$(owners)" 0/0
check "all of it is as old" same "$(moments | wc -l)" 1

PKG_CONFIG_PATH="$libdir/pkgconfig"
export PKG_CONFIG_PATH
cp -r consumer "$OUT/project"
cd "$OUT/project"
check "C programs are built with it" build_consumer c cc -std=c11
check "C++ programs are built with it" build_consumer cpp c++ -std=c++17
check_consumers .
finish
