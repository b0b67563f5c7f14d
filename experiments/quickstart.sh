#!/usr/bin/env bash
# From a bare Debian machine to trained and analysed runs: installs packages, builds, trains LeNet-5 in float32, with
# AdaPT as published and with AdaPT in integers, and writes a report that compares the three.
#
# usage: experiments/quickstart.sh [--ranks N] [--dataset NAME] [--epochs N] [--out DIR]
#   --ranks N       MPI ranks (default 2); the result does not depend on it
#   --dataset NAME  what to train on (default: mnist where it is found, else procedural)
#   --epochs N      passes over the training set (default: as experiments/quickstart.yaml says)
#   --out DIR       folder for the runs float32/, adapt/ and integer/ and for report/ (default: runs/quickstart, where
#                   an earlier quickstart is replaced; a DIR that you name is never overwritten)
# Datasets are looked for in $ADAPT_DATA and in the folder data/ of the source tree.
# Exit code: 0 done, 1 failed, 2 bad input or packages that cannot be installed.
set -euo pipefail

# shellcheck source=experiments/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

refuse() {
  echo "quickstart: $1" >&2
  exit 2
}

known_datasets() {
  sed -n 's/^ *DatasetEntry{"\([a-z0-9_]*\)".*/\1/p' "$ADAPT_ROOT/src/data/registry.hpp"
}

check_count() { # check_count OPTION VALUE MOST
  if ! [[ "$2" =~ ^[1-9][0-9]{0,5}$ ]] || (($2 > $3)); then
    refuse "$1: expected a whole number from 1 to $3, found '$2'"
  fi
}

check_dataset() {
  grep -qxF -e "$1" <(known_datasets) || refuse "--dataset: expected one of $(known_datasets | paste -sd ' '), found '$1'"
}

check_free() {
  local run
  [[ -d "$1" || ! -e "$1" ]] || refuse "--out: '$1' is not a folder; expected a new or empty one"
  for run in float32 adapt integer; do
    [[ ! -e "$1/$run/run.h5" ]] || refuse "--out: '$1' already holds a run ($run/run.h5); expected a new folder"
  done
}

ranks=2 dataset="" epochs="" out=""
while (($# > 0)); do
  if [[ "$1" == --*=* ]]; then
    set -- "${1%%=*}" "${1#*=}" "${@:2}"
  fi
  case "$1" in
    -h | --help)
      sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --ranks | --dataset | --epochs | --out)
      [[ -n "${2:-}" ]] || refuse "$1: expected a value; see --help"
      ;;
    *) refuse "unknown argument '$1'; expected --ranks N, --dataset NAME, --epochs N, --out DIR or --help" ;;
  esac
  case "$1" in
    --ranks) check_count "$1" "$2" 4096 && ranks="$2" ;;
    --dataset) check_dataset "$2" && dataset="$2" ;;
    --epochs) check_count "$1" "$2" 100000 && epochs="$2" ;;
    --out) check_free "$2" && out="$(realpath -m -- "$2")" ;;
  esac
  shift 2
done

# Each step runs in a process group of its own, so that a signal to this script ends all that the step has started.
child=""
step() {
  set -m
  "$@" </dev/null &
  set +m
  child="$!"
  wait "$child"
  child=""
}
group_is_alive() {
  kill -0 -- "-$child" 2>/dev/null
}
stop() { # stop SIGNAL-NUMBER
  local tries
  trap '' INT TERM HUP
  if [[ -n "$child" ]]; then
    kill -TERM -- "-$child" 2>/dev/null || true
    for ((tries = 0; tries < 50; ++tries)); do
      group_is_alive || break
      sleep 0.1
    done
    kill -KILL -- "-$child" 2>/dev/null || true
  fi
  [[ ! -t 2 ]] || echo >&2 # leaves the line of the progress bar
  echo "quickstart: stopped" >&2
  exit $((128 + $1))
}
trap 'stop 1' HUP
trap 'stop 2' INT
trap 'stop 15' TERM

find_data() {
  local folder
  data="$(realpath -m "${ADAPT_DATA:-$ADAPT_ROOT/data}")"
  for folder in "$data" "$ADAPT_ROOT/data"; do
    if [[ -e "$folder/mnist/train-images-idx3-ubyte" || -e "$folder/mnist/train-images-idx3-ubyte.gz" ]]; then
      dataset="${dataset:-mnist}"
      [[ "$dataset" != mnist ]] || data="$folder"
      return
    fi
  done
  dataset="${dataset:-procedural}"
}

train() { # train NAME EXPERIMENT
  local settings=(--set "name=$1" --set "data.name=$dataset")
  [[ -z "$epochs" ]] || settings+=(--set "training.epochs=$epochs")
  echo "quickstart: LeNet-5 on $dataset, $1, $ranks rank$( ((ranks == 1)) || echo s)"
  ADAPT_DATA="$data" step adapt_mpirun "$ranks" "$ADAPT_ROOT/build/release/adapt" train "$ADAPT_ROOT/experiments/$2" \
    "${settings[@]}" --out "$out/$1" --overwrite
}

# The program says itself what is wrong; mpirun need not add its own lines.
export OMPI_MCA_orte_execute_quiet=1

step adapt_install_packages
step adapt_configure_and_build release
find_data
out="${out:-$ADAPT_ROOT/runs/quickstart}"
if [[ -t 2 ]]; then
  # mpirun puts a pipe between the ranks and the terminal.
  COLUMNS="$(stty size <&2 | cut -d ' ' -f 2)"
  export COLUMNS ADAPT_PROGRESS=bar
fi
train float32 quickstart_float32.yaml
train adapt quickstart.yaml
train integer quickstart_integer.yaml
step "$ADAPT_ROOT/analysis/report.py" "$out/float32" "$out/adapt" "$out/integer" --out "$out/report"
