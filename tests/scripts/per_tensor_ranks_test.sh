#!/usr/bin/env bash
# Per-tensor scales and quantized activation gradients: the same bits on 1 to 4 ranks.
# Usage: per_tensor_ranks_test.sh ADAPT MPIEXEC
set -euo pipefail
adapt=$1
mpiexec=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/base.yaml" <<'YAML'
engine: emulated
data: {name: procedural, train_samples: 160, test_samples: 50}
training: {epochs: 2, batch: 32, shards: 4, learning_rate: 0.05, test_batch: 50}
precision:
  formats: per_tensor
  backward: quantized
YAML

. "$(dirname "${BASH_SOURCE[0]}")/train.sh"

compare_ranks() {  # NAME SETTINGS...
  local name=$1
  shift
  for ranks in 1 2 3 4; do
    train "$name.$ranks" "$ranks" "$@" || fail "training failed on $ranks ranks"
    "$adapt" compare "$work/$name.1" "$work/$name.$ranks" || { echo "$name differs on $ranks ranks"; exit 1; }
  done
}

compare_ranks adapt model=lenet5 precision.policy=adapt precision.adapt.lookback_lower=2 precision.adapt.lookback_upper=4
compare_ranks muppet model=resnet20 precision.policy=muppet precision.muppet.resolution=2 \
  training.schedule.origin=final_phase
# Weights, activations and gradients that are rounded to nothing would compare equal too.
if "$adapt" compare "$work/adapt.1" "$work/muppet.1" > /dev/null; then echo "all runs are equal"; exit 1; fi
