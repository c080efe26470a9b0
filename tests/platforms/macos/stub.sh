#!/bin/sh
# Tells the linker of a framework of Apple's, which nobody else may have: stub.sh FRAMEWORK CRATE FOLDER. Its names
# are those that the crate declares, so that one of them is as good as the other's word.
set -eu
framework=$1
crate=$2
stub=$3/$framework.framework/$framework.tbd

manifest=$(/usr/bin/cargo metadata --locked --format-version=1 --filter-platform aarch64-apple-darwin | tr ',' '\n' |
  sed -n "s|.*\"manifest_path\":\"\(.*/$crate-[0-9][^/]*\)/Cargo.toml\".*|\1|p" | head -n 1)
names=$(grep -rhoE '(pub (fn|static)|=>) k?(CF|Sec|SSL|CMS|Authorization)[A-Za-z0-9_]+' "$manifest/src" | awk '{ print "_" $NF }' | sort -u | paste -sd, -)
[ -n "$names" ] || {
  echo "$crate declares nothing of $framework" >&2
  exit 1
}
mkdir -p "${stub%/*}"
cat >"$stub" <<TBD
--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos, x86_64-macos ]
install-name: '/System/Library/Frameworks/$framework.framework/Versions/A/$framework'
exports:
  - targets: [ arm64-macos, x86_64-macos ]
    symbols: [ $names ]
...
TBD
