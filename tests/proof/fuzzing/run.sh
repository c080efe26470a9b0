#!/bin/sh
# Runs the fuzzers in $FUZZ/bin:
#   run.sh SECONDS   each over its corpus, then for so long on, two at a time
#   run.sh coverage  each over its corpus and what was found; prints what of the decoders they reach,
#                    and the sum of the runs before
#   run.sh minimise  makes the corpora in fuzz/corpus anew, of what was found
# A fuzzer that fails leaves its input in $FUZZ/failed, to be made a test of; `$FUZZ/bin/NAME FILE`
# runs it again.
set -eu
: "${FUZZ:?where the fuzzers are}"
targets=$(ls fuzz/corpus)
corpus=$PWD/fuzz/corpus
launch=$PWD/tests/support/launch.py
# What a fuzzer finds is kept for its next run.
for target in $targets; do mkdir -p "$FUZZ/found/$target" "$FUZZ/failed" "$FUZZ/coverage"; done
export FUZZ corpus seconds

# One fuzzer, for some time.
fuzz() {
  log=$FUZZ/$1.log
  if ! LLVM_PROFILE_FILE=/dev/null "$launch" --limit $((2 * seconds + 600)) --as "the fuzzer $1" "$FUZZ/bin/$1" "$FUZZ/found/$1" "$corpus/$1" \
    -artifact_prefix="$FUZZ/failed/$1-" -max_total_time="$seconds" -max_len=4096 -timeout=20 \
    -rss_limit_mb=4096 -print_final_stats=1 >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "the fuzzer $1 failed: see above, and $FUZZ/failed" >&2
    exit 1
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
  echo "proof: executions of the fuzzer $1: ${runs:?no figure}"
}

coverage() {
  for target in $targets; do
    find "$corpus/$target" "$FUZZ/found/$target" -type f -print0 |
      LLVM_PROFILE_FILE="$FUZZ/coverage/$target.profraw" xargs -0 -n 100000 \
        "$launch" "$FUZZ/bin/$target" >"$FUZZ/coverage/$target.log" 2>&1 || {
      tail -n 60 "$FUZZ/coverage/$target.log" >&2
      exit 1
    }
  done
  llvm-profdata-22 merge -sparse -o "$FUZZ/coverage/all.profdata" "$FUZZ"/coverage/*.profraw
  set --
  for target in $targets; do set -- "$@" -object "$FUZZ/bin/$target"; done
  decoders="answer/json answer/plain answer/page tokens answer/problem call/retry_after upload/state upload/video upload/multipart"
  for file in $decoders; do
    lines=$(llvm-cov-22 export -summary-only "$@" -instr-profile="$FUZZ/coverage/all.profdata" \
      -sources "$PWD/src/$file.rs" 2>"$FUZZ/coverage/export.log" |
      sed -n 's/.*"totals":.*"lines":{"count":\([0-9]*\),"covered":\([0-9]*\).*/\2 \1/p')
    echo "${file##*/} ${lines:?no figures of coverage}"
  done >"$FUZZ/coverage/lines"
  awk '{ print "proof: reached by the fuzzers in " $1 ".rs: " $2 " of " $3 " lines" }' "$FUZZ/coverage/lines"
  runs=$(for target in $targets; do
    sed -n 's/^stat::number_of_executed_units: //p' "$FUZZ/$target.log"
  done | awk '{ sum += $1 } END { print sum, "executions by", NR, "fuzzers" }')
  awk -v runs="$runs" -v files="$(echo "$decoders" | wc -w)" '{ reached += $2; lines += $3 }
    END {
      if (NR != files || lines == 0) { print "no figures of coverage" > "/dev/stderr"; exit 1 }
      printf "proof: fuzzing: %s without a failure; they reach %d of %d lines (%.1f %%) of the decoders\n",
        runs, reached, lines, 100 * reached / lines
    }' "$FUZZ/coverage/lines"
}

# Inputs with a name were written by hand, and stay; those with a number were found.
minimise() {
  for target in $targets; do
    rm -rf "$FUZZ/smallest"
    mkdir "$FUZZ/smallest"
    cp "$corpus/$target"/by_hand_* "$FUZZ/smallest"
    LLVM_PROFILE_FILE=/dev/null "$FUZZ/bin/$target" -set_cover_merge=1 -max_len=1500 \
      "$FUZZ/smallest" "$corpus/$target" "$FUZZ/found/$target" >"$FUZZ/$target.log" 2>&1
    rm -f "$FUZZ/smallest"/by_hand_* "$corpus/$target"/[0-9]*
    # Large ones reach more.
    find "$FUZZ/smallest" -type f -printf '%s %p\n' | sort -rn | head -n 8 | cat -n |
      while read -r number _ file; do cp "$file" "$corpus/$target/$number"; done
  done
}

case $1 in
coverage | minimise) "$1" ;;
one) fuzz "$2" ;;
*) seconds=$1; printf '%s\n' $targets | xargs -P 2 -n 1 "$0" one ;;
esac
