#!/bin/sh
# The command-line tool on Windows, apivideo.exe: what it prints and ends with, and uploads that are gone on with.
# tool.sh FOLDER LOCAL_API
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${APIVIDEO_BASE_URL:-}" ]; then
  # Called anew, with a service beside it.
  exec "$here/../../support/launch.py" --limit 300 --as windows/tool "$here/../../languages/with_local_api.sh" "$2" "$here/tool.sh" "$@"
fi
folder=$1
local_api=$2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# shellcheck source=../checks.sh
. "$here/../checks.sh"
checks_shown=errors
apivideo() {
  "$here/wine.sh" "$folder/wine" "$folder/bin/apivideo.exe" "$@"
}
ends_with() { # CODE ARGUMENT…
  code=0
  expected=$1
  shift
  apivideo "$@" >output 2>errors || code=$?
  [ "$code" -eq "$expected" ]
}
is_whole() { # FILE TITLE
  "$local_api" --ledger "$APIVIDEO_BASE_URL" >ledger
  grep -q "\"sha256\":\"$(sha256sum <"$1" | cut -d ' ' -f 1)\",\"title\":\"$2\",\"videoId\":\"$(cat output)\"" ledger
}
check "it tells its version" ends_with 0 --version
check "and the library's" grep -qx 'apivideo [0-9.]* (libapivideo [0-9.]*)' output
check "a command is wanted" ends_with 2
check "a token is made" ends_with 0 create --ttl 1h
check "which is all that is printed, with a line feed alone" [ "$(od -An -c output | grep -c '\\r')" = 0 ]
check "and one line" [ "$(wc -l <output)" = 1 ]
token=$(cat output)
check "when it ends is told" grep -q '^expires 20' errors
check "it is looked up" ends_with 0 get "$token"
check "and shown" grep -q "^$token  1h " output
check "it is listed" ends_with 0 list --all
check "and counted" grep -qx '1 token' errors
check "as JSON, too" ends_with 0 list --json
check "as the service answers" grep -q "\"token\":\"$token\"" output
APIVIDEO_API_KEY=wrong
check "a wrong key is refused" ends_with 4 list
APIVIDEO_API_KEY=demo

# Of names that no code page has all of.
film='Füße und 影片.mp4'
head -c 14000000 /dev/urandom >"$film"
APIVIDEO_UPLOAD_TOKEN=$token
export APIVIDEO_UPLOAD_TOKEN
check "a file is uploaded" ends_with 0 upload "$film"
check "whole, and called as it is" is_whole "$film" "$film"
check "and told of in UTF-8" grep -qF "uploaded $film: 13.4 MiB" errors
check "nothing is left beside it" [ "$(find . -name '*apivideo-upload*')" = "" ]

check "one that is slow runs out of time" ends_with 6 upload --limit-rate 100k --timeout 1s "$film"
check "and leaves nothing, as nothing has arrived" [ "$(find . -name '*apivideo-upload*')" = "" ]

kept=$film.apivideo-upload
# Returns while that is under way, once the first part has arrived.
begin_upload() { # ARGUMENT…
  "$here/wine.sh" "$folder/wine" "$folder/bin/apivideo.exe" upload --part-size 5M --limit-rate 3M "$@" >/dev/null 2>&1 &
  first=$!
  until [ -n "$(find . -name '*.apivideo-upload' -size +0)" ]; do sleep 0.1; done
}
begin_upload "$film"
check "of two runs with one file the second sends nothing" ends_with 1 upload "$film"
check "and says why" grep -q 'another run is uploading this file' errors
kill -KILL "$first"
wait "$first" || true
check "what it takes to go on is beside the file" [ -s "$kept" ]
# Wine takes a moment to end what it held.
until [ ! -e "$kept.lock" ]; do sleep 0.1; done
check "the same command goes on after one that was killed" ends_with 0 upload --part-size 5M "$film"
check "as it says" grep -qF "going on with $film" errors
check "to the end" is_whole "$film" "$film"
check "and nothing is left" [ "$(find . -name '*apivideo-upload*')" = "" ]

mkdir states
begin_upload --state-dir states "$film"
kill -KILL "$first"
wait "$first" || true
kept=$(find states -name "$film-*.apivideo-upload")
check "where it is kept may be said" [ -s "$kept" ]
until [ ! -e "$kept.lock" ]; do sleep 0.1; done
check "it is found again" ends_with 0 upload --state-dir=states "$PWD/$film"
check "as it says" grep -qF "going on with $PWD/$film" errors
check "and nothing is left" [ "$(ls -A states)" = "" ]

check "a file that is not there cannot be uploaded" ends_with 1 upload missing.mp4
check "nor with a wrong token" ends_with 4 upload --token wrong "$film"
check "a token is deleted" ends_with 0 delete "$token"
check "and gone" ends_with 3 get "$token"
check "nobody is asked what no terminal can answer" ends_with 2 purge --never-expiring
APIVIDEO_BASE_URL=http://127.0.0.1:1
check "nobody is there" ends_with 5 list
checks_report
