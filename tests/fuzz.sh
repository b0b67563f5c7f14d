#!/usr/bin/env bash
# Attacks every parser with libFuzzer, under the address and undefined-behaviour sanitizers:
#   tests/fuzz.sh [SECONDS]      each parser for so long (default 60), or a million inputs
# What it finds is kept in build/fuzz/: crash-<parser>-..., and in corpus/<parser>/ inputs that reach other code.
# Exit code: 0 nothing found, 1 something found or the build failed, 2 packages are missing and cannot be installed.
set -euo pipefail

# shellcheck source=experiments/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../experiments/packages.sh"

case "${1:-60}" in
  *[!0-9]* | "")
    sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac
seconds=${1:-60}
adapt_install_packages clang libclang-rt-dev libomp-dev
cd "$ADAPT_ROOT"
cmake --preset fuzz > /dev/null && cmake --build --preset fuzz --target fuzz_all --parallel "$(nproc)" || {
  echo "adapt: build failed (fuzz)" >&2
  exit 1
}
# File after file is written: not to a disk.
export TMPDIR=/dev/shm UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS="suppressions='$ADAPT_ROOT/tests/support/lsan.supp':print_suppressions=0"
found=0
for harness in tests/fuzz/*_fuzz.cpp; do
  name=$(basename "$harness" _fuzz.cpp)
  mkdir -p "build/fuzz/corpus/$name"
  log=build/fuzz/$name.txt
  if "build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -runs=1000000 -timeout=20 -rss_limit_mb=2048 \
    -max_len=65536 -artifact_prefix="build/fuzz/crash-$name-" "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" \
    2> "$log"; then
    echo "$name: $(grep -o 'Done [0-9]* runs in [0-9]* second(s)' "$log" | tail -n 1)"
  else
    echo "$name: see $log" >&2
    tail -n 20 "$log" >&2
    found=1
  fi
done
exit "$found"
