#!/bin/sh
# The sanitizers' own test: planted.sh PROGRAM FAULT WORDS… runs the program with the fault, which must
# fail, and be reported in all of these words.
set -eu

program=$1
fault=$2
shift 2
report=$program.$fault.log
if "$program" "$fault" >"$report" 2>&1; then
  echo "planted, and not reported: $fault" >&2
  exit 1
fi
for words in "$@"; do
  if ! grep -qF "$words" "$report"; then
    cat "$report" >&2
    echo "planted, and not reported as \"$words\": $fault" >&2
    exit 1
  fi
done
echo "planted and reported: $fault"
