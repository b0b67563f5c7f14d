#!/usr/bin/env bash
# A private Slurm cluster of several simulated nodes on this machine, to try sweeps and to test them.
#
# usage: slurm/local-cluster.sh start [--nodes N] [--cpus C] [--dir DIR] [--conf LINE]...
#        slurm/local-cluster.sh stop|status|conf [--dir DIR]
#   start        starts munged, slurmctld and N slurmd (default 2) that claim C processors each (default: those of this
#                machine), installs the Debian packages that are missing, and waits until all nodes are idle
#   stop         ends all jobs and daemons; removes the folder
#   status       nodes and jobs; exit code 3 when nothing runs
#   conf         prints the path that SLURM_CONF must hold for sbatch, squeue, scontrol and `adapt sweep --submit`
#   --dir DIR    folder of the cluster, at most 60 characters (default $ADAPT_SLURM_DIR, else /tmp/adapt-slurm.UID)
#   --conf LINE  one more line of slurm.conf, such as MaxArraySize=11
# Partitions: `main`, and `urgent`, whose jobs preempt those of `main` (they are requeued after 10 seconds).
# Works as root and as any user. Nothing outside DIR is written; each node has a host name and a /dev/shm of its own.
# Exit code: 0 done, 1 failed, 2 bad arguments or Slurm cannot be installed, 3 not running, 4 no namespaces for several nodes.
set -euo pipefail

# shellcheck source=experiments/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../experiments/packages.sh"

# What a surrounding job, mpirun or the user's shell has put into the environment is no option of this cluster's programs.
while read -r name; do unset "$name"; done < <(compgen -e |
  grep -E '^(SLURM|SBATCH_|SALLOC_|SRUN_|SQUEUE_|SINFO_|SCONTROL_|SCANCEL_|OMPI_|PMIX_|PRTE_)')

PATH="$PATH:/usr/sbin:/sbin"
SOCKET_LIMIT=60 # characters of the folder: the path of a Unix socket in it may have 107
START_SECONDS=60
STOP_SECONDS=10
FIRST_PORT=17000 LAST_PORT=31000

refuse() {
  echo "local-cluster: $1" >&2
  exit 2
}

fail() { # fail MESSAGE [EXIT-CODE]
  echo "local-cluster: $1" >&2
  stop_cluster keep
  exit "${2:-1}"
}

# Processes of this cluster: they carry its SLURM_CONF. A zombie is none.
is_ours() {
  [[ -r "/proc/$1/environ" ]] && tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" | grep -qxF "SLURM_CONF=$conf"
}

# Process numbers of the daemons, or only of those whose name begins as given.
daemons() {
  local file pid
  for file in "$dir"/run/"${1:-}"*.pid; do
    if [[ -r "$file" ]] && read -r pid <"$file" && is_ours "$pid"; then
      echo "$pid"
    fi
  done
}

