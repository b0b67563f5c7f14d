#!/usr/bin/python3
"""Measures how long a store of 1,000 runs takes to be listed, filtered, compared and reported on: no test, a clock.

usage: tests/analysis/thousand_runs.py [--program ADAPT] [--runs N] [--keep FOLDER]

The runs have the size of a short training of ResNet-20: 22 layers, 100 rows of each, 20 epochs. Limits: 2, 2, 5 and 60
seconds. Prints one line per command; exit code 1 when one took longer. Each is timed twice, the second time with the index
that the first has left, and with the files in the page cache; the second one counts for the index.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

from support import ROOT
from sweep_store import SUMMARY
from synthetic_run import adaptive_layer, constant_layer, write_run

LAYERS, ROWS, EPOCHS = 22, 100, 20
POLICIES, MODELS, BATCHES = ("adapt", "float32"), ("resnet20", "resnet32"), (64, 128, 256, 512, 1024)


def write_runs(store, count):
    """`count` finished runs: policies × models × batches × seeds."""
    for number in range(count):
        policy, model, batch = (choices[number // step % len(choices)] for choices, step in
                                ((POLICIES, 1), (MODELS, 2), (BATCHES, 4)))  # fmt: skip
        seed = number // 20
        layers = {f"stage{i // 7}.conv{i}": (10000 + i, 500 + i, adaptive_layer(ROWS, number + i) if policy == "adapt"
                                             else constant_layer(ROWS, 32, 0)) for i in range(LAYERS)}  # fmt: skip
        accuracy = [0.5 + 0.02 * epoch + 0.0001 * (number * 7919 % 97) for epoch in range(EPOCHS)]
        write_run(os.path.join(store, f"{number:016x}"), layers, policy=policy, model=model, batch=batch, seed=seed,
                  steps=ROWS, epochs=EPOCHS, test_accuracy=accuracy, summary=SUMMARY)


def commands(program, store, out):
    """(what, command, most seconds)."""
    listing = [program, "sweep", "--store", store, "--list"]
    analysis = os.path.join(ROOT, "analysis")
    chosen = []
    if program:
        chosen = [("list", listing, 2), ("filter", [*listing, "--where", "model=resnet20", "--where", "seed=3"], 2)]
    return chosen + [
        ("compare", [f"{analysis}/compare.py", store, "--where", "model=resnet20", "--group", "policy,batch"], 5),
        ("report", [f"{analysis}/report.py", store, "--out", out], 60),
    ]


def seconds_of(command):
    """Wall clock of a command, whose output is thrown away."""
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def main():
    """Writes the runs, times the commands."""
    parser = argparse.ArgumentParser(description="Times list, filter, compare and report on a store of many runs.")
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
    for what, command, limit in commands(options.program, store, os.path.join(folder, "report")):
        first, second = seconds_of(command), seconds_of(command)
        late += second > limit
        print(f"{what}: {first:.2f} s, again {second:.2f} s, limit {limit} s", flush=True)
    if not options.keep:
        shutil.rmtree(folder)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
