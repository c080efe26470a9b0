#!/bin/sh
# Installs the official clients, at the versions that are pinned here, once: install.sh DIRECTORY.
set -eu

directory=$1
here=$(cd "$(dirname "$0")" && pwd)
pinned="$here/node/package-lock.json"

mkdir -p "$directory/node"
if ! cmp -s "$pinned" "$directory/node/installed"; then
  rm -rf "$directory/node"
  mkdir "$directory/node"
  cp "$here/node/package.json" "$pinned" "$here/node/.npmrc" "$directory/node"
  (cd "$directory/node" && npm ci --prefer-offline --no-audit --no-fund >npm.log 2>&1) || {
    cat "$directory/node/npm.log" >&2
    echo "official_clients: npm could not fetch the client: it wants a registry" >&2
    exit 1
  }
  cp "$pinned" "$directory/node/installed"
fi
"$here/../support/venv.sh" "$here/python/requirements.txt" "$directory/python"
