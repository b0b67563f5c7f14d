"""What the page of a sweep knows of its runs, small enough for a thousand of them: a JSON value, read by sweep_page.js."""

import os

import numpy as np

from analysis.configuration import resolved_values
from analysis.cost_model import batch_of, float_cost
from analysis.digest import Digest, failure_of, state_unless_done
from analysis.errors import BadInput
from analysis.files import SMALL_FILE, read_bytes
from analysis.metrics import METRICS
from analysis.run_file import FLOAT_BITS

MAP_COLUMNS = 48
MOST_POINTS = 200  # of a learning curve
CURVES = (("test_accuracy", 100, 3), ("train_accuracy", 100, 3), ("test_loss", 1, 4), ("train_loss", 1, 4))
EPOCH_COLUMNS = ("epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds", "test_seconds")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"  # a word length, 1 to 32, is one of them


def runs_without_log(folders):
    """The runs that ended, or wait, before their first record: those of `folders` that have an experiment.yaml."""
    return [_run_without_log(folder) for folder in folders if os.path.exists(os.path.join(folder, "experiment.yaml"))]


def page_data(runs, keys):
    """The value for the page: `runs` (analysis.digest.Digest with layers), varied `keys` to colour by."""
    common = common_settings(runs)
    layers = {}  # names of the layers of a model -> its number
    return {
        "keys": keys,
        "common": common,
        "runs": [_run_data(run, common, layers) for run in runs],
        "layers": [list(names) for names in layers],
        "columns": MAP_COLUMNS,
    }


def common_settings(runs):
    """{key: value} that all runs have in common."""
    first = runs[0].configuration.items()
    return {key: value for key, value in first if all(run.configuration.get(key) == value for run in runs)}


def modelled_cost(run):
    """Multiply-adds times bits of the whole training; None where the log does not say."""
    speedup = run.summary.get("modelled_training_speedup")
    if not speedup or not any(len(layer.series["step"]) for layer in run.layers):
        return None
    return float_cost(run.layers, batch_of(run)) / speedup


def word_length_map(layers):
    """A text of MAP_COLUMNS digits per layer: the word lengths in force at as many steps, evenly spread over those logged;
    "" where nothing is logged, and where all is float32."""
    if not layers or any(not len(layer.series["step"]) for layer in layers):
        return ""
    if all(np.all(layer.series["word_length"] == FLOAT_BITS) for layer in layers):
        return ""
    last = max(int(layer.series["step"][-1]) for layer in layers)
    steps = np.ceil(np.linspace(1, last, MAP_COLUMNS))
    return "".join(DIGITS[length] for layer in layers for length in _in_force(layer, steps))


def _run_data(run, common, layers):
    words = word_length_map(run.layers)
    names = tuple(layer.name for layer in run.layers)
    return {
        "name": run.name,
        "path": run.path,
        "state": run.state,
        "failure": failure_of(os.path.dirname(os.path.abspath(run.path))),
        "own": {key: value for key, value in run.configuration.items() if key not in common},
        "provenance": run.provenance,
        **_curves(run.epochs),
        "accuracy": _plain(METRICS["test_accuracy"].value(run)),
        "seconds": _plain(METRICS["training_seconds"].value(run)),
        "cost": _plain(modelled_cost(run)),
        "map": words,
        "layers": layers.setdefault(names, len(layers)) if words else None,
    }


def _curves(epochs):
    """{"epoch": [...], "test_accuracy": [...], ...}, rounded; None for what is not finite."""
    stride = -(-len(epochs["epoch"]) // MOST_POINTS) or 1
    curves = {"epoch": [int(epoch) for epoch in epochs["epoch"][::stride]]}
    for name, factor, digits in CURVES:
        curves[name] = [_plain(round(factor * float(value), digits)) for value in epochs[name][::stride]]
    return curves


def _plain(value):
    """A number that JSON knows, or None."""
    return value if value is not None and np.isfinite(value) else None


def _in_force(layer, steps):
    """The word length of the last row at or before each of `steps`; before the first row, its."""
    rows = np.searchsorted(layer.series["step"], steps, side="right") - 1
    return np.clip(layer.series["word_length"][np.maximum(rows, 0)], 0, len(DIGITS) - 1)


def _run_without_log(folder):
    path = os.path.join(folder, "experiment.yaml")
    try:
        configuration = resolved_values(read_bytes(path, SMALL_FILE).decode("utf-8", "replace"))
    except BadInput:
        configuration = resolved_values("")
    empty = {name: np.empty(0) for name in EPOCH_COLUMNS}
    return Digest(path, os.path.basename(folder), state_unless_done(folder), configuration, {}, empty, 0, {})
