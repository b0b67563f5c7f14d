"""/switches of run.h5: one row per precision switch, as a group of columns or as one compound dataset."""

import dataclasses
import math

import h5py

from analysis.hdf5_columns import Damage, child, columns, has, require_columns

FORMAT_PARTS = ("word_length", "fractional_length")
FLOAT32 = (32, 0)


@dataclasses.dataclass
class Switch:
    """One precision switch. A format is a pair (word length, fractional length), or None for float32."""

    step: int
    layer: str
    before: tuple | None
    after: tuple | None
    minimal: tuple | None  # smallest format without loss of information; None where the policy has none
    lookback: int
    resolution: int
    diversity: float
    divergence: float
    strategy: str


def read_switches(file):
    """The rows of /switches in `file`; none when there is no such member."""
    if not has(file, "switches"):
        return []
    item = child(file, "switches")
    if isinstance(item, h5py.Group) and not len(item):
        return []
    table = columns(item)
    formats = [f"{which}_{part}" for which in ("before", "after") for part in FORMAT_PARTS]
    require_columns(table, "/switches", ("step", *formats))
    if "layer" not in table:
        raise Damage("no column 'layer' in /switches")
    return [_switch(table, row) for row in range(len(table["step"]))]


def _switch(table, row):
    def value(name, default):
        return table[name][row] if name in table else default

    return Switch(
        step=int(table["step"][row]),
        layer=str(table["layer"][row]),
        before=_format(value, "before"),
        after=_format(value, "after"),
        minimal=_format(value, "minimal"),
        lookback=int(value("lookback", 0)),
        resolution=int(value("resolution", 0)),
        diversity=float(value("diversity", math.nan)),
        divergence=float(value("divergence", math.nan)),
        strategy=str(value("strategy", "")),
    )


def _format(value, which):
    """(word length, fractional length), or None: float32, or for the minimal format that the policy has none."""
    lengths = tuple(int(value(f"{which}_{part}", default)) for part, default in zip(FORMAT_PARTS, FLOAT32))
    return None if lengths == FLOAT32 else lengths
