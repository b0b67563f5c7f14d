#!/usr/bin/env bash
# What a newcomer meets: an empty Debian in a temporary folder, a clone of this repository's HEAD, and in it both commands
# of the README, experiments/quickstart.sh and tests/run.sh. Or, with --package, what a user of the Debian package meets: it
# is built there, and installed in another empty Debian that has no source tree (tests/package/).
#
# usage: tests/fresh.sh bookworm|trixie [--package] [--mirror URL] [--keep]
#   --mirror URL  where Debian's packages come from (default $ADAPT_DEBIAN_MIRROR, else http://deb.debian.org/debian)
#   --keep        leaves the folder, to look into; else it is removed whatever happens
# Needs root, debootstrap, a network, and 6 GB in $TMPDIR (default /var/tmp). Takes half an hour on two cores.
# All that is mounted and started is in namespaces that end with this script.
# Exit code: 0 both commands passed, 1 one failed, 2 bad arguments or something is missing here.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"

refuse() {
  echo "fresh: $1" >&2
  exit 2
}

suite="" mirror="${ADAPT_DEBIAN_MIRROR:-http://deb.debian.org/debian}" package=no keep=no
while (($# > 0)); do
  case "$1" in
    -h | --help)
      sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    bookworm | trixie) suite="$1" ;;
    --package) package=yes ;;
    --keep) keep=yes ;;
    --mirror)
      [[ "${2:-}" == *:/* ]] || refuse "--mirror: expected a URL such as http://deb.debian.org/debian, found '${2:-}'"
      mirror="$2"
      shift
      ;;
    *) refuse "unknown argument '$1'; expected bookworm or trixie, --package, --mirror URL, --keep" ;;
  esac
  shift
done
[[ -n "$suite" ]] || refuse "no suite given; expected bookworm or trixie"
[[ "$(id -u)" == 0 ]] || refuse "this user is not root, who alone may make a Debian system; expected sudo tests/fresh.sh $suite"
PATH="$PATH:/usr/sbin:/sbin"
for program in debootstrap unshare git; do
  command -v "$program" >/dev/null || refuse "$program is missing; expected the Debian packages debootstrap, util-linux and git"
done

folder="$(mktemp -d "${TMPDIR:-/var/tmp}/adapt-fresh.$suite.XXXXXX")"
system="$folder/system"
child=""
# shellcheck disable=SC2317  # called by the trap
leave() {
  trap '' INT TERM HUP
  if [[ -n "$child" ]]; then
    kill -KILL -- "-$child" 2>/dev/null || true # the first process of the namespaces, and with it all others
    wait "$child" 2>/dev/null || true
  fi
  if [[ "$keep" == yes ]]; then
    echo "fresh: kept $folder; look into it with: chroot $system"
  else
    # What has been killed may still be on its way out.
    rm -rf --one-file-system "$folder" 2>/dev/null || { sleep 2 && rm -rf --one-file-system "$folder"; }
  fi
}
trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs a command with mounts and processes of its own, in a process group of its own, so that it can be ended at any time.
apart() {
  local status=0
  set -m
  unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$@" </dev/null &
  set +m
  child="$!"
  wait "$child" || status=$?
  child=""
  return "$status"
}

# Within the new system, where nothing of this one's environment is known but the way to the network.
# shellcheck disable=SC2016  # the inner shell's variables
in_system='mount --bind "$0" "$0" && cd "$0" && # a root that is a mount point allows namespaces inside
  mount -t proc proc proc && mount --rbind /sys sys && mount -t tmpfs -o mode=1777 shm dev/shm &&
  mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts &&
  exec chroot . /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
    ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} \
    sh -c "cd /root/adapt && exec \"\$0\"" "$1"'

say() { echo "fresh: $suite: $1"; }

failures=0
try() { # try SYSTEM SCRIPT
  local start="$SECONDS" outcome=passed
  say "$2"
  apart bash -c "$in_system" "$1" "$2" || outcome="FAILED with exit code $?"
  [[ "$outcome" == passed ]] || failures=$((failures + 1))
  summary+=("$2 $outcome in $((SECONDS - start)) s")
}

empty_system() { # empty_system FOLDER
  say "an empty system in $1, from $mirror"
  apart debootstrap --variant=minbase "$suite" "$1" "$mirror" >"$folder/debootstrap.log" 2>&1 || {
    tail -n 20 "$folder/debootstrap.log" >&2
    refuse "debootstrap failed"
  }
  mkdir -p "$1/dev/shm" "$1/dev/pts"
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$(hostname)" >"$1/etc/hosts"
  [[ ! -e /etc/resolv.conf ]] || cp -L /etc/resolv.conf "$1/etc/resolv.conf"
}

empty_system "$system"
# By way of a file: the repository may belong to somebody else.
git -C "$ROOT" -c "safe.directory=$ROOT" bundle create --quiet "$folder/adapt.bundle" HEAD
git clone --quiet "$folder/adapt.bundle" "$system/root/adapt"
say "commit $(git -C "$system/root/adapt" log -1 --format='%h %s')"

summary=()
if [[ "$package" == yes ]]; then
  try "$system" tests/package/build.sh
  if ((failures == 0)); then
    bare="$folder/bare"
    empty_system "$bare"
    mkdir -p "$bare/root/adapt"
    cp "$system"/root/adapt/build/package/adapt_*.deb "$system/root/adapt/tests/package/try.sh" "$bare/root/adapt/"
    try "$bare" ./try.sh
  fi
else
  try "$system" experiments/quickstart.sh
  try "$system" tests/run.sh
fi
changes="$(git -C "$system/root/adapt" status --porcelain)"
if [[ -n "$changes" ]]; then
  failures=$((failures + 1))
  summary+=("the clone was CHANGED: ${changes//$'\n'/, }")
fi
for line in "${summary[@]}"; do say "$line"; done
exit "$((failures > 0))"
