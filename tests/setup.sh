#!/bin/sh
# Installs what the tests need beyond Rust, make and a C compiler: on Debian as root by itself,
# elsewhere it says in one line what is missing.
set -eu

# Each command, and the Debian package that has it.
needed="cc:gcc c++:g++ clang:clang clang++:clang valgrind:valgrind nm:binutils readelf:binutils"
# For tests/support.
needed="$needed ps:procps pgrep:procps setsid:util-linux python3:python3"
# For tests/network: servers and proxies, and what sets networks up around them.
needed="$needed nginx:nginx openssl:openssl tinyproxy:tinyproxy microsocks:microsocks strace:strace"
needed="$needed unshare:util-linux setpriv:util-linux setcap:libcap2-bin ip:iproute2 ss:iproute2"
# For tests/install.
needed="$needed cmake:cmake ninja:ninja-build meson:meson pkg-config:pkg-config"
# For tests/docs and tests/abi.
needed="$needed doxygen:doxygen man:man-db lexgrog:man-db groff:groff-base python3:python3"
# For tests/languages.
needed="$needed go:golang-go mcs:mono-mcs mono:mono-runtime javac:default-jdk-headless node:nodejs npm:npm"

# Each file, where a package has no command.
files="/usr/lib/mono/4.5/System.Core.dll:libmono-system-core4.0-cil /usr/share/java/jna.jar:libjna-java"

# `setup.sh proof`: for tests/proof, of the LLVM that rustc has.
if [ "${1:-}" = proof ]; then
  needed="$needed clang-22:clang-22 llvm-profdata-22:llvm-22"
  files="$files /usr/lib/llvm-22/lib/clang/22/lib/linux:libclang-rt-22-dev"
fi

# Each module of Python that Debian packs apart: for tests/official_clients.
modules="ensurepip:python3-venv"

# Each library that pkg-config knows: for tests/ffmpeg.
libraries="libavformat:libavformat-dev libavcodec:libavcodec-dev libavutil:libavutil-dev"

# Where some of them are, which is not on every user's path.
PATH=$PATH:/usr/sbin:/sbin

missing=""
for pair in $needed; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
for pair in $files; do
  [ -e "${pair%%:*}" ] || missing="$missing ${pair##*:}"
done
for pair in $modules; do
  python3 -c "import ${pair%%:*}" 2>/dev/null || missing="$missing ${pair##*:}"
done
for pair in $libraries; do
  pkg-config --exists "${pair%%:*}" 2>/dev/null || missing="$missing ${pair##*:}"
done
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
  echo "installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of words
  apt-get install -y -qq --no-install-recommends $missing libc6-dev >/dev/null
else
  echo "missing for the tests:$missing (Debian: sudo apt-get install$missing)" >&2
  exit 1
fi
