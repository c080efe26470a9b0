#!/bin/sh
# Shows both sides of the tool at work, a backend with the key and a device with a token,
# against the stand-in service: demo.sh TOOL LOCAL_API
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
# It loses a fifth of its answers: by this seed that to the second part at first, but not the first
# to all, a create, which is not repeated because there might be two tokens then.
"$local_api" --port 0 --api-key demo-key --seed 60 --drop-rate 20 --random-seed 101 \
  >"$directory/output" &
service=$!
exec 3<"$directory/output"
if ! read -r APIVIDEO_BASE_URL <&3; then
  echo "demo: the stand-in service did not start"
  exit 1
fi
APIVIDEO_API_KEY=demo-key
export APIVIDEO_BASE_URL APIVIDEO_API_KEY
case $tool in /*) ;; */*) tool=$PWD/$tool ;; esac
case $local_api in /*) ;; */*) local_api=$PWD/$local_api ;; esac
cd "$directory"

say() {
  printf '\n# %s\n' "$*"
}
run() {
  echo "\$ apivideo $*"
  "$tool" "$@"
}
# As a device does, which has the token and knows no key.
run_on_device() {
  echo "\$ APIVIDEO_UPLOAD_TOKEN=... apivideo $*"
  env -u APIVIDEO_API_KEY APIVIDEO_UPLOAD_TOKEN="$token" "$tool" "$@"
}

echo "The stand-in service listens on $APIVIDEO_BASE_URL and holds 60 upload tokens.
It loses a fifth of its answers; what does no harm is sent again."

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

dd if=/dev/urandom of=film.mp4 bs=1048576 count=25 2>/dev/null
say "On a device, without the key: upload 25 MiB with the token. The connection breaks on the way,
# and after three seconds the device is switched off."
status=0
run_on_device upload film.mp4 --part-size 5M --limit-rate 5M --timeout 3s || status=$?
if [ "$status" -ne 6 ]; then
  echo "demo: the upload should have run out of time (exit status 6), not $status"
  exit 1
fi

say "The same command goes on where it was."
echo "\$ APIVIDEO_UPLOAD_TOKEN=... apivideo upload film.mp4 --part-size 5M"
env -u APIVIDEO_API_KEY APIVIDEO_UPLOAD_TOKEN="$token" \
  "$tool" upload film.mp4 --part-size 5M >video
video=$(cat video)
echo "$video"

say "The service has the video, and it is the file to the last bit."
file_sum=$(sha256sum film.mp4)
file_sum=${file_sum%% *}
video_sum=$("$local_api" --ledger "$APIVIDEO_BASE_URL" |
  sed -n "s/.*\"sha256\":\"\([0-9a-f]*\)\",\"title\":\"film.mp4\",\"videoId\":\"$video\".*/\1/p")
echo "film.mp4: SHA-256 $file_sum"
echo "$video: SHA-256 ${video_sum:-unknown}"
if [ "$video_sum" != "$file_sum" ]; then
  echo "demo: the video is not the file"
  exit 1
fi

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
echo "Shown: create, get, list, iterate, upload, going on with it, delete, and the 404 of a token that is gone."
