"""Copies without weights: small, sealed, and otherwise the same."""

import os
import shutil
import unittest

import h5py
import numpy as np

from support import ScratchTest, call_script, run_script
from synthetic_run import adaptive_layer, constant_layer, write_done, write_run

from analysis import strip
from analysis.cost_model import computed_figures
from analysis.errors import BadInput
from analysis.run_file import read_run
from analysis.seal import SEAL_BYTES, seal_problem

SWITCHES = [(3, "a", 8, 4, 9, 5), (7, "b", 9, 5, 8, 4)]


class Strip(ScratchTest):
    def setUp(self):
        super().setUp()
        layers = {"b": (10, 5, adaptive_layer(400, 1)), "a": (20, 7, adaptive_layer(400, 2))}
        self.source = write_run(self.path("run"), layers, steps=400, switches=SWITCHES, compound_switches=True,
                                summary={"mean_word_length": 7.5})
        with h5py.File(self.source, "a") as file:
            file["model/large"] = np.random.default_rng(0).random(50_000).astype(np.float32)
            file["best_model/large"] = file["model/large"][()]
            file["best_model"].attrs["epoch"] = 2
            file["steps/loss"].attrs["unit"] = "nat"
            del file["steps/seconds_data"]
            file["steps/seconds_data"] = np.random.default_rng(1).random(400).astype(np.float32)
        write_done(self.path("run"))
        self.copy = self.path("copy.h5")

    def strip(self, *options):
        return call_script(strip, self.path("run"), self.copy, *options)

    def test_everything_but_the_weights_is_the_same(self):
        stdout = self.strip()
        self.assertEqual(stdout, f"{self.copy}: {os.path.getsize(self.copy)} bytes\n")
        self.assertLess(os.path.getsize(self.copy), 100_000)
        with h5py.File(self.source) as before, h5py.File(self.copy) as after:
            names, copied = [], []
            before.visit(names.append)
            after.visit(copied.append)
            kept = [name for name in names if not name.startswith(("model/", "best_model/"))]
            self.assertEqual(sorted(copied), sorted(kept))
            for name in copied:
                if isinstance(after[name], h5py.Dataset):
                    self.assertEqual(after[name].dtype, before[name].dtype, name)
                    np.testing.assert_array_equal(after[name][()], before[name][()], name)
                self.assertEqual(dict(after[name].attrs), dict(before[name].attrs), name)
            self.assertEqual(dict(after.attrs), {**before.attrs, "stripped": "weights left out"})

    def test_places_of_the_machine_are_left_out(self):
        with h5py.File(self.source, "a") as file:
            config = file["config"][()].decode()
            del file["config"]
            file["config"] = np.bytes_(config + 'data:\n  name: mnist\n  path: "/home/me/my data"\n  weights: "/home/me/first/w.npz"\nmpi:\n  timeout_s: 3\n')
            line = "/opt/adapt/bin/adapt train /home/me/x.yaml --out /tmp/runs/x --set data.path=/home/me/d --set a/b=1"
            file["provenance"].attrs["command_line"] = line
            file["provenance"].attrs["weights"] = "/home/me/first/w.npz"
        write_done(self.path("run"))
        self.strip()
        with h5py.File(self.copy) as file:
            self.assertEqual(file["config"][()].decode(), config + 'data:\n  name: mnist\n  path: ""\n  weights: "w.npz"\nmpi:\n  timeout_s: 3\n')
            self.assertEqual(file["provenance"].attrs["command_line"],
                             "adapt train x.yaml --out x --set data.path=d --set a/b=1")
            self.assertEqual(file["provenance"].attrs["weights"], "w.npz")
        with open(self.copy, "rb") as file:
            self.assertNotIn(b"/home/me", file.read())

    def test_the_analysis_reads_it_as_a_finished_run(self):
        self.strip()
        run, original = read_run(self.copy), read_run(self.path("run"))
        self.assertEqual((run.name, run.done, run.model), ("copy", True, []))
        self.assertEqual([layer.name for layer in run.layers], ["b", "a"])
        self.assertEqual(run.switches, original.switches)
        self.assertEqual(computed_figures(run), computed_figures(original))

    def test_it_is_sealed(self):
        self.strip()
        with open(self.copy, "rb") as stream:
            content = stream.read()
        self.assertIsNone(seal_problem(content))
        self.assertIn(b"adapt-run sha256 ", content[-SEAL_BYTES:])
        changed = content[:100] + bytes([content[100] ^ 1]) + content[101:]
        self.assertIn("SHA-256", seal_problem(changed))

    def test_a_copy_of_a_sealed_copy_needs_no_done(self):
        self.strip()
        call_script(strip, self.copy, self.path("again.h5"))
        self.assertEqual(read_run(self.path("again.h5")).switches, read_run(self.copy).switches)

    def test_too_large_loses_bits_of_seconds_and_densities_only(self):
        self.strip()
        exact = read_run(self.copy)
        self.strip("--limit", str(os.path.getsize(self.copy) - 1))
        rounded = read_run(self.copy)
        with h5py.File(self.copy) as file:
            self.assertIn("rounded to 8 bits", file.attrs["stripped"])
        self.assertEqual(rounded.switches, exact.switches)
        for before, after in zip(exact.layers, rounded.layers):
            for name in before.series:
                if name != "density":
                    np.testing.assert_array_equal(after.series[name], before.series[name], name)
        for before, after in ((exact.layers[0].series["density"], rounded.layers[0].series["density"]),
                              (exact.steps["seconds_data"], rounded.steps["seconds_data"])):
            self.assertTrue(np.any(before != after))
            np.testing.assert_allclose(after, before, rtol=2.0**-9)
        np.testing.assert_array_equal(rounded.steps["loss"], exact.steps["loss"])

    def test_still_too_large_merges_rows_and_keeps_what_the_cost_model_says(self):
        self.strip()
        exact = read_run(self.copy)
        self.strip("--limit", str(os.path.getsize(self.copy) - 1))
        self.strip("--limit", str(os.path.getsize(self.copy) - 1))
        merged = read_run(self.copy)
        self.assertEqual(merged.switches, exact.switches)
        self.assertEqual(len(merged.steps["step"]), 400)
        for before, after in zip(exact.layers, merged.layers):
            self.assertLess(len(after.series["step"]), 80)
            self.assertEqual(after.series["step"][-1], 400)
        before, after = computed_figures(exact), computed_figures(merged)
        self.assertEqual(after.mean_word_length, before.mean_word_length)
        self.assertAlmostEqual(after.training_speedup, before.training_speedup, delta=2.0**-9 * before.training_speedup)

    def test_much_too_large(self):
        outcome = run_script("strip.py", self.path("run"), self.copy, "--limit", "1000")
        self.assert_one_line_error(outcome, self.source, "expected at most 1000")
        self.assertFalse(os.path.exists(self.copy))

    def test_an_unfinished_run_is_refused(self):
        os.remove(self.path("run", "DONE"))
        self.assert_one_line_error(run_script("strip.py", self.path("run"), self.copy), "not finished")

    def test_runs_without_rows_and_without_model(self):
        write_run(self.path("bare"), {"a": (1, 1, constant_layer(0))}, steps=0, epochs=0)
        shutil.copy(self.path("bare", "run.h5"), self.path("before.h5"))
        call_script(strip, self.path("bare"), self.copy)
        self.assertEqual(len(read_run(self.copy).steps["step"]), 0)


