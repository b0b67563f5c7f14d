"""Finds the logs below a folder of results."""

import os

from analysis.errors import BadInput

SKIPPED_FOLDERS = ("checkpoints",)


def find_runs(paths):
    """Paths of the run files that `paths` name, each once, sorted within each path: a file itself, a folder with run.h5
    that one, any other folder all run.h5 and loose *.h5 (logs committed without weights) below it. BadInput when a path
    yields none."""
    found = []
    for path in paths:
        files = _below(path) if os.path.isdir(path) else [path]
        if not files:
            raise BadInput(f"{path}: no run.h5 and no other *.h5 below this folder; expected results of `adapt train`")
        found += files
    by_place = {os.path.realpath(file): file for file in reversed(found)}
    return list(reversed(by_place.values()))


def _below(folder):
    files = []
    for place, inner, names in os.walk(folder):
        if "run.h5" in names:
            files.append(os.path.join(place, "run.h5"))
            inner.clear()
        else:
            inner[:] = sorted(name for name in inner if name not in SKIPPED_FOLDERS)
            files += [os.path.join(place, name) for name in sorted(names) if name.endswith(".h5")]
    return files
