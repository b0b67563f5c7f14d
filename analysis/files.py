"""Writing result files so that nobody ever sees half of one, and reading those of others within a bound."""

import os
import secrets
import stat

from analysis.errors import BadInput

SMALL_FILE = 1 << 20  # bytes: far more than the small files hold that lie beside a run


def make_folder(path):
    """Makes the folder and its parents; BadInput when something else is in the way."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {path}: {error.strerror}; expected a folder that can be made or written") from None


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
    it. OSError when that is not possible."""
    temporary = f"{path}.tmp.{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content.encode("utf-8") if isinstance(content, str) else content)
        os.replace(temporary, path)
    except BaseException:
        os.remove(temporary)
        raise
