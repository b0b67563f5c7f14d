"""The figures as files: which there are, and what the pareto front is."""

import os
import unittest

import numpy as np

from support import ScratchTest, call_script, run_script
from synthetic_run import adaptive_layer, constant_layer, write_run

from analysis import figures
from analysis.layer_figures import loss_figure
from analysis.pareto_figure import pareto_figure, pareto_front
from analysis.run_file import read_run

PER_RUN = ("policy", "precision", "word_length_map")


class ParetoFront(unittest.TestCase):
    def test_cheaper_or_better(self):
        costs, accuracies = [5, 1, 3, 4, 2, 5], [90, 50, 80, 70, 40, 95]
        self.assertEqual(pareto_front(costs, accuracies), [1, 2, 5])

    def test_equal_runs_count_once(self):
        self.assertEqual(pareto_front([1, 1, 2], [50, 50, 50]), [0])
        self.assertEqual(pareto_front([], []), [])


class Figures(ScratchTest):
    def write(self, name, series, **options):
        write_run(self.path(name), {"conv1": (100, 10, series), "fc": (50, 20, series)},
                  steps=len(series["step"]), **options)
        return self.path(name)

    def test_png_and_svg_of_every_figure(self):
        self.write("results/q", adaptive_layer(90, 1))
        self.write("results/f", constant_layer(90, 32, 0), policy="float32", engine="float32")
        stdout = call_script(figures, self.path("results"), "--out", self.path("out"))
        names = ["pareto", *(f"02_q_{name}" for name in PER_RUN)]  # f, in float32, has no formats to draw
        expected = sorted(f"{name}.{form}" for name in names for form in ("png", "svg"))
        self.assertEqual(sorted(os.listdir(self.path("out"))), expected)
        self.assertEqual(sorted(os.path.basename(line) for line in stdout.splitlines()), expected)
        for name in expected:
            with open(self.path("out", name), "rb") as stream:
                self.assertIn(stream.read(4), (b"\x89PNG", b"<?xm"), name)

    def test_what_is_lost_is_drawn_where_the_log_says_it(self):
        shares = {name: np.linspace(0, share, 60) for name, share in
                  (("dead_channels", 0.5), ("inputs_zeroed", 1.0), ("activation_gradients_zeroed", 0.25))}
        run = read_run(self.write("q", constant_layer(60, **shares)))
        figure = loss_figure(run)
        *panels, _ = figure.axes  # the last is the colour bar
        self.assertEqual([axis.get_title(loc="left").split(" (")[0] for axis in panels],
                         ["Dead channels", "Inputs rounded to zero", "Gradients of activations rounded to zero"])
        drawn = np.reshape(panels[1].collections[0].get_array(), (2, 60))  # a row for each layer
        self.assertEqual((drawn[0, 0], drawn[1, -1]), (0, 100))
        self.assertIsNone(loss_figure(read_run(self.write("old", constant_layer(60)))))

    def test_the_same_run_gives_the_same_bytes(self):
        run = self.write("q", adaptive_layer(60, 1))
        contents = []
        for out in ("a", "b"):
            call_script(figures, run, "--out", self.path(out))
            for name in sorted(os.listdir(self.path(out))):
                with open(self.path(out, name), "rb") as stream:
                    contents.append(stream.read())
        half = len(contents) // 2
        self.assertTrue(contents[:half] == contents[half:])

    def test_pareto_has_one_panel_per_task_and_every_run(self):
        runs = [read_run(self.write(name, constant_layer(10), dataset=dataset))
                for name, dataset in (("a", "mnist"), ("b", "cifar10"), ("c", "mnist"))]
        figure = pareto_figure(runs, ["a", "b", "c"])
        self.assertEqual([axis.get_title(loc="left") for axis in figure.axes], ["lenet5, mnist", "lenet5, cifar10"])
        legend = [text.get_text() for text in figure.legends[0].get_texts()]
        self.assertEqual(legend, ["a", "b", "c", "adapt"])

    def test_nothing_to_draw(self):
        run = self.write("none", constant_layer(0), epochs=0, done=False)
        self.assertIsNone(pareto_figure([read_run(run)], ["none"]))
        self.assertEqual(call_script(figures, run, "--out", self.path("out")), "")

    def test_bad_command_line(self):
        self.assert_one_line_error(run_script("figures.py", self.path("gone"), "--out", self.path("out")), "gone")
        self.assertFalse(os.path.exists(self.path("out")))


if __name__ == "__main__":
    unittest.main()
