#!/bin/sh
# What `make dist PLATFORM=` has packed for another Linux: for its processor, its libc, and as hardened; programs are
# built with it, and run. Called by `make test-dist-NAME`.
set -eu
. ./support.sh
. ./packed.sh
need pkg-config pkg-config
# shellcheck disable=SC2034 # for names.sh
platform=$PLATFORM
# shellcheck source=../platforms/names.sh
. ../platforms/names.sh

tar -xzf "$ARCHIVE" -C "$OUT/unpacked"
check_packed lib/libapivideo.so "lib/$soname" "lib/libapivideo.so.$version"
check_contents libunwind libc
check "what is Windows' alone is not" not tells windows-sys
check "it has the manual" test -s "$moved/share/man/man3/av_tokens_create.3"

library=$libdir/libapivideo.so.$version
# The processor, and the oldest glibc.
case $PLATFORM in
  *aarch64) machine="ELF64 little AArch64" glibc=2.17 ;;
  armv7) machine="ELF32 little ARM" glibc=2.17 ;;
  i686) machine="ELF32 little Intel 80386" glibc=2.17 ;;
  riscv64) machine="ELF64 little RISC-V" glibc=2.27 ;;
  s390x) machine="ELF64 big IBM S/390" glibc=2.17 ;;
  musl) machine="ELF64 little Advanced Micro Devices X86-64" ;;
esac
machine_of() {
  readelf -hW "$1" | awk -F ': *' '/^ *Class/ { class = $2 } /^ *Data/ { data = $2 } /^ *Machine/ { machine = $2 }
    END { sub(/.*, /, "", data); sub(/ .*/, "", data); print class, data, machine }'
}
check "the library is for its processor" same "$(machine_of "$library")" "$machine"
check "it is hardened" is_hardened "$library"

versions() { readelf -VW "$library" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1; }
case $rust in
  *-musl)
    check "it asks for no glibc" same "$(versions)" ""
    check "it needs musl alone" same "$(needed "$library")" libc.so
    ;;
  *)
    check "it asks for glibc $glibc and nothing newer" same "$(versions)" "GLIBC_$glibc"
    check "it needs glibc alone" same "$(needed "$library" | grep -vE '^(libc|libdl|libm|libpthread|librt|ld[-a-z0-9_]*)\.so\.[0-9]$')" ""
    ;;
esac

# A compiler for the platform, what it links statically with besides, and what runs its programs: as in
# tests/platforms/linux.sh.
case $rust in
  *-musl)
    ../platforms/setup.sh ${qemu:+"$qemu:qemu-user"}
    (cd "$ROOT" && tests/platforms/debian.sh "$debian" "$OUT/sysroot" musl)
    # Its runtime is LLVM's, where GCC would have its unwinder anyway.
    compile="$DIST_TOOLS/bin/python -m ziglang cc -target ${rust%%-*}-linux-musl -O1 -fno-sanitize=undefined"
    unwinder=-lunwind
    run="${qemu:+$qemu }$OUT/sysroot/lib/ld-musl-${rust%%-*}.so.1"
    ;;
  *)
    ../platforms/setup.sh "$gnu-gcc:gcc-$gnu" "/usr/$gnu/lib/libc.so.6:libc6-dev-$debian-cross" ${qemu:+"$qemu:qemu-user"}
    compile=$gnu-gcc unwinder=
    if [ -n "$qemu" ]; then run="$qemu -L /usr/$gnu"; else run="/usr/$gnu/lib/ld-linux.so.2 --library-path /usr/$gnu/lib"; fi
    ;;
esac

PKG_CONFIG_PATH=$libdir/pkgconfig
export PKG_CONFIG_PATH
# A program finds the library where it has been linked with it. The lists of words are split.
# shellcheck disable=SC2046,SC2086
{
  check "a C program is built with it" \
    $compile -std=c11 consumer/consumer.c $(pkg-config --cflags --libs apivideo) "-Wl,-rpath,$libdir" -o "$OUT/shared"
  static=$(pkg-config --static --libs apivideo | sed "s|-lapivideo|$libdir/libapivideo.a|")
  check "and with the static library" \
    $compile -std=c11 consumer/consumer.c $(pkg-config --cflags apivideo) $static $unwinder -o "$OUT/static"
  for program in shared static; do
    check "the $program one is for its processor" same "$(machine_of "$OUT/$program")" "$machine"
    check "and works" $run "$OUT/$program"
  done
}
needs_ours() { needed "$OUT/$1" | grep -qx "$soname"; }
check "the shared one needs $soname" needs_ours shared
check "the static one does not" not needs_ours static

# With musl, a program may need nothing at all.
case $rust in
  *-musl)
    # shellcheck disable=SC2046,SC2086
    check "an all static program is built" \
      $compile -std=c11 -static consumer/consumer.c $(pkg-config --cflags apivideo) $static $unwinder -o "$OUT/all_static"
    check "it needs nothing" same "$(needed "$OUT/all_static")" ""
    # shellcheck disable=SC2086
    check "and works" $qemu "$OUT/all_static"
    ;;
esac
finish
