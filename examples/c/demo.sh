#!/bin/sh
# Shows apivideo at work against the stand-in service: demo.sh TOOL LOCAL_API
set -eu

if [ $# -ne 2 ]; then
  echo "usage: $0 TOOL LOCAL_API" >&2
  exit 2
fi
tool=$1
local_api=$2
exec 2>&1 # one stream, so that results and remarks stay in their order

# The stand-in prints its URL once it is ready: the FIFO waits for just that.
directory=$(mktemp -d)
service=
end() {
  if [ -n "$service" ]; then
    kill "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
  fi
  rm -rf "$directory"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkfifo "$directory/output"
"$local_api" --port 0 --api-key demo-key --seed 60 >"$directory/output" &
service=$!
exec 3<"$directory/output"
if ! read -r APIVIDEO_BASE_URL <&3; then
  echo "demo: the stand-in service did not start"
  exit 1
fi
APIVIDEO_API_KEY=demo-key
export APIVIDEO_BASE_URL APIVIDEO_API_KEY

say() {
  printf '\n# %s\n' "$*"
}
run() {
  echo "\$ apivideo $*"
  "$tool" "$@"
}

echo "The stand-in service listens on $APIVIDEO_BASE_URL and holds 60 upload tokens."

say "Create a token that is valid for an hour. Standard output gets the token and nothing else."
echo "\$ apivideo create --ttl 1h"
status=0
output=$("$tool" create --ttl 1h 2>&1) || status=$?
printf '%s\n' "$output"
[ "$status" -eq 0 ] || exit "$status"
token=${output%%
*}

say "Get it."
run get "$token"

say "List a page of five, the newest first."
run list --page-size 5 --desc

say "Iterate over all tokens, 25 with each request."
run list --all --page-size 25

say "Delete the token."
run delete "$token"

say "Get it again: it is gone."
status=0
run get "$token" || status=$?
if [ "$status" -ne 3 ]; then
  echo "demo: the deleted token should be told as not found (exit status 3), not $status"
  exit 1
fi
echo "Exit status 3: not found, as it should be."

echo
echo "Shown: create, get, list, iterate, delete, and the 404 of a token that is gone."
