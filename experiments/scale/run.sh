#!/usr/bin/env bash
# Images per second on 1 to N ranks, and a page with a picture: measured, modelled, and with simulated exchanges.
#
# usage: experiments/scale/run.sh --out DIR [--program ADAPT] [--ranks "1 2 4"] [--model resnet20] [--engine integer]
#                                 [--encoding int8] [--batch 128] [--seconds 5] [--repeats 5] [--slurm "SBATCH OPTIONS"]
#   --ranks     how many (default: powers of two up to the cores of this machine); the least one is what is projected from
#   --batch     images of a step: of all ranks (strong scaling), and of each rank (weak scaling)
#   --slurm     measures by one job array, a task for each number of ranks, with these options of sbatch, such as
#               "--nodes=4 --ntasks-per-node=32 --time=20", which must have room for the most ranks; ends when they have ended
# DIR gets strong_N.json and weak_N.json (`adapt bench step`; one that is there is not measured again), scaling.md and
# scaling.png. Exit code: 0, 2 for bad usage, else that of what failed.
set -euo pipefail

# shellcheck source=experiments/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../packages.sh"

refuse() {
  echo "run: $1; see --help" >&2
  exit 2
}

out='' program="$ADAPT_ROOT/build/release/adapt" ranks='' model=resnet20 engine=integer encoding=int8 batch=128 seconds=5 repeats=5
slurm='' task=''
while (($# > 0)); do
  case "$1" in
    -h | --help)
      sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --out | --program | --ranks | --model | --engine | --encoding | --batch | --seconds | --repeats | --slurm | --task)
      [[ $# -ge 2 && -n "$2" ]] || refuse "$1 needs a value"
      declare "${1#--}=$2"
      shift 2
      ;;
    *) refuse "unknown option '$1'" ;;
  esac
done
[[ -n "$out" ]] || refuse "where to? expected --out DIR"
[[ -x "$program" ]] || refuse "no program $program; expected a build, or --program ADAPT"
if [[ -z "$ranks" ]]; then
  for ((number = 1; number <= $(adapt_cores); number *= 2)); do ranks+=" $number"; done
fi
read -ra numbers <<< "$ranks"
for number in "${numbers[@]}"; do
  [[ "$number" =~ ^[1-9][0-9]{0,4}$ ]] || refuse "--ranks has '$number'; expected numbers from 1 to 99999"
done
mkdir -p "$out"
out=$(realpath "$out") program=$(realpath "$program")
settings="--model $model --engine $engine --encoding $encoding --batch $batch"
if [[ -e "$out/settings" && "$(< "$out/settings")" != "$settings" ]]; then
  refuse "$out holds what was measured with $(< "$out/settings"); expected the same, or another --out"
fi
echo "$settings" > "$out/settings"

# Shards: 8, or one for each rank where there are more; in weak scaling 8 of each rank.
measure() { # SCALING RANKS: launches by the words of the array `launch`
  local file="$out/$1_$2.json" images="$batch" shards=$(($2 > 8 ? $2 : 8))
  [[ ! -s "$file" ]] || return 0
  if [[ "$1" == weak ]]; then
    images=$((batch * $2)) shards=$((8 * $2))
  fi
  "${launch[@]}" "$program" bench step --model "$model" --engine "$engine" --encoding "$encoding" --batch "$images" \
    --shards "$shards" --seconds "$seconds" --repeats "$repeats" --json > "$file.part" || return
  mv "$file.part" "$file"
}

measure_both() { # RANKS
  measure strong "$1" && measure weak "$1"
}

if [[ -n "$task" ]]; then # within the job array
  number=${numbers[task]}
  if srun --mpi=list 2>&1 | grep -qw pmix; then
    export SLURM_PMIX_FENCE=tree SRUN_CPUS_PER_TASK="${SLURM_CPUS_PER_TASK:-1}"
    launch=(srun --mpi=pmix --kill-on-bad-exit=1 --ntasks "$number")
  else
    launch=(mpirun --bind-to none -n "$number")
  fi
  measure_both "$number"
  exit
fi

is_queued() { # JOB: also where Slurm does not answer for now; one that it has forgotten is not
  local said
  said=$(squeue --noheader --jobs "$1" 2>&1) || { [[ "$said" != *"Invalid job id"* ]]; return; }
  [[ -n "$said" ]]
}

if [[ -n "$slurm" ]]; then
  read -ra options <<< "$slurm"
  words=("$(realpath "${BASH_SOURCE[0]}")" --out "$out" --program "$program" --ranks "$ranks" --model "$model" --engine "$engine"
    --encoding "$encoding" --batch "$batch" --seconds "$seconds" --repeats "$repeats")
  printf '#!/usr/bin/env bash\nexec %s --task "$SLURM_ARRAY_TASK_ID"\n' "$(printf '%q ' "${words[@]}")" > "$out/measure.sbatch"
  # One task at a time: they would disturb each other.
  job=$(sbatch --parsable --array="0-$((${#numbers[@]} - 1))%1" --output="$out/measure-%a.log" "${options[@]}" "$out/measure.sbatch")
  echo "run: waits for job $job"
  while is_queued "${job%%;*}"; do sleep 2; done
  for ((task = 0; task < ${#numbers[@]}; task++)); do
    [[ -s "$out/weak_${numbers[task]}.json" ]] || {
      echo "run: ${numbers[task]} ranks were not measured; see $out/measure-$task.log" >&2
      exit 1
    }
  done
else
  for number in "${numbers[@]}"; do
    launch=(adapt_mpirun "$number")
    measure_both "$number"
  done
fi
"$ADAPT_ROOT/experiments/scale/page.py" "$out"
