#!/usr/bin/python3
"""Reads and checks run.h5, the log of one training run.

As a script, `run_file.py RUN_DIR...` prints one line per run; a file that cannot be used gets one line on stderr
with the reason, and exit code 2.
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules()

import dataclasses
import os
import sys

import h5py
import numpy as np

from analysis.errors import BadInput, run_main
from analysis.hdf5_columns import (
    Damage,
    attribute,
    columns,
    has,
    member,
    read_configuration,
    require_columns,
    text_of,
)
from analysis.hdf5_file import INTACT, opened, path_of_run
from analysis.isolate import call_isolated
from analysis.printable import one_line, say
from analysis.switches import read_switches

FORMAT_NAME = "adapt-run"
FORMAT_VERSION = 1  # the newest layout that this reader knows
READ_SECONDS = 30  # a sound file of a long run takes one or two
FLOAT_BITS = 32
OWN_DATA = ("arrays", "png_folder")  # names of any images: what tells them from each other is what was read, "arrays:1a2b3c4d"
DIGITS = 8
LOWEST_FRACTIONAL_LENGTH, HIGHEST_FRACTIONAL_LENGTH = -96, 126  # as adapt computes with
STRIPPED = "stripped"  # root attribute of a copy that strip.py made of a finished run


@dataclasses.dataclass
class Layer:
    """A quantized layer: its size, and one row per logged step."""

    name: str
    madds: int  # multiply-adds of one sample, forward
    parameters: int  # weights, bias excluded
    series: dict  # column name -> array (rows,)

    @property
    def is_float32(self):
        """Per row: float32 instead of a fixed-point format; bool (rows,). Told by the column of that name, by word
        length 32 and fractional length 0 in a log without it."""
        if "is_float32" in self.series:
            return self.series["is_float32"] == 1
        return (self.series["word_length"] == FLOAT_BITS) & (self.series["fractional_length"] == 0)

    @property
    def density(self):
        """Per row: share of non-zero weights; 1 where the layer is float32, which stores them all. float64 (rows,)."""
        return np.where(self.is_float32, 1.0, self.series["density"])

    @property
    def durations(self):
        """For how many steps each row stands: those after the row before, up to its own. float64 (rows,)."""
        return np.diff(np.concatenate(([0], self.series["step"]))).astype(np.float64)


@dataclasses.dataclass
class ModelTensor:
    """A tensor of the final model; `word_length` is None for float32."""

    name: str
    dims: tuple
    word_length: int | None
    fractional_length: int | None
    density: float  # share of values that are not zero


@dataclasses.dataclass
class Run:
    """All that run.h5 holds, weights reduced to their sizes and densities."""

    path: str  # of run.h5
    name: str  # of the run's folder; of the file where that is not run.h5
    done: bool  # DONE lies beside it and names its digest, or it is a stripped copy
    configuration_text: str
    configuration: dict  # flat: "training.batch" -> "256"
    provenance: dict  # name -> text
    steps: dict  # column name -> array
    epochs: dict
    layers: list  # of Layer, in the model's order
    switches: list  # of analysis.switches.Switch
    model: list  # of ModelTensor
    summary: dict  # name -> float


def read_run(path):
    """The Run in folder `path` (or in the file `path`). BadInput, one line, when there is none that can be used."""
    file_path = path_of_run(path)
    return call_for_file(_read_file, file_path, file_path)


def call_for_file(function, argument, file_path):
    """`function(argument)`, which reads the HDF5 file `file_path`, in a child process; BadInput where that gives no answer."""
    try:
        return call_isolated(function, argument, READ_SECONDS)
    except RuntimeError as error:
        raise BadInput(f"{file_path}: damaged or truncated HDF5 file ({error}); {INTACT}") from None


def _read_file(file_path):
    """Runs in a child process. Anything but BadInput means that the HDF5 library could not follow the file."""
    try:
        with opened(file_path) as (file, done):
            return _read_root(file, file_path, done)
    except Damage as damage:
        raise BadInput(f"{file_path}: {damage}; {INTACT}") from None


def _read_root(file, file_path, done):
    check_format(file, file_path)
    text, configuration = read_configuration(file)
    steps = columns(member(file, "steps", h5py.Group))
    _check_steps(steps, "/steps", ("step", "loss", "learning_rate"))
    epochs = columns(member(file, "epochs", h5py.Group))
    check_epochs(epochs)
    layers = _read_layers(member(file, "layers", h5py.Group))
    folder = os.path.dirname(os.path.abspath(file_path))
    provenance = {name: text_of(value) for name, value in attributes_of(file, "provenance").items()}
    name_own_data(configuration, provenance)
    return Run(
        path=file_path,
        name=run_name(file_path, folder),
        done=done or STRIPPED in file.attrs,
        configuration_text=text,
        configuration=configuration,
        provenance=provenance,
        steps=steps,
        epochs=epochs,
        layers=layers,
        switches=read_switches(file),
        model=_read_model(file),
        summary=read_summary(file),
    )


def name_own_data(configuration, provenance):
    """Makes data of one's own tell by their name what was read."""
    if configuration.get("data.name") in OWN_DATA:
        configuration["data.name"] += ":" + provenance.get("dataset_train_sha256", "?")[:DIGITS]


def run_name(file_path, folder):
    """Name of the run: of its folder; of the file where that is not run.h5."""
    stem, extension = os.path.splitext(os.path.basename(file_path))
    return stem if (stem, extension) != ("run", ".h5") else os.path.basename(folder) or folder


