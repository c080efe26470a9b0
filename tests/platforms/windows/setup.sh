#!/bin/sh
# Installs what the library is built with for Windows and what its tests run in, and makes in a folder what
# these lack: setup.sh FOLDER. On Debian as root by itself, elsewhere it says in one line what is missing.
set -eu
folder=$1

# Each file, and the Debian package that has it. Rust's own toolchain has no standard library for Windows
# here; Debian's has the sources of its own.
needed="/usr/bin/rustc:rustc-web /usr/bin/cargo:cargo-web"
needed="$needed /usr/bin/x86_64-w64-mingw32-gcc-posix:gcc-mingw-w64-x86-64"
needed="$needed /usr/bin/x86_64-w64-mingw32-g++-posix:g++-mingw-w64-x86-64"
needed="$needed /usr/lib/wine/wine64:wine64 /usr/bin/wine:wine /usr/bin/python3:python3 /usr/bin/openssl:openssl"

missing=""
for pair in $needed; do
  [ -e "${pair%%:*}" ] || missing="$missing ${pair##*:}"
done
# Next to what rustc has of its own for any platform.
sources=$(/usr/bin/rustc --print sysroot 2>/dev/null || echo /usr)/lib/rustlib/src/rust/library
[ -e "$sources" ] || missing="$missing rust-web-src"
if [ -n "$missing" ]; then
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
    echo "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
    sources=$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library
  else
    echo "missing for Windows:$missing (Debian: sudo apt-get install$missing)" >&2
    exit 1
  fi
fi

# Rust links every program for this target between these two, which come with a built standard library alone.
mkdir -p "$folder/rtstartup"
for name in rsbegin rsend; do
  [ -e "$folder/rtstartup/$name.o" ] || RUSTC_BOOTSTRAP=1 /usr/bin/rustc --target x86_64-pc-windows-gnu -O \
    --emit=obj -o "$folder/rtstartup/$name.o" "$sources/rtstartup/$name.rs"
done

# A Windows of its own, without windows.
here=$(dirname "$0")
if [ ! -e "$folder/wine/made" ]; then
  rm -rf "$folder/wine"
  "$here/wine.sh" "$folder/wine" wineboot -i
  "$here/wine.sh" "$folder/wine" winecfg -v win10
  # Rust's standard library asks this DLL for random bytes, and Wine 8 has none of that name.
  if [ ! -e "$folder/wine/drive_c/windows/system32/bcryptprimitives.dll" ]; then
    x86_64-w64-mingw32-gcc-posix -shared -O1 -Wall -Wextra -Werror "$here/bcryptprimitives.c" -ladvapi32 \
      -o "$folder/wine/drive_c/windows/system32/bcryptprimitives.dll"
  fi
  touch "$folder/wine/made"
fi