# What still runs of jobs: the process trees below slurmstepd.
job_processes() {
  local folder pid next=()
  for folder in /proc/[0-9]*; do
    pid="${folder#/proc/}"
    if [[ "$(cat "$folder/comm" 2>/dev/null)" == slurmstepd* ]] && is_ours "$pid"; then
      next+=("$pid")
    fi
  done
  while ((${#next[@]} > 0)); do
    printf '%s\n' "${next[@]}"
    mapfile -t next < <(for pid in "${next[@]}"; do tr ' ' '\n' 2>/dev/null <"/proc/$pid/task/$pid/children"; done | grep .)
  done
}

# Ends the processes given: politely, and after STOP_SECONDS by force.
end_processes() {
  local pid waited left=("$@")
  ((${#left[@]} > 0)) || return 0
  kill "${left[@]}" 2>/dev/null || true
  for ((waited = 0; waited < 10 * STOP_SECONDS; waited++)); do
    mapfile -t left < <(for pid in "${left[@]}"; do ! is_ours "$pid" || echo "$pid"; done)
    ((${#left[@]} > 0)) || return 0
    sleep 0.1
  done
  kill -KILL "${left[@]}" 2>/dev/null || true
}

port_is_free() {
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# The first of nodes + 1 ports in a row that nobody listens on.
free_ports() {
  local port offset
  for ((port = FIRST_PORT; port < LAST_PORT; port += 100)); do
    for ((offset = 0; offset <= nodes; offset++)); do
      port_is_free "$((port + offset))" || continue 2
    done
    echo "$port"
    return
  done
  return 1
}

write_configuration() {
  local port node memory
  memory="$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)"
  port="$(free_ports)" || fail "no free ports from $FIRST_PORT to $LAST_PORT"
  {
    cat <<CONFIGURATION
ClusterName=adapt
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
CredType=cred/munge
# A requeued job may start again when its old credential has expired: 120 s without this.
AuthInfo=socket=$dir/munge/socket,cred_expire=5
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd-%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd-%n.log
PlugStackConfig=$dir/etc/plugstack.conf
# PMIx puts a folder there whose name is the same on all nodes.
TmpFS=$dir/tmp/%n
MailProg=/bin/true
# A container has neither systemd nor cgroups of its own.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
# The nodes may claim more processors than the machine has.
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
# A preempted job gets the signal that it asked for at the begin of its grace time.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
JobRequeue=1
KillWait=10
MinJobAge=86400
CONFIGURATION
    for ((node = 1; node <= nodes; node++)); do
      echo "NodeName=n$node NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$((port + node)) CPUs=$cpus CoresPerSocket=$cpus RealMemory=$memory"
    done
    echo "PartitionName=main Nodes=ALL Default=YES PriorityTier=1 GraceTime=10 DefaultTime=60 MaxTime=INFINITE"
    echo "PartitionName=urgent Nodes=ALL PriorityTier=2 PreemptMode=OFF DefaultTime=60 MaxTime=INFINITE"
    printf '%s\n' "${extra[@]}"
  } >"$conf"
  : >"$dir/etc/plugstack.conf"
  # Open MPI 4.1 crashes now and then in MPI_Init on several nodes with "mixed", the default.
  echo "PMIxCollFence=tree" >"$dir/etc/mpi.conf"
  {
    echo "127.0.0.1 localhost $(hostname)"
    for ((node = 1; node <= nodes; node++)); do echo "127.0.0.1 n$node"; done
  } >"$dir/etc/hosts"
}

# The command that gives a node host name and mounts of its own; nothing where the kernel allows none.
isolation() {
  local candidate
  for candidate in "unshare --uts --mount" "unshare --user --map-current-user --keep-caps --uts --mount"; do
    # shellcheck disable=SC2086  # several words
    if $candidate sh -c 'hostname isolated && mount -t tmpfs none /dev/shm' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}

start_daemon() {
  env "SLURM_CONF=$conf" "$@" </dev/null >>"$dir/log/start.log" 2>&1
}

# start_apart HOST DAEMON...: the same with this host name, the host names of all nodes, and a /dev/shm of its own, where the
# kernel allows that.
start_apart() {
  local host="$1" isolation
  shift
  isolation="$(isolation)"
  if [[ -z "$isolation" ]]; then
    start_daemon "$@"
    return
  fi
  # shellcheck disable=SC2016,SC2086  # the inner shell's variables; several words
  start_daemon $isolation sh -c 'hostname "$1" && mount --bind "$2" /etc/hosts && mount -t tmpfs -o mode=1777 none /dev/shm &&
    shift 2 && exec "$@"' sh "$host" "$dir/etc/hosts" "$@"
}

start_node() {
  mkdir -p "$dir/spool/$1" "$dir/tmp/$1"
  start_apart "$1" slurmd -N "$1"
}

idle_nodes() {
  SLURM_CONF="$conf" sinfo --noheader --Node --partition=main --states=idle --format=%N 2>/dev/null | wc -l
}

start_cluster() {
  local node waited
  ((${#dir} <= SOCKET_LIMIT)) || refuse "--dir $dir: expected at most $SOCKET_LIMIT characters, for the sockets in it"
  [[ -z "$(daemons)" ]] || refuse "--dir $dir: a cluster runs there already"
  [[ ! -L "$dir" && (! -e "$dir" || (-O "$dir" && -e "$dir/.adapt-slurm")) ]] ||
    refuse "--dir $dir: there is something else; expected a name that is free"
  adapt_install_packages slurmctld slurmd slurm-client munge libpmix-dev
  for node in slurmctld slurmd munged sinfo unshare; do
    command -v "$node" >/dev/null || refuse "$node is not installed; expected the Debian packages slurmctld, slurmd, slurm-client, munge and util-linux"
  done
  rm -rf "$dir"
  mkdir -p "$(dirname "$dir")"
  mkdir "$dir" || fail "--dir $dir: somebody else has just made it"
  mkdir -p "$dir"/{etc,log,munge,run,spool,state,tmp}
  chmod 755 "$dir" "$dir/munge"
  : >"$dir/.adapt-slurm"
  write_configuration
  (umask 077 && head -c 128 /dev/urandom >"$dir/munge/key")
  start_daemon munged --socket="$dir/munge/socket" --key-file="$dir/munge/key" --log-file="$dir/log/munged.log" \
    --pid-file="$dir/run/munged.pid" --seed-file="$dir/munge/seed" || fail "munged does not start: $(tail -n 1 "$dir/log/start.log")"
  [[ "$nodes" == 1 || -n "$(isolation)" ]] || fail "--nodes $nodes: no namespaces to tell nodes apart, as in some containers, and in a chroot whose root is not a mount point; expected --nodes 1" 4
  # It looks up the names of nodes when it tells an srun of a job's end.
  start_apart "$(hostname)" slurmctld || fail "slurmctld does not start: $(tail -n 1 "$dir/log/start.log")"
  for ((node = 1; node <= nodes; node++)); do
    start_node "n$node" || fail "slurmd of n$node does not start: $(tail -n 1 "$dir/log/start.log")"
  done
  for ((waited = 0; waited < 10 * START_SECONDS; waited++)); do
    if (($(idle_nodes) == nodes)); then
      echo "local-cluster: $nodes nodes with $cpus processors each; export SLURM_CONF=$conf"
      return
    fi
    sleep 0.1
  done
  fail "the nodes are not ready after $START_SECONDS seconds: $(tail -n 1 "$dir/log/slurmctld.log")"
}

# stop_cluster [keep]: keep leaves the folder, for its logs.
stop_cluster() {
  local pids waited
  if [[ -n "$(daemons slurmctld)" ]]; then
    SLURM_CONF="$conf" timeout 10 scancel --quiet --full --signal=KILL --user="$(id -un)" 2>/dev/null || true
    SLURM_CONF="$conf" timeout 10 scancel --quiet --user="$(id -un)" 2>/dev/null || true
    for ((waited = 0; waited < 2 * STOP_SECONDS; waited++)); do
      [[ -n "$(SLURM_CONF="$conf" timeout 5 squeue --noheader 2>/dev/null)" ]] || break
      sleep 0.5
    done
  fi
  mapfile -t pids < <(daemons slurm)
  end_processes "${pids[@]}"
  mapfile -t pids < <(job_processes)
  end_processes "${pids[@]}"
  mapfile -t pids < <(daemons munged)
  end_processes "${pids[@]}"
  if [[ "${1:-}" != keep && -e "$dir/.adapt-slurm" ]]; then
    rm -rf "$dir"
  fi
}

show_status() {
  if [[ -z "$(daemons slurmctld)" ]]; then
    echo "local-cluster: nothing runs in $dir"
    exit 3
  fi
  export SLURM_CONF="$conf"
  sinfo --Node --long
  squeue
}

command="${1:-}" nodes=2 cpus="$(nproc)" dir="${ADAPT_SLURM_DIR:-/tmp/adapt-slurm.$UID}" extra=()
shift $(($# > 0 ? 1 : 0))
while (($# > 0)); do
  case "$1" in
    --nodes | --cpus)
      [[ "${2:-}" =~ ^[1-9][0-9]?$ ]] || refuse "$1: expected a whole number from 1 to 99, found '${2:-}'"
      if [[ "$1" == --nodes ]]; then nodes="$2"; else cpus="$2"; fi
      ;;
    --dir)
      [[ "${2:-}" == /* ]] || refuse "--dir: expected an absolute path, found '${2:-}'"
      dir="$2"
      ;;
    --conf) extra+=("${2:?}") ;;
    *) refuse "unknown option '$1'; expected --nodes, --cpus, --dir or --conf" ;;
  esac
  shift 2
done
conf="$dir/etc/slurm.conf"

case "$command" in
  start) start_cluster ;;
  stop) stop_cluster ;;
  status) show_status ;;
  conf) echo "$conf" ;;
  -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" ;;
  *) refuse "expected start, stop, status or conf; --help tells more" ;;
esac
