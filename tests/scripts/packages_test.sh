#!/usr/bin/env bash
# Tests of experiments/packages.sh against made-up commands (dpkg-query, apt-get, sudo, id, mpirun, ...) that
# note how they were called.
set -euo pipefail

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"

# The script must work from a path with spaces.
mkdir -p "$scratch/a tree/experiments" "$scratch/bin"
cp "$root/experiments/packages.sh" "$scratch/a tree/experiments/"
# shellcheck source=experiments/packages.sh
. "$scratch/a tree/experiments/packages.sh"

fake() { # fake NAME BODY: a command that is found first
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$scratch/bin/$1"
  chmod +x "$scratch/bin/$1"
}
export PATH="$scratch/bin:$PATH"
export CALLS="$scratch/calls"

failures=0
expect() { # expect WHAT FOUND EXPECTED
  if [[ "$2" != "$3" ]]; then
    printf 'FAILED: %s\n  found:    %s\n  expected: %s\n' "$1" "$2" "$3"
    failures=$((failures + 1))
  fi
}

run() { # run COMMAND...: fills $output, $status, $calls
  : >"$CALLS"
  status=0
  output="$("$@" 2>&1)" || status=$?
  calls="$(cat "$CALLS")"
}

all_installed="$(printf '%s installed\n' "${ADAPT_PACKAGES[@]}")"
fake dpkg-query "echo '$all_installed'"
# shellcheck disable=SC2016
fake apt-get 'echo "apt-get $DEBIAN_FRONTEND $*" >>"$CALLS"'
fake id 'echo 1000'
fake sudo 'exit 1'
unset ADAPT_SKIP_PACKAGES

run adapt_install_packages
expect "nothing missing: status, output, calls" "$status|$output|$calls" "0||"

some_missing="${all_installed/cmake installed/cmake config-files}"
some_missing="${some_missing/zlib1g-dev installed/}"
fake dpkg-query "echo '$some_missing'; exit 1"
run adapt_install_packages
expect "no right to install: status" "$status" 2
expect "no right to install: the line for root" "${output##*$'\n'}" \
  "apt-get update && apt-get install -y --no-install-recommends cmake zlib1g-dev"
expect "no right to install: calls" "$calls" ""

install_calls="apt-get noninteractive -q -o DPkg::Lock::Timeout=300 update
apt-get noninteractive -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends cmake zlib1g-dev"
fake id 'echo 0'
run adapt_install_packages
expect "root: status and calls" "$status|$calls" "0|$install_calls"

fake id 'echo 1000'
# shellcheck disable=SC2016
fake sudo '[[ "$1" == -n ]] && shift && exec "$@"'
run adapt_install_packages
expect "sudo: status and calls" "$status|$calls" "0|$install_calls"

fake apt-get 'echo "E: no network"; exit 100'
run adapt_install_packages
expect "apt fails: status" "$status" 100
expect "apt fails: its words" "${output##*$'\n'}" "E: no network"

ADAPT_SKIP_PACKAGES=1
run adapt_install_packages
expect "packages left alone" "$status|$output" "0|"
unset ADAPT_SKIP_PACKAGES

# Two hardware threads on each of four cores.
fake nproc 'echo 8'
fake lscpu 'printf "# Core,Socket\n0,0\n1,0\n2,0\n3,0\n0,0\n1,0\n2,0\n3,0\n"'
# shellcheck disable=SC2016
fake mpirun 'echo "$OMP_NUM_THREADS|${OMPI_ALLOW_RUN_AS_ROOT:-}${OMPI_ALLOW_RUN_AS_ROOT_CONFIRM:-}|${OMPI_MCA_mpi_yield_when_idle:-}|${OMPI_MCA_btl_tcp_if_include:-}|$*"; exit 75'
unset OMP_NUM_THREADS OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM OMPI_MCA_mpi_yield_when_idle
unset OMPI_MCA_btl_tcp_if_include OMPI_MCA_btl_tcp_if_exclude

run adapt_mpirun 2 "a program" --flag "b c"
expect "two ranks" "$output" "2|||lo|-n 2 --bind-to core --map-by slot:PE=2 a program --flag b c"
expect "the program's exit code" "$status" 75
run adapt_mpirun 5 prog
expect "more ranks than cores" "$output" "1||1|lo|-n 5 --oversubscribe --bind-to none prog"
OMP_NUM_THREADS=3 run adapt_mpirun 2 prog
expect "more threads than cores" "$output" "3||1|lo|-n 2 --oversubscribe --bind-to none prog"
fake id 'echo 0'
run adapt_mpirun 4 prog
expect "root" "$output" "1|11||lo|-n 4 --bind-to core --map-by slot:PE=1 prog"
OMPI_MCA_btl_tcp_if_exclude=eth1 run adapt_mpirun 4 prog
expect "interfaces named by the user" "$output" "1|11|||-n 4 --bind-to core --map-by slot:PE=1 prog"
fake lscpu 'exit 1'
expect "cores without lscpu" "$(adapt_cores)" 8

# A build: configured once, again only when the tree was moved.
# shellcheck disable=SC2016
fake cmake 'echo "cmake $*" >>"$CALLS"; [[ "$*" == *--build* ]] || {
  mkdir -p build/release && touch build/release/build.ninja
  echo "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" >build/release/CMakeCache.txt; }'
build_call="cmake --build --preset release --parallel 8"
run adapt_configure_and_build release
expect "first build" "$status|$calls" "0|cmake --fresh --preset release
$build_call"
run adapt_configure_and_build release
expect "second build" "$status|$calls" "0|$build_call"
mv "$scratch/a tree" "$scratch/another tree"
# shellcheck source=experiments/packages.sh
. "$scratch/another tree/experiments/packages.sh"
run adapt_configure_and_build release
expect "build of a moved tree" "$status|$calls" "0|cmake --fresh --preset release
$build_call"
fake cmake 'echo "no compiler"; exit 7'
run adapt_configure_and_build debug
expect "a failed configuration" "$status|$output" "1|no compiler"

if ((failures > 0)); then
  exit 1
fi
echo "all passed"
