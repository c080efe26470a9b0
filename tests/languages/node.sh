#!/bin/sh
# Runs the Node.js wrapper's example and its tests, against an installed library: node.sh, with PREFIX
# (where it is installed), LOCAL_API (the stand-in service) and OUT (a scratch directory). npm fetches
# koffi. NODE is another Node.js than the one on the PATH.
set -eu

NODE=${NODE:-node}
export NODE
for command in "$NODE" npm; do
  command -v "$command" >/dev/null 2>&1 || {
    echo "node: $command is missing: apt-get install --no-install-recommends nodejs npm" >&2
    exit 1
  }
done

here=$(cd "$(dirname "$0")" && pwd)
work=$OUT/node
rm -rf "$work"
cp -R "$here/../../examples/node" "$work"
cd "$work"
# Fetched once for what they are locked to, and what Node.js they are for.
packages=$OUT/packages
wanted=$(cat package.json package-lock.json | cksum; "$NODE" --version)
if [ "$(cat "$packages/wanted" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$packages"
  mkdir -p "$packages"
  cp package.json package-lock.json .npmrc "$packages"
  (cd "$packages" && npm ci --prefer-offline --no-audit --no-fund) >npm.log 2>&1 || {
    cat npm.log >&2
    echo "node: npm could not fetch koffi: npm ci, in examples/node, wants a registry" >&2
    exit 1
  }
  echo "$wanted" >"$packages/wanted"
fi
ln -s "$packages/node_modules" node_modules

# The loader looks here too.
LD_LIBRARY_PATH=$PREFIX/lib
export LD_LIBRARY_PATH
"$here/../support/launch.py" --as node "$here/with_local_api.sh" "$LOCAL_API" sh -euc '
  "$NODE" example.js >example.log
  grep -q " is valid until " example.log
  # One after the other: `node --test` starts itself for each, which an emulated one cannot.
  run_tests() { for file in *.test.js; do "$NODE" --test-reporter=tap "$file" || return; done; }
  run_tests >tests.log 2>&1 || { cat tests.log; exit 1; }
'
passed=$(awk '/^# pass / { passed += $3 } END { print passed }' tests.log)
[ "${passed:-0}" -gt 0 ] || { cat tests.log; exit 1; }
echo "node: $passed passed"
