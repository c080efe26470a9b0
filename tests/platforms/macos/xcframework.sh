#!/bin/sh
# Builds apivideo.xcframework, the library for Swift packages and Xcode: xcframework.sh FOLDER. It runs on a Mac
# with Xcode and rustup's targets, and has never been run: nothing that this project is built on is one.
set -eu
folder=$1
[ "$(uname)" = Darwin ] || {
  echo "an XCFramework is made by xcodebuild, on a Mac" >&2
  exit 1
}
export CARGO_TARGET_DIR="$folder/cargo"
# The oldest systems that Swift's concurrency runs on, and the first macOS on Apple's own processors.
export MACOSX_DEPLOYMENT_TARGET=11.0 IPHONEOS_DEPLOYMENT_TARGET=13.0

# lib TARGET: its static library.
lib() {
  rustup target add "$1"
  cargo rustc --locked --lib --profile static --crate-type staticlib --target "$1"
}
for target in aarch64-apple-darwin x86_64-apple-darwin aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios; do
  lib "$target"
done
at() { echo "$CARGO_TARGET_DIR/$1/static/libapivideo.a"; }

# Where two processors run the same system, one file has both.
rm -rf "$folder/headers" "$folder/apivideo.xcframework"
mkdir -p "$folder/macos" "$folder/simulator" "$folder/headers/CApiVideo"
lipo -create "$(at aarch64-apple-darwin)" "$(at x86_64-apple-darwin)" -output "$folder/macos/libapivideo.a"
lipo -create "$(at aarch64-apple-ios-sim)" "$(at x86_64-apple-ios)" -output "$folder/simulator/libapivideo.a"
cp include/apivideo.h include/apivideo.hpp "$folder/headers"
# In a folder of its own, where it is found by its name: Xcode puts the headers of all frameworks into one folder,
# where two such files would be one too many.
cat >"$folder/headers/CApiVideo/module.modulemap" <<MAP
module CApiVideo {
  header "../apivideo.h"
  link framework "Security"
  link framework "CoreFoundation"
  export *
}
MAP

xcodebuild -create-xcframework \
  -library "$folder/macos/libapivideo.a" -headers "$folder/headers" \
  -library "$(at aarch64-apple-ios)" -headers "$folder/headers" \
  -library "$folder/simulator/libapivideo.a" -headers "$folder/headers" \
  -output "$folder/apivideo.xcframework"
