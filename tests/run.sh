#!/usr/bin/env bash
# From a bare Debian machine to a tested build:
#   tests/run.sh [--sanitize] [CTEST-ARGUMENT...]      for example: tests/run.sh -R experiment
# --sanitize builds and tests with the address and undefined-behaviour sanitizers.
# Exit code: 0 all tests passed, 1 a test or the build failed, 2 packages are missing and cannot be installed.
set -euo pipefail

# shellcheck source=experiments/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../experiments/packages.sh"

preset=release
ctest_arguments=()
for argument in "$@"; do
  case "$argument" in
    --sanitize) preset=sanitize ;;
    -h | --help)
      sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) ctest_arguments+=("$argument") ;;
  esac
done

if [[ "$(id -u)" == 0 ]]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# What third-party libraries leave behind at exit is not ours to fix; the options are read by sanitized programs only.
export LSAN_OPTIONS="suppressions='$ADAPT_ROOT/tests/support/lsan.supp':print_suppressions=0"
export UBSAN_OPTIONS=print_stacktrace=1
# Memory that is not there is for the program to say.
export ASAN_OPTIONS=allocator_may_return_null=1

# Slurm for tests/slurm; the browser (140 MB with what it needs, a minute at most) for the pages of analysis/report.py.
# ONNX's Python reads exported models. What prints manual pages, what loads the module file of slurm/site, and Valgrind. SimGrid's
# simulated ranks and network namespaces for tests/scale.
adapt_install_packages slurmctld slurmd slurm-client munge libpmix-dev chromium-headless-shell python3-onnx \
  groff-base man-db environment-modules valgrind libsimgrid-dev iproute2
# ONNX Runtime judges exported models; without npm or its registry that test is skipped.
if [[ -z "${ADAPT_ONNXRUNTIME:-}" ]] && command -v npm >/dev/null; then
  export ADAPT_ONNXRUNTIME="$ADAPT_ROOT/build/onnxruntime"
  mkdir -p "$ADAPT_ONNXRUNTIME"
  adapt_quietly npm install --prefix "$ADAPT_ONNXRUNTIME" --ignore-scripts --no-save --fetch-retries=0 \
    --fetch-timeout=60000 onnxruntime-node@1 ||
    echo "adapt: npm could not install onnxruntime-node; the test with ONNX Runtime is skipped" >&2
fi
adapt_configure_and_build "$preset" || {
  echo "adapt: build failed ($preset)" >&2
  exit 1
}
cd "$ADAPT_ROOT"
if ctest --preset "$preset" --parallel "$(nproc)" "${ctest_arguments[@]}"; then
  echo "adapt: tests passed ($preset)"
else
  echo "adapt: tests failed ($preset)" >&2
  exit 1
fi
