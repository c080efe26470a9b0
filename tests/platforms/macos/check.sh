#!/bin/sh
# Compiles and links the library and programs for macOS, and compiles the library for iOS: check.sh FOLDER [TARGET…].
# zig brings a compiler and macOS's libSystem; of the two frameworks that are needed besides there are stubs.
# DIST_TOOLS is where zig is; PROFILE is cargo's: with `release` it takes longer, and tells what stray names are
# exported. The last line is the figures.
set -eu
: "${DIST_TOOLS:?where zig is}" "${PROFILE:?of cargo}"
export PROFILE
folder=$1
shift
[ $# -gt 0 ] || set -- aarch64-apple-darwin x86_64-apple-darwin aarch64-apple-ios aarch64-apple-ios-sim
here=tests/platforms/macos

tests/platforms/setup.sh /usr/bin/cargo:cargo-web /usr/bin/rustc:rustc-web /usr/lib/rustlib/src/rust/library:rust-web-src \
  llvm-objdump:llvm
# Rust's standard library comes as source, and is built with ours.
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO=/usr/bin/cargo CARGO_UNSTABLE_BUILD_STD=std,panic_unwind
export CARGO_TARGET_DIR="$folder/cargo" MACOSX_DEPLOYMENT_TARGET=11.0 ZIG_GLOBAL_CACHE_DIR="$folder/zig"
export ZIG="$DIST_TOOLS/bin/python -m ziglang"
PATH=$DIST_TOOLS/bin:/usr/bin:$PATH

$here/stub.sh CoreFoundation core-foundation-sys "$folder/frameworks"
$here/stub.sh Security security-framework-sys "$folder/frameworks"
# By which name programs look for it: build.rs gives it.
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
case $version in 0.*) abi=${version%.*} ;; *) abi=${version%%.*} ;; esac
file=libapivideo.$abi.dylib

# macos TARGET: builds the library.
macos() {
  # What is stripped loses its signature, without which nothing is loaded.
  cargo-zigbuild rustc --locked --lib --profile "$PROFILE" --crate-type cdylib --target "$1" -- \
    -Cstrip=none "-Clink-arg=-F$folder/frameworks"
  case $PROFILE in dev) built=debug ;; *) built=$PROFILE ;; esac
  mkdir -p "$folder/$1/lib"
  cp "$CARGO_TARGET_DIR/$1/$built/libapivideo.dylib" "$folder/$1/lib/$file"
  ln -sf "$file" "$folder/$1/lib/libapivideo.dylib"
}

# ios TARGET: compiles. Of its C, which is cryptography, and asks for no more than any C has, macOS's headers will do;
# what is looked for as Apple's SDK is any folder.
ios() {
  zig=$("$DIST_TOOLS/bin/python" -c 'import ziglang; print(ziglang.__path__[0])')
  key=$(echo "$1" | tr - _)
  env "CC_$key=$zig/zig clang" "CFLAGS_$key=-isystem $zig/lib/libc/include/any-darwin-any" SDKROOT="$folder" \
    IPHONEOS_DEPLOYMENT_TARGET=13.0 /usr/bin/cargo check --locked --lib --profile "$PROFILE" --target "$1"
}

told=
: >"$folder/figures"
ended=0
for target in "$@"; do
  begin=$(date +%s)
  case $target in
    *-ios*)
      ios "$target"
      told="$told $target compiled in $(($(date +%s) - begin)) s;"
      ;;
    *)
      macos "$target"
      size=$(wc -c <"$folder/$target/lib/$file")
      told="$told $target linked in $(($(date +%s) - begin)) s ($PROFILE, $size bytes);"
      $here/image.sh "$folder/$target/lib/$file" include/apivideo.h "@rpath/$file" >>"$folder/figures" || ended=1
      $here/programs.sh "$folder/$target" "${target%%-*}-macos.11.0" "@rpath/$file" >>"$folder/figures" || ended=1
      ;;
  esac
done
echo "platform macos: $(awk '{ passed += $1; failed += $3 } END { printf "%d passed, %d failed", passed, failed }' "$folder/figures");$told none of it was run"
exit $ended
