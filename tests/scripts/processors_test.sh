#!/usr/bin/env bash
# Whatever the processor: runs whose layers have formats take the same trajectory with every instruction set, in integers of
# any word length and in float32 products, with AdaPT as published, on 1 rank or 2.
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

published=(precision.policy=adapt precision.formats=per_layer precision.backward=float32 precision.adapt.lookback_lower=2
           precision.adapt.lookback_upper=3)

# NAME SETTINGS...
same_on_any_processor() {
  local name=$1 caps isa
  shift
  train "$name" 1 "$@" || fail "$name: training failed"
  for caps in generic:SSE41 avx2:AVX2 avx_vnni:AVX2_VNNI avx512:AVX512_CORE vnni:AVX512_CORE_VNNI; do
    isa=${caps%:*}
    export ADAPT_ISA=$isa ONEDNN_MAX_CPU_ISA=${caps#*:}
    if train "$name.$isa" 2 "$@"; then
      "$adapt" compare "$work/$name" "$work/$name.$isa" || { echo "$name: different with $isa"; exit 1; }
    else
      grep -q "but this machine can run" "$work/log" || fail "$name: training failed with $isa"
    fi
    unset ADAPT_ISA ONEDNN_MAX_CPU_ISA
  done
}

same_on_any_processor lenet5 model=lenet5 engine=integer "${published[@]}" "$@"
same_on_any_processor lenet5.words model=lenet5 engine=integer "$@"
same_on_any_processor lenet5.emulated model=lenet5 engine=emulated precision.fixed.word_length=20 "$@"
same_on_any_processor resnet20 model=resnet20 engine=integer "${published[@]}" "$@"
same_on_any_processor alexnet model=alexnet engine=emulated precision.fixed.word_length=16 "$@"
# Runs that learned nothing would compare equal, too.
if "$adapt" compare "$work/lenet5" "$work/lenet5.words" > /dev/null; then echo "all runs are equal"; exit 1; fi
