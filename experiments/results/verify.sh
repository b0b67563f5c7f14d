#!/usr/bin/env bash
# Results that check themselves: trains the first epoch of each log's configuration again on the present code and says whether
# the bits are the same, one line a log.
#
# usage: experiments/results/verify.sh [--ranks N] [RUN...]
#   --ranks N   MPI ranks (default 2); the result does not depend on it
#   RUN         a log (.h5) or a run folder (default: every log below experiments/)
# Integer and emulated AdaPT take the same bits on any x86-64; a float32 log may differ on another processor than the one that
# made it, which its line then says. Datasets are looked for in $ADAPT_DATA, else in the folder data/ of the source tree.
# Exit code: 0 all the same, 1 one is different or cannot be trained, 2 bad input, 77 nothing of that, but data are missing.
set -euo pipefail

# shellcheck source=experiments/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../packages.sh"

refuse() {
  echo "verify: $1" >&2
  exit 2
}

ranks=2 runs=()
while (($# > 0)); do
  case "$1" in
    -h | --help)
      sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --ranks)
      [[ "${2:-}" =~ ^[1-9][0-9]{0,3}$ ]] || refuse "--ranks: expected a whole number from 1 to 9999, found '${2:-}'"
      ranks="$2"
      shift 2
      ;;
    -*) refuse "unknown option '$1'; expected --ranks N or --help" ;;
    *)
      [[ -e "$1" ]] || refuse "there is no run '$1'"
      runs+=("$1")
      shift
      ;;
  esac
done
if ((${#runs[@]} == 0)); then
  mapfile -t runs < <(find "$ADAPT_ROOT/experiments" -name '*.h5' | sort)
fi

adapt_install_packages
if [[ -z "${ADAPT_PROGRAM:-}" ]]; then
  adapt_configure_and_build release
fi
program="${ADAPT_PROGRAM:-$ADAPT_ROOT/build/release/adapt}"
export ADAPT_DATA="${ADAPT_DATA:-$ADAPT_ROOT/data}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# Any accuracy is enough to end after the first epoch: everything else, the schedule's length too, stays the log's.
first_epoch() { # first_epoch RUN
  "$ADAPT_ROOT/analysis/verify.py" --configuration "$1" >"$work/experiment.yaml" || return 2
  adapt_mpirun "$ranks" "$program" train "$work/experiment.yaml" --out "$work/run" --overwrite \
    --set training.target_accuracy=1e-9 --set checkpoint.interval_epochs=0 --set checkpoint.interval_steps=0 \
    --set "data.path=$ADAPT_DATA" </dev/null >/dev/null 2>"$work/errors"
}

different=0 bad=0 no_data=0
for run in "${runs[@]}"; do
  status=0
  first_epoch "$run" || status=$?
  if ((status == 75)); then
    exit 75
  elif ((status != 0)); then
    reason="$(grep -m 1 '^adapt: .*error: ' "$work/errors" 2>/dev/null || true)"
    if [[ "$reason" == *"dataset "*" not found"* ]]; then
      no_data=1
      echo "no data    $run"
    else
      ((status == 2)) && bad=1 || different=1
      echo "failed     $run${reason:+: ${reason#adapt: error: }}"
    fi
    rm -f "$work/errors"
    continue
  fi
  "$ADAPT_ROOT/analysis/verify.py" "$run" "$work/run" || status=$?
  ((status != 1)) || different=1
  ((status <= 1)) || bad=1
done
if ((bad != 0)); then
  exit 2
elif ((different != 0)); then
  exit 1
elif ((no_data != 0)); then
  exit 77
fi
