#!/bin/sh
# Compiles and links the library for macOS, and compiles it for iOS: check.sh FOLDER [TARGET…]. zig brings a
# compiler and macOS's libSystem; of the two frameworks that are needed besides there are stubs, which tell
# the linker of what the crates declare. DIST_TOOLS is where zig is. The last line is the figures.
set -eu
: "${DIST_TOOLS:?where zig is}"
folder=$1
shift
[ $# -gt 0 ] || set -- aarch64-apple-darwin x86_64-apple-darwin aarch64-apple-ios

tests/platforms/setup.sh /usr/bin/cargo:cargo-web /usr/bin/rustc:rustc-web /usr/lib/rustlib/src/rust/library:rust-web-src
# Rust's standard library comes as source, and is built with ours.
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO=/usr/bin/cargo CARGO_UNSTABLE_BUILD_STD=std,panic_unwind
export CARGO_TARGET_DIR="$folder/cargo" MACOSX_DEPLOYMENT_TARGET=11.0 ZIG_GLOBAL_CACHE_DIR="$folder/zig"
PATH=$DIST_TOOLS/bin:/usr/bin:$PATH

# stub FRAMEWORK CRATE: what the crate declares of the framework.
stub() {
  stub=$folder/frameworks/$1.framework/$1.tbd
  mkdir -p "${stub%/*}"
  source=$(/usr/bin/cargo metadata --locked --format-version=1 --filter-platform aarch64-apple-darwin |
    tr ',' '\n' | sed -n "s|.*\"manifest_path\":\"\(.*/$2-[0-9][^/]*\)/Cargo.toml\".*|\1|p" | head -n 1)
  names=$(grep -rhoE 'pub (fn|static) k?(CF|Sec)[A-Za-z0-9_]+' "$source/src" | awk '{ print "_" $3 }' | sort -u | paste -sd, -)
  [ -n "$names" ] || { echo "$2 declares nothing of $1" >&2; exit 1; }
  cat > "$stub" <<TBD
--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos, x86_64-macos ]
install-name: '/System/Library/Frameworks/$1.framework/Versions/A/$1'
exports:
  - targets: [ arm64-macos, x86_64-macos ]
    symbols: [ $names ]
...
TBD
}
stub CoreFoundation core-foundation-sys
stub Security security-framework-sys

told=
for target in "$@"; do
  begin=$(date +%s)
  case $target in
    *-ios) cargo-zigbuild check --locked --lib --target "$target" && done=compiled ;;
    *) cargo-zigbuild rustc --locked --lib --crate-type cdylib --target "$target" -- \
      -Cstrip=none "-Clink-arg=-F$folder/frameworks" && done=linked ;;
  esac
  told="$told $target $done in $(($(date +%s) - begin)) s;"
done
echo "macos:${told%;}; none of it was run"
