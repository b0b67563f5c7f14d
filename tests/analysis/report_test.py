"""The whole report, as a user makes it."""

import base64
import csv
import os
import re
import shutil
import tempfile
import unittest
from html.parser import HTMLParser

from support import ROOT, ScratchTest, call_script, run_script
from synthetic_run import adaptive_layer, constant_layer, write_run

from analysis import report

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
VOID_TAGS = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Collects section ids, references and text; fails on tags that do not close in order."""

    def __init__(self, text):
        super().__init__()
        self.sections, self.references, self.words, self.open_tags = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open_tags, self.open_tags

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "section":
            self.sections.append(attributes["id"])
        self.references += [attributes[name] for name in ("src", "href", "srcset", "data") if name in attributes]
        if tag not in VOID_TAGS:
            self.open_tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag, tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


def layers(count, make):
    """`count` layers named as in a residual network."""
    names = [f"stage{i // 6}.block{i % 6 // 2}.conv{i % 2}" for i in range(count)]
    return {name: (1000 * (i + 1), 100 * (i + 1), make(i)) for i, name in enumerate(names)}


def write_pair(folder, steps=120, count=5, **options):
    """folder/adapt and folder/float32; returns both paths."""
    switches = [(i + 1, "stage0.block0.conv0", 8, 4, 9, 5) for i in range(105)]
    adaptive, plain = os.path.join(folder, "adapt"), os.path.join(folder, "float32")
    write_run(adaptive, layers(count, lambda i: adaptive_layer(steps, i)), steps=steps, switches=switches,
              epoch_seconds=5.0, **options)
    write_run(plain, layers(count, lambda i: constant_layer(steps, 32, 0)), steps=steps, policy="float32",
              engine="float32", epoch_seconds=3.0, **options)
    return adaptive, plain


def make_report(folder, *runs):
    """Reports on `runs` to folder/out; returns (stdout, Page)."""
    stdout = call_script(report, *runs, "--out", os.path.join(folder, "out"))
    with open(os.path.join(folder, "out", "report.html"), encoding="utf-8") as stream:
        return stdout, Page(stream.read())


class StandardReport(unittest.TestCase):
    """One report on an adaptive and a float32 run, looked at from all sides."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="adapt_analysis_")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.runs = write_pair(cls.folder)
        cls.stdout, cls.page = make_report(cls.folder, *cls.runs)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def test_page_is_complete_and_self_contained(self):
        page = self.page
        self.assertEqual(page.sections, ["summary", "curves", "run-1", "run-2", "differences", "provenance"])
        for reference in page.references:
            self.assertRegex(reference, r"^(#|data:image/png;base64,)")
        for words in ("training speedup (modelled)", "training speedup (measured)", "# resolved configuration",
                      "100 of 105 switches", "⟨8, 4⟩", "test <cpu> & co", "precision.policy",
                      "No layer of this run has a fixed-point format", "shows what the formats mean"):
            self.assertIn(words, page.text)
        with open(self.path("out", "report.html"), encoding="utf-8") as stream:
            source = stream.read()
        for mark in ("<script", "<link", "@import", "url(", "http:", "https:"):
            self.assertNotIn(mark, source)

    def test_figures_in_the_page_are_those_in_the_folder(self):
        page = self.page
        embedded = {base64.b64decode(reference.split(",")[1]) for reference in page.references if reference[0] == "d"}
        files = set()
        for name in os.listdir(self.path("out", "figures")):
            with open(self.path("out", "figures", name), "rb") as stream:
                files.add(stream.read())
        self.assertEqual(embedded, files)
        self.assertEqual(len(files), 5)  # curves, time; precision, map and policy of the adaptive run
        self.assertTrue(all(content.startswith(PNG_SIGNATURE) for content in files))

    def test_table_files_and_stdout(self):
        lines = self.stdout.splitlines()
        self.assertRegex(lines[0], r"^run +\S+ +\S+$")
        self.assertRegex(lines[1], r"^-+  -+  -+$")
        self.assertEqual(len({len(line) for line in lines[:-2]}), 1, "columns stand below each other")
        with open(self.path("out", "table.md"), encoding="utf-8") as stream:
            rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in stream]
        transposed = [list(column) for column in zip(rows[0], *rows[2:])]
        self.assertEqual([re.split(" {2,}", line) for line in [lines[0], *lines[2:-2]]], transposed)
        self.assertEqual(self.stdout.splitlines()[-1], f"report: {self.path('out', 'report.html')}")
        with open(self.path("out", "table.csv"), encoding="utf-8", newline="") as stream:
            first, second = csv.DictReader(stream)
        self.assertEqual((first["run"], second["run"]), ("adapt", "float32"))
        self.assertEqual(float(first["training speedup (measured)"]), 0.6)
        self.assertEqual(float(second["training speedup (modelled)"]), 1)
        self.assertIn("0.60", self.page.text)
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["figures", "report.html", "table.csv", "table.md"])

    def test_a_second_report_replaces_the_first(self):
        first = os.stat(self.path("out", "report.html")).st_ino
        make_report(self.folder, *self.runs)
        self.assertNotEqual(first, os.stat(self.path("out", "report.html")).st_ino)
        self.assertFalse([name for _, _, names in os.walk(self.path("out")) for name in names if ".tmp" in name])


