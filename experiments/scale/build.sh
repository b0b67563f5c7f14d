#!/usr/bin/env bash
# build.sh PROGRAM: compiles simulated_exchange.cpp and, unchanged, the modules of src/ that it stands on, by SimGrid's smpicxx.
# Exit code 77 where SimGrid is missing.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: build.sh PROGRAM" >&2; exit 2; }
program=$(realpath -m "$1")
here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "$here/../../src" && pwd)
if ! command -v smpicxx > /dev/null; then
  echo "skipped: smpicxx not found; the simulation needs SimGrid (Debian: libsimgrid-dev)"
  exit 77
fi

# As in src/numerics/vector/CMakeLists.txt.
declare -A options=(
  [avx2]="-mavx2 -mfma" [avx512]="-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512"
  [avx2_product]="-mavx2 -mfma" [avx512_product]="-mavx512f -mavx512bw -mfma" [avx_vnni_product]="-mavx2 -mavxvnni"
  [vnni_product]="-mavx512f -mavx512bw -mavx512vnni" [amx_product]="-mamx-tile -mamx-int8")
objects=$program.objects
mkdir -p "$objects"
sources=("$here/simulated_exchange.cpp" "$src"/exchange/*.cpp "$src"/numerics/*.cpp "$src"/numerics/vector/*.cpp
  "$src"/mpi/{check,communicator,messages,watchdog}.cpp
  "$src"/base/{aligned,failure_text,fault,file,json,log,memory,option_text,phase,process,sha256,suggest,terminal}.cpp)

compile() {
  local name object
  name=$(basename "$1" .cpp)
  object=$objects/$(basename "$(dirname "$1")")_$name.o
  [ "$object" -nt "$1" ] && [ -z "$(find "$src"/{base,exchange,mpi,numerics} -name '*.hpp' -newer "$object" -print -quit)" ] && return
  local extra=
  case $1 in */vector/*) extra=${options[$name]:-} ;; esac
  # shellcheck disable=SC2086
  smpicxx -std=c++20 -O3 -fPIC -ffp-contract=off -fno-math-errno -fno-trapping-math -DSMPI_NO_OVERRIDE_MALLOC \
    -fno-gnu-unique -w \
    $extra -I "$src" -c "$1" -o "$object"
}

running=0
for source in "${sources[@]}"; do
  compile "$source" &
  if ((++running > 1)); then
    wait -n
    ((running--))
  fi
done
wait
smpicxx "$objects"/*.o -lcrypto -o "$program"
