"""Writes small run.h5 files whose numbers a reader can check by hand."""

import hashlib
import os

import h5py
import numpy as np

PHASES = ("data", "forward", "backward", "quantize", "exchange", "policy", "update", "record")
# (multiply-adds, parameters) of each layer of LeNet-5 for images of 28 × 28 × 1
LENET5 = {
    "conv1": (28 * 28 * 150, 150),
    "conv2": (10 * 10 * 2400, 2400),
    "conv3": (48000, 48000),
    "fc1": (10080, 10080),
    "fc2": (840, 840),
}
CONFIGURATION = """\
# resolved configuration
seed: {seed}
model:
  name: {model}
  init_scale: 0.5
data:
  name: {dataset}
  train_samples: 0
precision:
  policy: {policy}
  quantize:
    inputs: true
engine:
  name: {engine}
training:
  epochs: {epochs}
  batch: {batch}
  threads: 1
  schedule:
    name: "multi_step"
    milestones:
      - 3
      - 4
"""


def constant_layer(steps, word_length=8, fractional_length=4, **columns):
    """Series of a layer that never changes; extra columns overwrite the defaults."""
    series = {
        "step": np.arange(1, steps + 1, dtype=np.int64),
        "word_length": np.full(steps, word_length, dtype=np.int32),
        "fractional_length": np.full(steps, fractional_length, dtype=np.int32),
        "lookback": np.zeros(steps, dtype=np.int32),
        "resolution": np.zeros(steps, dtype=np.int32),
        "diversity": np.zeros(steps),
        "divergence": np.zeros(steps),
        "density": np.ones(steps),
    }
    series.update({name: np.asarray(values) for name, values in columns.items()})
    return series


def adaptive_layer(steps, seed):
    """Series that look like AdaPT's: formats, lookback and diversity change every 30 steps or so."""
    random = np.random.default_rng(seed)
    windows = steps // 30 + 1
    hold = np.repeat(np.arange(windows), 30)[:steps]
    word_length = np.clip(10 + np.cumsum(random.integers(-1, 2, windows)), 6, 20)
    diversity = random.uniform(1.0, 6.0, windows)
    diversity[0] = 0
    if windows > 2:
        diversity[2] = np.inf
    return constant_layer(
        steps,
        word_length=word_length[hold].astype(np.int32),
        fractional_length=(word_length - 2 - random.integers(0, 3, windows))[hold].astype(np.int32),
        lookback=random.integers(25, 101, windows)[hold],
        resolution=random.integers(50, 151, windows)[hold],
        diversity=diversity[hold],
        density=np.clip(0.95 - 0.3 * np.arange(steps) / steps + 0.01 * random.standard_normal(steps), 0, 1),
    )


def write_done(folder):
    """The DONE of the run.h5 in the folder."""
    with open(os.path.join(folder, "run.h5"), "rb") as run, open(os.path.join(folder, "DONE"), "w", encoding="ascii") as done:
        done.write(hashlib.sha256(run.read()).hexdigest() + "  run.h5\n")


def write_run(folder, layers, *, policy="adapt", engine="emulated", model="lenet5", dataset="mnist", batch=4, epochs=2,
              steps=10, epoch_seconds=2.0, test_seconds=0.5, ranks="2", test_accuracy=None, switches=(), summary=None,
              compound_switches=False, done=True, format_name="adapt-run", format_version=1, seed=1, host="h1",
              configuration=""):
    """Writes folder/run.h5 and DONE. `layers`: name -> (madds, parameters, series). `configuration`: more YAML. Returns
    the path of run.h5."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "run.h5")
    with h5py.File(path, "w", libver=("v110", "v110")) as file:  # as the program writes, and all that it reads
        file.attrs["format_name"] = format_name
        file.attrs["format_version"] = format_version
        text = CONFIGURATION.format(
            model=model, dataset=dataset, policy=policy, engine=engine, epochs=epochs, batch=batch, seed=seed
        )
        file["config"] = np.bytes_((text + configuration).encode())
        provenance = file.create_group("provenance")
        for name, value in {"ranks": ranks, "host": host, "version": "0.1.0", "cpu_model": "test <cpu> & co"}.items():
            provenance.attrs[name] = value
        _write_steps(file.create_group("steps"), steps, policy)
        _write_epochs(file.create_group("epochs"), epochs, epoch_seconds, test_seconds, test_accuracy)
        group = file.create_group("layers")
        for index, (name, (madds, parameters, series)) in enumerate(layers.items()):
            _write_layer(group.create_group(name), index, madds, parameters, series)
        _write_switches(file, switches, compound_switches)
        _write_model(file.create_group("model"))
        if summary is not None:
            file.create_group("summary").attrs.update(summary)
    if done:
        write_done(folder)
    return path


def _write_steps(group, steps, policy):
    index = np.arange(1, steps + 1, dtype=np.int64)
    group["step"] = index
    group["loss"] = 2.3 / np.sqrt(index) + 0.1
    group["cross_entropy"] = 2.3 / np.sqrt(index)
    group["learning_rate"] = np.full(steps, 0.1)
    group["bytes_sent"] = np.full(steps, 1000, dtype=np.int64)
    for number, phase in enumerate(PHASES, start=1):
        group[f"seconds_{phase}"] = np.full(steps, 0.001 * number)
    names = [("min", "mean", "max")[(i * 7 // max(steps, 1)) % 3] if policy == "adapt" else "" for i in range(steps)]
    group["strategy"] = np.array(names, dtype="S8")


def _write_epochs(group, epochs, seconds, test_seconds, test_accuracy):
    index = np.arange(1, epochs + 1, dtype=np.int64)
    accuracy = 0.9 - 0.5 / index if test_accuracy is None else np.asarray(test_accuracy)
    group["epoch"] = index
    group["train_loss"] = 1.0 / index
    group["train_accuracy"] = np.clip(accuracy + 0.02, 0, 1)
    group["test_loss"] = 1.1 / index
    group["test_accuracy"] = accuracy
    group["seconds"] = np.full(epochs, seconds)
    group["test_seconds"] = np.full(epochs, test_seconds)


def _write_layer(group, index, madds, parameters, series):
    group.attrs["index"] = index
    group.attrs["madds"] = madds
    group.attrs["parameters"] = parameters
    for name, values in series.items():
        group[name] = values


def _write_switches(file, switches, compound):
    """`switches`: tuples (step, layer name, WL before, FL before, WL after, FL after)."""
    fields = [("step", "i8"), ("layer", "S64"), ("before_word_length", "i4"), ("before_fractional_length", "i4"),
              ("after_word_length", "i4"), ("after_fractional_length", "i4"), ("lookback", "i4"), ("resolution", "i4"),
              ("diversity", "f8"), ("divergence", "f8"), ("strategy", "S8")]
    rows = np.array([(*row, 25, 50, 2.5, 1e-4, b"min") for row in switches], dtype=fields)
    if compound:
        file["switches"] = rows
        return
    group = file.create_group("switches")
    for name, _ in fields:
        group[name] = rows[name]


def _write_model(group):
    weights = group.create_dataset("conv1.weight", data=np.array([[-8, 0], [7, 1]], dtype=np.int32))
    weights.attrs["word_length"] = 4
    weights.attrs["fractional_length"] = 2
    group["conv1.bias"] = np.zeros(2, dtype=np.float32)
