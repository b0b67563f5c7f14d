#!/usr/bin/env bash
# simulate_all.sh PROGRAM [MOST_RANKS]: the rows of results/simulated.csv that it lacks, one simulation at a time (simulate.sh).
# At 1,024 ranks a row takes minutes and AlexNet's sizes are divided by 4, as memory must hold all ranks' gradients; direct, which
# sends millions of messages there, is simulated up to 64 ranks.
set -euo pipefail

[ $# -ge 1 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
table=$here/results/simulated.csv
most=${2:-1024}
[ -e "$table" ] || echo "network,ranks,ranks_per_node,model,method,scale,seconds,bytes,messages,sha256" > "$table"


for ranks in 16 64 256 1024; do
  ((ranks <= most)) || continue
  for place in "fat_tree_100g 32" "fat_tree_100g 1" "ethernet_10g 1"; do
    read -r network per_node <<< "$place"
    ((ranks % per_node == 0)) || continue
    for model in resnet20 alexnet; do
      for method in allreduce tree hierarchical direct; do
        scale=1
        [ "$model" = resnet20 ] || ((ranks <= 256)) || scale=4
        [ "$method" != direct ] || ((ranks <= 64)) || continue
        [ "$method" != hierarchical ] || ((per_node > 1)) || continue # the tree
        [ "$method" != tree ] || ((ranks <= 256)) || ((per_node == 1)) || continue
        grep -q "^$network,$ranks,$per_node,$model,$method,$scale," "$table" ||
          "$here/simulate.sh" "$1" "$network" "$ranks" "$per_node" "$model" "$method" "$scale" | tee -a "$table"
      done
    done
  done
done
