"""Programs called sbatch, squeue and scontrol that answer as Slurm does, for tests without a cluster. What sbatch gets is
kept in the folder; squeue prints the file `queue` there."""

import os

SCRIPTS = {
    "sbatch": """\
#!/bin/sh
cd "$FAKE_SLURM" || exit 1
[ ! -e refuse ] || { cat refuse >&2; exit 1; }
printf '%s\\n' "$@" >arguments
cp "$2" script
echo 4711
""",
    "squeue": """\
#!/bin/sh
cat "$FAKE_SLURM/queue" 2>/dev/null || { echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1; }
""",
    "scontrol": """\
#!/bin/sh
echo 'MaxArraySize            = 4'
""",
}


def install(folder):
    """Writes the programs; returns the environment in which they are found."""
    folder.mkdir()
    for name, text in SCRIPTS.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "FAKE_SLURM": str(folder)}
