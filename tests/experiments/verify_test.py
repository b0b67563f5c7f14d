"""experiments/results/verify.sh: logs that are trained again, and are the same, other, or cannot be."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import h5py

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "experiments" / "results" / "verify.sh"
PROGRAM = os.environ.get("ADAPT_PROGRAM", "adapt")
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import tiny_data  # noqa: E402

from analysis.seal import sealed  # noqa: E402

# Three epochs whose rates depend on their number, and formats that change within the first one.
TINY = """\
name: tiny
engine: emulated
precision: {policy: adapt, adapt: {lookback_lower: 2, lookback_upper: 4}}
data: {name: procedural, train_samples: 256, test_samples: 64}
training: {epochs: 3, batch: 64, shards: 2, learning_rate: 0.05, schedule: {name: cosine}}
"""
FIRST_EPOCH = 4  # steps


class Verify(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="adapt-test-")
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.log = cls.train(TINY, "run")

    @classmethod
    def train(cls, text, name):
        """The log of a run, without weights."""
        experiment = cls.folder / f"{name}.yaml"
        experiment.write_text(text, encoding="utf-8")
        run_dir = cls.folder / name
        subprocess.run([PROGRAM, "train", experiment, "--out", run_dir], check=True, capture_output=True, timeout=60)
        log = cls.folder / f"{name}.h5"
        subprocess.run([ROOT / "analysis" / "strip.py", run_dir, log], check=True, capture_output=True, timeout=60)
        return log

    def verify(self, *runs, **variables):
        environment = os.environ | {"ADAPT_SKIP_PACKAGES": "1"} | variables
        return subprocess.run([SCRIPT, "--ranks", "1", *map(str, runs)], capture_output=True, text=True, timeout=120,
                              env=environment)  # fmt: skip

    def changed(self, name, change):
        """A copy of the log that `change(file)` has been applied to, sealed anew."""
        copy = self.folder / name
        copy.write_bytes(self.log.read_bytes())
        with h5py.File(copy, "r+") as file:
            change(file)
        copy.write_bytes(sealed(copy.read_bytes()))
        return copy

    def test_a_log_is_the_same_again(self):
        result = self.verify(self.log)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, rf"same +{self.log} +\(made by ")

    def test_what_differs_is_named(self):
        def loss(file):
            file["steps/loss"][2] += 1e-9

        def later(file):
            file["steps/loss"][FIRST_EPOCH] += 1

        def format_of_a_layer(file):
            file["layers/conv2/word_length"][1] += 1

        def accuracy(file):
            file["epochs/test_accuracy"][0] = 0.5 if file["epochs/test_accuracy"][0] != 0.5 else 0.25

        cases = [(loss, "steps/loss at step 3: "), (format_of_a_layer, "layers/conv2/word_length at step 2: "),
                 (accuracy, "epochs/test_accuracy at epoch 1: "), (later, None)]  # fmt: skip
        logs = [self.changed(f"{change.__name__}.h5", change) for change, _ in cases]
        result = self.verify(*logs)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        for line, log, (_, difference) in zip(result.stdout.splitlines(), logs, cases, strict=True):
            self.assertIn(str(log), line)
            self.assertIn(difference or "same ", line)

    def test_missing_data(self):
        data = self.folder / "data"
        tiny_data.mnist(data)
        text = "name: mnist\ndata: {name: mnist, path: %s}\ntraining: {epochs: 1, batch: 8, shards: 2}\n" % data
        log = self.train(text, "mnist")
        self.assertEqual(self.verify(log, ADAPT_DATA=str(data)).returncode, 0)
        result = self.verify(self.log, log, ADAPT_DATA=str(self.folder / "nowhere"))
        self.assertEqual(result.returncode, 77, result.stdout + result.stderr)
        self.assertIn(f"no data    {log}", result.stdout)
        self.assertIn("same ", result.stdout)

    def test_bad_input(self):
        text = self.folder / "text.h5"
        text.write_text("no log", encoding="utf-8")
        for runs in ([text], [self.folder / "none.h5"], ["--what"], [self.log, text]):
            result = self.verify(*runs)
            self.assertEqual(result.returncode, 2, result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
