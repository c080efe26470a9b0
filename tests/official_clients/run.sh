#!/bin/sh
# Runs the official clients of Node.js and Python, and what a browser does for a page, against the
# stand-in service: run.sh, with LOCAL_API (the stand-in) and OUT (a directory, where the clients are
# installed by the first run). Those of other languages are not to be had from npm or PyPI:
# tests/local_api_clients.rs has their first requests.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
"$here/install.sh" "$OUT"

status=0
# What hangs is ended with what it has started, and named.
limited() { # NAME COMMAND…
  name=$1
  shift
  python3 -B "$here/../support/launch.py" --limit 120 --as "tests/official_clients/$name" "$@"
}

# Node.js finds packages beside the file that wants them.
cp "$here"/node/*.mjs "$OUT/node"
run_in_node() { # NAME FILE
  log=$OUT/$1.log
  limited "$1" node --test --test-reporter=tap "$OUT/node/$2" >"$log" 2>&1 || {
    cat "$log" >&2
    status=1
  }
  count() {
    counted=$(sed -n "s/^# $1 //p" "$log")
    echo "${counted:-0}"
  }
  [ "$(count pass)" -gt 0 ] || status=1
  echo "$1: $(count pass) passed, $(($(count fail) + $(count cancelled))) failed"
}
run_in_node node client.test.mjs
run_in_node node-uploads upload.test.mjs
run_in_node browser page.test.mjs

run_in_python() { # NAME FILE
  log=$OUT/$1.log
  limited "$1" "$OUT/python/bin/python" -B "$here/python/$2" 2>"$log" || {
    cat "$log" >&2
    status=1
  }
}
run_in_python python test_client.py
run_in_python python-uploads test_upload.py
exit "$status"
