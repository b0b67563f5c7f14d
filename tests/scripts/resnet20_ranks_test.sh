#!/usr/bin/env bash
# ResNet-20 in float32, with AdaPT and with MuPPET as published: the same bits on 1, 2 and 4 ranks, and with int8 exchange.
# Usage: resnet20_ranks_test.sh ADAPT MPIEXEC [STEPS [BATCH [DATASET]]]
# 50 steps of 128 images of CIFAR-10 where $ADAPT_DATA holds it, else of procedural digits.
set -euo pipefail
adapt=$1
mpiexec=$2
steps=${3:-50}
batch=${4:-128}
if [[ -f ${ADAPT_DATA:-data}/cifar-10-batches-bin/data_batch_1.bin ]]; then found=cifar10; else found=procedural; fi
dataset=${5:-$found}
experiments=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../experiments" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
common=("data.name=$dataset" data.augmentation=none "data.train_samples=$((steps * batch))" data.test_samples=100
        "training.batch=$batch" training.accumulate=1 training.epochs=1 training.test_batch=100)

# NAME EXPERIMENT SETTINGS...
same_on_any_ranks() {
  local name=$1 experiment=$2 ranks settings=()
  shift 2
  for setting in "${common[@]}" "$@"; do settings+=(--set "$setting"); done
  for ranks in 1 2 4; do
    "$mpiexec" -n "$ranks" "$adapt" train "$experiments/paper/$experiment.yaml" "${settings[@]}" \
      --out "$work/$name.$ranks" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    "$adapt" compare "$work/$name.1" "$work/$name.$ranks" || { echo "$name differs on $ranks ranks"; exit 1; }
  done
  echo "$name: $steps steps on $dataset, the same on 1, 2 and 4 ranks"
}

same_on_any_ranks float32 resnet20_cifar10_float32 exchange.encoding=exact
same_on_any_ranks adapt resnet20_cifar10_adapt
same_on_any_ranks muppet resnet20_cifar10_muppet training.final_epochs=1
same_on_any_ranks int8 resnet20_cifar10_float32 exchange.encoding=int8 exchange.error_feedback=true
if "$adapt" compare "$work/float32.1" "$work/int8.1" > /dev/null; then echo "all runs are equal"; exit 1; fi
