"""Running trainings as the system sees them: to find their ranks, send them signals and see them end."""

import pathlib
import subprocess
import time

from adapt_program import SLOWNESS, command


def ranks_of(launcher):
    """Process id of each rank that `launcher` (a process id) started."""
    ranks = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            variables = (entry / "environ").read_bytes().split(b"\0") if parent == launcher else []
        except (OSError, IndexError):
            continue  # ended meanwhile
        for variable in variables:
            if variable.startswith(b"OMPI_COMM_WORLD_RANK="):
                ranks[int(variable.split(b"=")[1])] = int(entry.name)
    return ranks


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds):
    end = time.monotonic() + seconds * SLOWNESS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def start(*arguments, ranks=0, stderr=subprocess.DEVNULL):
    """Starts the program in the background. The caller waits for it."""
    return subprocess.Popen(command(*arguments, ranks=ranks), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=stderr, text=True)
