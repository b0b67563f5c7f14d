"""Options of the recipe, through the program: accumulation, folds, early end, best and last model."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import h5py

PROGRAM = os.environ.get("ADAPT_PROGRAM", "adapt")
TINY = """\
data: {name: procedural, train_samples: 320, test_samples: 130}
training: {epochs: 3, batch: 64, shards: 4, test_batch: 50}
"""
ADAPT = ("engine=emulated", "precision=adapt", "precision.adapt.lookback_lower=2", "precision.adapt.lookback_upper=4")


def adapt(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60)


class Recipe(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="adapt-test-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.experiment = self.folder / "experiment.yaml"
        self.experiment.write_text(TINY, encoding="utf-8")

    def train(self, name, *overrides):
        """The folder of the run."""
        sets = [word for override in overrides for word in ("--set", override)]
        result = adapt("train", self.experiment, "--out", self.folder / name, *sets)
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.folder / name

    def evaluate(self, run_dir, *options):
        """(images, accuracy) that `adapt evaluate` prints."""
        result = adapt("evaluate", run_dir, *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        images = int(re.search(r"^test images +(\d+)$", result.stdout, re.MULTILINE)[1])
        return images, float(re.search(r"^test accuracy +(\S+)$", result.stdout, re.MULTILINE)[1])

    def accuracies(self, run_dir):
        with h5py.File(run_dir / "run.h5", "r") as file:
            return file["epochs/test_accuracy"][()].tolist()

    def test_accumulation_takes_the_same_trajectory_as_one_batch(self):
        for name, policy in (("float32", ()), ("adapt", ADAPT)):
            whole = self.train(f"{name}_whole", *policy)
            halves = self.train(f"{name}_halves", *policy, "training.batch=32", "training.shards=2",
                                "training.accumulate=2")  # fmt: skip
            result = adapt("compare", whole, halves)
            self.assertEqual(result.returncode, 0, result.stdout)
            with h5py.File(halves / "run.h5", "r") as file:
                self.assertEqual(len(file["steps/step"]), 15)

    def test_folds_replace_the_test_set(self):
        identities = set()
        for fold in (0, 4):
            run_dir = self.train(f"fold{fold}", "data.folds=5", f"data.fold={fold}", "training.epochs=1")
            with h5py.File(run_dir / "run.h5", "r") as file:
                self.assertEqual(len(file["steps/step"]), 256 // 64)
                identities.add(file["provenance"].attrs["identity"])
            self.assertEqual(self.evaluate(run_dir)[0], 64)
        self.assertEqual(len(identities), 2)

    def test_ends_at_the_target(self):
        accuracies = self.accuracies(self.train("all", *ADAPT))
        self.assertEqual(len(accuracies), 3)
        run_dir = self.train("early", *ADAPT, f"training.target_accuracy={accuracies[0]!r}")
        self.assertEqual(self.accuracies(run_dir), accuracies[:1])
        self.assertTrue((run_dir / "DONE").exists())

    def test_best_and_last_model(self):
        # So large a learning rate that accuracy falls from epoch to epoch.
        run_dir = self.train("wild", "training.learning_rate=1", "training.epochs=6")
        accuracies = self.accuracies(run_dir)
        self.assertNotEqual(accuracies[-1], max(accuracies))
        with h5py.File(run_dir / "run.h5", "r") as file:
            best = int(file["best_model"].attrs["epoch"])
            self.assertEqual(list(file["best_model"]), list(file["model"]))
            self.assertEqual(file["summary"].attrs["best_epoch"], best)
        self.assertEqual(best, accuracies.index(max(accuracies)) + 1)
        for model, accuracy in (("best", max(accuracies)), ("last", accuracies[-1])):
            self.assertAlmostEqual(self.evaluate(run_dir, "--model", model)[1], accuracy, delta=1e-5)
        self.assertEqual(self.evaluate(run_dir), self.evaluate(run_dir, "--model", "last"))

    def test_no_such_model(self):
        run_dir = self.train("plain", "training.epochs=1")
        result = adapt("evaluate", run_dir, "--model", "first")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--model: expected last or best, found 'first'", result.stderr)
        with h5py.File(run_dir / "run.h5", "r+") as file:  # as a file from before the best model was kept
            del file["best_model"]
        self.assertEqual(self.evaluate(run_dir)[0], 130)
        result = adapt("evaluate", run_dir, "--model", "best")
        self.assertEqual(result.returncode, 2)
        self.assertIn("holds no best model", result.stderr)
        self.assertIn("--model last", result.stderr)


if __name__ == "__main__":
    unittest.main()
