#!/usr/bin/env bash
# Whatever the processor: runs whose layers have formats take the same trajectory with every instruction set, in integers of
# any word length and in float32 products, with AdaPT as published, on 1 rank or 2; and deployed networks predict the same.
# Usage: processors_test.sh ADAPT MPIEXEC [STEPS [SETTING...]]
# Without arguments 3 steps of procedural digits; `processors_test.sh adapt mpiexec 468 data.name=mnist ...` takes more.
set -euo pipefail
adapt=$1
mpiexec=$2
steps=${3:-3}
shift $(($# < 3 ? $# : 3))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/base.yaml" <<YAML
data: {name: procedural, train_samples: $((steps * 32)), test_samples: 50}
training: {epochs: 1, batch: 32, shards: 4, learning_rate: 0.05, test_batch: 50}
precision: {policy: fixed, formats: per_tensor, backward: quantized, fixed: {word_length: 12}}
YAML

. "$(dirname "${BASH_SOURCE[0]}")/train.sh"

caps=(generic:SSE41 avx2:AVX2 avx_vnni:AVX2_VNNI avx512:AVX512_CORE vnni:AVX512_CORE_VNNI)

# COMMAND... with the instruction set of one of `caps`; false where this machine has it not.
capped() {
  local cap=$1
  shift
  if ADAPT_ISA=${cap%:*} ONEDNN_MAX_CPU_ISA=${cap#*:} "$@"; then return; fi
  grep -q "but this machine can run" "$work/log" || fail "failed with ${cap%:*}: $*"
  return 1
}

published=(precision.policy=adapt precision.formats=per_layer precision.backward=float32 precision.adapt.lookback_lower=2
           precision.adapt.lookback_upper=3)

# NAME SETTINGS...
same_on_any_processor() {
  local name=$1 cap
  shift
  train "$name" 1 "$@" || fail "$name: training failed"
  for cap in "${caps[@]}"; do
    if capped "$cap" train "$name.${cap%:*}" 2 "$@"; then
      "$adapt" compare "$work/$name" "$work/$name.${cap%:*}" || { echo "$name: different with ${cap%:*}"; exit 1; }
    fi
  done
}

predict() {
  "$adapt" evaluate "$work/$1" --engine integer --predictions "$2" > "$work/log" 2>&1
}

# NAME: a network all of whose layers have 8 bits, deployed.
same_predictions_on_any_processor() {
  local cap
  predict "$1" "$work/said.npz" || fail "$1: evaluation failed"
  grep -q "integer layers" "$work/log" || fail "$1: nothing runs in integers"
  for cap in "${caps[@]}"; do
    if capped "$cap" predict "$1" "$work/capped.npz"; then
      cmp "$work/said.npz" "$work/capped.npz" || { echo "$1: predicts something else with ${cap%:*}"; exit 1; }
    fi
  done
}

same_on_any_processor lenet5 model=lenet5 engine=integer "${published[@]}" "$@"
same_on_any_processor lenet5.words model=lenet5 engine=integer "$@"
same_on_any_processor lenet5.emulated model=lenet5 engine=emulated precision.fixed.word_length=20 "$@"
same_on_any_processor resnet20 model=resnet20 engine=integer "${published[@]}" "$@"
same_on_any_processor alexnet model=alexnet engine=emulated precision.fixed.word_length=16 "$@"
train bytes 1 model=resnet20 engine=integer precision.fixed.word_length=8 || fail "bytes: training failed"
same_predictions_on_any_processor bytes
# Runs that learned nothing would compare equal, too.
if "$adapt" compare "$work/lenet5" "$work/lenet5.words" > /dev/null; then echo "all runs are equal"; exit 1; fi
