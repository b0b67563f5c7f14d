"""Files that want to hurt whoever reads them: every script refuses them in one line, and reads no other file for them."""

import glob
import os
import resource
import unittest

import support
from support import ScratchTest, run_script
from synthetic_run import constant_layer, write_run

import sys

sys.path.insert(0, os.path.join(support.ROOT, "tests", "support"))
from hostile_files import FOREIGN_PARTS, SECRET, crashing, make_hostile  # noqa: E402 (found by the line above)

import h5py

from analysis.digest import read_digests
from analysis.errors import BadInput
from analysis.isolate import MEMORY, call_isolated
from analysis.run_file import read_run
from analysis.strip import stripped_copy

LAYERS = {"a": (10, 5, constant_layer(10, 8, 4))}


def openers(path):
    """Everything that opens a run.h5, as (name, function without arguments)."""
    return (
        ("run", lambda: read_run(path)),
        ("digest", lambda: _raise(read_digests([path])[1])),
        ("digest with layers", lambda: _raise(read_digests([path], layers=True)[1])),
        ("strip", lambda: stripped_copy(path, 1 << 30)),
    )


def _raise(problems):
    for problem in problems:
        raise BadInput(problem)


class HostileFile(ScratchTest):
    def refused(self, path, *words):
        for name, read in openers(path):
            with self.subTest(opener=name), self.assertRaises(BadInput) as caught:
                read()
            for word in (path, *words):
                self.assertIn(word, str(caught.exception))
            self.assertNotIn("\n", str(caught.exception))

    def test_parts_from_elsewhere_and_claims_are_refused_by_every_opener(self):
        for change, word in FOREIGN_PARTS.items():
            path = write_run(self.path(change.__name__), LAYERS)
            make_hostile(path, change)
            with self.subTest(change.__name__):
                self.refused(path, word)

    def test_what_crashes_the_library_is_refused_and_the_others_are_read(self):
        good = write_run(self.path("store", "good"), LAYERS)
        for name, content in crashing().items():
            path = self.path("store", name, "run.h5")
            os.makedirs(os.path.dirname(path))
            with open(path, "wb") as stream:
                stream.write(content)
            with self.subTest(name):
                with self.assertRaises(BadInput) as caught:
                    read_run(path)
                self.assertIn(path, str(caught.exception))
        digests, problems = read_digests(sorted(glob.glob(self.path("store", "*", "run.h5"))), layers=True)
        self.assertEqual([digest.path for digest in digests if digest.path == good], [good])
        self.assertEqual(len(digests) + len(problems), 1 + len(crashing()))

    def test_an_archive_takes_nothing_from_elsewhere(self):
        write_run(self.path("store", "good"), LAYERS)
        for change in FOREIGN_PARTS:
            make_hostile(write_run(self.path("store", change.__name__), LAYERS), change)
        outcome = run_script("ro_crate.py", self.path("store"), "--out", self.path("crate"))
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        self.assertIn("left out", outcome.stderr)
        copied = [path for path in glob.glob(self.path("crate", "**"), recursive=True) if os.path.isfile(path)]
        self.assertTrue(copied)
        for path in copied:
            with open(path, "rb") as stream:
                self.assertNotIn(SECRET, stream.read(), path)

    def test_sparse_files_are_refused_by_their_size(self):
        path = write_run(self.path("run"), LAYERS)
        os.truncate(path, 1 << 40)
        self.assert_one_line_error(run_script("run_file.py", self.path("run")), path, "1099511627776 bytes", "expected")

    def test_a_report_goes_on_where_small_files_are_huge_or_deep(self):
        write_run(self.path("store", "good"), LAYERS)
        write_run(self.path("store", "huge"), LAYERS, done=False)
        write_run(self.path("store", "deep"), LAYERS, done=False)
        os.makedirs(self.path("store", f"{9:016x}"))
        for name in (("huge", "FAILED"), (f"{9:016x}", "experiment.yaml")):
            with open(self.path("store", *name), "wb") as stream:
                stream.truncate(1 << 40)
        with open(self.path("store", "deep", "FAILED"), "wb") as stream:
            stream.write(b"[" * 1000000)
        outcome = run_script("report.py", self.path("store"), "--out", self.path("out"))
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        self.assertIn("4 runs: 1 done, 2 failed, 1 unfinished", outcome.stdout)
        with open(self.path("out", "report.html"), encoding="utf-8") as stream:
            self.assertIn("1099511627776 bytes", stream.read())

    def test_formats_that_nobody_computes_with_are_refused(self):
        path = write_run(self.path("run"), LAYERS)
        for name, value in (("layers/a/fractional_length", 32767), ("layers/a/fractional_length", -97)):
            with h5py.File(path, "r+") as file:
                file[name][3] = value
            with self.assertRaisesRegex(BadInput, f"fractional_length.*{value}"):
                read_run(path)
        path = write_run(self.path("run"), LAYERS)
        with h5py.File(path, "r+") as file:
            file["model/conv1.weight"].attrs["fractional_length"] = 32767
        with self.assertRaisesRegex(BadInput, "32767"):
            read_run(path)


class Limits(unittest.TestCase):
    def test_memory_and_core_files(self):
        with self.assertRaisesRegex(RuntimeError, "MemoryError"):
            call_isolated(bytearray, 2 * MEMORY, 30)
        self.assertEqual(call_isolated(resource.getrlimit, resource.RLIMIT_CORE, 30)[0], 0)
        self.assertLess(call_isolated(resource.getrlimit, resource.RLIMIT_CPU, 30)[0], 40)
        self.assertEqual(resource.getrlimit(resource.RLIMIT_CPU)[0], resource.RLIM_INFINITY)


if __name__ == "__main__":
    unittest.main()