class Reports(ScratchTest):
    def test_many_layers_one_run(self):
        write_run(self.path("deep"), layers(22, lambda i: adaptive_layer(90, i)), steps=90)
        _, page = make_report(self.folder, self.path("deep"))
        self.assertIn("run-1", page.sections)

    def test_extremes_one_step_no_step_constant_format(self):
        write_run(self.path("one"), layers(3, lambda i: constant_layer(1, 16, 12)), steps=1, epochs=1, policy="fixed")
        write_run(self.path("none"), layers(3, lambda i: constant_layer(0)), steps=0, epochs=0, done=False)
        write_run(self.path("bare"), {}, steps=5, epochs=1)
        _, page = make_report(self.folder, self.path("one"), self.path("none"), self.path("bare"))
        self.assertIn("Not finished (no DONE): none", page.text)

    def test_runs_of_one_name_and_names_with_markup(self):
        for parent in ("x", "y"):
            write_run(self.path(parent, "run"), layers(1, lambda i: constant_layer(3)), steps=3)
        write_run(self.path("<b>&$x_1$|"), layers(1, lambda i: constant_layer(3)), steps=3)
        runs = [self.path("x", "run"), self.path("y", "run"), self.path("y", "run"), self.path("<b>&$x_1$|")]
        _, page = make_report(self.folder, *runs)
        for name in ("x/run", "y/run (2)", "y/run (3)", "<b>&$x_1$|"):
            self.assertIn(f"Run: {name}", page.text)

    def test_from_another_folder_with_relative_paths(self):
        write_pair(self.folder)
        outcome = run_script("report.py", "adapt", "--out", "deep/er/out", cwd=self.folder)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        self.assertTrue(os.path.exists(self.path("deep/er/out/report.html")))

    def test_quick_enough_for_the_quickstart(self):
        runs = write_pair(self.folder, steps=3510, epochs=15)
        start = sum(os.times()[:4])
        make_report(self.folder, *runs)
        self.assertLess(sum(os.times()[:4]) - start, 20)  # seconds of processors, children included; 1.5 on an idle machine


class BadCommandLine(ScratchTest):
    def test_one_bad_run_leaves_nothing_behind(self):
        write_run(self.path("good"), layers(1, lambda i: constant_layer(3)), steps=3)
        outcome = run_script("report.py", self.path("good"), self.path("missing"), "--out", self.path("out"))
        self.assert_one_line_error(outcome, self.path("missing"))
        self.assertFalse(os.path.exists(self.path("out")))

    def test_out_is_a_file(self):
        write_run(self.path("good"), layers(1, lambda i: constant_layer(3)), steps=3)
        with open(self.path("file"), "w", encoding="ascii"):
            outcome = run_script("report.py", self.path("good"), "--out", self.path("file"))
        self.assert_one_line_error(outcome, "--out", self.path("file"), "expected a folder")

    def test_usage(self):
        for arguments in ((), ("run",), ("--out", "x")):
            self.assertEqual(run_script("report.py", *arguments).returncode, 2)


class Interpreter(ScratchTest):
    def test_another_python3_first_on_path_does_not_matter(self):
        write_run(self.path("good"), layers(1, lambda i: constant_layer(3)), steps=3)
        os.makedirs(self.path("bin"))
        with open(self.path("bin", "python3"), "w", encoding="ascii") as stream:
            stream.write("#!/bin/sh\nexit 99\n")
        os.chmod(self.path("bin", "python3"), 0o755)
        outcome = run_script("report.py", self.path("good"), "--out", self.path("out"),
                             environment={"PATH": self.path("bin") + ":" + os.environ["PATH"]})
        self.assertEqual(outcome.returncode, 0, outcome.stderr)

    def test_missing_modules_are_named(self):
        os.makedirs(self.path("h5py"))
        with open(self.path("h5py", "__init__.py"), "w", encoding="ascii") as stream:
            stream.write("raise ImportError('not for this python')\n")
        outcome = run_script("report.py", "x", "--out", "y", environment={"PYTHONPATH": self.folder})
        self.assert_one_line_error(outcome, "h5py", "python3-h5py python3-matplotlib python3-numpy", code=1)

    def test_every_script_can_be_run(self):
        for name in sorted(os.listdir(os.path.join(ROOT, "analysis"))):
            path = os.path.join(ROOT, "analysis", name)
            if name.endswith(".py"):
                with open(path, encoding="utf-8") as stream:
                    first = stream.readline()
                is_script = os.access(path, os.X_OK)
                self.assertEqual(is_script, bool(re.match("#!/usr/bin/python3$", first)), name)


if __name__ == "__main__":
    unittest.main()
