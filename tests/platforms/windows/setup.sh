#!/bin/sh
# Installs what the library is built with for Windows and what its tests run in, and makes in a folder what
# these lack: setup.sh FOLDER. On Debian as root by itself, elsewhere it says in one line what is missing.
set -eu
folder=$1

here=$(cd "$(dirname "$0")" && pwd)
# Rust's own toolchain has no standard library for Windows here; Debian's has the sources of its own.
sources=/usr/lib/rustlib/src/rust/library
mingw=/usr/bin/x86_64-w64-mingw32
"$here/../setup.sh" /usr/bin/rustc:rustc-web /usr/bin/cargo:cargo-web $sources:rust-web-src \
  $mingw-gcc-posix:gcc-mingw-w64-x86-64 $mingw-g++-posix:g++-mingw-w64-x86-64 /usr/lib/wine/wine64:wine64 \
  /usr/bin/wine:wine python3:python3 openssl:openssl

# Rust links every program for this target between these two, which come with a built standard library alone.
mkdir -p "$folder/rtstartup"
for name in rsbegin rsend; do
  [ -e "$folder/rtstartup/$name.o" ] || RUSTC_BOOTSTRAP=1 /usr/bin/rustc --target x86_64-pc-windows-gnu -O \
    --emit=obj -o "$folder/rtstartup/$name.o" "$sources/rtstartup/$name.rs"
done

# A Windows of its own, without windows.
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
