"""Which runs are compared, measured ratios, and the table's three forms."""

import csv
import io
import unittest

import numpy as np

from support import ScratchTest
from synthetic_run import constant_layer, write_run

from analysis.comparison import float_reference, measured_speedup, setting_of, task_of, wall_seconds
from analysis.run_file import read_run
from analysis.table import COLUMNS, csv_text, markdown_table, summary_rows

HEADERS = [column.header for column in COLUMNS]


class Comparison(ScratchTest):
    def run_with(self, name, word_length=8, **options):
        fractional_length = 0 if word_length == 32 else 4
        layers = {"a": (100, 10, constant_layer(10, word_length, fractional_length))}
        write_run(self.path(name), layers, **options)
        return read_run(self.path(name))

    def float_run(self, name="float32", **options):
        return self.run_with(name, 32, policy="float32", engine="float32", **options)

    def values(self, run, *others):
        return dict(zip(HEADERS, summary_rows([run, *others])[0]))

    def test_measured_speedups_are_ratios_of_medians(self):
        quantized = self.run_with("q", epoch_seconds=np.array([9.0, 5.0, 5.0]), epochs=3, test_seconds=0.25)
        reference = self.float_run(epoch_seconds=3.0, test_seconds=0.5)
        values = self.values(quantized, reference)
        self.assertEqual(values["training speedup (measured)"], 3 / 5)
        self.assertEqual(values["inference speedup (measured)"], 2)
        self.assertEqual(wall_seconds(quantized), 19 + 3 * 0.25)
        self.assertEqual(self.values(reference, quantized)["training speedup (measured)"], 1)

    def test_other_settings_are_not_timed_against_each_other(self):
        reference = self.float_run()
        for change in ({"ranks": "4"}, {"host": "h2"}, {"batch": 8}, {"model": "resnet20"}, {"dataset": "cifar10"}):
            with self.subTest(change=change):
                values = self.values(self.run_with("q", **change), reference)
                self.assertIsNone(values["training speedup (measured)"])
                self.assertIsNone(values["inference speedup (measured)"])
                self.assertIsNotNone(values["training speedup (modelled)"])

    def test_accuracy_is_compared_for_the_same_task_whatever_the_ranks(self):
        quantized = self.run_with("q", ranks="4", test_accuracy=[0.5, 0.75])
        values = self.values(quantized, self.float_run(test_accuracy=[0.5, 0.25]))
        self.assertEqual(values["best accuracy vs float32 (pp)"], 25)
        self.assertEqual(values["test accuracy, best (%)"], 75)
        self.assertEqual(values["iso-accuracy training speedup (modelled)"], 2 * values["training speedup (modelled)"])
        self.assertIsNone(self.values(quantized)["best accuracy vs float32 (pp)"])

    def test_accuracy_last_is_not_best(self):
        values = self.values(self.run_with("q", test_accuracy=[0.75, 0.5]))
        self.assertEqual((values["test accuracy, best (%)"], values["test accuracy, last (%)"]), (75, 50))

    def test_reference_is_the_run_itself_or_the_one_with_its_seed(self):
        quantized, first, second = self.run_with("q"), self.float_run("f1"), self.float_run("f2")
        self.assertIs(float_reference(second, [quantized, first, second], task_of), second)
        self.assertIs(float_reference(quantized, [quantized, first, second], setting_of), first)
        first.configuration["seed"] = "9"
        self.assertIs(float_reference(quantized, [quantized, first, second], setting_of), second)
        self.assertIsNone(float_reference(quantized, [quantized], setting_of))

    def test_no_times_no_ratio(self):
        quantized, reference = self.run_with("q", epochs=0, done=False), self.float_run()
        self.assertIsNone(measured_speedup(quantized, reference, "seconds"))
        del quantized.epochs["test_seconds"]
        self.assertIsNone(measured_speedup(quantized, reference, "test_seconds"))
        self.assertIsNone(measured_speedup(quantized, None, "seconds"))


class Forms(ScratchTest):
    def setUp(self):
        super().setUp()
        write_run(self.path("a|b"), {"a": (100, 10, constant_layer(10, density=np.full(10, 1 / 3)))})
        write_run(self.path("empty"), {"a": (1, 1, constant_layer(0))}, steps=0, epochs=0, done=False)
        self.rows = summary_rows([read_run(self.path("a|b")), read_run(self.path("empty"))])

    def test_every_speedup_says_modelled_or_measured(self):
        speedups = [header for header in HEADERS if "speedup" in header]
        self.assertEqual(len(speedups), 5)
        for header in speedups:
            self.assertNotEqual("modelled" in header, "measured" in header, header)

    def test_csv_and_markdown_agree(self):
        from_csv = list(csv.reader(io.StringIO(csv_text(self.rows))))
        lines = markdown_table(self.rows).replace("\\|", "\0").splitlines()
        from_markdown = [[cell.strip().replace("\0", "|") for cell in line.strip("|").split("|")] for line in lines]
        self.assertEqual(from_csv[0], HEADERS)
        self.assertEqual(from_markdown[0], HEADERS)
        self.assertEqual(len(from_csv), 3)
        for exact, rounded in zip(from_csv[1:], from_markdown[2:]):
            for column, value, text in zip(COLUMNS, exact, rounded):
                if not value:
                    self.assertEqual(text, "-")
                elif column.form not in ("", "d"):
                    self.assertEqual(format(float(value), column.form), text)
                else:
                    self.assertEqual(value, text)

    def test_csv_keeps_all_digits(self):
        row = dict(zip(HEADERS, list(csv.reader(io.StringIO(csv_text(self.rows))))[1]))
        self.assertEqual(float(row["sparsity"]), 1 - 1 / 3)

    def test_run_without_rows_has_no_figures(self):
        values = dict(zip(HEADERS, self.rows[1]))
        self.assertIsNone(values["test accuracy, best (%)"])
        self.assertIsNone(values["training speedup (modelled)"])
        self.assertEqual(values["epochs"], 0)


if __name__ == "__main__":
    unittest.main()
