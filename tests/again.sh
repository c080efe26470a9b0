#!/bin/sh
# Whether a test command passes wherever it runs: again.sh N DIRECTORY COMMAND…
# runs it N times with busy processes beside it, twice as many as there are processors, and once as it may
# be started by others: with SIGINT, SIGHUP and SIGPIPE ignored, umask 077, another locale and zone, a proxy
# that is not there, few descriptors and standard input closed. What it prints goes into a file of each run
# in DIRECTORY. Ends with 1 if any run failed; however it ends, nothing goes on that it has started.
set -eu

runs=$1
logs=$2
shift 2
rm -rf "$logs"
mkdir -p "$logs"
# What a make around this one tells its commands is not for this one.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL N

busy=
running=
rest() {
  # shellcheck disable=SC2086 # a list of processes
  [ -z "$busy" ] || { kill -KILL $busy && wait $busy; } 2>/dev/null || true
  busy=
}
end() {
  # The run is the first of its own group, and what it launches ends with it.
  [ -z "$running" ] || { kill -TERM "-$running" && wait "$running"; } 2>/dev/null || true
  rest
}
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

make_busy() {
  count=$((2 * $(nproc)))
  while [ "$count" -gt 0 ]; do
    # Should this script be killed, they end by themselves.
    sh -c 'while kill -0 "$0" 2>/dev/null; do i=0; while [ "$i" -lt 100000 ]; do i=$((i + 1)); done; done' $$ &
    busy="$busy $!"
    count=$((count - 1))
  done
}

passed=0
failed=0
# run NAME COMMAND…
run() {
  name=$1
  shift
  begun=$(date +%s)
  setsid "$@" >"$logs/$name.log" 2>&1 &
  running=$!
  if wait "$running"; then
    told=passed
    passed=$((passed + 1))
  else
    told=failed
    failed=$((failed + 1))
  fi
  running=
  seconds=$(($(date +%s) - begun))
  printf '%s: %s, %d min %02d s, %s\n' "$name" "$told" $((seconds / 60)) $((seconds % 60)) "$logs/$name.log"
}

number=1
while [ "$number" -le "$runs" ]; do
  make_busy
  run "busy-$number" "$@"
  rest
  number=$((number + 1))
done

run odd sh -c '
  trap "" INT HUP PIPE
  umask 077
  ulimit -n 256
  LC_ALL=C TZ=Pacific/Apia https_proxy=http://127.0.0.1:9
  export LC_ALL TZ https_proxy
  exec "$@" <&-' odd "$@"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
