"""Opens the run.h5 of a run: its bytes are read and checked first, then HDF5 gets them as a file in memory, as in `adapt`.

So HDF5 locks no file (flock fails on many network file systems), what was checked is what is read, and an error of the
machine (no permission, no lock, a broken disk, no memory) is told from a damaged file.
"""

import contextlib
import os

import h5py

from analysis.done import read_done, vouches
from analysis.errors import BadInput
from analysis.files import LARGEST_RUN_FILE, read_bytes
from analysis.seal import seal_problem

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
FOREIGN_DONE = ("DONE beside it does not belong to it (it names another SHA-256): it is not the run that was finished, or was "
                "changed since; expected both from one training")  # fmt: skip
INTACT = "expected an unchanged copy of the run.h5 of `adapt train`"


def path_of_run(path):
    """The path of run.h5 for a folder or a file; BadInput when a folder holds none."""
    if not os.path.isdir(path):
        return path
    file_path = os.path.join(path, "run.h5")
    if not os.path.lexists(file_path):
        raise BadInput(f"{path}: no run.h5 in this folder; {_folder_hint(path)}")
    return file_path


@contextlib.contextmanager
def opened(file_path):
    """(h5py.File for reading, whether DONE beside a run.h5 says that the run is finished). BadInput when it is not a regular
    file that can be read and begins as HDF5 does, when its seal is broken, when there is no memory for it, and, after
    all that a reader finds, when DONE does not belong to it."""
    try:
        done = read_done(os.path.dirname(file_path)) if os.path.basename(file_path) == "run.h5" else None
        content = _checked_content(file_path)
        with h5py.File(h5py.h5f.open_file_image(content)) as file:
            yield file, done is not None
        if done is not None and not vouches(done, content):
            raise BadInput(f"{file_path}: {FOREIGN_DONE}")
    except MemoryError:
        raise BadInput(f"{file_path}: cannot be read here: out of memory") from None


def _checked_content(file_path):
    content = _content(file_path)
    start = content[: len(HDF5_SIGNATURE)]
    if start != HDF5_SIGNATURE:
        raise BadInput(
            f"{file_path}: not an HDF5 file (the signature at offset 0 is {start!r}, not {HDF5_SIGNATURE!r}); "
            "expected the run.h5 that `adapt train` writes"
        )
    problem = seal_problem(content)
    if problem:
        raise BadInput(f"{file_path}: damaged: {problem}; {INTACT}")
    return content


def _content(file_path):
    try:
        content = read_bytes(file_path, LARGEST_RUN_FILE)
    except OSError as error:
        raise BadInput(f"{file_path}: cannot be read: {error.strerror}; expected a run folder with run.h5") from None
    if not content:
        raise BadInput(f"{file_path}: empty file; expected the run.h5 that `adapt train` writes")
    return content


def _folder_hint(path):
    inner = sorted(name for name in os.listdir(path) if os.path.exists(os.path.join(path, name, "run.h5")))
    if inner:
        return f"it holds {len(inner)} run folders, pass those (for example {os.path.join(path, inner[0])})"
    return "expected the RUN_DIR of `adapt train`, once it has written its first record"