def check_format(file, file_path):
    """BadInput unless the root says that this is a run.h5 of a version that can be read here."""
    if "format_name" not in file.attrs or text_of(file.attrs["format_name"]) != FORMAT_NAME:
        found = text_of(file.attrs["format_name"]) if "format_name" in file.attrs else "none"
        raise BadInput(
            f"{file_path}: an HDF5 file of something else (root attribute format_name: {found}); "
            f"expected '{FORMAT_NAME}', the run.h5 of `adapt train`"
        )
    version = attribute(file, "format_version", int)
    if version > FORMAT_VERSION:
        raise BadInput(
            f"{file_path}: format_version is {version}, expected at most {FORMAT_VERSION}: written by a newer adapt; "
            "use the analysis/ that came with that"
        )
    if version < 1:
        raise Damage(f"format_version is {version}")


def attributes_of(file, group):
    """Attributes of a group; none where it is missing."""
    return member(file, group, h5py.Group).attrs if has(file, group) else {}


def read_summary(file):
    """{name: float} of /summary."""
    if not has(file, "summary"):
        return {}
    group = member(file, "summary", h5py.Group)
    return {name: attribute(group, name, float) for name in group.attrs}


def _check_steps(table, place, names):
    require_columns(table, place, names)
    step = table["step"]
    if len(step) and (step[0] < 1 or np.any(np.diff(step) <= 0)):
        raise Damage(f"steps in {place} do not grow from 1")


def check_epochs(epochs):
    """Damage unless the columns of /epochs are what a run.h5 holds."""
    names = ("epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds")
    require_columns(epochs, "/epochs", names)
    if np.any(np.diff(epochs["epoch"]) <= 0):
        raise Damage("epochs in /epochs do not grow")
    for name in ("train_accuracy", "test_accuracy"):
        _check_range(epochs[name], 0, 1, f"column '{name}' of /epochs")


def _check_range(values, lowest, highest, place):
    wrong = ~((values >= lowest) & (values <= highest))  # true for NaN too
    if np.any(wrong):
        row = int(np.argmax(wrong))
        raise Damage(f"{place} holds {values[row]} in row {row}, not a value in {lowest}..{highest}")


def _read_layers(group):
    layers = []
    for name in group:
        layer_group = member(group, name, h5py.Group)
        order = attribute(layer_group, "index", int) if "index" in layer_group.attrs else len(layers)
        layers.append((order, _read_layer(layer_group, name)))
    return [layer for _, layer in sorted(layers, key=lambda pair: pair[0])]


def _read_layer(group, name):
    series = columns(group)
    _check_steps(series, group.name, ("step", "word_length", "fractional_length"))
    rows = len(series["step"])
    for column, default in (("lookback", 0), ("resolution", 0), ("diversity", 0.0), ("divergence", 0.0)):
        series.setdefault(column, np.full(rows, default))
    series.setdefault("density", np.ones(rows))
    require_columns(series, group.name, series.keys() & {"lookback", "resolution", "diversity", "density"})
    _check_range(series["word_length"], 1, FLOAT_BITS, f"column 'word_length' of {group.name}")
    _check_range(series["fractional_length"], LOWEST_FRACTIONAL_LENGTH, HIGHEST_FRACTIONAL_LENGTH,
                 f"column 'fractional_length' of {group.name}")  # fmt: skip
    _check_range(series["density"], 0, 1, f"column 'density' of {group.name}")
    layer = Layer(name, attribute(group, "madds", int), attribute(group, "parameters", int), series)
    if layer.madds < 1 or layer.parameters < 1:
        raise Damage(f"attributes madds and parameters at {group.name} are not positive")
    return layer


def _read_model(file):
    """The tensors of /model; none where it is missing."""
    if not has(file, "model"):
        return []
    group = member(file, "model", h5py.Group)
    return [_read_tensor(group, name) for name in group]


def _read_tensor(group, name):
    dataset = member(group, name, h5py.Dataset)
    if dataset.dtype.kind not in "if":
        raise Damage(f"{dataset.name} does not hold numbers")
    values = dataset[()]
    density = float(np.count_nonzero(values) / values.size) if values.size else 1.0
    if values.dtype.kind == "f":
        return ModelTensor(name, dataset.shape, None, None, density)
    word_length = attribute(dataset, "word_length", int)
    if not 1 <= word_length <= FLOAT_BITS:
        raise Damage(f"attribute 'word_length' at {dataset.name} is {word_length}, not in 1..{FLOAT_BITS}")
    limit = 1 << (word_length - 1)
    if values.size:
        _check_range(values.reshape(-1).astype(np.int64), -limit, limit - 1, dataset.name)
    fractional_length = attribute(dataset, "fractional_length", int)
    if not LOWEST_FRACTIONAL_LENGTH <= fractional_length <= HIGHEST_FRACTIONAL_LENGTH:
        raise Damage(f"attribute 'fractional_length' at {dataset.name} is {fractional_length}, not in "
                     f"{LOWEST_FRACTIONAL_LENGTH}..{HIGHEST_FRACTIONAL_LENGTH}")  # fmt: skip
    return ModelTensor(name, dataset.shape, word_length, fractional_length, density)


def main():
    """One line per run given on the command line."""
    if len(sys.argv) < 2:
        raise BadInput("no run given; usage: run_file.py RUN_DIR...")
    for path in sys.argv[1:]:
        run = read_run(path)
        say(
            f"{one_line(run.path)}: {'finished' if run.done else 'not finished'}, {len(run.epochs['epoch'])} epochs, "
            f"{len(run.steps['step'])} steps, {len(run.layers)} layers, {len(run.switches)} switches"
        )
    return 0


if __name__ == "__main__":
    from analysis.run_file import main  # under the name that the process which reads files finds it by

    run_main(main)
