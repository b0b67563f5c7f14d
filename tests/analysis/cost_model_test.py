"""The cost model against sums done by hand."""

import json
import math
import unittest

import numpy as np

from support import ScratchTest, run_script
from synthetic_run import constant_layer, write_run

from analysis.cost_model import (
    computed_figures,
    cost_figures,
    final_density,
    iso_accuracy_speedup,
    run_figures,
    training_cost,
)
from analysis.errors import BadInput
from analysis.run_file import Layer, read_run
from analysis.switches import Switch


def switch(step, layer, word_length, resolution):
    """A precision switch of `layer` from `word_length` bits (None: float32)."""
    before = word_length and (word_length, 4)
    return Switch(step, layer, before, (8, 4), None, 99, resolution, math.nan, math.nan, "")


class CostFigures(unittest.TestCase):
    def test_float32_costs_what_float32_costs(self):
        figures = cost_figures([Layer("a", 100, 10, constant_layer(10, 32, 0))], [], batch=4)
        self.assertEqual(figures.training_speedup, 1)
        self.assertEqual(figures.inference_speedup, 1)
        self.assertEqual(figures.model_size, 1)
        self.assertEqual(figures.training_memory, 1)  # no quantized copy beside the master
        self.assertEqual(figures.overhead_share, 0)
        self.assertEqual(figures.mean_word_length, 32)

    def test_constant_format_and_density(self):
        layer = Layer("a", 100, 10, constant_layer(10, 8, 4, density=np.full(10, 0.5)))
        figures = cost_figures([layer], [], batch=4)
        # float32: 2 * 32 * 100; here 0.5 * 100 * (8 + 32)
        self.assertEqual(figures.training_speedup, 6400 / 2000)
        self.assertEqual(figures.inference_speedup, 32 / (0.5 * 8))
        self.assertEqual(figures.model_size, 0.5 * 8 / 32)
        self.assertEqual(figures.training_memory, 1 + 0.5 * 8 / 32)
        self.assertEqual(figures.overhead_share, 0)
        self.assertEqual(figures.mean_word_length, 8)

    def test_quantized_backward_costs_as_much_as_forward(self):
        layer = Layer("a", 100, 10, constant_layer(10, 8, 4))
        self.assertEqual(cost_figures([layer], [], batch=4, quantized_backward=True).training_speedup, 4)

    def test_32_bits_of_fixed_point_are_a_copy(self):
        series = constant_layer(2, 32, 0, is_float32=[0, 1], density=[0.5, 0.5])
        figures = cost_figures([Layer("a", 100, 10, series)], [], batch=1)
        self.assertEqual(figures.training_memory, 1 + 0.5 / 2)

    def test_layers_weigh_by_multiply_adds_or_parameters(self):
        layers = [Layer("a", 300, 10, constant_layer(2, 8, 4)), Layer("b", 100, 30, constant_layer(2, 16, 4))]
        figures = cost_figures(layers, [], batch=1)
        self.assertEqual(figures.training_speedup, 64 * 400 / (300 * 40 + 100 * 48))
        self.assertEqual(figures.inference_speedup, 32 * 400 / (300 * 8 + 100 * 16))
        self.assertEqual(figures.model_size, (10 * 8 + 30 * 16) / (40 * 32))
        self.assertEqual(figures.mean_word_length, 12)

    def test_switch_overhead(self):
        layers = [Layer("a", 100, 10, constant_layer(10, 12, 4)), Layer("b", 100, 10, constant_layer(10, 12, 4))]
        figures = cost_figures(layers, [switch(4, "a", 12, 50), switch(10, "a", 8, 60)], batch=4)
        # PushDown 3 * numel * 2 * log2(max(WL - 8, 2)) * r, PushUp (lb + 1) * numel; windows of 4 and 6 steps
        overhead = 32 * (3 * 10 * 2 * 2 * 50 + 5 * 10) + 32 * (3 * 10 * 2 * 1 * 60 + 7 * 10)
        passes = 2 * 100 * (12 + 32) * 10 * 4
        self.assertAlmostEqual(figures.overhead_share, overhead / (overhead + passes), delta=1e-12)
        self.assertAlmostEqual(figures.training_speedup, 2 * 6400 * 40 / (overhead + passes), delta=1e-12)

    def test_switches_of_a_policy_without_push_down_cost_nothing(self):
        layer = Layer("a", 100, 10, constant_layer(10, 12, 4))
        self.assertEqual(cost_figures([layer], [switch(4, "a", 12, 0)], batch=4).overhead_share, 0)

    def test_switch_overhead_shrinks_with_the_density_of_its_step(self):
        layer = Layer("a", 100, 10, constant_layer(2, 8, 4, density=[0.5, 1.0]))
        figures = cost_figures([layer], [switch(1, "a", 8, 50)], batch=1)
        overhead = 32 * (3 * 10 * 2 * 1 * 50 * 0.5 + 2 * 10)
        self.assertAlmostEqual(figures.overhead_share, overhead / (overhead + 1.5 * 100 * 40), delta=1e-12)

    def test_switch_away_from_float32_starts_at_32_bits(self):
        layer = Layer("a", 100, 10, constant_layer(1, 8, 4))
        figures = cost_figures([layer], [switch(1, "a", None, 50)], batch=1)
        overhead = 32 * (3 * 10 * 2 * math.log2(24) * 50 + 2 * 10)
        self.assertAlmostEqual(figures.overhead_share, overhead / (overhead + 100 * 40), delta=1e-12)

    def test_rows_stand_for_the_steps_up_to_theirs(self):
        series = constant_layer(2, step=np.array([2, 6]), word_length=np.array([8, 16]))
        figures = cost_figures([Layer("a", 100, 10, series)], [], batch=1)
        # steps 1..2 at 8 bits, 3..6 at 16
        self.assertAlmostEqual(figures.mean_word_length, (2 * 8 + 4 * 16) / 6, delta=1e-12)
        self.assertAlmostEqual(figures.training_speedup, 64 * 6 / (2 * 40 + 4 * 48), delta=1e-12)
        self.assertAlmostEqual(figures.training_memory, 1 + (2 * 8 + 4 * 16) / 6 / 32, delta=1e-12)
        self.assertEqual(figures.inference_speedup, 2)

    def test_float32_rows_are_dense_whatever_was_logged(self):
        layer = Layer("a", 100, 10, constant_layer(2, 32, 0, density=[0.5, 0.5]))
        self.assertEqual(cost_figures([layer], [], batch=1).training_speedup, 1)
        self.assertEqual(final_density([layer]), 1)

    def test_float32_from_some_step_on_needs_no_copy_there(self):
        series = constant_layer(2, word_length=np.array([8, 32]), fractional_length=np.array([4, 0]))
        figures = cost_figures([Layer("a", 100, 10, series)], [], batch=1)
        self.assertEqual(figures.training_memory, 1 + 8 / 32 / 2)

    def test_nothing_logged_and_nothing_left(self):
        self.assertIsNone(cost_figures([], [], batch=1))
        self.assertIsNone(cost_figures([Layer("a", 1, 1, constant_layer(0))], [], batch=1))
        pruned = cost_figures([Layer("a", 1, 1, constant_layer(1, density=[0.0]))], [], batch=1)
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
        self.write(summary={"modelled_training_speedup": 1.25, "mean_word_length": 7.5, "other": 3.0})
        run = read_run(self.folder)
        self.assertEqual(run_figures(run).training_speedup, 1.25)
        self.assertEqual(run_figures(run).mean_word_length, 7.5)
        self.assertEqual(run_figures(run).inference_speedup, 4)
        self.assertEqual(computed_figures(run).training_speedup, 64 / 40)

    def test_training_cost_and_quantized_backward_of_a_run(self):
        self.write(batch=4)
        self.assertEqual(training_cost(read_run(self.folder)), 10 * 4 * 100 * (8 + 32))
        self.write(batch=4, configuration="precision:\n  backward: quantized\n")
        self.assertEqual(training_cost(read_run(self.folder)), 10 * 4 * 100 * (8 + 8))

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
