"""The size of an exported model: `model.packed` (adapt export --to packed) beside a run.h5, as a share of the same file
with float32 numbers."""

import os
import struct

from analysis.errors import BadInput

MAGIC = b"ADAPTPK1"
NAME = "model.packed"
FLOAT_BITS = 32


def packed_beside(run_path):
    """The path of the packed model of the run whose log is `run_path`, or None where there is none."""
    folder, name = os.path.split(run_path)
    path = os.path.join(folder, NAME if name == "run.h5" else os.path.splitext(name)[0] + ".packed")
    return path if os.path.isfile(path) else None


def share_of_float32(path):
    """Bytes of the packed file over those that it would have in float32. BadInput for what is no such file."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        own, floats = _tensor_bytes(data)
    except (OSError, struct.error) as error:
        raise BadInput(f"{path}: {error}; expected a file of adapt export --to packed") from None
    return len(data) / (len(data) - own + floats)


def _tensor_bytes(data):
    """What the numbers of all tensors take, as they are and in float32; struct.error for no packed file."""
    if not data.startswith(MAGIC):
        raise struct.error(f"does not begin with {MAGIC.decode()}")
    tensors, = struct.unpack_from("<I", data, len(MAGIC))
    place, own, floats = len(MAGIC) + 4, 0, 0
    for _ in range(tensors):
        place += 2 + struct.unpack_from("<H", data, place)[0]
        _, bits, _, rank = struct.unpack_from("<BBhB", data, place)
        elements = 1
        for dim in struct.unpack_from(f"<{rank}I", data, place + 5):
            elements *= dim
        numbers = (elements * bits + 7) // 8
        place += 5 + 4 * rank + numbers
        own += numbers
        floats += elements * FLOAT_BITS // 8
    if place != len(data):
        raise struct.error(f"has {len(data)} bytes, not the {place} that its tensors take")
    return own, floats
