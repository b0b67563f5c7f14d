"""Writing result files so that nobody ever sees half of one."""

import os

from analysis.errors import BadInput


def make_folder(path):
    """Makes the folder and its parents; BadInput when something else is in the way."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {path}: {error.strerror}; expected a folder that can be made or written") from None


def write_atomically(path, content):
    """Writes text or bytes to a temporary file beside `path`, then renames it. OSError when that is not possible."""
    temporary = f"{path}.tmp.{os.getpid()}"
    try:
        with open(temporary, "wb") as stream:
            stream.write(content.encode("utf-8") if isinstance(content, str) else content)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise
