"""Builds failing_calls.c, under which file locks fail and, where that is wanted, opening run.h5, and the clock is wrong; and
absent_files.c, under which what was not there is not seen for a while."""

import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent


def built(name, folder):
    """The library of a source beside this file, in `folder`."""
    library = os.path.join(folder, f"{name}.so")
    if not os.path.exists(library):
        subprocess.run(["cc", "-shared", "-fPIC", "-D_FORTIFY_SOURCE=0", "-o", library, HERE / f"{name}.c", "-ldl"], check=True)
    return library


def without_locks(folder, open_error=None, clock_offset=0):
    """Environment variables under which every file lock fails with ENOLCK, opening a run.h5 with `open_error`, and the clock
    is ahead of the file system's by `clock_offset` seconds. Builds the library in `folder`."""
    environment = {"LD_PRELOAD": built("failing_calls", folder), "HDF5_USE_FILE_LOCKING": "TRUE"}  # the library's own default, for certain
    environment["ADAPT_TEST_CLOCK_OFFSET"] = str(clock_offset)
    return environment if open_error is None else {**environment, "ADAPT_TEST_OPEN_ERRNO": str(open_error)}


def remembering_absence(folder, seconds):
    """Environment variables under which each process is a client of a network file system that remembers for `seconds` that a
    file was not there. Builds the library in `folder`."""
    return {"LD_PRELOAD": built("absent_files", folder), "ADAPT_TEST_ABSENCE_SECONDS": str(seconds)}
