#!/bin/sh
# Runs a command with two stand-in services beside it, one at once and one that answers after a
# minute: with_local_api.sh LOCAL_API COMMAND…
# The command finds them in APIVIDEO_BASE_URL, APIVIDEO_SLOW_BASE_URL and APIVIDEO_API_KEY.
set -eu

local_api=$1
shift
directory=$(mktemp -d)
quick=
slow=
end() {
  for service in $quick $slow; do
    kill "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
  done
  rm -rf "$directory"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

APIVIDEO_API_KEY=demo
export APIVIDEO_API_KEY

# A stand-in prints its URL once it is ready: a FIFO waits for just that.
mkfifo "$directory/quick" "$directory/slow"
"$local_api" --port 0 --api-key "$APIVIDEO_API_KEY" >"$directory/quick" &
quick=$!
exec 3<"$directory/quick"
"$local_api" --port 0 --api-key "$APIVIDEO_API_KEY" --latency-ms 60000 >"$directory/slow" &
slow=$!
exec 4<"$directory/slow"
if ! read -r APIVIDEO_BASE_URL <&3 || ! read -r APIVIDEO_SLOW_BASE_URL <&4; then
  echo "$0: the stand-in service did not start" >&2
  exit 1
fi
export APIVIDEO_BASE_URL APIVIDEO_SLOW_BASE_URL

"$@"
