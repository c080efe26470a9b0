# What the other Linuxes are called, for a script that sources this, of $platform: $rust, the target as Rust calls
# it, $gnu, as GNU does (and so the compiler and the sysroot), $debian, Debian's name of the processor, and $qemu,
# qemu's, if this kernel does not run its programs.
# shellcheck shell=sh disable=SC2034,SC2154
qemu=
case $platform in
  aarch64) rust=aarch64-unknown-linux-gnu gnu=aarch64-linux-gnu debian=arm64 qemu=qemu-aarch64 ;;
  armv7) rust=armv7-unknown-linux-gnueabihf gnu=arm-linux-gnueabihf debian=armhf qemu=qemu-arm ;;
  i686) rust=i686-unknown-linux-gnu gnu=i686-linux-gnu debian=i386 ;;
  riscv64) rust=riscv64gc-unknown-linux-gnu gnu=riscv64-linux-gnu debian=riscv64 qemu=qemu-riscv64 ;;
  s390x) rust=s390x-unknown-linux-gnu gnu=s390x-linux-gnu debian=s390x qemu=qemu-s390x ;;
  musl) rust=x86_64-unknown-linux-musl gnu=x86_64-linux-gnu debian=amd64 ;;
  musl-aarch64) rust=aarch64-unknown-linux-musl gnu=aarch64-linux-gnu debian=arm64 qemu=qemu-aarch64 ;;
  *) echo "there is no platform $platform" >&2; exit 1 ;;
esac
