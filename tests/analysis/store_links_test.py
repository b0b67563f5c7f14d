"""A store with links: `adapt sweep --list` and the scripts of analysis/ find the same runs, and count each once.

Needs ADAPT_PROGRAM, the path of `adapt`; without it the test is skipped (exit 77).
"""

import contextlib
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import unittest

from support import ScratchTest, run_script
from synthetic_run import adaptive_layer, write_run

from analysis.find_runs import find_all, find_runs

PROGRAM = os.environ.get("ADAPT_PROGRAM")
STEPS = 12


def identity(number):
    return f"{number:016x}"


class StoreLinks(ScratchTest):
    def write(self, *place, seed, **options):
        """A run below the test's folder."""
        write_run(self.path(*place), {"conv": (100, 10, adaptive_layer(STEPS, seed))}, steps=STEPS, policy="adapt", seed=seed,
                  test_accuracy=[0.5, 0.1 * seed], **options)  # fmt: skip

    def link(self, target, *place):
        os.symlink(target, self.path(*place))

    def setUp(self):
        super().setUp()
        self.write("store", identity(1), seed=1)
        self.write("store", identity(2), seed=2)
        self.write("elsewhere", identity(3), seed=3)
        self.write("elsewhere", identity(4), seed=4, done=False)
        self.link("../elsewhere/" + identity(3), "store", identity(3))
        self.link(self.path("elsewhere", identity(4)), "store", identity(4))
        os.makedirs(self.path("store", identity(5)))
        with open(self.path("store", identity(5), "experiment.yaml"), "w", encoding="utf-8") as stream:
            stream.write("seed: 5\n")
        self.link("../elsewhere/" + identity(3), "store", identity(0))  # a second name, sorted before the first
        self.link(identity(2), "store", identity(9))
        self.link(identity(1), "store", "best")
        os.makedirs(self.path("store", "submissions"))

    def add_links_that_lead_astray(self):
        self.link("../gone", "store", identity(0xA))
        self.link(".", "store", identity(0xB))
        self.link("..", "store", identity(0xC))
        self.link(identity(0xD), "store", identity(0xD))

    def listed(self):
        """(identities that the program lists, what it says on stderr)."""
        result = subprocess.run([PROGRAM, "sweep", "--store", self.path("store"), "--list"], capture_output=True, text=True,
                                timeout=60, check=True)  # fmt: skip
        return re.findall("^[0-9a-f]{16}", result.stdout, re.M), result.stderr

    def found(self):
        """The same of find_all()."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            logs, without = find_all([self.path("store")])
        folders = [os.path.dirname(log) for log in logs] + without
        return sorted(map(os.path.basename, folders)), said.getvalue()

    def test_both_languages_find_the_same_runs(self):
        expected = [identity(number) for number in (1, 2, 3, 4, 5)]
        self.assertEqual(self.listed(), (expected, ""))
        self.assertEqual(self.found(), (expected, ""))

    def test_links_that_lead_nowhere_or_back_are_named(self):
        before = self.listed()[0]
        self.add_links_that_lead_astray()
        for runs, said in (self.listed(), self.found()):
            self.assertEqual(runs, before)
            self.assertEqual(len(said.splitlines()), 4, said)
            for number, reason in ((0xA, "nowhere"), (0xB, "back"), (0xC, "back"), (0xD, "nowhere")):
                self.assertRegex(said, f"{identity(number)}: a link that leads {reason}")

    def test_a_file_with_the_name_of_a_run_is_named(self):
        before = self.listed()[0]
        with open(self.path("store", identity(0xE)), "w", encoding="utf-8") as stream:
            stream.write("a file")
        for runs, said in (self.listed(), self.found()):
            self.assertEqual(runs, before)
            self.assertRegex(said, f"^(adapt: )?warning: left out: .*{identity(0xE)}: not a folder\n$")

    def test_every_script_counts_them(self):
        self.add_links_that_lead_astray()
        report = run_script("report.py", self.path("store"), "--out", self.path("report"))
        self.assertIn("5 runs: 3 done, 2 unfinished\n", report.stdout, report.stderr)
        crate = run_script("ro_crate.py", self.path("store"), "--out", self.path("crate"))
        self.assertRegex(crate.stdout, "^3 runs: ", crate.stderr)
        compared = run_script("compare.py", self.path("store"), "--format", "csv", "--metric", "test_accuracy")
        self.assertIn("\n3,20.0,", compared.stdout, compared.stderr)  # the mean of 10, 20 and 30 %
        figures = run_script("figures.py", self.path("store"), "--out", self.path("figures"))
        self.assertEqual(figures.returncode, 0, figures.stderr)

    def test_folders_of_results(self):
        """Links to stores are followed, each folder is looked into once, and an identity counts once, the finished one first."""
        self.link("../store", "elsewhere", "store")
        self.link("../elsewhere", "store", "other")
        self.write("copies", identity(4), seed=4)
        self.write("copies", identity(1), seed=1)
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            logs = find_runs([self.path("elsewhere"), self.path("copies")])
        seeds = [int(os.path.basename(os.path.dirname(os.path.realpath(log))), 16) for log in logs]
        self.assertEqual(sorted(seeds), [1, 2, 3, 4])
        self.assertIn(self.path("copies", identity(4), "run.h5"), logs)
        self.assertRegex(said.getvalue(), f"{identity(4)}/run.h5: run {identity(4)} is counted as {self.path('copies')}")
        self.assertRegex(said.getvalue(), f"{self.path('copies')}/{identity(1)}/run.h5: run {identity(1)} is counted as")

    def test_finished_is_a_run_whose_done_belongs_to_its_log(self):
        """The state that the program lists, and the copy that the scripts count: by one rule for all that DONE may hold."""
        def fifo(path):
            os.mkfifo(path)

        def text(content):
            def write(path):
                with open(path, "w", encoding="ascii") as stream:
                    stream.write(content)

            return write

        log = self.path("a copy", identity(7), "run.h5")
        self.write("a copy", identity(7), seed=7)
        self.write("the run", identity(7), seed=7)
        with open(log, "rb") as stream:
            digest = hashlib.sha256(stream.read()).hexdigest()
        done = os.path.join(os.path.dirname(log), "DONE")
        for put, finished in ((text(f"{digest}  run.h5\n"), True), (text(digest), True), (text(f"{digest}more"), True),
                              (text(""), False), (text(f" {digest}  run.h5\n"), False), (text("0" * 64), False),
                              (text(f"{digest[:63]}\n"), False), (text("x" * (2 << 20)), False), (fifo, False),
                              (os.mkdir, False), (lambda path: os.symlink("DONE", path), False),
                              (lambda path: None, False)):  # fmt: skip
            if os.path.isdir(done):
                os.rmdir(done)
            elif os.path.lexists(done):
                os.remove(done)
            put(done)
            with self.subTest(os.lstat(done) if os.path.lexists(done) else "nothing"):
                listed = subprocess.run([PROGRAM, "sweep", "--store", self.path("a copy"), "--list", "--json"], capture_output=True,
                                        text=True, timeout=60, check=True)  # fmt: skip
                self.assertEqual([run["state"] == "done" for run in json.loads(listed.stdout)], [finished])
                with contextlib.redirect_stderr(io.StringIO()):
                    (found,) = find_runs([self.path("a copy"), self.path("the run")])
                self.assertEqual(found == log, finished)


if __name__ == "__main__":
    if not PROGRAM:
        print("skipped: ADAPT_PROGRAM is not set")
        sys.exit(77)
    unittest.main()
