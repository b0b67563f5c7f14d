"""Writing result files so that nobody ever sees half of one, and reading those of others within a bound."""

import os
import secrets
import stat

from analysis.errors import BadInput

SMALL_FILE = 1 << 20  # bytes: far more than the small files hold that lie beside a run
LARGEST_RUN_FILE = 1 << 31  # bytes of a run.h5


def make_folder(path):
    """Makes the folder that the user names, and its parents; BadInput when something else is in the way. A link that leads to
    a folder is the user's own choice of a place."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {path}: {error.strerror}; expected a folder that can be made or written") from None


def make_folder_within(folder, name):
    """Makes folder/name, perhaps with folders between, and returns its path. BadInput when one of them is a link: none of
    ours is, and nothing is written through one that somebody put in its place."""
    path = folder
    for part in name.split(os.sep):
        path = os.path.join(path, part)
        if os.path.islink(path):
            raise BadInput(f"{path}: a link to {os.readlink(path)}; expected a folder, as nothing is written through links")
    make_folder(path)
    return path


def read_bytes(path, most):
    """The content of a regular file; BadInput when it has more than `most` bytes, before memory is taken for it. OSError when
    it cannot be read."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise BadInput(f"{path}: not a regular file; expected a file")
    if status.st_size > most:
        raise BadInput(f"{path}: {status.st_size} bytes; expected at most {most}")
    with open(path, "rb") as stream:
        return stream.read(most)


def write_atomically(path, content):
    """Writes text or bytes to a temporary file beside `path`, whose name nobody foresees and which is no link, then renames
    it. OSError, which names `path`, when that is not possible."""
    try:
        _write(f"{path}.tmp.{secrets.token_hex(8)}", path, content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def _write(temporary, path, content):
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content.encode("utf-8") if isinstance(content, str) else content)
        os.replace(temporary, path)
    except BaseException:
        os.remove(temporary)
        raise
