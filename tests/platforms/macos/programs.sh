#!/bin/sh
# Programs for macOS: those in examples/c and examples/cpp compile without a warning, and link with the library by its
# name: programs.sh FOLDER TARGET NAME, as zig calls the target. In FOLDER is lib/libapivideo.dylib.
set -eu
: "${ZIG:?how zig is run}"
folder=$1
target=$2
name=$3
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"
mkdir -p "$folder/bin"

# build PROGRAM COMPILER STANDARD SOURCE…: the library is found beside the program's folder, as on Linux.
build() {
  program=$folder/bin/$1
  compiler=$2
  standard=$3
  shift 3
  # shellcheck disable=SC2086 # lists of words
  $ZIG "$compiler" -target "$target" "-std=$standard" -O1 -Wall -Wextra -Wpedantic -Werror -Iinclude -o "$program" "$@" \
    -L"$folder/lib" -lapivideo -pthread -Wl,-rpath,@executable_path/../lib &&
    llvm-objdump --macho --dylibs-used "$program" | grep -qF "$name"
}

for source in examples/c/*.c examples/c/concepts/*.c; do
  check "$source" build "$(echo "${source%.c}" | tr / _)" cc c11 "$source"
done
check "the tool" build apivideo cc c11 examples/c/apivideo/*.c examples/c/apivideo/unix/*.c
for standard in c++17 c++20; do
  for source in examples/cpp/*.cpp; do
    check "$source as $standard" build "$(basename "$source" .cpp)-$standard" c++ "$standard" "$source"
  done
done
checks_report
