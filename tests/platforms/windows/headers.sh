#!/bin/sh
# Both headers compile after windows.h, whose macros have many names, and before it; and so do the programs in
# examples/cpp: headers.sh INCLUDE EXAMPLES OUT
set -eu
warnings="-Wall -Wextra -Wpedantic -Werror -fsyntax-only"
# shellcheck source=../checks.sh
. "$(dirname "$0")/../checks.sh"
compiles() { # COMPILER…
  # shellcheck disable=SC2086 # a list of words
  check "$*" "$@" $warnings
}

mkdir -p "$3"
for header in apivideo.h apivideo.hpp; do
  printf '#include <windows.h>\n#include <%s>\n' $header >"$3/after-$header.c"
  printf '#include <%s>\n#include <windows.h>\n' $header >"$3/before-$header.c"
done
for order in after before; do
  compiles x86_64-w64-mingw32-gcc-posix -std=c11 -I"$1" "$3/$order-apivideo.h.c"
  for standard in c++17 c++20; do
    for header in apivideo.h apivideo.hpp; do
      compiles x86_64-w64-mingw32-g++-posix -std=$standard -I"$1" -x c++ "$3/$order-$header.c"
    done
  done
done
for program in "$2"/*.cpp; do
  for standard in c++17 c++20; do
    compiles x86_64-w64-mingw32-g++-posix -std=$standard -I"$1" "$program"
  done
done
checks_report
