#!/usr/bin/python3
"""What h5py wrote, read by RunFile: a whole run, and one flaw at a time.

usage: run_h5_reader_test.py PATH_OF_run_h5_sample
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np

SAMPLE = sys.argv.pop(1)

STEP_FLOATS = ["loss", "cross_entropy", "learning_rate"] + [
    "seconds_" + phase
    for phase in ("data", "forward", "backward", "quantize", "exchange", "policy", "update", "record")]
SWITCH_TYPE = np.dtype(
    [("divergence", "f8"), ("diversity", "f8"), ("step", "i8"), ("layer", "S20"), ("layer_index", "i4")]
    + [(f"{which}_{what}", "i4") for which in ("before", "after", "minimal")
       for what in ("word_length", "fractional_length", "is_float32")]
    + [("lookback", "i4"), ("resolution", "i4"), ("strategy", "S4")])  # order and sizes differ from RunLog's


def write_layer(group, index):
    group.attrs.update(index=index, madds=10 + index, parameters=20 + index)
    group["step"] = np.array([1, 2])
    for prefix in ("", "inputs_", "outputs_", "gradients_"):
        group[prefix + "word_length"] = np.array([8, 12])
        group[prefix + "fractional_length"] = np.array([4, -6])
        group[prefix + "is_float32"] = np.array([0, 0], "i1")
    group["lookback"] = np.array([25, 26])
    group["resolution"] = np.array([50, 51])
    group["diversity"] = np.array([1.5, np.inf])
    group["divergence"] = np.array([0.25, 0.5])
    group["density"] = np.array([1.0, 0.5])


def write_run(path):
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.attrs["format_name"] = "adapt-run"
        file.attrs["format_version"] = 1
        file["config"] = np.bytes_("x: 1")
        file.create_group("provenance").attrs["host"] = "h"
        file.create_group("summary").attrs["speedup"] = 1.5
        steps = file.create_group("steps")
        steps["step"] = np.array([1, 2], "i4")
        for number, name in enumerate(STEP_FLOATS):
            steps[name] = np.array([number, number + 0.5])
        steps["bytes_sent"] = np.array([7, 2**40])
        steps["strategy"] = np.array([b"min", b""], "S5")
        epochs = file.create_group("epochs")
        epochs["epoch"] = np.array([1])
        for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds", "test_seconds"):
            epochs[name] = np.array([0.25])
        write_layer(file.create_group("layers/b"), 0)
        write_layer(file.create_group("layers/a"), 1)
        row = (0.125, 2.5, 2, b"a", 1, 8, 4, 0, 32, 0, 1, 6, 3, 0, 31, 75, b"max")
        file["switches"] = np.array([row], SWITCH_TYPE)
        file["model/w"] = np.array([[-128, 127]], "i8")
        file["model/w"].attrs.update(word_length=8, fractional_length=7)
        file["model/z"] = np.array([0.5, -1], "f4")


def read(path):
    return subprocess.run([SAMPLE, "read", path], capture_output=True, text=True)


class ReaderTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "run.h5"
        write_run(self.path)

    def refused(self, change, reason):
        """Changes a fresh file and expects exit code 2 and one line with path and reason."""
        write_run(self.path)
        with h5py.File(self.path, "r+", libver=("v110", "v110")) as file:
            change(file)
        result = read(self.path)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertIn(str(self.path), result.stderr)
        self.assertIn(reason, result.stderr)

    def replaced(self, name, value, reason):
        def change(file):
            del file[name]
            file[name] = value
        self.refused(change, reason)

    def test_reads_everything(self):
        result = read(self.path)
        self.assertEqual(result.stderr, "")
        self.assertEqual(result.stdout.splitlines(), [
            "config x: 1", "provenance host h", "summary speedup 1.5",
            "tensor w <8,7> 1 2 : -128 127", "tensor z float32 2 : 0.5 -1", "done 0",
            "step 1 0 1 2 3 10 7 min", "step 2 0.5 1.5 2.5 3.5 10.5 1099511627776 ",
            "epoch 1 0.25 0.25 0.25", "switch 2 1 <8,4> float32 <6,3> 2.5 max",
            "layer b 10 20", "row 1 <8,4> <8,4> <8,4> <8,4> 25 50 1.5 1",
            "row 2 <12,-6> <12,-6> <12,-6> <12,-6> 26 51 inf 0.5",
            "layer a 11 21", "row 1 <8,4> <8,4> <8,4> <8,4> 25 50 1.5 1",
            "row 2 <12,-6> <12,-6> <12,-6> <12,-6> 26 51 inf 0.5"])

    def test_a_stripped_copy_has_no_weights_and_is_done(self):
        with h5py.File(self.path, "r+") as file:
            del file["model"]
            file.create_group("model")
            file.attrs["stripped"] = "weights left out"
        lines = read(self.path).stdout.splitlines()
        self.assertIn("done 1", lines)
        self.assertFalse([line for line in lines if line.startswith("tensor")])

    def test_missing_parts(self):
        def remove(name):
            return lambda file: file.__delitem__(name)
        for name in ("config", "provenance", "summary", "steps", "steps/loss", "epochs", "epochs/test_accuracy",
                     "layers", "layers/a/density", "switches", "model"):
            self.refused(remove(name), f"/{name} is missing")
        self.refused(lambda file: file["layers/a"].attrs.__delitem__("madds"), "'madds' of /layers/a is missing")
        self.refused(lambda file: file["model/w"].attrs.__delitem__("word_length"), "'word_length' of /model/w")
        self.refused(lambda file: file.attrs.__delitem__("format_version"), "'format_version' of / is missing")

    def test_wrong_types(self):
        self.replaced("steps/loss", np.array([b"a", b"b"]), "/steps/loss is text, expected floating point")
        self.replaced("steps/step", np.array([1.0, 2.0]), "/steps/step is floating point, expected integer")
        self.replaced("config", 5, "/config is integer, expected text")
        self.replaced("config", np.array([b"a", b"b"]), "/config is an array")
        self.replaced("config", "x", "/config holds text of variable length")
        self.replaced("switches", np.array([1, 2]), "field 'step' of /switches is missing")
        self.replaced("model/w", np.array([b"x"]), "/model/w is text")
        self.refused(lambda file: file.attrs.__setitem__("format_version", "1"), "is text, expected integer")

    def test_wrong_lengths(self):
        self.replaced("steps/loss", np.zeros(3), "/steps/loss has 3 rows, expected 2")
        self.replaced("steps/step", np.zeros(0, "i8"), "rows, expected 0")
        self.replaced("layers/a/density", np.zeros(1), "/layers/a/density has 1 rows, expected 2")

    def test_wrong_values(self):
        self.replaced("layers/a/word_length", np.array([8, 33]), "word length 33")
        self.replaced("layers/a/word_length", np.array([8, 2**40]), "out of range")
        self.replaced("layers/a/is_float32", np.array([0, 2]), "is_float32 = 2")
        self.refused(lambda file: file["layers/a"].attrs.__setitem__("index", 0), "as another layer has")
        self.refused(lambda file: file["layers/a"].attrs.__setitem__("index", 5), "no layer with index 1")
        self.refused(lambda file: file["layers/a"].attrs.__setitem__("madds", -1), "'madds' of /layers/a is -1")
        self.refused(lambda file: file["model/w"].attrs.__setitem__("word_length", 7), "/model/w holds -128")
        row = np.zeros(1, SWITCH_TYPE)
        self.replaced("switches", row, "names layer ''")

    def test_absurd_sizes(self):
        def claim(file):
            del file["steps/loss"]
            file.create_dataset("steps/loss", shape=(2**50,), dtype="f8", chunks=(1024,))
        self.refused(claim, "claims more elements than its")

    def test_versions_and_foreign_files(self):
        self.refused(lambda file: file.attrs.__setitem__("format_version", 2), "written by a newer adapt")
        self.refused(lambda file: file.attrs.__setitem__("format_name", "x"), "format_name is not 'adapt-run'")

    def test_other_formats_of_hdf5(self):
        """They are read like others: what they make of the HDF5 library stays in the child."""
        with h5py.File(self.path, "w", libver="earliest") as file:
            file.attrs["format_name"] = "adapt-run"
        result = read(self.path)
        self.assertEqual(result.returncode, 2)
        self.assertIn("attribute 'format_version' of / is missing", result.stderr)

    def test_a_change_made_by_h5py_is_read_and_found(self):
        folder = self.path.parent
        for name in ("a", "b"):
            subprocess.run([SAMPLE, "write", folder / name], check=True)
        with h5py.File(folder / "b" / "run.h5", "r+") as file:
            file["model/stage1.conv.weight"][1, 0, 2] = 126
        result = subprocess.run([SAMPLE, "compare", folder / "a", folder / "b"], capture_output=True, text=True)
        self.assertEqual(result.stdout, "model/stage1.conv.weight differs at element 5: 127 against 126\n", result)


if __name__ == "__main__":
    unittest.main()
