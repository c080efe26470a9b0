#!/bin/sh
# Runs tests under a sanitizer, one by one, by their own Makefile: run.sh OUT DIRECTORY "TESTS" VARIABLE=VALUE…
# What passed is added to OUT/passed.
set -eu

out=$1
directory=$2
tests=$3
shift 3
# The tests have a make of their own, which does one thing at a time.
unset MAKEFLAGS MFLAGS
for test in $tests; do
  log=$out/$directory.$test.log
  # A child's report may not have failed the test.
  if ! make --no-print-directory -C "tests/$directory" ONLY="$test" "$@" >"$log" 2>&1 ||
    grep -qE 'Sanitizer|runtime error:|^==[0-9]+==' "$log"; then
    cat "$log"
    exit 1
  fi
  # The last line is of all the test's variants.
  printf '%s, tests/%s/%s: %s\n' "${out##*/}" "$directory" "$test" "$(tail -n 1 "$log")"
  tail -n 1 "$log" >>"$out/passed"
done
