"""The authors' formulas against sums done by hand."""

import json
import unittest
from unittest import mock

import numpy as np

from support import ScratchTest, run_script
from synthetic_run import LENET5, constant_layer, write_run

from analysis.authors_model import authors_figures, authors_iso_accuracy_speedup
from analysis.authors_networks import Operation, counted_operations
from analysis.cost_model import figures_by_authors
from analysis.run_file import Layer, read_run

# (multiply-adds, parameters) of each layer for images of 32 × 32 × 3.
ALEXNET = {
    "conv1": (8 * 8 * 23232, 23232),  # 64 · 3 · 11 · 11
    "conv2": (4 * 4 * 307200, 307200),  # 192 · 64 · 5 · 5
    "conv3": (2 * 2 * 663552, 663552),  # 384 · 192 · 3 · 3
    "conv4": (2 * 2 * 884736, 884736),  # 256 · 384 · 3 · 3
    "conv5": (2 * 2 * 589824, 589824),  # 256 · 256 · 3 · 3
    "fc": (2560, 2560),
}
RESNET8 = {
    "conv1": (1024 * 432, 432),
    "stage1.block1.conv1": (1024 * 2304, 2304),
    "stage1.block1.conv2": (1024 * 2304, 2304),
    "stage2.block1.shortcut": (256 * 512, 512),
    "stage2.block1.conv1": (256 * 4608, 4608),
    "stage2.block1.conv2": (256 * 9216, 9216),
    "stage3.block1.shortcut": (64 * 2048, 2048),
    "stage3.block1.conv1": (64 * 18432, 18432),
    "stage3.block1.conv2": (64 * 36864, 36864),
    "fc": (6400, 6400),
}
WINDOWS = {"lookback": np.full(10, 25), "resolution": np.full(10, 50)}


def layers_of(sizes, steps=4):
    return [Layer(name, *size, constant_layer(steps)) for name, size in sizes.items()]


def operations_of(model, sizes):
    """[(layer, multiply-adds, elements)] as counted."""
    return [(each.layer, each.madds, each.elements) for each in counted_operations(model, layers_of(sizes))]


class Operations(unittest.TestCase):
    def test_alexnet(self):
        # convolution: 2 H W C_in C_out (C_in k + 1) + ReLU; linear: 2 in out - in
        self.assertEqual(operations_of("alexnet", ALEXNET), [
            ("conv1", 2 * 1024 * 3 * 64 * 34 + 4096, 121 * 64),
            ("conv2", 2 * 16 * 64 * 192 * 321 + 3072, 25 * 192),
            ("conv3", 2 * 4 * 192 * 384 * 577 + 1536, 9 * 384),
            ("conv4", 2 * 4 * 384 * 256 * 1153 + 1024, 9 * 256),
            ("conv5", 2 * 4 * 256 * 256 * 769 + 1024, 9 * 256),
            ("fc", 2 * 2560 - 256, 256),
        ])  # fmt: skip

    def test_lenet5(self):
        # tanh counts four operations per value; behind a linear layer per weight and channel of the last map
        self.assertEqual(operations_of("lenet5", LENET5), [
            ("conv1", 2 * 784 * 6 * 6 + 4 * 784 * 6, 150),
            ("conv2", 2 * 196 * 6 * 16 * 31 + 4 * 1600, 400),
            ("conv3", 2 * 25 * 16 * 120 * 81 + 4 * 120, 3000),
            ("fc1", 2 * 10080 - 120 + 4 * 10080 * 120, 120),
            ("fc2", 2 * 840 - 84, 120),
        ])  # fmt: skip

    def test_resnet(self):
        operations = operations_of("resnet8", RESNET8)
        self.assertEqual(operations[:6], [
            ("conv1", 2 * 1024 * 3 * 16 * 10, 144),
            ("conv1", 5 * 16384, 16384),  # batch norm and ReLU
            ("stage1.block1.conv1", 2 * 1024 * 16 * 16 * 49, 144),
            ("stage1.block1.conv1", 5 * 16384, 16384),
            ("stage1.block1.conv2", 2 * 1024 * 16 * 16 * 49, 144),
            ("stage1.block1.conv2", 4 * 16384, 16384),  # the ReLU is behind the sum
        ])  # fmt: skip
        self.assertEqual(operations[6:9], [
            ("stage2.block1.shortcut", 2 * 1024 * 16 * 32 * 17, 32),
            ("stage2.block1.shortcut", 4 * 8192, 8192),
            ("stage2.block1.conv1", 2 * 1024 * 16 * 32 * 49, 288),
        ])  # fmt: skip
        self.assertEqual(operations[-1], ("fc", 2 * 6400 - 64, 64))
        self.assertEqual(len(operations), 19)

    def test_other_networks_and_sizes_are_not_guessed_at(self):
        self.assertIsNone(counted_operations("resnet9", layers_of(RESNET8)))
        self.assertIsNone(counted_operations("resnet14", layers_of(RESNET8)))
        self.assertIsNone(counted_operations("own", layers_of(ALEXNET)))
        self.assertIsNone(counted_operations("alexnet", layers_of(ALEXNET | {"conv3": (2 * 2 * 663552, 663551)})))
        self.assertIsNone(counted_operations("alexnet", layers_of({"conv1": ALEXNET["conv1"]})))
        self.assertIsNone(counted_operations("alexnet", []))


