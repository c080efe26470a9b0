#!/bin/sh
# Builds the library for another Linux and runs the C tests there: linux.sh NAME. Programs of other
# processors run under qemu, against the stand-in of this machine. Called by `make test-platform-NAME`,
# which sets LOCAL_API, the stand-in's binary, BUILD, where to build, STATIC_LIBS, what a program needs
# beside libapivideo.a, DIST_TOOLS, where zig is, VARIANTS, of tests/c/Makefile (without a static one
# only the shared library is built), and NETWORK, the tests of tests/network to run. The last line is the
# figures.
set -eu
: "${LOCAL_API:?the stand-in}" "${BUILD:?where to build}" "${STATIC_LIBS:?what static programs need}"
: "${DIST_TOOLS:?where zig is}" "${VARIANTS:?of the tests}" "${MAKE:=make}"

platform=$1
here=tests/platforms

# shellcheck source=names.sh
. "$here/names.sh"
# What a test is compiled with besides: with 32 bits, files are larger than an off_t is by itself.
flags=-DSLACK_MS=2000
case $platform in armv7 | i686) flags="$flags -D_FILE_OFFSET_BITS=64" ;; esac

# Rust's standard library comes as source, and is built with ours, once.
set -- /usr/bin/cargo:cargo-web /usr/bin/rustc:rustc-web /usr/lib/rustlib/src/rust/library:rust-web-src
std=std,panic_unwind
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
key=$(echo "$rust" | tr - _)

case $rust in
  *-gnu*)
    # Debian's cross compiler, and the libraries that belong to it.
    "$here/setup.sh" "$@" "$gnu-gcc:gcc-$gnu" "/usr/$gnu/lib/libc.so.6:libc6-dev-$debian-cross" ${qemu:+"$qemu:qemu-user"}
    compile="$gnu-gcc $flags" cargo="/usr/bin/cargo -Zbuild-std=$std"
    export "CC_$key=$gnu-gcc" "CARGO_TARGET_$(echo "$key" | tr '[:lower:]' '[:upper:]')_LINKER=$gnu-gcc"
    if [ -n "$qemu" ]; then run="$qemu -L /usr/$gnu"; else run="/usr/$gnu/lib/ld-linux.so.2 --library-path /usr/$gnu/lib"; fi
    ;;
  *-musl)
    # Zig's, which has musl, and takes a library of its own for gcc's unwinder; run with Debian's musl.
    "$here/setup.sh" "$@" "$gnu-strip:binutils-$gnu" ${qemu:+"$qemu:qemu-user"}
    PATH=$DIST_TOOLS/bin:/usr/bin:$PATH
    sysroot=$BUILD/$rust/sysroot
    "$here/debian.sh" "$debian" "$sysroot" musl
    compile="$DIST_TOOLS/bin/python -m ziglang cc -target ${rust%%-*}-linux-musl -O1 -fno-sanitize=undefined $flags -I$sysroot/include"
    mkdir -p "$sysroot/include"
    ln -sfn /usr/include/valgrind "$sysroot/include/valgrind"
    cargo=cargo-zigbuild STATIC_LIBS="-lunwind -lc"
    export CARGO_UNSTABLE_BUILD_STD=$std
    run="${qemu:+$qemu }$sysroot/lib/ld-musl-${rust%%-*}.so.1"
    ;;
esac

seconds() { date +%s; }
begin=$(seconds)
case $VARIANTS in *static*) what=all ;; *) what=shared ;; esac
"$MAKE" --no-print-directory "$what" TARGET="$rust" BUILD="$BUILD/$rust" STRIP="$gnu-strip" CARGO="$cargo"
built=$(($(seconds) - begin))

# Instead of the C tests, those of wrappers.
[ -z "${LANGUAGES:-}" ] || exec env PLATFORM="$platform" BUILT_IN="$built" GNU="$gnu" DEBIAN="$debian" QEMU="$qemu" FLAGS="$flags" \
  LIB="$BUILD/$rust/lib" "$here/languages.sh"

# What is not run there stands in a list, with its reason.
left_out=$(awk -v platform="$platform" -v qemu="${qemu:+qemu}" '$1 == platform || $1 == qemu { print $2 }' "$here/left_out")
runnable() { for it in "$@"; do echo "$it"; done | grep -vxF "${left_out:-none}" | xargs; }
all=$(for file in tests/c/*.c; do basename "$file" .c; done)

# With musl a static program is all static, and needs no loader.
case $rust in
  *-musl) run_static=$qemu static_libs="-static $STATIC_LIBS" ;;
  *) run_static=$run static_libs=$STATIC_LIBS ;;
esac
variants() { for it in $VARIANTS; do echo "$it"; done | grep -- "-$1\$" | xargs; }

# run_tests DIRECTORY TARGET TESTS VARIANTS [RUNNER]: all of them, even if one fails. Where programs are slow, calls are
# given seconds more, and how long they take is not judged (tests/c/support/moment.h).
lib=$BUILD/$rust/lib
out=$BUILD/$rust/tests
run_tests() {
  [ -n "$4" ] || return 0
  "$MAKE" --no-print-directory --keep-going -C "tests/$1" "$2" ONLY="$3" VARIANTS="$4" LIB="$lib" OUT="$out/$1" \
    STATIC_LIBS="$static_libs" LOCAL_API="$LOCAL_API" CC="$compile" VALGRIND="${5-$run}" || ended=1
}
rm -rf "$out"
begin=$(seconds)
ended=0
# shellcheck disable=SC2086 # lists of words
{
  run_tests c memory "$(runnable $all)" "$(variants shared)"
  run_tests c memory "$(runnable $all)" "$(variants static)" "$run_static"
  [ -z "$NETWORK" ] || run_tests network all "$(runnable $NETWORK)" shared
}
ran=$(($(seconds) - begin))

# A test that has come to its end says how many checks it was.
for log in $(find "$out" -name '*.log'); do tail -n 1 "$log" | grep . || echo nothing; done | awk '
  /^[0-9]+ passed, [0-9]+ failed/ { passed += $1; failed += $3; next }
  { broken++ }
  END { printf "%d passed, %d failed%s", passed, failed, broken ? ", " broken " tests broken off" : "" }' > "$out/figures"
echo "platform $platform: $(cat "$out/figures"), $(echo "$left_out" | wc -w) tests left out;" \
  "libapivideo.so of $(wc -c < "$lib/libapivideo.so") bytes built in $built s, tests run in $ran s"
exit $ended
