#!/usr/bin/python3
"""strip.py RUN_DIR|run.h5 OUT.h5: a copy of a finished run's log without the weights, small enough to be committed.

The copy is a valid, sealed run.h5 with an empty /model: `adapt info` and all of analysis/ read it. Its root attribute
"stripped" says what was left out, and that the run was finished (no DONE needs to lie beside it). Every row and every
precision switch stays. Only when that does not fit into --limit bytes, wall-clock seconds per step and densities lose
low bits of their mantissa (relative error at most 2^-9).
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules()

import argparse
import io

import h5py
import numpy as np

from analysis.errors import BadInput, run_main
from analysis.files import write_atomically
from analysis.run_file import STRIPPED, read_run
from analysis.seal import sealed

LIMIT = 1_000_000  # bytes
KEPT_MANTISSA_BITS = 8
WITHOUT_WEIGHTS = "weights left out"
ROUNDED = f"seconds per step and densities rounded to {KEPT_MANTISSA_BITS} bits of mantissa"


def arguments():
    """The parsed command line."""
    parser = argparse.ArgumentParser(description="Copies the log of a finished run without its weights.")
    parser.add_argument("run", metavar="RUN_DIR", help="folder of a finished run (or its run.h5)")
    parser.add_argument("out", metavar="OUT.h5", help="the copy")
    parser.add_argument("--limit", metavar="BYTES", type=int, default=LIMIT, help=f"largest copy (default {LIMIT})")
    return parser.parse_args()


def stripped_copy(path, limit):
    """Bytes of a copy of the run.h5 at `path`, at most `limit` of them: without weights, and if that is not enough,
    with rounded seconds and densities. BadInput when even that is too large."""
    for keeps, done in ((None, WITHOUT_WEIGHTS), (KEPT_MANTISSA_BITS, f"{WITHOUT_WEIGHTS}; {ROUNDED}")):
        content = sealed(_copy(path, keeps, done))
        if len(content) <= limit:
            return content
    raise BadInput(
        f"{path}: {len(content)} bytes even without weights and with rounded times, expected at most {limit}; "
        "train with a larger record.layer_interval, or raise --limit"
    )


def _copy(path, mantissa_bits, done):
    """The HDF5 bytes of the copy. `mantissa_bits` None: nothing is rounded."""
    image = io.BytesIO()
    with h5py.File(path, "r") as source, h5py.File(image, "w", libver="latest") as target:
        _copy_attributes(source, target)
        target.attrs[STRIPPED] = done
        for name in source:
            if name == "model":
                _copy_attributes(source[name], target.create_group(name))
            else:
                _copy_item(source, target, name, mantissa_bits)
    return image.getvalue()


def _copy_item(source, target, name, mantissa_bits):
    """Copies a group with all that is in it, or a dataset."""
    item = source[name]
    if isinstance(item, h5py.Group):
        group = target.create_group(name, track_order=True)
        _copy_attributes(item, group)
        for child in item:
            _copy_item(item, group, child, mantissa_bits)
    elif item.ndim == 1 and len(item):
        _copy_attributes(item, _copy_series(item, target, name, mantissa_bits))
    else:
        source.copy(item, target, name)


def _copy_series(item, target, name, mantissa_bits):
    """A series as one chunk of its length: the fewest bytes that HDF5 can index it with."""
    values = item[()]
    rounds = name.startswith("seconds_") or name == "density"
    if mantissa_bits is not None and rounds and values.dtype.kind == "f":
        values = _rounded(values.astype(np.float32), mantissa_bits)
    return target.create_dataset(name, data=values, chunks=values.shape, compression="gzip", compression_opts=9,
                                 shuffle=True)


def _rounded(values, mantissa_bits):
    """float32 `values` with all but `mantissa_bits` (of 23) of the mantissa zero, to nearest; 1 stays 1."""
    dropped = 23 - mantissa_bits
    bits = values.view(np.uint32)
    half = np.uint32(1 << (dropped - 1))
    rounded = (((bits + half) >> np.uint32(dropped)) << np.uint32(dropped)).view(np.float32)
    return np.where(np.isfinite(values), rounded, values)


def _copy_attributes(source, target):
    """Attributes with the types that they have."""
    for name in source.attrs:
        identifier = source.attrs.get_id(name)
        target.attrs.create(name, source.attrs[name], shape=identifier.shape, dtype=identifier.dtype)


def main():
    """Reads the run as every script does first, so that a damaged or unfinished one is refused."""
    options = arguments()
    run = read_run(options.run)
    if not run.done:
        raise BadInput(f"{run.path}: the run is not finished (no DONE beside it); expected a finished run")
    content = stripped_copy(run.path, options.limit)
    write_atomically(options.out, content)
    read_run(options.out)
    print(f"{options.out}: {len(content)} bytes")
    return 0


if __name__ == "__main__":
    run_main(main)
