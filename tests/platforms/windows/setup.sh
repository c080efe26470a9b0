#!/bin/sh
# Installs what the tests for Windows are built with and run in, and makes in a folder what that lacks: setup.sh FOLDER.
# On Debian as root by itself, elsewhere it says in one line what is missing.
set -eu
folder=$1
here=$(cd "$(dirname "$0")" && pwd)
"$here/../setup.sh" x86_64-w64-mingw32-gcc-posix:gcc-mingw-w64-x86-64 x86_64-w64-mingw32-g++-posix:g++-mingw-w64-x86-64 \
  /usr/lib/wine/wine64:wine64 wine:wine python3:python3 openssl:openssl

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
