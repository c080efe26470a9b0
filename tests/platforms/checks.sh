# What tests of other platforms that are scripts count with; each sources it. If $checks_shown is set,
# it names a file that is shown with what fails.
# shellcheck shell=sh
passed=0
failed=0

# check WHAT COMMAND…: it is so that WHAT, since COMMAND succeeds.
check() {
  what=$1
  shift
  if "$@"; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "$(basename "$0" .sh): failed: $what${checks_shown:+: $(cat "$checks_shown")}" >&2
  fi
}

# At the end: the figures, and whether all is well.
checks_report() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
