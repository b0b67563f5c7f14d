#!/usr/bin/env bash
# From a bare Debian machine to finished runs: installs packages, builds, and trains what the experiment files say, one
# after the other.
#
# usage: experiments/run.sh [--ranks N] [--out DIR] EXPERIMENT.yaml... [-- OPTION...]
#   --ranks N   MPI ranks (default 2); the result does not depend on it
#   --out DIR   folder that gets one folder per run, named as the experiment (default: runs)
#   OPTION...   for `adapt train`, such as --set training.epochs=3
# A run that is finished already is left alone, an unfinished one goes on from its last checkpoint (unless the options hold
# --overwrite). Datasets are looked for in $ADAPT_DATA, else in the folder data/ of the source tree.
# Exit code: that of the first run that failed, else 0; 2 for bad input or packages that cannot be installed; 75 at once when
# a run was stopped by a signal.
set -euo pipefail

# shellcheck source=experiments/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

refuse() {
  echo "run: $1" >&2
  exit 2
}

ranks=2 out="$ADAPT_ROOT/runs" experiments=()
while (($# > 0)) && [[ "$1" != -- ]]; do
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
    --out)
      [[ -n "${2:-}" ]] || refuse "--out: expected a folder"
      out="$2"
      shift 2
      ;;
    -*) refuse "unknown option '$1'; expected --ranks N, --out DIR or --help; options for adapt train stand behind --" ;;
    *)
      [[ -f "$1" ]] || refuse "there is no experiment file '$1'"
      experiments+=("$1")
      shift
      ;;
  esac
done
shift $(($# > 0 ? 1 : 0))
((${#experiments[@]} > 0)) || refuse "no experiment; expected files such as experiments/short/resnet20_cifar10_adapt.yaml"

adapt_install_packages
if [[ -z "${ADAPT_PROGRAM:-}" ]]; then
  adapt_configure_and_build release
fi
program="${ADAPT_PROGRAM:-$ADAPT_ROOT/build/release/adapt}"
export ADAPT_DATA="${ADAPT_DATA:-$ADAPT_ROOT/data}"

# All files are checked before the first run starts: a mistake shows now, not tomorrow.
names=()
for experiment in "${experiments[@]}"; do
  name="$("$program" train --check "$experiment" "$@" | sed -n 's/^name: "\{0,1\}\([^"]*\)"\{0,1\}$/\1/p')"
  for other in "${names[@]}"; do
    [[ "$other" != "$name" ]] || refuse "$experiment: another experiment here is named '$name', too; each needs a folder of its own"
  done
  names+=("$name")
done

resume=(--resume)
[[ " $* " != *" --overwrite "* ]] || resume=()
failed=0
for i in "${!experiments[@]}"; do
  run_dir="$out/${names[i]}"
  if (cd -- "$run_dir" && sha256sum --status --check DONE) 2>/dev/null; then
    echo "run: ${names[i]} is finished: $run_dir"
    continue
  fi
  status=0
  adapt_mpirun "$ranks" "$program" train "${experiments[i]}" --out "$run_dir" ${resume[@]+"${resume[@]}"} "$@" </dev/null || status=$?
  ((status != 75)) || exit 75
  if ((status != 0)); then
    echo "run: ${names[i]} ended with exit code $status" >&2
    failed=$((failed == 0 ? status : failed))
  fi
done
exit "$failed"
