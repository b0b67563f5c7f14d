#!/usr/bin/python3
"""Measures how long a store of 1,000 runs takes to be listed, filtered, compared and reported on: no test, a clock.

usage: tests/analysis/thousand_runs.py [--program ADAPT] [--runs N] [--keep FOLDER]

The runs have the size of a short training of ResNet-20: 22 layers, 100 rows of each, 20 epochs, and the configuration and
provenance of the committed one. Limits: 2, 2, 2, 5 and 60
seconds of wall clock on an idle machine; of more runs, up to 10,000, 3, 3, 3, 10 and 120. Prints one line per command; exit
code 1 when one took longer. Each is timed twice; the second time counts, with the index that the first has left.
"""

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

from support import ROOT
from sweep_store import SUMMARY
from synthetic_run import adaptive_layer, constant_layer, write_done, write_run

LAYERS, ROWS, EPOCHS = 22, 100, 20
TRAINED = os.path.join(ROOT, "experiments", "results", "short", "resnet20_cifar10_adapt.h5")
POLICIES, MODELS, BATCHES = ("adapt", "float32"), ("resnet20", "resnet32"), (64, 128, 256, 512, 1024)


def write_runs(store, count):
    """`count` finished runs: policies × models × batches, each with as many seeds as it takes."""
    settings = list(itertools.product(POLICIES, MODELS, BATCHES))
    for number in range(count):
        path = os.path.join(store, f"{number:016x}")
        if number < len(settings):
            write_first(path, number, *settings[number])
        else:
            shutil.copytree(os.path.join(store, f"{number % len(settings):016x}"), path)
            change_seed(os.path.join(path, "run.h5"), number // len(settings))
            write_done(path)


def write_first(path, number, policy, model, batch):
    """A run with seed 0."""
    layers = {f"stage{i // 7}.conv{i}": (10000 + i, 500 + i, adaptive_layer(ROWS, number + i) if policy == "adapt"
                                         else constant_layer(ROWS, 32, 0)) for i in range(LAYERS)}  # fmt: skip
    write_run(path, layers, policy=policy, model=model, batch=batch, seed=0, steps=ROWS, epochs=EPOCHS, summary=SUMMARY,
              compound_switches=True, test_accuracy=[0.5 + 0.02 * epoch for epoch in range(EPOCHS)])
    settings = {"  name: resnet20\n": f"  name: {model}\n", "policy: adapt\n": f"policy: {policy}\n", "  batch: 128\n": f"  batch: {batch}\n"}
    with h5py.File(TRAINED) as trained, h5py.File(os.path.join(path, "run.h5"), "r+") as file:
        text = trained["config"][()].decode()
        for old, new in settings.items():
            text = text.replace(old, new)
        del file["config"]
        file["config"] = np.bytes_(text.encode())
        file["provenance"].attrs.update(trained["provenance"].attrs)
    write_done(path)


def change_seed(path, seed):
    """Gives a copy of a run another seed, and other accuracies."""
    with h5py.File(path, "r+") as file:
        text = file["config"][()].replace(b"seed: 0\n", b"seed: %d\n" % seed)
        del file["config"]
        file["config"] = np.bytes_(text)
        file["epochs/test_accuracy"][:] += 0.0001 * (seed * 7919 % 97)


def commands(program, store, out, many):
    """(what, command, most seconds). `many`: more than 1,000 runs."""
    listing = [program, "sweep", "--store", store, "--list"]
    analysis = os.path.join(ROOT, "analysis")
    chosen = []
    if program:
        limit = 3 if many else 2
        chosen = [("list", listing, limit), ("filter", [*listing, "--where", "model=resnet20", "--where", "seed=3"], limit),
                  ("status", [program, "sweep", "--store", store, "--status", "--json"], limit)]
    return chosen + [
        ("compare", [f"{analysis}/compare.py", store, "--where", "model=resnet20", "--group", "policy,batch"], 10 if many else 5),
        ("report", [f"{analysis}/report.py", store, "--out", out], 120 if many else 60),
    ]


def seconds_of(command):
    """(wall clock, seconds of processors) of a command, whose output is thrown away."""
    start, before = time.monotonic(), sum(os.times()[2:4])
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start, sum(os.times()[2:4]) - before


def main():
    """Writes the runs, times the commands."""
    parser = argparse.ArgumentParser(description="Times list, filter, status, compare and report on a store of many runs.")
    parser.add_argument("--program", metavar="ADAPT", help="the program, for list and filter")
    parser.add_argument("--runs", metavar="N", type=int, default=1000)
    parser.add_argument("--keep", metavar="FOLDER", help="keep the store there")
    options = parser.parse_args()
    folder = options.keep or tempfile.mkdtemp(prefix="adapt_thousand_")
    store = os.path.join(folder, "store")
    if not os.path.exists(store):
        write_runs(store, options.runs)
    late = 0
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    for what, command, limit in commands(options.program, store, os.path.join(folder, "report"), options.runs > 1000):
        first, second = seconds_of(command), seconds_of(command)
        late += second[0] > limit
        print(f"{what}: {first[0]:.2f} s (processors {first[1]:.2f} s), again {second[0]:.2f} s ({second[1]:.2f} s), limit "
              f"{limit} s", flush=True)
    if not options.keep:
        shutil.rmtree(folder)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
