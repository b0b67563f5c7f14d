#!/usr/bin/env bash
# simulate.sh PROGRAM NETWORK RANKS RANKS_PER_NODE MODEL METHOD [SCALE]: one exchange of MODEL's gradients on simulated ranks.
# PROGRAM is what build.sh makes, NETWORK a platform file here (fat_tree_100g, ethernet_10g), MODEL a list of tensors here (alexnet,
# resnet20), METHOD direct, tree, hierarchical (int8) or allreduce (float32, MPI_Allreduce as Open MPI would choose it).
# SCALE (1) divides sizes and bandwidths alike, where memory does not hold all ranks' gradients: latencies stay, and so does the time
# that bytes take. Prints a row of results/simulated.csv: all but SHA-256 of the mean, the same on all ranks, is SimGrid's.
# Only messages take simulated time, 0.5 us of a processor each at either end; computation takes none.
set -euo pipefail

[ $# -ge 6 ] || { sed -n '2,8s/^# //p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$1") network=$2 ranks=$3 per_node=$4 model=$5 method=$6 scale=${7:-1}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

awk -v scale="$scale" '{
  while (match($0, /@B[0-9]+@/)) {
    $0 = substr($0, 1, RSTART - 1) sprintf("%g", substr($0, RSTART + 2, RLENGTH - 3) / scale) substr($0, RSTART + RLENGTH)
  }
  print
}' "$here/$network.xml" > "$folder/platform.xml"
for ((rank = 0; rank < ranks; rank++)); do
  echo "n$((rank / per_node))"
done > "$folder/hosts"
mapfile -t tensors < <(awk -v scale="$scale" '{print int(($1 + scale - 1) / scale)}' "$here/$model.tensors")

overhead=0:5e-7:0 # seconds of a processor for a message
line=$(cd "$folder" && smpirun -np "$ranks" -platform platform.xml -hostfile hosts \
  --cfg=smpi/simulate-computation:no --cfg=smpi/coll-selector:ompi --cfg=smpi/test:0 --cfg=smpi/bw-factor:0:0.97 \
  --cfg=smpi/lat-factor:0:1 --cfg=network/crosstraffic:0 --cfg=smpi/os:$overhead --cfg=smpi/ois:$overhead --cfg=smpi/or:$overhead \
  --log=root.thresh:warning "$program" "$method" 1 "${tensors[@]}")
read -r method seconds bytes messages digest <<< "$line"
echo "$network,$ranks,$per_node,$model,$method,$scale,$seconds,$bytes,$messages,$digest"
