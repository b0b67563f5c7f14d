#!/usr/bin/env bash
# The integer engine: the same bits on 1 to 4 ranks, with any instruction set and as the emulated one.
# Usage: integer_engine_test.sh ADAPT MPIEXEC
set -euo pipefail
adapt=$1
mpiexec=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/base.yaml" <<'YAML'
data: {name: procedural, train_samples: 96, test_samples: 50}
training: {epochs: 1, batch: 32, shards: 4, learning_rate: 0.05, test_batch: 50}
precision: {policy: fixed, formats: per_tensor, backward: quantized, fixed: {word_length: 8}}
YAML

. "$(dirname "${BASH_SOURCE[0]}")/train.sh"

train integer.1 1 engine=integer model=lenet5 || fail "training failed"
grep -q "multiply-adds in exact integers: 100 % of the last step's" "$work/log" || fail "no share of integers"
train emulated 1 engine=emulated model=lenet5 || fail "training failed"
"$adapt" compare "$work/emulated" "$work/integer.1" || { echo "the engines differ"; exit 1; }
for ranks in 2 3 4; do
  train "integer.$ranks" "$ranks" engine=integer model=lenet5 || fail "training failed"
  "$adapt" compare "$work/integer.1" "$work/integer.$ranks" || { echo "different on $ranks ranks"; exit 1; }
done
# Networks with depthwise and grouped convolutions likewise.
cat > "$work/grouped.yaml" <<'YAML'
name: grouped
image: [1, 28, 28]
layers:
  - convolution: {name: stem, channels: 12, kernel: 3, stride: 2, padding: 1, bias: false}
  - batch_norm
  - relu
  - convolution: {name: depthwise, channels: 12, groups: 12, kernel: 3, padding: 1, bias: false}
  - batch_norm
  - relu
  - convolution: {name: strided, channels: 12, groups: 12, kernel: 3, stride: 2, padding: 1}
  - relu
  - convolution: {name: groups, channels: 8, groups: 4, kernel: 3, stride: 2, padding: 1}
  - global_average_pool
  - linear: {name: fc, outputs: $classes}
YAML
train grouped.emulated 1 engine=emulated "model.file=$work/grouped.yaml" || fail "training failed"
for ranks in 1 3; do
  train "grouped.$ranks" "$ranks" engine=integer "model.file=$work/grouped.yaml" || fail "training failed"
  "$adapt" compare "$work/grouped.emulated" "$work/grouped.$ranks" || { echo "grouped: different on $ranks ranks"; exit 1; }
done
"$adapt" evaluate "$work/grouped.1" --engine integer | grep -q "integer layers   5 of 5" || fail "not all in integers"
# All layers are integer from the first step on: no float32 sum depends on the threads.
train threads.2 1 engine=integer model=lenet5 training.threads=2 || fail "training failed"
"$adapt" compare "$work/integer.1" "$work/threads.2" || { echo "different on 2 threads"; exit 1; }
# A oneDNN that multiplies wrongly is refused, in one line, and makes no difference. Without VNNI it is not asked.
vnni=0
! grep -qE "avx512_vnni|avx_vnni" /proc/cpuinfo || vnni=1
# What is remembered of this machine may spare the question.
ADAPT_KERNELS=$work/unasked.json ADAPT_FAULT=falsify,phase=known_answer train refused_library 1 engine=integer model=lenet5 || fail "training failed"
(($(grep -c "wrong sums of products" "$work/log") == vnni)) || fail "not one line about a wrong library"
"$adapt" compare "$work/integer.1" "$work/refused_library" || { echo "different without oneDNN's products"; exit 1; }
# Two runs that learned nothing would compare equal, too.
train other 1 engine=integer model=lenet5 seed=2 || fail "training failed"
if "$adapt" compare "$work/integer.1" "$work/other" > /dev/null; then echo "all runs are equal"; exit 1; fi

# As the run evaluated, and emulated: the same numbers.
"$adapt" evaluate "$work/integer.1" | grep -v "images/s" > "$work/as_integers"
"$adapt" evaluate "$work/integer.1" --engine emulated | grep -v "images/s" > "$work/as_floats"
cmp "$work/as_integers" "$work/as_floats" || { echo "evaluation differs between the engines"; exit 1; }
# For deployment: folded, in integers and in float32.
for engine in integer float32; do
  "$adapt" evaluate "$work/integer.1" --engine "$engine" > "$work/log" || fail "no evaluation with engine $engine"
  grep -q "test accuracy" "$work/log" || fail "no accuracy with engine $engine"
done
"$adapt" evaluate "$work/integer.1" --engine integer | grep -q "integer layers   5 of 5" || fail "not all in integers"
# No layer fits 8 bits.
train wide 1 engine=emulated model=lenet5 precision.fixed.word_length=12 || fail "training failed"
status=0
"$adapt" evaluate "$work/wide" --engine integer > "$work/log" 2>&1 || status=$?
((status == 2)) && grep -q "8 bits; expected emulated" "$work/log" || fail "exit code $status for 12-bit weights"

# The same bits with any instruction set, also where oneDNN's 8-bit products saturate.
for caps in generic:SSE41 avx2:AVX2 avx_vnni:AVX2_VNNI avx512:AVX512_CORE vnni:AVX512_CORE_VNNI; do
  isa=${caps%:*}
  export ADAPT_ISA=$isa ONEDNN_MAX_CPU_ISA=${caps#*:}
  if train "capped.$isa" 2 engine=integer "model.file=$work/grouped.yaml"; then
    "$adapt" compare "$work/grouped.1" "$work/capped.$isa" || { echo "different with $isa"; exit 1; }
    "$adapt" evaluate "$work/grouped.1" --engine integer > "$work/log" || fail "no evaluation with $isa"
    grep -q "integer layers   5 of 5" "$work/log" || fail "not all in integers with $isa"
  else
    grep -q "but this machine can run" "$work/log" || fail "training failed with $isa"
  fi
  unset ADAPT_ISA ONEDNN_MAX_CPU_ISA
done
