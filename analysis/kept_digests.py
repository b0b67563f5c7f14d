"""Digests that a large store keeps of its runs, in STORE/digests.json: all else that compares 10,000 runs takes less time
than reading them.

A digest holds as long as each file that it was read from has the number, size and times that it had before it was read, and
as those times were in the past then. So none is believed of a run that was replaced, copied, edited or finished since. A
store that cannot be written is read all the same, as is one whose digests.json is damaged or not ours.
"""

import contextlib
import json
import os
import time

import numpy as np

from analysis.digest import STATES, Digest, read_digests
from analysis.errors import BadInput, complain
from analysis.files import read_bytes, write_atomically
from analysis.find_runs import IDENTITY, LOG
from analysis.hdf5_columns import Damage
from analysis.run_file import check_epochs

NAME = "digests.json"
VERSION = 2  # rises when digests hold something else, or runs are read in another way
WORTHWHILE = 200  # runs of a store; fewer are read in less than a second
LARGEST = 1 << 28  # bytes of the file; 10,000 runs of 20 epochs take 55 MB
READ_FROM = (LOG, "DONE", "FAILED", "rungs")  # files of a run's folder
CLOCK_TICK = 2_000_000_000  # ns within which a file can change twice and keep its time
PLAIN = ("state", "configuration", "provenance", "last_step", "summary")  # members of a digest that JSON knows
COLUMN_TYPES = {"i": np.int64, "f": np.float64, "O": object}  # by dtype.kind


def read_kept_digests(paths):
    """read_digests(paths) that takes what large stores keep of their runs, and keeps there what it had to read."""
    stores = [_Store(*pair) for pair in _stores(paths).items() if len(pair[1]) >= WORTHWHILE]
    found = {path: digest for store in stores for path, digest in store.digests.items()}
    digests, problems = read_digests([path for path in paths if path not in found])
    found |= {digest.path: digest for digest in digests}
    for store in stores:
        store.keep(digests)
    return [found[path] for path in paths if path in found], problems


def _stores(paths):
    """{store: {identity: path}} of the runs that lie in a folder of their identity."""
    stores = {}
    for path in paths:
        folder, name = os.path.split(os.path.abspath(path))
        store, identity = os.path.split(folder)
        if name == LOG and IDENTITY.fullmatch(identity):
            stores.setdefault(store, {})[identity] = path
    return stores


class _Store:
    """What a store keeps of some of its runs."""

    def __init__(self, folder, paths):
        self._file = os.path.join(folder, NAME)
        self._stamps = {path: _stamp(os.path.dirname(path)) for path in paths.values()}  # before anything is read
        self._entries = _entries(self._file)  # identity -> JSON
        known = {path: _digest(self._entries.get(name), name, path, self._stamps[path]) for name, path in paths.items()}
        self.digests = {path: digest for path, digest in known.items() if digest}  # path -> Digest: those that hold

    def keep(self, digests):
        """Adds those of `digests` that are of this store, where it can be written."""
        new = {digest.name: _entry(digest, self._stamps[digest.path]) for digest in digests if self._stamps.get(digest.path)}
        if not new:
            return
        folder = os.path.dirname(self._file)
        old = {name: entry for name, entry in self._entries.items() if os.path.lexists(os.path.join(folder, name))}
        text = json.dumps({"version": VERSION, "runs": old | new}, separators=(",", ":"))
        if len(text) > LARGEST:
            complain(f"{self._file}: {len(text)} bytes would be more than the {LARGEST} that are read; all runs are read each time")
            return
        with contextlib.suppress(OSError):
            write_atomically(self._file, text)


def _stamp(folder):
    """[number, size, time of change, time of change of the file's record] of each of READ_FROM, None for one that is not
    there; None instead of all when one is so young that the next change may not show."""
    stamp, youngest = [], time.time_ns() - CLOCK_TICK
    for name in READ_FROM:
        try:
            status = os.stat(os.path.join(folder, name))
        except OSError:
            stamp.append(None)
            continue
        if max(status.st_mtime_ns, status.st_ctime_ns) > youngest:
            return None
        stamp.append([status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns])
    return stamp


def _entries(path):
    try:
        kept = json.loads(read_bytes(path, LARGEST))
        runs = kept["runs"] if kept["version"] == VERSION else {}
        return {name: entry for name, entry in runs.items() if IDENTITY.fullmatch(name)}
    except (BadInput, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _entry(digest, stamp):
    epochs = {name: [column.dtype.kind, column.tolist()] for name, column in digest.epochs.items()}
    return {"stamp": stamp, "epochs": epochs} | {name: getattr(digest, name) for name in PLAIN}


def _digest(entry, name, path, stamp):
    """The Digest that an entry says; None where there is none, where the files are others by now, and where it says nonsense."""
    try:
        if stamp is None or entry is None or entry["stamp"] != stamp:
            return None
        epochs = {name: np.array(values, COLUMN_TYPES[kind]) for name, (kind, values) in entry["epochs"].items()}
        digest = Digest(path, name, epochs=epochs, **{member: entry[member] for member in PLAIN})
        check_epochs(epochs)
    except (Damage, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None
    return digest if _is_sound(digest) else None


def _is_sound(digest):
    """Whether members have the types that Digest names."""
    return (digest.state in STATES and type(digest.last_step) is int
            and _holds(digest.configuration, str) and _holds(digest.provenance, str) and _holds(digest.summary, float)
            and {column.shape for column in digest.epochs.values()} == {digest.epochs["epoch"].shape[:1]})  # fmt: skip


def _holds(mapping, kind):
    return isinstance(mapping, dict) and {type(value) for value in mapping.values()} <= {kind}
