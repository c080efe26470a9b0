#!/bin/sh
# Installs Python packages into an environment of their own, once: venv.sh REQUIREMENTS DIRECTORY. The
# requirements name everything at one version; later runs with the same ones install nothing.
set -eu

requirements=$1
directory=$2

"$directory/bin/python" -c '' 2>/dev/null && cmp -s "$requirements" "$directory/installed" && exit 0

rm -rf "$directory"
python3 -m venv "$directory"
"$directory/bin/pip" install --quiet --no-deps --requirement "$requirements" || {
  echo "$requirements: pip could not fetch it: it wants a registry" >&2
  exit 1
}
"$directory/bin/pip" check --quiet || {
  echo "$requirements does not name everything that is needed" >&2
  exit 1
}
cp "$requirements" "$directory/installed"
