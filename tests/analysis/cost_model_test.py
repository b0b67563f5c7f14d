"""The cost model against sums done by hand."""

import json
import unittest

import numpy as np

from support import ScratchTest, run_script
from synthetic_run import constant_layer, write_run

from analysis.cost_model import computed_figures, cost_figures, final_density, iso_accuracy_speedup, run_figures
from analysis.errors import BadInput
from analysis.run_file import Layer, read_run


class CostFigures(unittest.TestCase):
    def test_float32_costs_what_float32_costs(self):
        figures = cost_figures([Layer("a", 100, 10, constant_layer(10, 32, 0))], last_step=10, batch=4)
        self.assertEqual(figures.training_speedup, 1)
        self.assertEqual(figures.inference_speedup, 1)
        self.assertEqual(figures.model_size, 1)
        self.assertEqual(figures.training_memory, 1)  # no quantized copy beside the master
        self.assertEqual(figures.overhead_share, 0)
        self.assertEqual(figures.mean_word_length, 32)

    def test_constant_format_and_density(self):
        layer = Layer("a", 100, 10, constant_layer(10, 8, 4, density=np.full(10, 0.5)))
        figures = cost_figures([layer], last_step=10, batch=4)
        # float32: 2 * 32 * 100; here 0.5 * 100 * (8 + 32)
        self.assertEqual(figures.training_speedup, 6400 / 2000)
        self.assertEqual(figures.inference_speedup, 32 / (0.5 * 8))
        self.assertEqual(figures.model_size, 0.5 * 8 / 32)
        self.assertEqual(figures.training_memory, 1 + 0.5 * 8 / 32)
        self.assertEqual(figures.overhead_share, 0)
        self.assertEqual(figures.mean_word_length, 8)

    def test_layers_weigh_by_multiply_adds_or_parameters(self):
        layers = [Layer("a", 300, 10, constant_layer(2, 8, 4)), Layer("b", 100, 30, constant_layer(2, 16, 4))]
        figures = cost_figures(layers, last_step=2, batch=1)
        self.assertEqual(figures.training_speedup, 64 * 400 / (300 * 40 + 100 * 48))
        self.assertEqual(figures.inference_speedup, 32 * 400 / (300 * 8 + 100 * 16))
        self.assertEqual(figures.model_size, (10 * 8 + 30 * 16) / (40 * 32))
        self.assertEqual(figures.mean_word_length, 12)

    def test_switch_overhead(self):
        series = constant_layer(10, 12, 4, lookback=np.full(10, 25), resolution=np.full(10, 50))
        figures = cost_figures([Layer("a", 100, 10, series)], last_step=10, batch=4)
        # PushDown 3 * 10 * 2 * log2(12 - 8) * 50 = 6000, PushUp (25 + 1) * 10 = 260, over 25 steps, at 32 bits
        overhead = 32 * (6000 + 260) / 25
        passes = 100 * (12 + 32) * 4
        self.assertAlmostEqual(figures.overhead_share, overhead / (overhead + passes), delta=1e-12)
        self.assertAlmostEqual(figures.training_speedup, 6400 * 4 / (overhead + passes), delta=1e-12)

    def test_switch_overhead_has_a_floor_of_one_evaluation_and_shrinks_with_density(self):
        series = constant_layer(1, 8, 4, lookback=[1], resolution=[50], density=[0.5])
        figures = cost_figures([Layer("a", 100, 10, series)], last_step=1, batch=1)
        overhead = 32 * (3 * 10 * 2 * 1 * 50 * 0.5 + 2 * 10)
        self.assertAlmostEqual(figures.overhead_share, overhead / (overhead + 0.5 * 100 * 40), delta=1e-12)

    def test_rows_hold_until_the_next_and_the_first_from_the_start(self):
        series = constant_layer(2, step=np.array([2, 6]), word_length=np.array([8, 16]))
        figures = cost_figures([Layer("a", 100, 10, series)], last_step=9, batch=1)
        # steps 1..5 at 8 bits, 6..9 at 16
        self.assertAlmostEqual(figures.mean_word_length, (5 * 8 + 4 * 16) / 9, delta=1e-12)
        self.assertAlmostEqual(figures.training_speedup, 64 * 9 / (5 * 40 + 4 * 48), delta=1e-12)
        self.assertAlmostEqual(figures.training_memory, 1 + (5 * 8 + 4 * 16) / 9 / 32, delta=1e-12)
        self.assertEqual(figures.inference_speedup, 2)

    def test_float32_from_some_step_on_needs_no_copy_there(self):
        series = constant_layer(2, word_length=np.array([8, 32]), fractional_length=np.array([4, 0]))
        figures = cost_figures([Layer("a", 100, 10, series)], last_step=2, batch=1)
        self.assertEqual(figures.training_memory, 1 + 8 / 32 / 2)

    def test_nothing_logged_and_nothing_left(self):
        self.assertIsNone(cost_figures([], last_step=5, batch=1))
        self.assertIsNone(cost_figures([Layer("a", 1, 1, constant_layer(0))], last_step=0, batch=1))
        pruned = cost_figures([Layer("a", 1, 1, constant_layer(1, density=[0.0]))], last_step=1, batch=1)
        self.assertEqual(pruned.inference_speedup, float("inf"))
        self.assertEqual(pruned.model_size, 0)

    def test_final_density_weighs_by_parameters(self):
        layers = [Layer("a", 1, 10, constant_layer(2, density=[1.0, 0.5])), Layer("b", 1, 30, constant_layer(2))]
        self.assertEqual(final_density(layers), (5 + 30) / 40)
        self.assertIsNone(final_density([]))


class IsoAccuracy(unittest.TestCase):
    def test_stops_at_the_first_epoch_that_reaches_the_target(self):
        self.assertEqual(iso_accuracy_speedup(1.5, [0.1, 0.7, 0.6, 0.8], 0.7), 1.5 * 4 / 2)
        self.assertEqual(iso_accuracy_speedup(1.5, [0.1, 0.7, 0.6, 0.8], 0.8), 1.5)

    def test_none_when_it_never_does(self):
        self.assertIsNone(iso_accuracy_speedup(1.5, [0.1, 0.7], 0.71))
        self.assertIsNone(iso_accuracy_speedup(1.5, [], 0.5))


class OfRuns(ScratchTest):
    def write(self, **options):
        return write_run(self.folder, {"a": (100, 10, constant_layer(10))}, steps=10, **options)

    def test_stored_figures_go_before_computed_ones(self):
        self.write(summary={"training_speedup": 1.25, "something_else": 3.0})
        run = read_run(self.folder)
        self.assertEqual(run_figures(run).training_speedup, 1.25)
        self.assertEqual(run_figures(run).inference_speedup, 4)
        self.assertEqual(computed_figures(run).training_speedup, 64 / 40)

    def test_batch_must_be_a_number(self):
        self.write(batch="many")
        with self.assertRaisesRegex(BadInput, "training.batch"):
            run_figures(read_run(self.folder))

    def test_script_prints_json(self):
        path = self.write()
        outcome = run_script("cost_model.py", self.folder)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        self.assertEqual(json.loads(outcome.stdout)["modelled"][path]["inference_speedup"], 4)

    def test_script_without_run(self):
        self.assert_one_line_error(run_script("cost_model.py"), "usage")


if __name__ == "__main__":
    unittest.main()
