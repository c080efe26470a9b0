#!/bin/sh
# What `make dist PLATFORM=windows` has packed: programs find it by CMake and are built with MinGW, or with the import
# library for MSVC, and run under Wine. Called by `make test-dist-windows`, after tests/platforms/windows/setup.sh;
# WINE is where that has put its Windows.
set -eu
. ./support.sh
. ./packed.sh
: "${WINE:?a Windows}"
need cmake cmake
need ninja ninja-build
windows=../platforms/windows
under_wine() { "$ROOT/tests/platforms/windows/wine.sh" "$WINE" "$@"; }

python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])' "$ARCHIVE" "$OUT/unpacked"
check_packed bin/apivideo.dll lib/libapivideo.dll.a lib/apivideo.lib share/doc/apivideo/mingw-w64.txt
check_contents windows-sys libgcc mingw-w64
check "what is Unix's alone is not" not tells libc

format() { x86_64-w64-mingw32-objdump -f "$1" | sed -n 's/.*file format //p' | sort -u; }
check "the DLL is for its processor" same "$(format "$moved/bin/apivideo.dll")" pei-x86-64
check "it exports and needs what it should" $windows/exports.sh "$moved" "$moved/include/apivideo.h"

# Neither needs what MinGW's programs otherwise need beside them.
cat >"$OUT/mingw.cmake" <<'CMAKE'
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_EXE_LINKER_FLAGS -static)
CMAKE
check "a project for MinGW finds it" cmake -G Ninja -S consumer -B "$OUT/built" -DCMAKE_TOOLCHAIN_FILE="$OUT/mingw.cmake" \
  -DCMAKE_PREFIX_PATH="$moved"
check "its programs are built" cmake --build "$OUT/built"
loads_ours() { x86_64-w64-mingw32-objdump -p "$1" | grep -q 'DLL Name: apivideo.dll'; }
cd "$OUT/built"
for language in c cpp; do
  check "$language, shared: needs the DLL" loads_ours $language-shared.exe
  check "$language, shared: does not work without it" not under_wine ./$language-shared.exe
  check "$language, static: does not need it" not loads_ours $language-static.exe
  check "$language, static: works" under_wine ./$language-static.exe
done
cp "$moved/bin/apivideo.dll" .
for language in c cpp; do
  check "$language, shared: works" under_wine ./$language-shared.exe
done

# Another compiler than MinGW is one for MSVC's libraries. None is here; what zig has links as theirs does.
cd "$ROOT/tests/install"
cp -r versions "$OUT/versions"
for_msvc() {
  cmake -G Ninja -S "$OUT/versions" -B "$OUT/found" -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_PREFIX_PATH="$moved" -DWANTED=0.1
}
check "a project without MinGW finds the DLL alone" same "$(for_msvc | sed -n 's/^-- found //p')" apivideo::apivideo
mkdir "$OUT/msvc"
check "a program is built with the import library for MSVC" "$DIST_TOOLS/bin/python" -m ziglang cc \
  -target x86_64-windows-gnu -std=c11 -I"$moved/include" consumer/consumer.c "$libdir/apivideo.lib" -o "$OUT/msvc/program.exe"
cp "$moved/bin/apivideo.dll" "$OUT/msvc"
check "and works" under_wine "$OUT/msvc/program.exe"
finish
