#!/usr/bin/env bash
# Attacks every parser with libFuzzer, under the address and undefined-behaviour sanitizers:
#   tests/fuzz.sh [SECONDS]      each parser for so long (default 60), or a million inputs; as many at a time as there are cores
# At the end prints, for each parser, how many inputs it had in how many seconds.
# What it finds is kept in build/fuzz/: crash-<parser>-..., and in corpus/<parser>/ inputs that reach other code.
# Exit code: 0 nothing found, 1 something found or the build failed, 2 packages are missing and cannot be installed.
set -euo pipefail

# shellcheck source=experiments/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../experiments/packages.sh"

case "${1:-60}" in
  *[!0-9]* | "")
    sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}"
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
# File after file is written: not to a disk. What is not libFuzzer's own process (a reader) has this limit of memory only.
export TMPDIR=/dev/shm UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=hard_rss_limit_mb=4096
export LSAN_OPTIONS="suppressions='$ADAPT_ROOT/tests/support/lsan.supp':print_suppressions=0"

# attack NAME SECONDS: the time for one input is longer than a reader in a child process may take for it.
# shellcheck disable=SC2317  # xargs calls it
attack() {
  mkdir -p "build/fuzz/corpus/$1"
  "build/fuzz/tests/fuzz/fuzz_$1" -max_total_time="$2" -runs=1000000 -timeout=60 -rss_limit_mb=2048 -max_len=65536 \
    -artifact_prefix="build/fuzz/crash-$1-" "build/fuzz/corpus/$1" "tests/fuzz/corpus/$1" 2> "build/fuzz/$1.txt" || {
    echo "$1: see build/fuzz/$1.txt" >&2
    tail -n 20 "build/fuzz/$1.txt" >&2
    return 1
  }
}
export -f attack
mapfile -t names < <(basename -a -s _fuzz.cpp tests/fuzz/*_fuzz.cpp)
found=0
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I '{}' bash -c "attack '{}' $seconds" || found=1
for name in "${names[@]}"; do
  sed -n "s/^Done \([0-9]*\) runs in \([0-9]*\) second(s)/$name: \1 inputs in \2 s/p" "build/fuzz/$name.txt"
done
exit "$found"
