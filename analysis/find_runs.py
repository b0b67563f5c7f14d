"""Finds the runs below a folder of results, by the rule of `adapt sweep` (src/experiment/store.hpp):

 - A folder that is named by an identity (16 hexadecimal digits) is a run's; so is one with a run.h5. Nothing is looked for
   below it. Loose *.h5 elsewhere are logs, too (committed without weights).
 - Links are followed. A link that leads nowhere, or back to a folder that it lies in, is left out with a warning; so is a
   file that has the name of a run's folder.
 - A folder, and a file, counts once: under its own name, else under the first of its links.
 - An identity counts once: of several folders with its name the first finished one, else with run.h5, counts. Finished is
   one whose DONE belongs to its run.h5.
"""

import os
import re

from analysis.done import is_done
from analysis.errors import BadInput, complain

SKIPPED_FOLDERS = ("checkpoints",)
IDENTITY = re.compile("[0-9a-f]{16}")
LOG = "run.h5"


def find_runs(paths):
    """Paths of the run files that `paths` name, each once, sorted within each path: a file itself, or all below a folder.
    BadInput when a path yields none."""
    return find_all(paths)[0]


def find_all(paths):
    """(the same, folders of runs that have no run.h5)."""
    logs, without = [], []
    for path in paths:
        found = _sorted(_below(path, set())) if os.path.isdir(path) else [path]
        here = [_log_of(place) for place in found if _log_of(place)]
        if not here:
            raise BadInput(f"{path}: no run.h5 and no other *.h5 below this folder; expected results of `adapt train`")
        logs += here
        without += [place for place in found if not _log_of(place)]
    kept = _once_by_identity(_once_by_place(logs + without))
    return [log for log in dict.fromkeys(logs) if log in kept], [place for place in without if place in kept]


def _sorted(places):
    return sorted(places, key=lambda place: place.split(os.sep))


def _log_of(place):
    """The log of a run's folder, None where it has none; a loose log itself."""
    if not os.path.isdir(place):
        return place
    log = os.path.join(place, LOG)
    return log if os.path.lexists(log) else None


def _below(folder, visited):
    """Folders of runs and loose logs. `visited`: real paths of the other folders that were looked into."""
    if _is_run(folder):
        yield folder
        return
    visited.add(os.path.realpath(folder))
    with os.scandir(folder) as entries:
        ours_first = sorted(entries, key=lambda entry: (entry.is_symlink(), entry.name))
    for entry in ours_first:
        if entry.is_symlink() and _leads_astray(entry.path, folder):
            continue
        if entry.is_dir():
            if entry.name not in SKIPPED_FOLDERS and (_is_run(entry.path) or os.path.realpath(entry.path) not in visited):
                yield from _below(entry.path, visited)
        elif entry.name.endswith(".h5"):
            yield entry.path
        elif IDENTITY.fullmatch(entry.name):
            complain("warning", f"left out: {entry.path}: not a folder")


def _is_run(folder):
    return bool(IDENTITY.fullmatch(_name(folder))) or os.path.lexists(os.path.join(folder, LOG))


def _name(folder):
    return os.path.basename(os.path.abspath(folder))


def _leads_astray(link, folder):
    """Says so when a link leads nowhere or back."""
    target, place = os.path.realpath(link), os.path.realpath(folder)
    nowhere = not os.path.exists(link)
    if nowhere or os.path.commonpath([target, place]) == target:
        reason = "a link that leads nowhere" if nowhere else "a link that leads back to a folder that it lies in"
        complain("warning", f"left out: {link}: {reason}")
        return True
    return False


def _once_by_place(places):
    """Of the paths that lead to one place, the one with its name that is no link, else one with its name, else the first."""
    chosen = {}
    for place in sorted(places, key=_is_alias):
        chosen.setdefault(os.path.realpath(place), place)
    return list(chosen.values())


def _is_alias(place):
    """Whether a run's folder, or a loose log, has another name here, and whether it is a link."""
    own = _folder_of(place) or place
    return (_name(own) != os.path.basename(os.path.realpath(own)), os.path.islink(own), os.path.islink(place))


def _once_by_identity(places):
    """Without those whose identity another one stands for; says so."""
    copies = {}
    for place in places:
        identity = _name(_folder_of(place) or "")
        copies.setdefault(identity if IDENTITY.fullmatch(identity) else place, []).append(place)
    return {_best(identity, same) for identity, same in copies.items()}


def _best(identity, copies):
    """The copy of a run that stands for all; names the others. One alone is not read."""
    best = min(copies, key=_rank) if len(copies) > 1 else copies[0]
    for place in copies:
        if place != best:
            complain("warning", f"left out: {place}: run {identity} is counted as {best}")
    return best


def _folder_of(place):
    """The run's folder of its run.h5 or of itself; None for a loose log."""
    if os.path.basename(place) == LOG:
        return os.path.dirname(os.path.abspath(place))
    return place if os.path.isdir(place) else None


def _rank(place):
    """Finished runs before others with a log before those without."""
    folder = _folder_of(place)
    return (not (folder and is_done(folder)), os.path.isdir(place))
