#!/bin/sh
# A shared library of somebody else's with our static one inside shows none of our names, if it is
# linked with the flag that docs/PACKAGING.md tells.
set -eu
. ./support.sh
need pkg-config pkg-config

install_moved "$OUT/moved"
libdir="$OUT/moved/usr/lib"
PKG_CONFIG_PATH="$libdir/pkgconfig"
export PKG_CONFIG_PATH
cp -r plugin "$OUT/project"
cd "$OUT/project"

# shellcheck disable=SC2046 # words are meant to be split
build() { # PLUGIN [FLAG…]
  plugin=$1
  shift
  cc -shared -fPIC plugin.c -o "$plugin" "$@" $(pkg-config --cflags apivideo) \
    $(pkg-config --static --libs apivideo | sed 's/-lapivideo/-l:libapivideo.a/')
}
exports() { nm -D --defined-only "$1" | awk '{ print $NF }'; }

check "the plugin is built" build plugin.so -Wl,--exclude-libs,libapivideo.a
check "it exports what it has itself" same "$(exports plugin.so)" plugin_run
check "it needs no library of ours" is_complete plugin.so
check "the host is built" cc host.c -o host -ldl
check "the plugin works" runs_alone ./host ./plugin.so

check "the plugin is built without the flag" build open.so
check "and this test would have seen it" test "$(exports open.so | wc -l)" -gt 1
check "that works, too" runs_alone ./host ./open.so
finish
