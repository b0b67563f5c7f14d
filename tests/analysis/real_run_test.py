"""Runs of the program itself: what it logs can be read, and both cost models say the same.

Needs ADAPT_PROGRAM, the path of `adapt`; without it the test is skipped (exit 77).
"""

import dataclasses
import os
import subprocess
import sys
import unittest

from support import ScratchTest, run_script

from analysis.authors_networks import counted_operations
from analysis.cost_model import computed_figures, stored_figures
from analysis.run_file import read_run
from analysis.strip import FOLDERS

PROGRAM = os.environ.get("ADAPT_PROGRAM")
EXPERIMENT = """\
model: lenet5
data:
  name: procedural
  train_samples: 1024
  test_samples: 250
training:
  epochs: 2
  batch: 64
  shards: 2
"""
ADAPTIVE = ["engine.name=emulated", "precision.policy=adapt", "precision.adapt.lookback_lower=3",
            "precision.adapt.lookback_upper=6"]  # fmt: skip


class RealRun(ScratchTest):
    def train(self, name, overrides):
        experiment = self.path("experiment.yaml")
        with open(experiment, "w", encoding="ascii") as stream:
            stream.write(EXPERIMENT)
        settings = [part for override in overrides for part in ("--set", override)]
        subprocess.run([PROGRAM, "train", experiment, "--out", self.path(name), *settings], check=True, timeout=100,
                       capture_output=True)
        return read_run(self.path(name))

    def test_log_is_read_costs_agree_and_the_report_is_made(self):
        adaptive = self.train("adapt", ADAPTIVE)
        self.assertTrue(adaptive.done)
        self.assertEqual(len(adaptive.epochs["epoch"]), 2)
        self.assertEqual(adaptive.steps["step"].tolist(), list(range(1, 33)))
        self.assertTrue(adaptive.switches)
        self.assertTrue(adaptive.model)
        plain = self.train("float32", [])
        self.assertEqual(computed_figures(plain).training_speedup, 1)
        self.assertEqual(stored_figures(plain)["training_speedup"], 1)
        stored = stored_figures(adaptive)
        computed = dataclasses.asdict(computed_figures(adaptive))
        self.assertEqual(stored.keys(), computed.keys())
        for name, value in computed.items():
            self.assertAlmostEqual(stored[name], value, delta=1e-6 * abs(value), msg=name)
        self.check_stripped_copy(adaptive)
        outcome = run_script("report.py", self.path("adapt"), self.path("float32"), "--out", self.path("out"))
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        self.assertNotRegex(outcome.stdout, r" \?( |$)")

    def test_shapes_that_the_authors_formulas_take_are_those_of_the_program(self):
        for model in ("alexnet", "lenet5", "resnet20"):
            run = self.train(model, [f"model.name={model}", "data.train_samples=4", "data.test_samples=2",
                                     "training.batch=4", "training.epochs=1"])  # fmt: skip
            self.assertIsNotNone(counted_operations(model, run.layers), model)

    def check_stripped_copy(self, run):
        """The program reads a copy without weights as it reads the run, but for the weights and for folders."""
        outcome = run_script("strip.py", run.path, self.path("copy.h5"))
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        told = [subprocess.run([PROGRAM, "info", path], check=True, timeout=100, capture_output=True, text=True).stdout
                for path in (run.path, self.path("copy.h5"))]
        lines = [FOLDERS.sub("", line) if line.startswith("command_line") else line for line in told[0].splitlines()
                 if not line.split(" ")[0].endswith((".weight", ".bias"))]
        self.assertEqual(told[1].splitlines(), lines)
        self.assertIn("done", lines[0])


if __name__ == "__main__":
    if not PROGRAM:
        print("skipped: ADAPT_PROGRAM is not set")
        sys.exit(77)
    unittest.main()
