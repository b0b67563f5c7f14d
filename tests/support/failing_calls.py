"""Builds failing_calls.c, under which file locks fail and, where that is wanted, opening run.h5, and the clock is wrong."""

import os
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).with_suffix(".c")


def without_locks(folder, open_error=None, clock_offset=0):
    """Environment variables under which every file lock fails with ENOLCK, opening a run.h5 with `open_error`, and the clock
    is ahead of the file system's by `clock_offset` seconds. Builds the library in `folder`."""
    library = os.path.join(folder, "failing_calls.so")
    if not os.path.exists(library):
        subprocess.run(["cc", "-shared", "-fPIC", "-D_FORTIFY_SOURCE=0", "-o", library, SOURCE, "-ldl"], check=True)
    environment = {"LD_PRELOAD": library, "HDF5_USE_FILE_LOCKING": "TRUE"}  # the library's own default, for certain
    environment["ADAPT_TEST_CLOCK_OFFSET"] = str(clock_offset)
    return environment if open_error is None else {**environment, "ADAPT_TEST_OPEN_ERRNO": str(open_error)}