class Formulas(unittest.TestCase):
    def figures(self, operations, layers, accumulate=1, policy="adapt"):
        """For hand-made operations."""
        with mock.patch("analysis.authors_model.counted_operations", return_value=operations):
            return authors_figures(layers, "any", accumulate, policy)

    def test_no_switches(self):
        layer = Layer("a", 1, 1, constant_layer(10, 8, 4, density=np.full(10, 0.5)))
        figures = self.figures([Operation("a", 100, 10, (1, 1))], [layer])
        # F = 3200, Q = 0.5 * 100 * 8; the backward pass is dense
        self.assertEqual(figures.training_speedup, 2 * 3200 / (400 + 3200))
        self.assertEqual(figures.inference_speedup, 8)
        self.assertEqual(figures.model_size, 0.5 * 8 / 32)
        self.assertEqual(figures.training_memory, 1 + 2 * 0.125)
        self.assertEqual(figures.overhead_share, 0)

    def test_overhead(self):
        series = constant_layer(10, 12, 4, density=np.full(10, 0.5), **WINDOWS)
        figures = self.figures([Operation("a", 100, 10, (1, 1))], [Layer("a", 1, 1, series)], accumulate=2)
        # PushDown 3 N 2 log2(WL - 8) r d, PushUp (lb + 1) N + 1, times 32 bits and 10, over 25 · 2 passes
        overhead = 32 * (3 * 10 * 4 * 50 * 0.5 + 26 * 10 + 1) * 10 / 50
        cost = 0.5 * (100 * 12 + overhead)
        self.assertAlmostEqual(figures.training_speedup, 6400 / (cost + 3200), delta=1e-12)
        self.assertAlmostEqual(figures.overhead_share, overhead / cost, delta=1e-12)
        self.assertEqual(figures.inference_speedup, 3200 / 600, "switches end with the training")

    def test_bisections(self):
        for word_length, bisections in ((4, 1), (8, 1), (9, 0), (10, 2), (24, 8)):
            with self.subTest(word_length=word_length):
                series = constant_layer(1, word_length, 4, lookback=[1], resolution=[50])
                figures = self.figures([Operation("a", 1000, 10, (1, 1))], [Layer("a", 1, 1, series)])
                overhead = 32 * (3 * 10 * bisections * 50 + 2 * 10 + 1) * 10
                self.assertAlmostEqual(figures.overhead_share, overhead / (overhead + 1000 * word_length), delta=1e-12)

    def test_batch_norm_has_the_format_of_its_convolution_and_no_zeros(self):
        layer = Layer("a", 1, 1, constant_layer(2, 8, 4, density=[0.5, 0.5]))
        figures = self.figures([Operation("a", 100, 10, (1, 1)), Operation("a", 60, 20, None)], [layer])
        self.assertEqual(figures.inference_speedup, 32 * 160 / (0.5 * 800 + 480))
        self.assertEqual(figures.model_size, 8 * 0.75 / 32)

    def test_model_size_weighs_each_operation_alike(self):
        sparse, long = constant_layer(1, 8, 4, density=[0.5]), constant_layer(1, 16, 4)
        layers = [Layer("a", 1, 10, sparse), Layer("b", 1, 9999, long)]
        figures = self.figures([Operation("a", 1, 1, (1, 10)), Operation("b", 1, 1, (1, 9999))], layers)
        self.assertEqual(figures.model_size, 12 * 0.75 / 32, "mean word length times mean density")

    def test_rows_stand_for_the_steps_up_to_theirs(self):
        series = constant_layer(2, step=np.array([2, 6]), word_length=np.array([8, 16]))
        figures = self.figures([Operation("a", 100, 10, (1, 1))], [Layer("a", 1, 1, series)])
        self.assertAlmostEqual(figures.training_speedup, 2 * 32 * 6 / (2 * 8 + 4 * 16 + 32 * 6), delta=1e-12)
        self.assertAlmostEqual(figures.training_memory, 1 + 2 * (2 * 8 + 4 * 16) / 6 / 32, delta=1e-12)
        self.assertEqual(figures.model_size, 0.5)

    def test_muppet_counts_no_zeros_and_float32_nothing_less(self):
        layer = Layer("a", 1, 1, constant_layer(2, 8, 4, density=[0.5, 0.5]))
        figures = self.figures([Operation("a", 100, 10, (1, 1))], [layer], policy="muppet")
        self.assertEqual((figures.inference_speedup, figures.model_size), (4, 0.25))
        plain = Layer("a", 1, 1, constant_layer(2, 32, 0, density=[0.5, 0.5]))
        figures = self.figures([Operation("a", 100, 10, (1, 1))], [plain], policy="float32")
        self.assertEqual((figures.training_speedup, figures.model_size, figures.training_memory), (1, 1, 3))

    def test_pruned_to_nothing(self):
        layer = Layer("a", 1, 1, constant_layer(1, 8, 4, density=[0.0]))
        figures = self.figures([Operation("a", 100, 10, (1, 1))], [layer])
        self.assertEqual((figures.training_speedup, figures.inference_speedup), (2, float("inf")))

    def test_none_without_common_rows(self):
        self.assertIsNone(authors_figures(layers_of(ALEXNET, steps=0), "alexnet", 1))
        uneven = layers_of(ALEXNET)
        uneven[1].series = constant_layer(3)
        self.assertIsNone(authors_figures(uneven, "alexnet", 1))

    def test_iso_accuracy(self):
        self.assertEqual(authors_iso_accuracy_speedup(1.5, [0.1, 0.7, 0.6, 0.8], 0.7), 1.5 * 4 / 1)
        self.assertEqual(authors_iso_accuracy_speedup(1.5, [0.1, 0.7, 0.6, 0.8], 0.8), 1.5 * 4 / 3)
        self.assertEqual(authors_iso_accuracy_speedup(1.5, [0.1, 0.7], 0.9), 1.5)
        self.assertIsNone(authors_iso_accuracy_speedup(1.5, [0.1, 0.7], 0.1))


