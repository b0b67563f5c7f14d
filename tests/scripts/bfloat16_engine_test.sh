#!/usr/bin/env bash
# The engine bfloat16: the same bits on 1 to 3 ranks, and what happens without hardware for it.
# Usage: bfloat16_engine_test.sh ADAPT MPIEXEC
set -euo pipefail
adapt=$1
mpiexec=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/base.yaml" <<'YAML'
data: {name: procedural, train_samples: 96, test_samples: 50}
model: lenet5
engine: bfloat16
training: {epochs: 1, batch: 24, shards: 3, learning_rate: 0.05, test_batch: 50}
precision: {policy: float32}
YAML

. "$(dirname "${BASH_SOURCE[0]}")/train.sh"

status=0
ONEDNN_MAX_CPU_ISA=AVX512_CORE train refused 1 || status=$?
((status == 2)) || fail "exit code $status without AVX512-BF16; expected 2"
grep -q "AVX512-BF16" "$work/log" && grep -q "expected float32" "$work/log" || fail "the refusal says neither why nor what to do"
status=0
train quantized 1 precision.policy=adapt || status=$?
((status == 2)) && grep -q "engine.name is bfloat16" "$work/log" || fail "a policy that quantizes was not refused"

if ! train one 1; then
  grep -q "AVX512-BF16" "$work/log" || fail "training failed"
  echo "no AVX512-BF16 here: the rest is skipped"
  exit 77
fi
for ranks in 2 3; do
  train "ranks.$ranks" "$ranks" || fail "training failed"
  "$adapt" compare "$work/one" "$work/ranks.$ranks" || { echo "different on $ranks ranks"; exit 1; }
done
train float32 1 engine=float32 || fail "training failed"
if "$adapt" compare "$work/one" "$work/float32" > /dev/null; then echo "bfloat16 is float32"; exit 1; fi
"$adapt" evaluate "$work/float32" --engine bfloat16 > "$work/log" || fail "no evaluation in bfloat16"
