#!/bin/sh
# Makes up requests from the published OpenAPI document (tests/data/upload-tokens.yaml), good and bad ones,
# and holds every answer of the stand-in to it: run.sh, with LOCAL_API (the stand-in) and OUT (a
# directory, where schemathesis is installed by the first run); SEED repeats a run.
#
# All checks are made but object_level_authorization, which needs a second user: the stand-in has one key.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
"$here/../support/venv.sh" "$here/requirements.txt" "$OUT/python"

key=key-of-the-tests
directory=$(mktemp -d)
service=
end() {
  [ -z "$service" ] || kill "$service" 2>/dev/null || true
  rm -rf "$directory"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# It prints its URL once it is ready: a FIFO waits for just that.
mkfifo "$directory/url"
"$LOCAL_API" --api-key "$key" --seed 30 >"$directory/url" &
service=$!
exec 3<"$directory/url"
read -r url <&3 || {
  echo "$0: the stand-in did not start" >&2
  exit 1
}

# The stand-in is on this machine; what is found is not kept for the next run.
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
cd "$directory"
PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 SCHEMATHESIS_HOOKS=amendments \
  "$OUT/python/bin/schemathesis" run "$here/../data/upload-tokens.yaml" \
  --url "$url" --auth "$key:" --checks all --exclude-checks object_level_authorization \
  --max-examples "${EXAMPLES:-500}" ${SEED:+--seed "$SEED"} --continue-on-failure --no-color --generation-database none
