#!/bin/sh
# Unpacks Debian packages for another processor, and all that they depend on, into a folder: debian.sh PROCESSOR
# FOLDER PACKAGE… The system learns of no other processor by that: what is known of packages is kept apart.
set -eu

processor=$1
folder=$2
shift 2
[ ! -d "$folder" ] || exit 0

command -v apt-get >/dev/null 2>&1 || {
  echo "missing for the tests: apt-get, which $* comes by" >&2
  exit 1
}
rm -rf "$folder.new"
mkdir -p "$folder.new/apt/lists/partial" "$folder.new/apt/archives/partial"
cd "$folder.new"
: >apt/status
apt="apt-get -qq -o APT::Architecture=$processor -o APT::Architectures=$processor -o APT::Sandbox::User=root
  -o Dir::State=$PWD/apt -o Dir::State::status=$PWD/apt/status -o Dir::Cache=$PWD/apt"
# shellcheck disable=SC2086 # lists of words
{ $apt update; $apt install -y --download-only --no-install-recommends "$@"; } >/dev/null
for package in apt/archives/*.deb; do dpkg-deb -x "$package" .; done
rm -rf apt
mv "$folder.new" "$folder"
