# What the tests of installing share; each sources it. It runs in tests/install, with:
#   OUT                a directory to work in, which it empties
#   APIVIDEO_BASE_URL  a stand-in service, and APIVIDEO_API_KEY its key
# shellcheck shell=sh

# What make was told, or finds in the environment, is not for the ones called here.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL DESTDIR PREFIX LIBDIR INCLUDEDIR MANDIR DOCDIR INSTALL
# Nor may anything be found but where the tests say.
unset CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH LIBRARY_PATH LD_LIBRARY_PATH LD_RUN_PATH
unset PKG_CONFIG_PATH CMAKE_PREFIX_PATH
LC_ALL=C
export LC_ALL

ROOT=$(cd ../.. && pwd)
rm -rf "$OUT"
mkdir -p "$OUT"
passed=0

# check WHAT COMMAND…: it is so that WHAT, since COMMAND succeeds.
check() {
  what=$1
  shift
  if ! "$@" >"$OUT/output" 2>&1; then
    tail -n 50 "$OUT/output"
    echo "$0: $what: no, since this failed: $*"
    exit 1
  fi
  passed=$((passed + 1))
}

not() { ! "$@"; }

# same A B: the same text.
same() {
  [ "$1" = "$2" ] || { printf '%s\n-- is not --\n%s\n' "$1" "$2" && return 1; }
}

finish() { echo "$passed passed, 0 failed"; }

# need COMMAND PACKAGE
need() {
  command -v "$1" >/dev/null || { echo "$0: $1 is missing: sudo apt-get install $2" && exit 1; }
}

from_root() { make --no-print-directory -C "$ROOT" "$@"; }

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml" | head -n 1)

# Before 1.0; from then on it has the major version alone.
soname=libapivideo.so.$(echo "$version" | cut -d. -f1-2)

# install_moved DIRECTORY [VARIABLE=VALUE…]: installs into another directory and moves it all there.
install_moved() {
  moved_to=$1
  shift
  from_root install DESTDIR="$OUT/staged" PREFIX=/usr "$@" >"$OUT/output" 2>&1 || { cat "$OUT/output" && exit 1; }
  mv "$OUT/staged" "$moved_to"
}

# What an ELF file needs at run time, a name a line.
needed() { readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# loads_shared PROGRAM, is_complete PROGRAM: finds our library by its SONAME, or does without it; and
# needs nothing else that a C or C++ program does not need anyway.
needs_usual() { ! needed "$1" | grep -vE '^(libc|libm|libgcc_s|libstdc\+\+|ld-linux[^.]*|libapivideo)\.so\.'; }
loads_shared() { needs_usual "$1" && needed "$1" | grep -qx "$soname"; }
is_complete() { needs_usual "$1" && ! needed "$1" | grep libapivideo; }

# runs PROGRAM [ARGUMENT…]: with our library where $libdir says, for the loader.
# shellcheck disable=SC2154 # the test sets it
runs() { LD_LIBRARY_PATH="$libdir" "$@"; }
# runs_alone PROGRAM [ARGUMENT…]: with no such help.
runs_alone() { "$@"; }

# build_consumer LANGUAGE COMPILER…: the programs LANGUAGE-shared and LANGUAGE-static, as
# docs/PACKAGING.md says.
# shellcheck disable=SC2046 # words are meant to be split
build_consumer() {
  language=$1
  shift
  "$@" "consumer.$language" $(pkg-config --cflags --libs apivideo) -o "$language-shared" &&
    "$@" "consumer.$language" $(pkg-config --cflags apivideo) \
      $(pkg-config --static --libs apivideo | sed 's/-lapivideo/-l:libapivideo.a/') \
      -o "$language-static"
}

# check_consumers DIRECTORY: the programs c-shared, c-static, cpp-shared, cpp-static in it.
check_consumers() {
  for language in c cpp; do
    check "$language, shared: needs $soname" loads_shared "$1/$language-shared"
    check "$language, shared: works" runs "$1/$language-shared"
    check "$language, static: needs no library of ours" is_complete "$1/$language-static"
    check "$language, static: works" runs_alone "$1/$language-static"
  done
}

# is_hardened LIBRARY: stays loaded, is bound and made read-only at once, has no executable stack, no
# writable code and no name of ours but av_*.
is_hardened() {
  readelf -dW "$1" >"$OUT/dynamic" && readelf -lW "$1" >"$OUT/segments" &&
    grep -q '(FLAGS_1).* NOW.* NODELETE\|(FLAGS_1).* NODELETE.* NOW' "$OUT/dynamic" &&
    grep -q "(SONAME).*\[$soname\]" "$OUT/dynamic" &&
    ! grep -E 'TEXTREL|RPATH|RUNPATH' "$OUT/dynamic" &&
    grep -q GNU_RELRO "$OUT/segments" &&
    grep -q 'GNU_STACK.* RW ' "$OUT/segments" &&
    ! grep ' RWE ' "$OUT/segments" &&
    ! nm -D --defined-only "$1" | grep -v ' T av_'
}
