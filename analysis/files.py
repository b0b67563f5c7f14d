"""Writing result files so that nobody ever sees half of one."""

import os
import secrets

from analysis.errors import BadInput


def make_folder(path):
    """Makes the folder and its parents; BadInput when something else is in the way."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {path}: {error.strerror}; expected a folder that can be made or written") from None


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