class Merging(unittest.TestCase):
    def test_neighbours_that_differ_in_density_alone_become_one(self):
        series = constant_layer(6, word_length=[8, 8, 8, 9, 9, 9], step=[2, 4, 6, 7, 8, 9],
                                density=[0.5, 0.25, 0.75, 1, 0, 0.125])
        merged = strip.merged_rows(series)
        self.assertEqual(merged["step"].tolist(), [6, 8, 9])
        self.assertEqual(merged["word_length"].tolist(), [8, 9, 9])
        self.assertEqual(merged["density"].tolist(), [0.5, 0.5, 0.125])

    def test_all_measured_shares_are_means_and_none_parts_rows(self):
        series = constant_layer(4, dead_channels=[0, 0.5, 1, 0.25], inputs_zeroed=[0.5, 0.25, 0.75, 1],
                                activation_gradients_divergence=[1, 2, 3, 4])
        merged = strip.merged_rows(series)
        self.assertEqual(merged["step"].tolist(), [3, 4])
        self.assertEqual(merged["dead_channels"].tolist(), [0.5, 0.25])
        self.assertEqual(merged["inputs_zeroed"].tolist(), [0.5, 1])
        self.assertEqual(merged["activation_gradients_divergence"].tolist(), [2, 4])

    def test_the_mean_counts_steps_and_groups_are_short(self):
        merged = strip.merged_rows(constant_layer(3, step=[1, 4, 5], density=[1, 0, 0.5]))
        self.assertEqual(merged["density"].tolist(), [0.25, 0.5])
        self.assertEqual(strip.merged_rows(constant_layer(24))["step"].tolist(), [10, 20, 23, 24])

    def test_nothing_to_merge(self):
        for rows in (0, 1, 2):
            self.assertEqual(len(strip.merged_rows(constant_layer(rows))["step"]), rows)


class Rounding(unittest.TestCase):
    def test_to_nearest_with_the_ends_kept(self):
        values = np.array([0, 1, 0.5, 1 + 2**-8, 1 + 2**-9, 1 + 2**-10, -3, np.inf], np.float32)
        expected = np.array([0, 1, 0.5, 1 + 2**-8, 1 + 2**-8, 1, -3, np.inf], np.float32)
        np.testing.assert_array_equal(strip.rounded(values), expected)
        self.assertTrue(np.isnan(strip.rounded(np.array([np.nan], np.float32))[0]))

    def test_error_is_half_a_step_at_most_and_densities_stay_shares(self):
        values = np.linspace(0.001, 1, 10_000, dtype=np.float32)
        rounded = strip.rounded(values)
        np.testing.assert_allclose(rounded, values, rtol=2.0**-9)
        self.assertLessEqual(rounded.max(), 1)


if __name__ == "__main__":
    unittest.main()
