"""Runs whose names, settings, layers, provenance and failures are hostile, through every script."""

import csv
import io
import json
import os
import re
import shutil
import unittest

import h5py
import numpy as np
from support import ScratchTest, run_script
from sweep_store import HOSTILE, UNPRINTABLE
from synthetic_run import adaptive_layer, constant_layer, write_done, write_run

from analysis.printable import one_line

STEPS = 40
FORMULA = "=HYPERLINK(0)"
TEXT_FILES = (".html", ".csv", ".md", ".tex", ".json", ".yaml")
UNDECODABLE = os.fsdecode(b"out\xff\xfe")


class HostileRuns(ScratchTest):
    def setUp(self):
        super().setUp()
        self.names = [HOSTILE.replace("/", "|"), FORMULA]
        for seed, name in enumerate(self.names):
            layers = {HOSTILE.replace("/", "|"): (1000, 100, adaptive_layer(STEPS, seed)), "$\\frac{$": (10, 5, adaptive_layer(STEPS, 7))}
            write_run(self.path("store", name), layers, steps=STEPS, seed=seed, host=HOSTILE, model="<b>|$^_",
                      dataset="=1+1", switches=[(3, HOSTILE.encode(), 8, 4, 9, 5)],
                      configuration=f'name: "\\x1b[2J\\u202e"\nrecord:\n  path: "{FORMULA}{seed}"\n')  # fmt: skip
        write_run(self.path("store", "plain"), {"a": (1000, 100, constant_layer(STEPS, 32, 0))}, steps=STEPS,
                  policy="float32", model="<b>|$^_", dataset="=1+1", engine="float32")  # fmt: skip
        with h5py.File(self.path("store", "plain", "run.h5"), "a") as file:
            file["steps/seconds_data"][...] = np.inf
        write_done(self.path("store", "plain"))
        self.runs = [self.path("store", name) for name in (*self.names, "plain")]

    def harmless(self, script, *arguments, code=0):
        """What the script prints: no line that HOSTILE forges, nothing that a terminal obeys, no traceback."""
        outcome = run_script(script, *arguments)
        self.assertEqual(outcome.returncode, code, outcome.stderr)
        for text in (outcome.stdout, outcome.stderr):
            self.assertIsNone(UNPRINTABLE.search(text), repr(text[:2000]))
            self.assertNotRegex(text, "(?m)^(error: forged|0123456789abcdef)")
            self.assertNotIn("Traceback", text)
        return outcome.stdout

    def written(self, folder):
        """{name: text} of the text files below a folder; none holds what is not printable."""
        texts = {}
        for place, _, names in os.walk(folder):
            for name in names:
                if name.endswith(TEXT_FILES):
                    with open(os.path.join(place, name), encoding="utf-8") as stream:
                        texts[name] = stream.read()
        for name, text in texts.items():
            if name != "configuration.yaml":  # a copy of what the run holds
                self.assertIsNone(UNPRINTABLE.search(text), name)
        return texts

    def assert_no_formula(self, text):
        for row in csv.reader(io.StringIO(text)):
            for cell in row:
                self.assertNotRegex(cell, r"^[=+@]|^-[^\d]*[A-Za-z(]")

    def test_report_of_runs(self):
        self.harmless("report.py", *self.runs, "--out", self.path("out"))
        texts = self.written(self.path("out"))
        self.assert_no_formula(texts["table.csv"])
        self.assertEqual(len(texts["table.csv"].splitlines()), 4)
        self.assertEqual(len(texts["table.md"].splitlines()), 5)
        for name in ("report.html", "table.md"):
            self.assertNotIn("<script>alert", texts[name])

    def test_report_of_a_store(self):
        failed = self.path("store", "f" * 16)
        os.makedirs(failed)
        with open(os.path.join(failed, "experiment.yaml"), "w", encoding="utf-8") as stream:
            stream.write(f"seed: 9\nname: '{FORMULA}'\n")
        with open(os.path.join(failed, "FAILED"), "w", encoding="utf-8") as stream:
            json.dump({"exit_code": 1, "message": HOSTILE}, stream)
        self.harmless("report.py", self.path("store"), "--out", self.path("out"))
        texts = self.written(self.path("out"))
        for name in ("runs.csv", "groups.csv"):
            self.assert_no_formula(texts[name])
        self.assertEqual(len(texts["runs.csv"].splitlines()), 5)
        self.assertNotIn("<script>alert", texts["report.html"])
        data = re.search('id="data">(.*?)</script>', texts["report.html"])[1]
        self.assertIsNone(UNPRINTABLE.search(json.dumps(json.loads(data), ensure_ascii=False)))

    def test_compare(self):
        for form in ("text", "csv", "markdown", "latex"):
            said = self.harmless("compare.py", self.path("store"), "--format", form, "--group",
                                 "model.name,provenance.host,record.path", "--out", self.path("out"))  # fmt: skip
            self.assertEqual(len([line for line in said.splitlines() if "h1" in line]), 1, said)
        texts = self.written(self.path("out"))
        self.assert_no_formula(texts["compare.csv"])
        self.assertNotIn("<", texts["compare.md"])
        self.assertNotRegex(texts["compare.tex"], "[<>|]")

    def test_paper_table(self):
        said = self.harmless("paper_table.py", self.path("store"), "--out", self.path("out"))
        self.assertNotIn("<", said)
        texts = self.written(self.path("out"))
        for name in ("paper_table.csv", "authors_table.csv", "muppet_table.csv"):
            self.assert_no_formula(texts[name])
        self.assertNotRegex(texts["paper_table.tex"], "[<>|]")

    def test_figures_and_smaller_scripts(self):
        self.assertIn("\\n0123456789abcdef", self.harmless("run_file.py", *self.runs))
        self.harmless("figures.py", self.path("store"), "--out", self.path("out"))
        self.assertEqual(len(json.loads(self.harmless("cost_model.py", *self.runs))["modelled"]), 3)
        self.harmless("scaling.py", self.runs[0])
        self.harmless("strip.py", self.runs[0], self.path("x\n0123456789abcdef.h5"))

    def test_crate(self):
        self.harmless("ro_crate.py", self.path("store"), "--out", self.path("crate"), "--name", HOSTILE)
        metadata = self.written(self.path("crate"))["ro-crate-metadata.json"]
        graph = {entity["@id"]: entity for entity in json.loads(metadata)["@graph"]}
        self.assertEqual(graph["./"]["name"], one_line(HOSTILE))
        for part in graph["./"]["hasPart"]:
            self.assertIn(part["@id"], graph)

    def test_errors(self):
        for script in ("report.py", "compare.py", "paper_table.py", "figures.py", "ro_crate.py", "cost_model.py", "scaling.py",
                       "strip.py", "run_file.py"):  # fmt: skip
            more = ["--out", self.path("out")] if script in ("report.py", "figures.py", "ro_crate.py") else []
            more += [self.path("copy.h5")] if script == "strip.py" else []
            with self.subTest(script):
                self.harmless(script, self.path(HOSTILE.replace("/", "|")), *more, code=2)
                if script != "run_file.py":
                    self.harmless(script, f"--{HOSTILE}", code=2)

    def test_paths_that_are_no_utf8(self):
        self.runs.append(self.path("store", UNDECODABLE))
        shutil.copytree(self.runs[0], self.runs[-1])
        out = self.path(UNDECODABLE)
        for script, *arguments in (
            ("report.py", *self.runs, "--out", out),
            ("report.py", self.path("store"), "--out", out),
            ("compare.py", self.path("store"), "--out", out),
            ("paper_table.py", self.path("store"), "--out", out),
            ("figures.py", self.path("store"), "--out", out),
            ("ro_crate.py", self.path("store"), "--out", f"{out}.crate"),
            ("strip.py", self.runs[-1], f"{out}.h5"),
            ("run_file.py", self.runs[-1]),
            ("cost_model.py", self.runs[-1]),
            ("scaling.py", self.runs[-1]),
        ):
            with self.subTest(script):
                self.harmless(script, *arguments)
        self.written(out)
        self.assertIn("out\\xff\\xfe", self.harmless("run_file.py", self.runs[-1]))


if __name__ == "__main__":
    unittest.main()
