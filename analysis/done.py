"""DONE, the file beside a finished run's run.h5: "<SHA-256 of the run.h5>  run.h5". The rule of `adapt`
(src/record/integrity.hpp)."""

import hashlib
import os

from analysis.errors import BadInput
from analysis.files import LARGEST_RUN_FILE, SMALL_FILE, read_bytes


def read_done(folder):
    """The bytes of DONE in a folder, b"" where they cannot be read; None where there is none. To be read before the run.h5
    that it is to vouch for, which is written first."""
    path = os.path.join(folder, "DONE")
    if not os.path.exists(path):
        return None
    try:
        return read_bytes(path, SMALL_FILE)
    except (BadInput, OSError):
        return b""


def vouches(done, content):
    """Whether a DONE names the digest of these bytes of a run.h5."""
    return done is not None and done.startswith(hashlib.sha256(content).hexdigest().encode())


def is_done(folder):
    """Whether the run in a folder is finished: a DONE that was written for another run.h5 does not count."""
    done = read_done(folder)
    try:
        return done is not None and vouches(done, read_bytes(os.path.join(folder, "run.h5"), LARGEST_RUN_FILE))
    except (BadInput, OSError):
        return False
