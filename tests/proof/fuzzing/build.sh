#!/bin/sh
# Builds the fuzzers into $FUZZ/bin: the stable compiler takes the flags for it with RUSTC_BOOTSTRAP.
set -eu
: "${CARGO:=cargo}" "${FUZZ:?where to build}"

for tool in clang-22 llvm-cov-22 llvm-profdata-22; do
  command -v "$tool" >/dev/null || {
    echo "missing: $tool; apt-get install -y --no-install-recommends clang-22 llvm-22 libclang-rt-22-dev" >&2
    exit 1
  }
done
libfuzzer=$(clang-22 -print-file-name=libclang_rt.fuzzer-"$(uname -m)".a)
[ -f "$libfuzzer" ] || {
  echo "missing: clang's libFuzzer; apt-get install -y --no-install-recommends libclang-rt-22-dev" >&2
  exit 1
}

# Which of the code a run reaches, and what it compares, is what libFuzzer goes by.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares"
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1 CUSTOM_LIBFUZZER_PATH="$libfuzzer" CARGO_TARGET_DIR="$FUZZ/cargo"
# What is built for the build itself, such as build scripts, has none of these.
RUSTFLAGS=$(echo --cfg fuzzing -Zsanitizer=address -Cinstrument-coverage $coverage) \
  "$CARGO" build --locked --release --manifest-path fuzz/Cargo.toml --target "$host"
mkdir -p "$FUZZ"
ln -sfn "cargo/$host/release" "$FUZZ/bin"
