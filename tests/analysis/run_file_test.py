"""Reading sound run.h5 files, and refusing those that are not what they should be."""

import hashlib
import os
import unittest
from unittest import mock

import h5py
import numpy as np

from support import ScratchTest, run_script
from synthetic_run import adaptive_layer, constant_layer, write_done, write_run

from analysis import hdf5_file
from analysis.digest import read_digests, usable_digests
from analysis.errors import BadInput
from analysis.run_file import read_run

LAYERS = {"z.conv": (100, 10, constant_layer(10, 8, 4)), "a.linear": (50, 20, constant_layer(10, 32, 0))}
SWITCHES = [(3, "z.conv", 8, 4, 9, 5), (7, "a.linear", 16, 12, 32, 0)]


class SoundFile(ScratchTest):
    def test_a_lack_of_memory_is_no_damage(self):
        path = write_run(self.path("run"), LAYERS)
        with mock.patch.object(hdf5_file, "_checked_content", side_effect=MemoryError):
            with self.assertRaisesRegex(BadInput, f"{path}: cannot be read here: out of memory"):
                with hdf5_file.opened(path):
                    pass

    def test_reads_what_was_written(self):
        write_run(self.path("run"), LAYERS, switches=SWITCHES, summary={"model_size": 0.5})
        run = read_run(self.path("run"))
        self.assertEqual(run.name, "run")
        self.assertTrue(run.done)
        self.assertEqual(run.configuration["precision.policy"], "adapt")
        self.assertEqual(run.configuration["training.schedule.milestones"], "[3, 4]")
        self.assertIn("# resolved configuration", run.configuration_text)
        self.assertEqual(run.provenance["ranks"], "2")
        self.assertEqual(run.steps["step"].tolist(), list(range(1, 11)))
        self.assertEqual(set(run.steps["strategy"]), {"min", "mean", "max"})
        self.assertEqual(run.epochs["test_accuracy"].tolist(), [0.9 - 0.5, 0.9 - 0.25])
        self.assertEqual(run.summary, {"model_size": 0.5})

    def test_data_of_ones_own_are_known_by_their_content(self):
        for name, digest in (("a", "0123456789"), ("b", "abcdef0123")):
            with h5py.File(write_run(self.path(name), LAYERS, dataset="arrays", done=False), "a") as file:
                file["provenance"].attrs["dataset_train_sha256"] = digest
            write_done(self.path(name))
            self.assertEqual(read_run(self.path(name)).configuration["data.name"], f"arrays:{digest[:8]}")
            (read,), _ = read_digests([os.path.join(self.path(name), "run.h5")])
            self.assertEqual(read.configuration["data.name"], f"arrays:{digest[:8]}")

    def test_layers_come_in_the_order_of_the_model(self):
        write_run(self.folder, LAYERS)
        layers = read_run(self.folder).layers
        self.assertEqual([layer.name for layer in layers], ["z.conv", "a.linear"])
        self.assertEqual([(layer.madds, layer.parameters) for layer in layers], [(100, 10), (50, 20)])
        self.assertFalse(np.any(layers[0].is_float32))
        self.assertTrue(np.all(layers[1].is_float32))

    def test_switches_as_columns_or_compound(self):
        for compound in (False, True):
            with self.subTest(compound=compound):
                write_run(self.folder, LAYERS, switches=SWITCHES, compound_switches=compound)
                first, second = read_run(self.folder).switches
                self.assertEqual((first.step, first.layer, first.before, first.after), (3, "z.conv", (8, 4), (9, 5)))
                self.assertEqual((first.lookback, first.resolution, first.diversity), (25, 50, 2.5))
                self.assertEqual((first.divergence, first.strategy, first.minimal), (1e-4, "min", None))
                self.assertIsNone(second.after)

    def test_final_model(self):
        write_run(self.folder, LAYERS)
        tensors = {tensor.name: tensor for tensor in read_run(self.folder).model}
        weight, bias = tensors["conv1.weight"], tensors["conv1.bias"]
        self.assertEqual((weight.dims, weight.word_length, weight.fractional_length), ((2, 2), 4, 2))
        self.assertEqual(weight.density, 0.75)
        self.assertEqual((bias.word_length, bias.density), (None, 0))

    def test_file_path_instead_of_folder(self):
        path = write_run(self.path("run"), LAYERS)
        self.assertEqual(read_run(path).name, "run")

    def test_run_that_has_just_begun(self):
        write_run(self.folder, {"a": (1, 1, constant_layer(0))}, steps=0, epochs=0, done=False)
        run = read_run(self.folder)
        self.assertFalse(run.done)
        self.assertEqual(len(run.layers[0].series["step"]), 0)

    def test_optional_columns_have_defaults(self):
        path = write_run(self.folder, LAYERS)
        with h5py.File(path, "a") as file:
            for name in ("density", "lookback", "diversity"):
                del file["layers/z.conv"][name]
            del file["switches"], file["model"]
        write_done(self.folder)
        run = read_run(self.folder)
        self.assertTrue(np.all(run.layers[0].series["density"] == 1))
        self.assertTrue(np.all(run.layers[0].series["lookback"] == 0))
        self.assertEqual((run.switches, run.model), ([], []))

    def test_intact_seal(self):
        path = write_run(self.folder, LAYERS)
        with open(path, "rb") as stream:
            digest = hashlib.sha256(stream.read()).hexdigest()
        with open(path, "a", encoding="ascii") as stream:
            stream.write(f"adapt-run sha256 {digest}\n")
        write_done(self.folder)
        self.assertEqual(len(read_run(self.folder).layers), 2)

    def test_done_of_another_run_is_noticed(self):
        """In a run's folder whose DONE names another digest the run is not taken for finished, nor for anything else."""
        write_run(self.path("run"), LAYERS)
        write_run(self.path("other"), LAYERS, seed=2)
        os.replace(self.path("other", "run.h5"), self.path("run", "run.h5"))
        for read in (read_run, lambda path: usable_digests([path])):
            with self.assertRaisesRegex(BadInput, "run.h5: DONE beside it does not belong to it"):
                read(self.path("run"))
        for text in ("", "\n", "sha256"):
            with open(self.path("run", "DONE"), "w", encoding="ascii") as stream:
                stream.write(text)
            self.assert_one_line_error(run_script("run_file.py", self.path("run")), "DONE beside it does not belong")
        os.remove(self.path("run", "DONE"))
        self.assertFalse(read_run(self.path("run")).done)

    def test_infinite_loss_is_a_result_not_damage(self):
        path = write_run(self.folder, LAYERS)
        with h5py.File(path, "a") as file:
            file["steps/loss"][3] = np.nan
            file["epochs/train_loss"][1] = np.inf
        write_done(self.folder)
        self.assertTrue(np.isnan(read_run(self.folder).steps["loss"][3]))

    def test_script_prints_a_line_per_run(self):
        write_run(self.path("a"), LAYERS, switches=SWITCHES)
        write_run(self.path("b"), {"a": (1, 1, adaptive_layer(10, 1))}, done=False)
        outcome = run_script("run_file.py", self.path("a"), self.path("b"))
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        first, second = outcome.stdout.splitlines()
        self.assertTrue(first.endswith("run.h5: finished, 2 epochs, 10 steps, 2 layers, 2 switches"))
        self.assertIn("not finished", second)


