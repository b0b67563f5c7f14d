"""Channels that nothing is left of: in the log, in the summary, and in a line that warns once."""

import unittest

import h5py
import numpy as np
from adapt_program import ProgramTest

TRAINED = ("training.epochs=2", "data.train_samples=128", "data.test_samples=20", "training.batch=64")
RATE = "training.learning_rate=1e-20"  # next to nothing is learned: what was dead stays so
INTEGER = ("engine=integer", "precision=fixed", "precision.fixed.word_length=8", "precision.formats=per_tensor",
           "precision.backward=quantized", "training.normalize=no")  # fmt: skip


class DeadChannels(ProgramTest):
    def weights(self, dead):
        """LeNet-5's weights, of conv1 so many channels 0 and another one tiny."""
        self.assert_done(self.train("first", *TRAINED))
        with h5py.File(self.folder / "first" / "run.h5") as file:
            numbers = {name: tensor[()] for name, tensor in file["model"].items()}
        numbers["conv1.weight"][:dead] = 0
        numbers["conv1.weight"][dead] = numbers["conv1.weight"].max() / 300
        np.savez(self.folder / "weights.npz", **numbers)
        return f"model.weights={self.folder / 'weights.npz'}"

    def check(self, *settings):
        result = self.train("second", *TRAINED, RATE, self.weights(3), *settings, ranks=2)
        self.assert_done(result)
        warnings = [line for line in result.stderr.splitlines() if "of its channels" in line]
        self.assertEqual(warnings, ["adapt: warning: layer 'conv1' has lost 67 % of its channels at step 1: their weights or "
                                    "batch-norm scales are below 1/256 of its largest"])  # fmt: skip
        with h5py.File(self.folder / "second" / "run.h5") as file:
            self.assertTrue(np.all(np.abs(file["layers/conv1/dead_channels"][()] - 4 / 6) < 1e-6))
            self.assertTrue(np.all(file["layers/conv2/dead_channels"][()] < 0.5))
            self.assertAlmostEqual(file["summary"].attrs["dead_channels"], 4 / 6)
            zeroed = file["layers/conv2/activation_gradients_zeroed"][()]
        return zeroed

    def test_in_float32(self):
        self.assertFalse(np.any(self.check()), "float32 rounds nothing to zero")

    def test_in_integers(self):
        self.assertTrue(np.all(self.check(*INTEGER) > 0))


if __name__ == "__main__":
    unittest.main()
