"""The line behind the HDF5 bytes of a run.h5: "adapt-run sha256 <digest of all bytes before it>"."""

import hashlib

PREFIX = b"adapt-run sha256 "
MARK = PREFIX[:10]  # enough of it to know a seal that was cut
SEAL_BYTES = len(PREFIX) + 64 + 1


def sealed(body):
    """`body` (the bytes of an HDF5 file) with its seal."""
    return body + PREFIX + hashlib.sha256(body).hexdigest().encode() + b"\n"


def seal_problem(content):
    """What the seal at the end of `content` (bytes of the file) says is wrong, or None: intact, or not sealed."""
    body, seal = content[:-SEAL_BYTES], content[-SEAL_BYTES:]
    if seal.startswith(PREFIX):
        return None if content == sealed(body) else f"the {len(content)} bytes do not have the SHA-256 of the last line"
    return "the last line, a SHA-256, is cut off" if MARK in seal else None
