"""Writing result files so that nobody ever sees half of one."""

import os


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
