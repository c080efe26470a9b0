#!/bin/sh
# Runs tests under a sanitizer, one by one, by their own Makefile: run.sh OUT DIRECTORY "TESTS" VARIABLE=VALUE…
# What passed is added to OUT/passed. Instrumented programs are slow, and some tests bound times: one that
# fails is tried again, twice at most, and said to be. Never one of which the sanitizer reports anything.
set -eu

out=$1
directory=$2
tests=$3
shift 3
for test in $tests; do
  log=$out/$directory.$test.log
  tries=1
  until make --no-print-directory -C "tests/$directory" ONLY="$test" "$@" >"$log" 2>&1; do
    if [ "$tries" -eq 3 ] || grep -qE 'Sanitizer|runtime error:|^==[0-9]+==' "$log"; then
      cat "$log"
      exit 1
    fi
    tries=$((tries + 1))
    grep -F ': failed' "$log" || tail -n 5 "$log"
    echo "nothing is reported, so once more: $test"
  done
  # A child's report may not have failed the test.
  if grep -qE 'Sanitizer|runtime error:|^==[0-9]+==' "$log"; then
    cat "$log"
    exit 1
  fi
  # The last line is of all the test's variants.
  printf '%s: %s\n' "$test" "$(tail -n 1 "$log")"
  tail -n 1 "$log" >>"$out/passed"
done
