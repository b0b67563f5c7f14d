#!/usr/bin/python3
"""What RunLog wrote, seen by h5py: names, types, attributes and values as other programs rely on them.

usage: run_h5_writer_test.py PATH_OF_run_h5_sample
"""

import hashlib
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np

SAMPLE = sys.argv.pop(1)

STEP_TYPES = {
    "step": "i8", "loss": "f8", "cross_entropy": "f8", "learning_rate": "f8", "seconds_data": "f4",
    "seconds_forward": "f4", "seconds_backward": "f4", "seconds_quantize": "f4", "seconds_exchange": "f4",
    "seconds_policy": "f4", "seconds_update": "f4", "seconds_record": "f4",
    "exposed_seconds": "f4", "bytes_sent": "i8", "messages_sent": "i8", "strategy": "S16", "integer_share": "f8",
}
EPOCH_TYPES = {
    "epoch": "i8", "train_loss": "f8", "train_accuracy": "f8", "test_loss": "f8", "test_accuracy": "f8",
    "seconds": "f8", "test_seconds": "f8",
}
FORMAT_TYPES = {"word_length": "i1", "fractional_length": "i2", "is_float32": "i1"}
LAYER_TYPES = {
    "step": "i8",
    **{prefix + name: dtype for prefix in ("", "inputs_", "outputs_", "gradients_", "operands_", "activation_gradients_")
       for name, dtype in FORMAT_TYPES.items()},
    "lookback": "i4", "resolution": "i4", "diversity": "f4", "divergence": "f4", "density": "f4",
    "dead_channels": "f4",
    **{f"{tensor}_{loss}": "f4" for tensor in ("inputs", "outputs", "operands", "activation_gradients")
       for loss in ("zeroed", "saturated", "divergence")},
}


class WriterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        subprocess.run([SAMPLE, "write", cls.folder.name], check=True)
        cls.path = Path(cls.folder.name) / "run.h5"
        cls.file = h5py.File(cls.path, "r")
        cls.addClassCleanup(cls.file.close)

    def check_table(self, group, types, rows):
        self.assertEqual(list(group), list(types))  # in this order
        for name, dtype in types.items():
            self.assertEqual(group[name].dtype, np.dtype(dtype), name)
            self.assertEqual(group[name].shape, (rows,), name)

    def test_is_a_plain_hdf5_file(self):
        self.assertEqual(self.path.read_bytes()[:8], b"\x89HDF\r\n\x1a\n")

    def test_root(self):
        self.assertEqual(self.file.attrs["format_name"], "adapt-run")
        self.assertEqual(self.file.attrs["format_version"], 1)
        self.assertCountEqual(
            self.file, ["config", "graph", "provenance", "steps", "epochs", "layers", "switches", "model", "best_model", "summary"])

    def test_every_dataset_is_described(self):
        def check(name, node):
            if isinstance(node, h5py.Dataset):
                self.assertIsInstance(node.attrs["unit"], str, name)
                self.assertIsInstance(node.attrs["description"], str, name)
                self.assertNotEqual(node.attrs["description"], "", name)
        self.file.visititems(check)

    def test_config_and_provenance(self):
        self.assertEqual(self.file["config"][()].decode(), "training:\n  seed: 1\n")
        self.assertEqual(self.file["config"].asstr()[()], "training:\n  seed: 1\n")
        self.assertEqual(dict(self.file["provenance"].attrs),
                         {"command_line": "adapt train x.yaml", "ranks": "2", "note": ""})

    def test_steps(self):
        steps = self.file["steps"]
        self.check_table(steps, STEP_TYPES, 12)
        np.testing.assert_array_equal(steps["step"], np.arange(1, 13))
        np.testing.assert_array_equal(steps["loss"], 2.5 / np.arange(1, 13) + 1e-9)
        np.testing.assert_array_equal(steps["learning_rate"], 0.1)
        np.testing.assert_array_equal(steps["seconds_forward"], 1.5)
        np.testing.assert_array_equal(steps["seconds_record"], 7.5)
        np.testing.assert_array_equal(steps["exposed_seconds"], 0.25)
        np.testing.assert_array_equal(steps["bytes_sent"], 2**40 + np.arange(1, 13))
        np.testing.assert_array_equal(steps["messages_sent"], 2**33 + np.arange(1, 13))
        np.testing.assert_array_equal(steps["integer_share"], 0.75)
        self.assertEqual(steps["strategy"][:2].tolist(), [b"min", b"mean"])
        self.assertEqual(steps["loss"].attrs["unit"], "nat")

    def test_epochs(self):
        epochs = self.file["epochs"]
        self.check_table(epochs, EPOCH_TYPES, 2)
        np.testing.assert_array_equal(epochs["test_accuracy"], [0.1, 0.2])
        self.assertTrue(np.isnan(epochs["test_loss"]).all())

    def test_layers(self):
        layers = self.file["layers"]
        self.assertEqual(list(layers), ["stage1.conv", "conv0", "fc"])
        self.assertEqual([layers[name].attrs["index"] for name in layers], [0, 1, 2])
        self.assertEqual(layers["conv0"].attrs["madds"], 117600)
        self.assertEqual(layers["conv0"].attrs["parameters"], 2400)
        for name in layers:
            self.check_table(layers[name], LAYER_TYPES, 12)

    def test_formats(self):
        conv, fc = self.file["layers/conv0"], self.file["layers/fc"]
        for prefix, expected in (("", (9, -5, 0)), ("inputs_", (9, 40, 0)), ("outputs_", (32, 3, 0)),
                                 ("gradients_", (16, 20, 0))):
            self.assertEqual(tuple(conv[prefix + name][3] for name in FORMAT_TYPES), expected)
        self.assertEqual(tuple(fc[name][3] for name in FORMAT_TYPES), (32, 0, 1))
        self.assertEqual(conv["lookback"][0], 26)
        self.assertEqual(conv["resolution"][0], 51)
        self.assertEqual(conv["diversity"][0], 0)
        self.assertTrue(np.isinf(conv["diversity"][1:]).all())
        self.assertEqual(conv["density"][0], 0.75)
        self.assertEqual(conv["dead_channels"][0], 0.125)
        self.assertEqual([conv[f"inputs_{loss}"][0] for loss in ("zeroed", "saturated", "divergence")],
                         [0.5, 0.0625, 0.75])
        self.assertEqual(conv["activation_gradients_divergence"][0], 0.25)

    def test_switches(self):
        rows = self.file["switches"]
        self.assertEqual(rows.shape, (2,))
        row = dict(zip(rows.dtype.names, rows[1]))
        self.assertEqual(row, {
            "step": 10, "layer": b"conv0", "layer_index": 1,
            "before_word_length": 8, "before_fractional_length": 4, "before_is_float32": 0,
            "after_word_length": 32, "after_fractional_length": 0, "after_is_float32": 1,
            "minimal_word_length": 6, "minimal_fractional_length": -3, "minimal_is_float32": 0,
            "lookback": 31, "resolution": 75, "diversity": 1.75, "divergence": 1e-4, "strategy": b"max"})

    def test_model(self):
        model = self.file["model"]
        self.assertEqual(list(model), ["stage1.conv.weight", "conv0.weight", "fc.weight", "fc.bias", "scale"])
        for name, dtype, word_length, fractional_length in (("stage1.conv.weight", "i1", 8, 7),
                                                            ("conv0.weight", "i2", 9, 12),
                                                            ("fc.weight", "i4", 17, -2)):
            self.assertEqual(model[name].dtype, np.dtype(dtype))
            self.assertEqual(model[name].attrs["word_length"], word_length)
            self.assertEqual(model[name].attrs["fractional_length"], fractional_length)
        self.assertEqual(model["stage1.conv.weight"][()].tolist(), [[[-128, -1, 0]], [[1, 2, 127]]])
        self.assertEqual(model["fc.bias"].dtype, np.dtype("f4"))
        self.assertEqual(model["fc.bias"].attrs["format"], "float32")
        self.assertEqual(model["scale"].shape, ())

    def test_summary(self):
        self.assertEqual(dict(self.file["summary"].attrs), {"modelled_speedup": 1.27, "final_accuracy": 0.2})

    def test_done_holds_the_digest(self):
        done = (Path(self.folder.name) / "DONE").read_text()
        self.assertEqual(done, hashlib.sha256(self.path.read_bytes()).hexdigest() + "  run.h5\n")


if __name__ == "__main__":
    unittest.main()