class WrongContent(ScratchTest):
    """A valid HDF5 file that lacks or breaks one thing."""

    def refused(self, change, *words):
        path = write_run(self.path("run"), LAYERS, switches=SWITCHES)
        with h5py.File(path, "a") as file:
            change(file)
        with self.assertRaises(BadInput) as caught:
            read_run(self.path("run"))
        message = str(caught.exception)
        self.assertNotIn("\n", message)
        for word in (path, "expected", *words):
            self.assertIn(word, message)

    def test_missing_members(self):
        for name in ("config", "steps", "epochs", "layers", "steps/loss", "epochs/seconds", "layers/z.conv/step",
                     "layers/a.linear/word_length", "switches/layer", "switches/step"):
            with self.subTest(name=name):
                self.refused(lambda file, name=name: file.__delitem__(name), name.split("/")[-1])

    def test_missing_attributes(self):
        self.refused(lambda file: file["layers/z.conv"].attrs.__delitem__("madds"), "madds", "/layers/z.conv")
        self.refused(lambda file: file["model/conv1.weight"].attrs.__delitem__("word_length"), "word_length")
        self.refused(lambda file: file.attrs.__delitem__("format_version"), "format_version")

    def test_values_out_of_range(self):
        def put(name, row, value):
            return lambda file: file[name].__setitem__(row, value)

        self.refused(put("layers/z.conv/word_length", 4, 33), "33", "row 4", "1..32")
        self.refused(put("layers/z.conv/word_length", 4, 0), "word_length")
        self.refused(put("layers/z.conv/density", 2, 1.5), "density", "0..1")
        self.refused(put("layers/z.conv/density", 2, np.nan), "density")
        self.refused(put("epochs/test_accuracy", 1, -0.1), "test_accuracy")
        self.refused(put("epochs/epoch", 1, 1), "epochs")
        self.refused(put("steps/step", 5, 3), "/steps")
        self.refused(put("steps/step", 0, 0), "/steps")
        self.refused(put("model/conv1.weight", (0, 0), -9), "-9", "-8..7")

    def test_wrong_types_and_shapes(self):
        def replace(name, value):
            def change(file):
                del file[name]
                file[name] = value

            return change

        self.refused(replace("steps/loss", np.zeros(9)), "length")
        self.refused(replace("steps/loss", np.zeros((10, 2))), "dimensions")
        self.refused(replace("steps/loss", np.array([b"x"] * 10)), "loss", "numbers")
        self.refused(replace("steps", np.zeros(3)), "/steps", "group")
        self.refused(replace("layers/z.conv", np.zeros(3)), "/layers/z.conv")
        self.refused(lambda file: file["layers/z.conv"].attrs.__setitem__("parameters", 0), "positive")

    def test_foreign_file(self):
        self.refused(lambda file: file.attrs.__setitem__("format_name", "keras"), "keras", "adapt-run")
        self.refused(lambda file: file.attrs.__delitem__("format_name"), "none")

    def test_newer_version(self):
        self.refused_version(2, "newer")
        self.refused_version(0, "format_version")

    def refused_version(self, version, word):
        write_run(self.path("v"), LAYERS, format_version=version)
        with self.assertRaisesRegex(BadInput, word):
            read_run(self.path("v"))


class WrongPath(ScratchTest):
    def test_missing_folder_file_or_run(self):
        self.assert_one_line_error(run_script("run_file.py", self.path("none")), "none", "No such file")
        self.assert_one_line_error(run_script("run_file.py", self.folder), "no run.h5", "adapt train")

    def test_folder_of_runs_is_told_apart(self):
        write_run(self.path("store", "first"), LAYERS)
        self.assert_one_line_error(run_script("run_file.py", self.path("store")), "1 run folders", "first")

    def test_run_h5_is_a_folder_or_a_pipe(self):
        os.makedirs(self.path("run", "run.h5"))
        self.assert_one_line_error(run_script("run_file.py", self.path("run")), "not a regular file")
        os.mkfifo(self.path("pipe"))
        self.assert_one_line_error(run_script("run_file.py", self.path("pipe")), "not a regular file")

    def test_dangling_link(self):
        os.symlink(self.path("gone"), self.path("run.h5"))
        self.assert_one_line_error(run_script("run_file.py", self.folder), "No such file")


if __name__ == "__main__":
    unittest.main()
