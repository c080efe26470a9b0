#!/bin/sh
# Builds the library for Windows: build.sh shared|static FOLDER. In that there are then, of the first,
#   bin/apivideo.dll
#   lib/libapivideo.dll.a  what MinGW links with that one
#   lib/apivideo.lib       what MSVC does, made of lib/apivideo.def
# and of the second
#   lib/libapivideo.a      the library itself, for MinGW
set -eu
kind=$1
mkdir -p "$2/bin" "$2/lib"
folder=$(cd "$2" && pwd)
cd "$(dirname "$0")/../../.."

target=x86_64-pc-windows-gnu
tools=x86_64-w64-mingw32
# The standard library is built with it, which asks for an unstable option: nothing of ours does.
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$folder/cargo"
export CC_x86_64_pc_windows_gnu=$tools-gcc-posix AR_x86_64_pc_windows_gnu=$tools-ar
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=$tools-gcc-posix
registry=${CARGO_HOME:-$HOME/.cargo}/registry/src

# With a profile, and a crate type.
build() {
  /usr/bin/cargo rustc --locked --lib --target "$target" -Zbuild-std=std,panic_unwind ${JOBS:+-j$JOBS} \
    --config "build.rustflags = [\"--remap-path-prefix=$registry=\"]" \
    --profile "$1" --crate-type "$2" -- -L "native=$folder/rtstartup"
}

# What is there already is replaced as a whole: a program that runs may have it open.
put() {
  cp "$1" "$2.new" && $tools-strip "$3" "$2.new" && mv -f "$2.new" "$2"
}

if [ "$kind" = static ]; then
  build static staticlib
  put "$CARGO_TARGET_DIR/$target/static/libapivideo.a" "$folder/lib/libapivideo.a" --strip-debug
  exit 0
fi

build release cdylib
put "$CARGO_TARGET_DIR/$target/release/apivideo.dll" "$folder/bin/apivideo.dll" --strip-unneeded

{
  echo "LIBRARY apivideo.dll"
  echo "EXPORTS"
  $tools-objdump -p "$folder/bin/apivideo.dll" |
    sed -n '/^\[Ordinal\/Name Pointer\] Table/,/^$/s/^.*\] \(av_[a-z0-9_]*\)$/  \1/p'
} >"$folder/lib/apivideo.def"
for name in libapivideo.dll.a apivideo.lib; do
  $tools-dlltool -m i386:x86-64 -d "$folder/lib/apivideo.def" -l "$folder/lib/$name"
done
