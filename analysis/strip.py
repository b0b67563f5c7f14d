#!/usr/bin/python3
"""strip.py RUN_DIR|run.h5 OUT.h5: a copy of a finished run's log without the weights, small enough to be committed.

The copy is a valid, sealed run.h5 with empty /model and /best_model: `adapt info` and all of analysis/ read it. Its root
attribute "stripped" says what was left out, and that the run was finished (no DONE needs to lie beside it). Where the
machine has its data and programs is left out, too: data.path is empty, and the command line names files only. Every precision
switch and every row stay. Only when that does not fit into --limit bytes, wall-clock seconds per step and measured shares
(density, dead channels, what rounding loses) lose low bits of their mantissa (relative error at most 2^-9); only when that
is not enough, neighbouring rows of a layer that differ in these alone become one, with their means: the cost model sums up
to the same.
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules()

import io
import os
import re

import h5py
import numpy as np

from analysis.errors import BadInput, Parser, run_main
from analysis.files import write_atomically
from analysis.hdf5_columns import child
from analysis.hdf5_file import opened
from analysis.printable import one_line, say
from analysis.run_file import STRIPPED, call_for_file, read_run
from analysis.seal import sealed

LIMIT = 1_000_000  # bytes
KEPT_MANTISSA_BITS = 8
MERGED_ROWS = 10  # at most
MEASURED = re.compile(r"density|dead_channels|.*_(?:zeroed|saturated|divergence)")  # columns of a layer; means will do
COMMAND_LINE = "command_line"
FOLDERS = re.compile(r"(?<![^\s='\"])/(?:[^\s/'\"]+/)+")  # before a file's name
DATA_PATH = re.compile(rb"(?m)^(  path: ).*$")  # only data: has it
WEIGHTS = "weights"
WEIGHTS_FOLDER = re.compile(rb'(?m)^(  weights: "?)[^"\n]*/')  # only model: has it; the file's name stays
WITHOUT_WEIGHTS = "weights left out"
ROUNDED = f"{WITHOUT_WEIGHTS}; seconds per step and measured shares rounded to {KEPT_MANTISSA_BITS} bits of mantissa"
MERGED = f"{ROUNDED}; up to {MERGED_ROWS} rows of a layer that differ in measured shares alone merged"


def arguments():
    """The parsed command line."""
    parser = Parser(description="Copies the log of a finished run without its weights.")
    parser.add_argument("run", metavar="RUN_DIR", help="folder of a finished run (or its run.h5)")
    parser.add_argument("out", metavar="OUT.h5", help="the copy")
    parser.add_argument("--limit", metavar="BYTES", type=int, default=LIMIT, help=f"largest copy (default {LIMIT})")
    return parser.parse_args()


def stripped_copy(path, limit):
    """Bytes of a copy of the run.h5 at `path`, at most `limit` of them: the first of the three described above that is
    small enough. BadInput when none is."""
    for losses in (WITHOUT_WEIGHTS, ROUNDED, MERGED):
        content = sealed(call_for_file(_copy, (path, losses), path))
        if len(content) <= limit:
            return content
    raise BadInput(
        f"{path}: {len(content)} bytes even with rounded times and merged rows, expected at most {limit}; "
        "train with a larger record.layer_interval, or raise --limit"
    )


def _copy(argument):
    """The HDF5 bytes of the copy; `argument` is (path, losses). Runs in a child process."""
    path, losses = argument
    image = io.BytesIO()
    with opened(path) as (source, _), h5py.File(image, "w", libver="latest") as target:
        _copy_attributes(source, target)
        target.attrs[STRIPPED] = losses
        for name in source:
            if name in ("model", "best_model"):
                _copy_attributes(child(source, name), target.create_group(name))
            else:
                _copy_item(source, target, name, losses)
    return image.getvalue()


def _copy_item(source, target, name, losses):
    """Copies a group with all that is in it, or a dataset."""
    item = child(source, name)
    if isinstance(item, h5py.Dataset):
        _copy_dataset(item, target, name, item[()], losses)
        return
    group = target.create_group(name, track_order=True)
    _copy_attributes(item, group)
    if source.name == "/layers" and losses == MERGED:
        columns = {column: child(item, column) for column in item}
        for column, values in merged_rows({column: columns[column][()] for column in item}).items():
            _copy_dataset(columns[column], group, column, values, losses)
        return
    for inner in item:
        _copy_item(item, group, inner, losses)


def _copy_dataset(item, target, name, values, losses):
    """Stores `values` as dataset `name`, with the attributes of `item`. A series becomes one chunk of its length: the
    fewest bytes that HDF5 can index it with."""
    if item.name == "/config":
        text = WEIGHTS_FOLDER.sub(rb"\1", DATA_PATH.sub(b'\\1""', values))
        _copy_attributes(item, target.create_dataset(name, data=text, dtype=h5py.string_dtype("utf-8", len(text))))
        return
    if item.ndim != 1 or not len(values):
        item.parent.copy(item, target, name)
        return
    if losses != WITHOUT_WEIGHTS and (name.startswith("seconds_") or MEASURED.fullmatch(name)) and values.dtype.kind == "f":
        values = rounded(values.astype(np.float32))
    dataset = target.create_dataset(name, data=values, chunks=values.shape, compression="gzip", compression_opts=9,
                                    shuffle=True)
    _copy_attributes(item, dataset)


def merged_rows(series):
    """The rows of a layer (column -> array) with up to MERGED_ROWS neighbours that differ in step and measured shares
    alone made one: the last of them, with the means of these over the steps that they stand for. The last row of all
    stays as it is."""
    rows = len(series["step"])
    if rows < 2 or "density" not in series:
        return series
    measured = [name for name in series if MEASURED.fullmatch(name)]
    differs = np.zeros(rows - 1, dtype=bool)
    for name, values in series.items():
        if name != "step" and name not in measured:
            differs |= values[1:] != values[:-1]
    ends, length = [], 0
    for row in range(rows - 1):
        length += 1
        if differs[row] or length == MERGED_ROWS or row == rows - 2:
            ends.append(row)
            length = 0
    ends.append(rows - 1)
    durations = np.diff(series["step"], prepend=0).astype(np.float64)
    starts = np.concatenate(([0], np.array(ends[:-1]) + 1))
    merged = {name: values[ends] for name, values in series.items()}
    for name in measured:
        means = np.add.reduceat(durations * series[name], starts) / np.add.reduceat(durations, starts)
        merged[name] = means.astype(series[name].dtype)
    return merged


def rounded(values):
    """float32 `values` with all but KEPT_MANTISSA_BITS (of 23) of the mantissa zero, to nearest; 1 stays 1."""
    dropped = 23 - KEPT_MANTISSA_BITS
    bits = values.view(np.uint32)
    half = np.uint32(1 << (dropped - 1))
    kept = (((bits + half) >> np.uint32(dropped)) << np.uint32(dropped)).view(np.float32)
    return np.where(np.isfinite(values), kept, values)


def _copy_attributes(source, target):
    """Attributes with the types that they have."""
    for name in source.attrs:
        identifier = source.attrs.get_id(name)
        value = source.attrs[name]
        if name == COMMAND_LINE:  # not afterwards, which would leave it in the file's bytes
            value = FOLDERS.sub("", value)
        elif name == WEIGHTS:
            value = os.path.basename(value)
        target.attrs.create(name, value, shape=identifier.shape, dtype=identifier.dtype)


def main():
    """Reads the run as every script does first, so that a damaged or unfinished one is refused."""
    options = arguments()
    run = read_run(options.run)
    if not run.done:
        raise BadInput(f"{run.path}: the run is not finished (no DONE beside it); expected a finished run")
    content = stripped_copy(run.path, options.limit)
    write_atomically(options.out, content)
    read_run(options.out)
    say(f"{one_line(options.out)}: {len(content)} bytes")
    return 0


if __name__ == "__main__":
    from analysis.strip import main  # under the name that the process which reads files finds it by

    run_main(main)
