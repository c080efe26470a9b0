#!/bin/sh
# Makes the reference from the headers' comments: make.sh VERSION DIRECTORY
# Puts HTML into DIRECTORY/docs/html and man pages into DIRECTORY/man/man3.
set -eu

VERSION=$1
mkdir -p "$2"
directory=$(cd "$2" && pwd)
OUT=$directory/docs
export VERSION OUT
cd "$(dirname "$0")/../.."

if ! command -v doxygen >/dev/null; then
  echo "doxygen is missing: tests/setup.sh installs it" >&2
  exit 1
fi
rm -rf "$OUT" "$directory/man"
mkdir -p "$OUT"
doxygen docs/reference/Doxyfile
python3 -B docs/reference/man.py "$OUT/xml" "$VERSION" "$directory/man/man3"
