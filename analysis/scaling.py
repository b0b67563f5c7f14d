#!/usr/bin/python3
"""scaling.py RUN_DIR...: what a training would take on 1 to 1024 ranks, from measured steps and a description of the network.

Give runs of one experiment on one machine, on several numbers of ranks, with one or several encodings
(exchange.encoding). The run on the fewest ranks says what a step computes; the others check the projection. All seconds of
projections are modelled, those of runs measured; they stand in columns of their own.

A step on N ranks: what grows with the images (data, forward, backward, quantize) is divided by the ranks, rounded up to whole
shards; what every rank does alike (policy, update, record) stays; the exchange takes alpha · messages + bytes / bandwidth, by
whichever of the algorithms direct and tree is faster, less what the backward pass of a rank's last shard hides. Bytes are those that the runs sent, carried over to N ranks by the widths
of partial sums. --scaling strong keeps the global batch (so there are at most as many ranks as images in it); weak keeps the
images of a rank, and an epoch has fewer steps.
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules()

import dataclasses
import json
import math
import os

import numpy as np

from analysis.cost_model import accumulation_of, batch_of, positive, positive_number
from analysis.errors import BadInput, Parser, run_main
from analysis.exchange_model import ALGORITHMS, DEFAULT_FABRICS, ENCODINGS, bucket_count, read_fabrics, traffic
from analysis.printable import one_line, say
from analysis.run_file import FLOAT_BITS, read_run

DIVIDED = ("data", "forward", "backward", "quantize")
ALIKE = ("policy", "update", "record")
MOST_SECONDS_OR_BYTES = 1e15
WARM_UP = 5  # steps that are not counted: memory is touched, kernels are made
POWERS = tuple(2**power for power in range(11))  # 1 to 1024 ranks
LOCAL = "shared_memory"


@dataclasses.dataclass(frozen=True)
class Measured:
    """A run's step, medians over its steps."""

    path: str
    ranks: int
    encoding: str
    seconds: dict  # phase -> seconds
    sent: float  # bytes of rank 0
    step: float  # seconds, all phases together


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What all runs have in common, and what the one on the fewest ranks measured."""

    model: str
    batch: int  # images of an optimizer step
    shards: int
    images: int  # of an epoch
    sizes: list  # of each layer's gradient
    word_length: int  # mean of the layers' gradients at the end, rounded up
    overlap: bool
    base: Measured


@dataclasses.dataclass(frozen=True)
class Projection:
    """A training on so many ranks."""

    ranks: int
    encoding: str
    step: float  # seconds
    exchange: float  # seconds, hidden or not
    exposed: float  # seconds
    epoch: float  # seconds
    efficiency: float  # speed over ranks · speed of one rank


def measure(run):
    """The Measured of a Run. BadInput when it has too few steps."""
    names = [name for name in run.steps if name.startswith("seconds_")]
    if len(run.steps["step"]) <= WARM_UP:
        raise BadInput(f"{run.path}: {len(run.steps['step'])} steps, expected more than {WARM_UP}")
    missing = [phase for phase in (*DIVIDED, "exchange", *ALIKE) if f"seconds_{phase}" not in names]
    if missing or "bytes_sent" not in run.steps:
        raise BadInput(f"{run.path}: /steps lacks {', '.join(missing) or 'bytes_sent'}; expected the log of `adapt train`")
    seconds = {name.removeprefix("seconds_"): _median(run, name) for name in names}
    if not any(seconds[phase] > 0 for phase in (*DIVIDED, *ALIKE)):
        raise BadInput(f"{run.path}: no step took any time; expected the log of `adapt train`")
    return Measured(run.path, ranks_of(run), encoding_of(run), seconds, _median(run, "bytes_sent"), sum(seconds.values()))


def _median(run, name):
    """Median of a column of /steps after the first rows; BadInput when it is not a number that can be."""
    median = float(np.median(run.steps[name][WARM_UP:]))
    if not 0 <= median < MOST_SECONDS_OR_BYTES:
        raise BadInput(f"{run.path}: the median of {name} in /steps is {median}; expected seconds or bytes of a step")
    return median


def ranks_of(run):
    """Ranks that the run was trained on."""
    return positive_number(run.provenance.get("ranks", "1"), f"{run.path}: ranks in /provenance")


def encoding_of(run):
    """The encoding by its own name: what `auto` stands for follows from the policy."""
    encoding = run.configuration.get("exchange.encoding", "auto")
    if encoding != "auto":
        if encoding not in ENCODINGS:
            raise BadInput(f"{run.path}: exchange.encoding is '{encoding}'; expected one of {', '.join(ENCODINGS)}")
        return encoding
    quantized = run.configuration.get("precision.policy", "float32") != "float32"
    return "layer" if quantized and run.configuration.get("precision.quantize.gradients", "true") == "true" else "exact"


def describe(runs):
    """The Experiment that the runs are of. BadInput when they differ in more than ranks and exchange."""
    first = min(runs, key=ranks_of)
    for run in runs:
        for key in ("model.name", "engine.name", "precision.policy", "training.batch", "training.accumulate"):
            if run.configuration.get(key) != first.configuration.get(key):
                raise BadInput(f"{run.path}: {key} is {run.configuration.get(key)}, and {first.configuration.get(key)} in "
                               f"{first.path}; expected runs of one experiment")  # fmt: skip
    configuration = first.configuration
    if not first.layers:
        raise BadInput(f"{first.path}: no layer in /layers; expected the log of `adapt train`")
    batch = batch_of(first)
    epochs = max(1, len(first.epochs["epoch"]))
    word_lengths = [_gradient_bits(layer) for layer in first.layers]
    return Experiment(
        model=configuration.get("model.name", "?"),
        batch=batch,
        shards=positive(first, "training.shards", "8") * accumulation_of(first),
        images=batch * math.ceil(len(first.steps["step"]) / epochs),
        sizes=[int(layer.parameters) for layer in first.layers],
        word_length=math.ceil(sum(word_lengths) / len(word_lengths)),
        overlap=configuration.get("exchange.overlap", "false") == "true",
        base=measure(first),
    )


def _gradient_bits(layer):
    column = layer.series.get("gradients_word_length", layer.series["word_length"])
    return int(column[-1]) if len(column) else FLOAT_BITS


def corrections(experiment, measured):
    """encoding -> bytes that its run sent, as a share of the modelled ones; 1 for encodings without such a run."""
    factors = {encoding: 1.0 for encoding in ENCODINGS}
    for run in measured:
        modelled = _traffic(experiment, run.encoding, run.ranks, experiment.shards).sent
        if run.ranks > 1 and run.sent > 0 and run.encoding in factors:
            factors[run.encoding] = run.sent / modelled
    return factors


def _traffic(experiment, encoding, ranks, shards, algorithm="direct"):
    return traffic(encoding, experiment.sizes, ranks, shards, experiment.word_length, algorithm)


def project(experiment, encoding, ranks, fabric, factor=1.0, scaling="strong"):
    """The Projection; None where a rank would have no image. `factor` corrects the bytes."""
    base = experiment.base
    batch = experiment.batch if scaling == "strong" else experiment.batch * ranks
    if ranks > batch:
        return None
    shards = max(ranks, experiment.shards if scaling == "strong" else experiment.shards * ranks)
    own = math.ceil(shards / ranks)  # shards of the rank that has most
    grows = {phase: _on_one_rank(experiment, base.seconds[phase]) * (batch / experiment.batch) * own / shards
             for phase in DIVIDED}  # fmt: skip
    loads = [_traffic(experiment, encoding, ranks, shards, algorithm) for algorithm in ALGORITHMS]
    exchange = min(fabric.seconds(load, factor) for load in loads)  # as exchange.algorithm: auto
    last = exchange / bucket_count(experiment.sizes)  # nothing is left to hide it
    hidden = grows["backward"] / own if experiment.overlap else 0.0
    exposed = max(exchange - hidden, last) if ranks > 1 else 0.0
    step = sum(grows.values()) + sum(base.seconds[phase] for phase in ALIKE) + exposed
    alone = sum(_on_one_rank(experiment, base.seconds[phase]) for phase in DIVIDED)
    alone += sum(base.seconds[phase] for phase in ALIKE)
    efficiency = (batch / step) / (ranks * experiment.batch / alone)
    return Projection(ranks, encoding, step, exchange, exposed, step * experiment.images / batch, efficiency)


def _on_one_rank(experiment, seconds):
    """Of a divided phase: what it would take one rank."""
    own = math.ceil(experiment.shards / experiment.base.ranks)
    return seconds * experiment.shards / own


def check_rows(experiment, measured, fabric, factors):
    """Measured and modelled step of each run, and by how much the model is off."""
    rows = []
    for run in measured:
        modelled = project(experiment, run.encoding, run.ranks, fabric, factors.get(run.encoding, 1.0))
        if modelled is not None:
            rows.append({"run": run.path, "ranks": run.ranks, "encoding": run.encoding, "measured_step_s": run.step,
                         "modelled_step_s": modelled.step, "error": modelled.step / run.step - 1})  # fmt: skip
    return rows


def projections(experiment, fabrics, factors, ranks, scaling):
    """Rows for each network and number of ranks: the best encoding, and all of them."""
    rows = []
    for fabric in fabrics.values():
        for number in ranks:
            every = {encoding: project(experiment, encoding, number, fabric, factors[encoding], scaling)
                     for encoding in ENCODINGS}  # fmt: skip
            if None in every.values():
                continue
            best = min(every.values(), key=lambda projection: projection.step)
            rows.append({"fabric": fabric.name, "ranks": number, "best": best.encoding,
                         "encodings": {name: dataclasses.asdict(each) for name, each in every.items()}})  # fmt: skip
    return rows


def print_tables(result):
    """The same for readers."""
    experiment = result["experiment"]
    say(f"{one_line(experiment['model'])}: {sum(experiment['sizes'])} weights, batch {experiment['batch']}, "
          f"{result['scaling']} scaling")  # fmt: skip
    say("\ncheck against the runs\n  ranks  encoding  measured step (ms)  modelled step (ms)  error (%)")
    for row in result["check"]:
        say(f"  {row['ranks']:5d}  {row['encoding']:8s}  {1e3 * row['measured_step_s']:18.2f}  "
              f"{1e3 * row['modelled_step_s']:18.2f}  {100 * row['error']:+9.1f}")  # fmt: skip
    say("\nmodelled: the best encoding, and float32 beside it")
    say("  network          ranks  best     epoch (s)  efficiency  exposed (ms)  float32 epoch (s)")
    for row in result["projections"]:
        best, plain = row["encodings"][row["best"]], row["encodings"]["float32"]
        say(f"  {one_line(row['fabric']):15s}  {row['ranks']:5d}  {row['best']:7s}  {best['epoch']:9.2f}  "
              f"{best['efficiency']:10.2f}  {1e3 * best['exposed']:12.3f}  {plain['epoch']:17.2f}")  # fmt: skip


def arguments():
    """The parsed command line."""
    default = os.path.join(os.path.dirname(os.path.realpath(__file__)), DEFAULT_FABRICS)
    parser = Parser(description="Projects runs of one experiment to other numbers of ranks.")
    parser.add_argument("runs", metavar="RUN_DIR", nargs="+", help="folder of a run, or its run.h5")
    parser.add_argument("--network", metavar="FILE.yaml", default=default, help=f"networks (default {DEFAULT_FABRICS})")
    parser.add_argument("--fabric", metavar="NAME", action="append", help="only this network; may be repeated")
    parser.add_argument("--local", metavar="NAME", default=LOCAL, help=f"network of the runs (default {LOCAL})")
    parser.add_argument("--scaling", choices=("strong", "weak"), default="strong", help="default strong")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def _chosen(fabrics, names, path):
    for name in names:
        if name not in fabrics:
            raise BadInput(f"{path}: no network '{name}'; expected one of {', '.join(fabrics)}")
    return {name: fabrics[name] for name in names}


def main():
    """Reads, checks, projects, prints."""
    options = arguments()
    fabrics = read_fabrics(options.network)
    local = _chosen(fabrics, [options.local], options.network)[options.local]
    wanted = _chosen(fabrics, options.fabric or list(fabrics), options.network)
    runs = [read_run(path) for path in options.runs]
    experiment = describe(runs)
    measured = [measure(run) for run in runs]
    factors = corrections(experiment, measured)
    result = {
        "experiment": dataclasses.asdict(experiment),
        "scaling": options.scaling,
        "bytes_over_model": factors,
        "check": check_rows(experiment, measured, local, factors),
        "projections": projections(experiment, wanted, factors, POWERS, options.scaling),
    }
    if options.json:
        say(json.dumps(result, indent=2))
    else:
        print_tables(result)
    return 0


if __name__ == "__main__":
    run_main(main)
