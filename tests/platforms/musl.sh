#!/bin/sh
# Unpacks Debian's musl, which is its loader as well, into a folder: musl.sh PROCESSOR FOLDER. The system
# learns of no other processor by that: lists of packages are kept apart.
set -eu

processor=$1
folder=$2
[ ! -d "$folder/lib" ] || exit 0

command -v apt-get >/dev/null 2>&1 || {
  echo "missing for the tests: apt-get, which musl comes by" >&2
  exit 1
}
rm -rf "$folder.new"
mkdir -p "$folder.new/lists/partial" "$folder.new/cache"
cd "$folder.new"
apt="apt-get -qq -o APT::Architecture=$processor -o APT::Architectures=$processor -o APT::Sandbox::User=root
  -o Dir::State::Lists=$PWD/lists -o Dir::Cache=$PWD/cache"
# shellcheck disable=SC2086 # lists of words
{ $apt update; $apt download "musl:$processor"; } >/dev/null
dpkg-deb -x musl_*.deb .
rm -rf lists cache musl_*.deb
mv "$folder.new" "$folder"
