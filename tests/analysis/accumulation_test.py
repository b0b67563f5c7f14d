"""Gradient accumulation in the analysis: an optimizer step takes all its mini-batches' images."""

import unittest

from support import ScratchTest
from synthetic_run import constant_layer, write_run

from analysis.comparison import setting_of, task_of
from analysis.cost_model import batch_of, computed_figures
from analysis.errors import BadInput
from analysis.run_file import read_run
from analysis.switches import Switch


class Accumulation(ScratchTest):
    def read(self, name, training):
        """A run whose section `training` says so."""
        folder = self.path(name)
        write_run(folder, {"a": (100, 10, constant_layer(10))}, steps=10, batch=training)
        return read_run(folder)

    def test_images_of_a_step(self):
        self.assertEqual(batch_of(self.read("plain", "4")), 4)  # a log from before accumulation
        self.assertEqual(batch_of(self.read("one", "4\n  accumulate: 1")), 4)
        self.assertEqual(batch_of(self.read("three", "4\n  accumulate: 3")), 12)
        with self.assertRaisesRegex(BadInput, "training.accumulate in /config is '0'"):
            batch_of(self.read("none", "4\n  accumulate: 0"))

    def test_switches_weigh_less_beside_more_images(self):
        one, three = self.read("one", "4"), self.read("three", "4\n  accumulate: 3")
        switch = Switch(5, "a", (8, 4), (8, 4), None, 5, 50, 1.0, 0.0, "")
        for run in (one, three):
            run.switches.append(switch)
        overhead = 32 * (3 * 10 * 2 * 50 + 6 * 10)
        passes = 100 * (8 + 32) * 10
        self.assertAlmostEqual(computed_figures(one).overhead_share, overhead / (overhead + 4 * passes))
        self.assertAlmostEqual(computed_figures(three).overhead_share, overhead / (overhead + 12 * passes))

    def test_only_equal_steps_are_compared(self):
        plain, one, three = (self.read(*pair) for pair in
                             (("plain", "4"), ("one", "4\n  accumulate: 1"), ("three", "4\n  accumulate: 3")))  # fmt: skip
        self.assertEqual(setting_of(plain), setting_of(one))
        self.assertNotEqual(setting_of(one), setting_of(three))
        self.assertEqual(task_of(one), task_of(three))


if __name__ == "__main__":
    unittest.main()