class OfRuns(ScratchTest):
    def write(self, **options):
        layers = {name: (*size, constant_layer(10, **WINDOWS)) for name, size in ALEXNET.items()}
        return write_run(self.folder, layers, steps=10, **({"model": "alexnet"} | options))

    def test_accumulated_mini_batches_share_a_switch(self):
        self.write()
        once = figures_by_authors(read_run(self.folder))
        self.write(configuration="training:\n  accumulate: 4\n")
        shared = figures_by_authors(read_run(self.folder))
        paid, shared_paid = (each.overhead_share / (1 - each.overhead_share) for each in (once, shared))
        self.assertAlmostEqual(paid / shared_paid, 4, delta=1e-9)
        self.assertEqual(once.inference_speedup, 4)

    def test_script(self):
        path = self.write()
        outcome = run_script("cost_model.py", "--formulas", "authors", self.folder)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        printed = json.loads(outcome.stdout)
        self.assertEqual(printed["formulas"], "authors")
        self.assertEqual(printed["modelled"][path]["inference_speedup"], 4)
        self.assertEqual(printed["modelled"][path]["model_size"], 0.25)

    def test_script_says_which_network_it_does_not_know(self):
        path = self.write(model="own")
        outcome = run_script("cost_model.py", "--formulas", "authors", self.folder)
        self.assert_one_line_error(outcome, path, "'own'", "alexnet")


if __name__ == "__main__":
    unittest.main()
