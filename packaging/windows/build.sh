#!/bin/sh
# Builds the library for Windows, with MinGW: build.sh shared|static FOLDER. In that there are then, of the first,
#   bin/apivideo.dll
#   lib/libapivideo.dll.a  what MinGW links with that one
#   lib/apivideo.lib       what MSVC does; both are made of lib/apivideo.def
# and of the second
#   lib/libapivideo.a      the library itself, for MinGW
# DIST_TOOLS is where zig is. The same sources give the same bytes, wherever they are.
set -eu
: "${DIST_TOOLS:?where zig is}"
kind=$1
cd "$(dirname "$0")/../.."
root=$PWD
mkdir -p "$2/bin" "$2/lib" "$2/rtstartup" "$2/tools"
folder=$(cd "$2" && pwd)

target=x86_64-pc-windows-gnu
tools=x86_64-w64-mingw32
tests/platforms/setup.sh /usr/bin/cargo:cargo-web /usr/bin/rustc:rustc-web $tools-gcc-posix:gcc-mingw-w64-x86-64 \
  /usr/lib/rustlib/src/rust/library:rust-web-src
# The standard library is built with it, which asks for an unstable option: nothing of ours does.
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$folder/cargo"
export CC_x86_64_pc_windows_gnu=$tools-gcc-posix AR_x86_64_pc_windows_gnu=$tools-ar
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=$tools-gcc-posix
registry=${CARGO_HOME:-$HOME/.cargo}/registry/src
# By this name Rust's compiler looks for it.
ln -sf "$root/packaging/windows/dlltool.sh" "$folder/tools/$tools-dlltool"
PATH=$folder/tools:$PATH

# Rust links every program for this target between these two, which come with a built standard library alone.
for name in rsbegin rsend; do
  [ -e "$folder/rtstartup/$name.o" ] || /usr/bin/rustc --target $target -O --emit=obj -o "$folder/rtstartup/$name.o" \
    "/usr/lib/rustlib/src/rust/library/rtstartup/$name.rs"
done

# With a profile, and a crate type. By a relative path, since what rustc is told becomes part of all names. The linker
# strips: GNU's `strip` would write into a DLL when that was. (It is the last word: rustc has it strip less.)
build() {
  /usr/bin/cargo rustc --locked --lib --target "$target" -Zbuild-std=std,panic_unwind \
    --config "build.rustflags = [\"--remap-path-prefix=$registry=\"]" --profile "$1" --crate-type "$2" -- \
    -L "native=${folder#"$root/"}/rtstartup" -Clink-arg=-Wl,--strip-all -Clink-arg=-Wl,--no-insert-timestamp
}

if [ "$kind" = static ]; then
  build static staticlib
  $tools-strip --strip-debug -o "$folder/lib/libapivideo.a" "$CARGO_TARGET_DIR/$target/static/libapivideo.a"
  exit 0
fi

# What is there already is replaced as a whole: a program that runs may have it open.
build release cdylib
cp "$CARGO_TARGET_DIR/$target/release/apivideo.dll" "$folder/bin/apivideo.dll.new"
mv -f "$folder/bin/apivideo.dll.new" "$folder/bin/apivideo.dll"

cd "$folder/lib"
{
  echo "LIBRARY apivideo.dll"
  echo "EXPORTS"
  $tools-objdump -p "$folder/bin/apivideo.dll" |
    sed -n '/^\[Ordinal\/Name Pointer\] Table/,/^$/s/^.*\] \(av_[a-z0-9_]*\)$/  \1/p'
} >apivideo.def
/usr/bin/$tools-dlltool --deterministic-libraries --temp-prefix apivideo -m i386:x86-64 -d apivideo.def -l libapivideo.dll.a
# In the form that MSVC's own tools give it, which GNU's do not know how to write.
"$DIST_TOOLS/bin/python" -m ziglang dlltool -m i386:x86-64 -d apivideo.def -D apivideo.dll -l apivideo.lib
