"""The report of a store: what its page and tables hold."""

import csv
import html
import json
import os
import re
import unittest

import numpy as np

from support import ScratchTest, call_script, call_script_aloud, call_to_refuse, run_script
from sweep_store import NASTY, STEPS, SUMMARY, write_store
from synthetic_run import constant_layer, write_run

from analysis import report
from analysis.cost_model import training_cost
from analysis.digest import read_digests
from analysis.run_file import Layer, read_run
from analysis.sweep_data import MAP_COLUMNS, modelled_cost, word_length_map


class SweepReport(ScratchTest):
    def setUp(self):
        super().setUp()
        self.names = write_store(self.path("store"))
        self.out = self.path("out")

    def page(self):
        with open(os.path.join(self.out, "report.html"), encoding="utf-8") as stream:
            return stream.read()

    def data(self):
        return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', self.page(), re.S)[1])

    def rows(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def test_page_tables_and_what_is_printed(self):
        printed = call_script(report, self.path("store"), "--out", self.out)
        self.assertEqual(printed.splitlines(), ["9 runs: 6 done, 2 failed, 1 unfinished",
                                                f"report: {os.path.join(self.out, 'report.html')}"])
        rows = self.rows("runs.csv")
        self.assertEqual([row["run"] for row in rows], self.names)
        self.assertEqual([row["state"] for row in rows], ["done"] * 6 + ["unfinished", "failed", "failed"])
        self.assertEqual([row["policy"] for row in rows], ["adapt"] * 3 + ["float32"] * 3 + ["adapt"] * 2 + ["fixed"])
        groups = self.rows("groups.csv")
        self.assertEqual([(row["precision.policy"], row["runs"]) for row in groups], [("float32", "3"), ("adapt", "3")])
        self.assertAlmostEqual(float(groups[0]["test accuracy, last (%): mean"]), 71)
        self.assertIn("71.00 ± 1.00", self.page())

    def test_data_of_the_charts(self):
        call_script(report, self.path("store"), "--out", self.out)
        data = self.data()
        first, unfinished, failed, never = (data["runs"][index] for index in (0, 6, 7, 8))
        self.assertEqual(first["test_accuracy"], [50, 60])
        self.assertEqual((first["epoch"], first["accuracy"], first["seconds"]), ([1, 2], 60, 4))
        self.assertEqual(len(first["map"]), 4 * MAP_COLUMNS)
        self.assertEqual(data["layers"][first["layers"]], [f"conv{i}" for i in range(4)])
        self.assertEqual(data["runs"][3]["map"], "", "no formats, no map")
        self.assertEqual((unfinished["state"], unfinished["failure"]), ("unfinished", ""))
        self.assertEqual((failed["state"], failed["failure"]), ("failed", "exit code 1: loss is NaN"))
        self.assertEqual((never["epoch"], never["accuracy"], never["cost"]), ([], None, None))
        self.assertEqual(never["failure"], "exit code 1: " + NASTY)
        settings = data["common"] | first["own"]
        self.assertEqual(settings, read_run(self.path("store", self.names[0])).configuration)
        self.assertEqual(data["keys"][:1], ["data.name"] if "data.name" in data["keys"] else data["keys"][:1])

    def test_nothing_breaks_out_and_nothing_is_loaded(self):
        call_script(report, self.path("store"), "--out", self.out)
        source = self.page()
        self.assertEqual(source.count("<script"), 2)
        self.assertEqual(source.count("</script"), 2)
        for mark in ("<img", "<link", "@import", "url(", "src=x onerror=\"", "https:"):
            self.assertNotIn(mark, source)
        self.assertIn("default-src 'none'", source)
        addresses = re.findall(r"http://[^\s\"]+", source)
        self.assertEqual(set(addresses), {"http://www.w3.org/2000/svg"}, "a name, not an address to load from")
        self.assertNotIn(NASTY, html.unescape(re.sub(r"<script.*?</script>", "", source, flags=re.S)))

    def test_conditions(self):
        printed = call_script(report, self.path("store"), "--out", self.out, "--where", "policy=adapt")
        self.assertEqual(printed.splitlines()[0], "5 runs: 3 done, 1 failed, 1 unfinished")
        self.assertIn("no run is left", call_to_refuse(report, self.path("store"), "--out", self.out, "--where", "seed=77"))

    def test_without_a_finished_run_there_are_no_groups(self):
        call_script(report, self.path("store"), "--out", self.out, "--where", "policy=fixed")
        self.assertEqual(self.rows("groups.csv"), [])
        self.assertEqual(len(self.rows("runs.csv")), 1)

    def test_damaged_runs_are_named_and_left_out(self):
        with open(self.path("store", self.names[1], "run.h5"), "wb") as stream:
            stream.write(b"no HDF5")
        write_run(self.path("store", self.names[2]), {}, configuration="name: [\n")
        printed, warnings = call_script_aloud(report, self.path("store"), "--out", self.out)
        self.assertEqual(printed.splitlines()[0], "7 runs: 4 done, 2 failed, 1 unfinished")
        self.assertIn(f"left out: {self.path('store', self.names[1])}", warnings)
        self.assertRegex(warnings, f"left out: {self.path('store', self.names[2])}.*/config is no YAML")

    def test_empty_folder(self):
        os.makedirs(self.path("empty"))
        self.assert_one_line_error(run_script("report.py", self.path("empty"), "--out", self.out), self.path("empty"))
        self.assertFalse(os.path.exists(self.out))


class Figures(ScratchTest):
    def test_word_lengths_in_force(self):
        layer = Layer("a", 1, 1, {"step": np.array([1, 25, 48]), "word_length": np.array([8, 10, 32])})
        expected = "8" * 24 + "a" * 23 + "w"
        self.assertEqual(word_length_map([layer]), expected)
        plain = Layer("b", 1, 1, {"step": np.array([48]), "word_length": np.array([32])})
        self.assertEqual(word_length_map([layer, plain]), expected + "w" * MAP_COLUMNS)
        self.assertEqual((word_length_map([plain]), word_length_map([])), ("", ""))

    def test_modelled_cost_is_that_of_the_full_reader(self):
        path = write_run(self.path("run"), {"a": (1000, 10, constant_layer(STEPS))}, steps=STEPS, summary=SUMMARY)
        self.assertEqual(modelled_cost(read_digests([path], layers=True)[0][0]), training_cost(read_run(path)))
        self.assertIsNone(modelled_cost(read_digests([path])[0][0]))


if __name__ == "__main__":
    unittest.main()
