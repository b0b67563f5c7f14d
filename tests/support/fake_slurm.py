"""Programs called sbatch, squeue, sinfo and scontrol that answer as Slurm does, for tests without a cluster. What sbatch gets
is kept in the folder: arguments, script, environment; test_only: the arguments of `sbatch --test-only`. squeue prints the file
`queue` there (`named` when it is asked for a job by name), or ends with what `silent` says. sinfo knows nodes of 64000 MB.
scontrol prints the file `job`, fails as often as `failures` says, and keeps what it was asked in `asked`."""

import os

SCRIPTS = {
    "sbatch": """\
#!/bin/sh
env >"$FAKE_SLURM/environment"
cd "$FAKE_SLURM" || exit 1
kept=arguments
for word in "$@"; do [ "$word" != --test-only ] || kept=test_only; done
printf '%s\\n' "$@" >"$kept"
[ ! -e refuse ] || { cat refuse >&2; exit 1; }
[ "$kept" = arguments ] || { echo 'sbatch: Job 4712 to start at 2000-01-01T00:00:00' >&2; exit 0; }
for word in "$@"; do
  case "$word" in -*) ;; *) cp "$word" script; break ;; esac
done
echo 4711
""",
    "squeue": """\
#!/bin/sh
env >"$FAKE_SLURM/environment"
[ ! -e "$FAKE_SLURM/silent" ] || { cat "$FAKE_SLURM/silent" >&2; exit 1; }
case "$*" in *--jobs=*) ;; *) cat "$FAKE_SLURM/named" 2>/dev/null; exit 0 ;; esac
cat "$FAKE_SLURM/queue" 2>/dev/null || { echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1; }
""",
    "sinfo": """\
#!/bin/sh
echo 64000
""",
    "scontrol": """\
#!/bin/sh
cd "$FAKE_SLURM" || exit 1
printf '%s\\n' "$*" >>asked
left="$(cat failures 2>/dev/null || echo 0)"
if [ "$left" -gt 0 ]; then
  echo "$((left - 1))" >failures
  echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2
  exit 1
fi
case "$*" in
  *'show config'*) echo 'MaxArraySize            = 4' ;;
  *'show job'*) cat job ;;
esac
""",
}


def install(folder):
    """Writes the programs; returns the environment in which they are found."""
    folder.mkdir()
    for name, text in SCRIPTS.items():
        add_program(folder, name, text)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "FAKE_SLURM": str(folder)}


def add_program(folder, name, text):
    """One more."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
