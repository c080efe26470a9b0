#!/bin/sh
# What `make install` installs, twice the same, and `make uninstall` removes.
set -eu
. ./support.sh

# Names, kinds, modes, links and contents of all that is in a directory.
snapshot() {
  (cd "$1" && find . -printf '%p %y %m %l\n' | sort && find . -type f -exec sha256sum {} + | sort -k 2)
}

# A prefix that no file of its own names.
prefix=/opt/a_prefix
first="$OUT/first"
second="$OUT/second place"
(umask 022 && from_root install DESTDIR="$first" PREFIX=$prefix >"$OUT/output")
(umask 077 && from_root install DESTDIR="$second" PREFIX=$prefix CARGO=false >"$OUT/output")

check "a second install, without cargo and with another umask, gives the same" \
  same "$(snapshot "$first")" "$(snapshot "$second")"

check "these files are installed" same "$(cd "$first$prefix" && find . ! -type d ! -path './share/man/*' | sort)" \
"./include/apivideo.h
./include/apivideo.hpp
./lib/cmake/apivideo/apivideo-config-version.cmake
./lib/cmake/apivideo/apivideo-config.cmake
./lib/libapivideo.a
./lib/libapivideo.so
./lib/$soname
./lib/libapivideo.so.$version
./lib/pkgconfig/apivideo.pc
./share/doc/apivideo/ABI.md
./share/doc/apivideo/CERTIFICATES.md
./share/doc/apivideo/CHANGELOG.md
./share/doc/apivideo/LICENSE
./share/doc/apivideo/README.md"

pages() { (cd "$1" 2>/dev/null && find . -name '*.3' | sort) || true; }
check "and the manual pages that were built" \
  same "$(pages "$first$prefix/share/man")" "$(pages "$ROOT/build/man")"

check "one for each function among them" test -e "$first$prefix/share/man/man3/av_tokens_create.3"

check "the links are a chain" same \
  "$(readlink "$first$prefix/lib/libapivideo.so") $(readlink "$first$prefix/lib/$soname")" \
  "$soname libapivideo.so.$version"

modes() { find "$first" -printf '%y%m\n' | sort -u; }
check "directories are 755, files 644" same "$(modes)" "d755
f644
l777"

check "no file names the prefix, or a place of this machine" \
  not grep -rlF -e $prefix -e "$ROOT" -e "$HOME/" "$first"

check "the shared library is hardened" is_hardened "$first$prefix/lib/libapivideo.so"

from_root uninstall DESTDIR="$second" PREFIX=$prefix >"$OUT/output"
check "uninstall leaves nothing" same "$(find "$second$prefix")" "$second$prefix"
from_root install DESTDIR="$second" PREFIX=$prefix/ >"$OUT/output"
check "a slash at the end of the prefix makes no difference" same "$(snapshot "$first")" "$(snapshot "$second")"
from_root uninstall DESTDIR="$second" PREFIX=$prefix BUILD="$OUT/cleaned" >"$OUT/output"
check "uninstall leaves nothing after make clean either" same "$(find "$second$prefix")" "$second$prefix"
check "uninstall of nothing does no harm" \
  from_root uninstall DESTDIR="$OUT/nowhere" PREFIX=$prefix

others="$OUT/others"
for file in include/av.h lib/libapivideo-more.so.0.1 lib/pkgconfig/other.pc lib/cmake/other/other.cmake \
  share/man/man3/av_malloc.3 share/doc/other/LICENSE; do
  mkdir -p "$(dirname "$others$prefix/$file")"
  echo theirs >"$others$prefix/$file"
done
before=$(snapshot "$others")
from_root install DESTDIR="$others" PREFIX=$prefix >"$OUT/output"
check "install adds to what others have there" not same "$before" "$(snapshot "$others")"
from_root uninstall DESTDIR="$others" PREFIX=$prefix >"$OUT/output"
check "uninstall leaves what others have there" same "$before" "$(snapshot "$others")"

check "a LIBDIR outside PREFIX, which could not be moved, is refused" \
  not from_root install DESTDIR="$OUT/refused" PREFIX=$prefix LIBDIR=/lib
check "and nothing is installed then" not test -e "$OUT/refused"
check "a prefix with a space, which no file could name, is refused" \
  not from_root install DESTDIR="$OUT/refused" PREFIX="/opt/a prefix"
check "and nothing is installed then either" not test -e "$OUT/refused"
finish
