# What the tests of engines share: they set `work` (a folder with base.yaml), `adapt` and `mpiexec`.

fail() { echo "$1"; cat "$work/log"; exit 1; }

# NAME RANKS SETTINGS...
train() {
  local name=$1 ranks=$2
  shift 2
  local settings=()
  for setting in "$@"; do settings+=(--set "$setting"); done
  "$mpiexec" -n "$ranks" "$adapt" train "$work/base.yaml" "${settings[@]}" --out "$work/$name" > "$work/log" 2>&1
}
