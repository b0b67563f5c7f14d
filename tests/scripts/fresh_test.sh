#!/usr/bin/env bash
# Tests of tests/fresh.sh against made-up commands: what it refuses, what it runs where, and that it leaves nothing behind.
# shellcheck disable=SC2016  # the made-up commands own their variables
set -euo pipefail

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"
export TMPDIR="$scratch/temporary" CALLS="$scratch/calls"
mkdir "$TMPDIR" "$scratch/bin"

fake() { # fake NAME BODY: a command that is found first
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$scratch/bin/$1"
  chmod +x "$scratch/bin/$1"
}

failures=0
expect() { # expect WHAT FOUND EXPECTED
  if [[ "$2" != "$3" ]]; then
    printf 'FAILED: %s\n  found:    %s\n  expected: %s\n' "$1" "$2" "$3"
    failures=$((failures + 1))
  fi
}

run() { # run ARGUMENT...: fills $output, $status
  status=0
  output="$(PATH="$scratch/bin:$PATH" "$root/tests/fresh.sh" "$@" 2>&1)" || status=$?
}

run
expect "no suite" "$status|$output" "2|fresh: no suite given; expected bookworm or trixie"
run sid
expect "unknown suite" "$status|$output" "2|fresh: unknown argument 'sid'; expected bookworm or trixie, --package, --mirror URL, --keep"
run trixie --mirror here
expect "no mirror" "$status|$output" \
  "2|fresh: --mirror: expected a URL such as http://deb.debian.org/debian, found 'here'"
fake id 'echo 1000'
run trixie
expect "not root" "$status|$output" \
  "2|fresh: this user is not root, who alone may make a Debian system; expected sudo tests/fresh.sh trixie"
fake id 'echo 0'

# A machine on which every step is made up.
fake unshare 'while [[ "$1" == --* || "$1" == private ]]; do shift; done; exec "$@"'
fake mount 'echo "mount $*" | sed -E "s#$TMPDIR/adapt-fresh[^ ]*/(system|bare)#\U\1#g" >>"$CALLS"'
fake chroot 'echo "chroot $PWD: ${*: -1}" | sed -E "s#$TMPDIR/adapt-fresh.*/(system|bare)#\U\1#" >>"$CALLS"
[[ "${*: -1}" != "$BROKEN" ]] || exit 1
if [[ "${*: -1}" == tests/package/build.sh ]]; then
  cd root/adapt && mkdir -p build/package tests/package && touch build/package/adapt_1_amd64.deb tests/package/try.sh
fi'
fake git 'case "$*" in *" status "*) echo "$CHANGES" ;; *" log "*) echo "abc what was done" ;; esac'
fake debootstrap 'echo "debootstrap $1 $2 $4" >>"$CALLS"; mkdir -p "$3/etc" "$3/root/adapt"; exit "${NO_MIRROR:-0}"'
export BROKEN="" CHANGES=""
summary() { sed -n 's/ in [0-9]* s$//; s/^fresh: trixie: //p' <<<"$output" | tail -n "$1"; }

run trixie --mirror http://mirror/debian
expect "all passes" "$status|$(summary 2)" "0|experiments/quickstart.sh passed
tests/run.sh passed"
mounts="mount --bind SYSTEM SYSTEM
mount -t proc proc proc
mount --rbind /sys sys
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts"
expect "steps" "$(cat "$CALLS")" "debootstrap --variant=minbase trixie http://mirror/debian
$mounts
chroot SYSTEM: experiments/quickstart.sh
$mounts
chroot SYSTEM: tests/run.sh"
expect "left behind" "$(ls "$TMPDIR")" ""

BROKEN=experiments/quickstart.sh run trixie
expect "one fails" "$status|$(summary 2)" "1|experiments/quickstart.sh FAILED with exit code 1
tests/run.sh passed"
CHANGES="?? left" run trixie
expect "a changed clone" "$status|$(summary 1)" "1|the clone was CHANGED: ?? left"
NO_MIRROR=1 run trixie
expect "no debootstrap" "$status|$(tail -n 1 <<<"$output")" "2|fresh: debootstrap failed"
expect "left behind after failures" "$(ls "$TMPDIR")" ""

: >"$CALLS"
run trixie --package
expect "the package passes" "$status|$(summary 2)" "0|tests/package/build.sh passed
./try.sh passed"
expect "what is where" "$(grep '^chroot' "$CALLS")" "chroot SYSTEM: tests/package/build.sh
chroot BARE: ./try.sh"
BROKEN=tests/package/build.sh run trixie --package
expect "no package" "$status|$(summary 1)" "1|tests/package/build.sh FAILED with exit code 1"
BROKEN=./try.sh run trixie --package
expect "a package that does not work" "$status|$(summary 1)" "1|./try.sh FAILED with exit code 1"

run trixie --keep
kept="$(echo "$TMPDIR"/adapt-fresh.trixie.*)"
expect "kept" "$status|$(tail -n 1 <<<"$output")" "0|fresh: kept $kept; look into it with: chroot $kept/system"
rm -r "$kept"

# Interrupted while something runs.
mkfifo "$scratch/started"
fake debootstrap "mkdir -p \"\$3\"; echo \$\$ >'$scratch/started'; exec sleep 1000"
PATH="$scratch/bin:$PATH" "$root/tests/fresh.sh" trixie >/dev/null 2>&1 &
script="$!"
read -r started <"$scratch/started"
kill -TERM "$script"
status=0
wait "$script" || status=$?
timeout 60 tail --pid="$started" -f /dev/null || expect "what ran" "still there" "ended"
expect "interrupted" "$status|$(ls "$TMPDIR")" "143|"

((failures == 0)) || exit 1
echo "all passed"
