"""/switches of run.h5: one row per precision switch, as a group of columns or as one compound dataset."""

import dataclasses
import math

import h5py

from analysis.hdf5_columns import Damage, columns, require_columns


@dataclasses.dataclass
class Switch:
    """One precision switch. A format is a pair (word length, fractional length) or None where the log has none."""

    step: int
    layer: str
    before: tuple | None
    after: tuple | None
    minimal: tuple | None  # smallest format without loss of information
    lookback: int
    resolution: int
    diversity: float
    divergence: float
    strategy: str


def read_switches(file, layer_names):
    """The rows of /switches in `file`; none when there is no such member. The column `layer` may hold names or
    indices into `layer_names`."""
    if "switches" not in file:
        return []
    item = file["switches"]
    if isinstance(item, h5py.Group) and not len(item):
        return []
    table = columns(item)
    require_columns(table, "/switches", ("step",))
    if "layer" not in table:
        raise Damage("no column 'layer' in /switches")
    return [_switch(table, row, layer_names) for row in range(len(table["step"]))]


def _switch(table, row, layer_names):
    def number(name, default):
        return table[name][row] if name in table else default

    return Switch(
        step=int(table["step"][row]),
        layer=_layer_name(table["layer"][row], layer_names),
        before=_format(table, "before", row),
        after=_format(table, "after", row),
        minimal=_format(table, "minimal", row),
        lookback=int(number("lookback", 0)),
        resolution=int(number("resolution", 0)),
        diversity=float(number("diversity", math.nan)),
        divergence=float(number("divergence", math.nan)),
        strategy=str(number("strategy", "")),
    )


def _layer_name(value, layer_names):
    if isinstance(value, str):
        return value
    if not 0 <= value < len(layer_names):
        raise Damage(f"/switches names layer {value} of {len(layer_names)}")
    return layer_names[value]


def _format(table, which, row):
    """(word length, fractional length) of the columns whose names say so ("before_word_length", "wl_before", ...);
    None when they are absent or hold no word length."""
    lengths = []
    for marks in (("word", "wl"), ("frac", "fl")):
        names = [name for name in table if which in name and any(mark in name for mark in marks)]
        if not names:
            return None
        lengths.append(int(table[names[0]][row]))
    return tuple(lengths) if lengths[0] > 0 else None
