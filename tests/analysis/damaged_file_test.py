"""Damaged bytes: every file is either read or refused in one line, whatever the HDF5 library does with it."""

import hashlib
import os
import random
import signal
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from support import ScratchTest, run_script
from synthetic_run import adaptive_layer, write_run

from analysis import run_file
from analysis.errors import BadInput
from analysis.isolate import call_isolated
from analysis.run_file import _read_file

TRUNCATIONS = 60
MUTATIONS = 120


class DamagedFile(ScratchTest):
    def setUp(self):
        super().setUp()
        self.file = write_run(self.path("run"), {"a": (10, 5, adaptive_layer(40, 1))}, steps=40,
                              switches=[(3, "a", 8, 4, 9, 5)], done=False)
        with open(self.file, "rb") as stream:
            self.content = stream.read()

    def refusal(self, content):
        """The message with which `content` is refused, None when it is read."""
        with open(self.file, "wb") as stream:
            stream.write(content)
        try:
            run_file.read_run(self.file)
        except BadInput as error:
            self.assertNotIn("\n", str(error))
            self.assertIn(self.file, str(error))
            self.assertIn("expected", str(error))
            return str(error)
        return None

    def sealed(self):
        return self.content + b"adapt-run sha256 " + hashlib.sha256(self.content).hexdigest().encode() + b"\n"

    def test_every_truncation_is_refused(self):
        length = len(self.content)
        for size in {0, 1, 7, 8, 9, length - 1, *range(0, length, length // TRUNCATIONS)}:
            with self.subTest(size=size):
                self.assertIsNotNone(self.refusal(self.content[:size]))

    def test_cut_seal_is_refused(self):
        sealed = self.sealed()
        self.assertIsNone(self.refusal(sealed))
        for cut in (1, 2, 40, 60, 72):
            with self.subTest(cut=cut):
                self.assertIn("cut off", self.refusal(sealed[:-cut]))

    def test_any_changed_byte_under_a_seal_is_refused(self):
        sealed = self.sealed()
        generator = random.Random(3)
        for place in [8, len(self.content) - 1, *generator.sample(range(8, len(self.content)), 40)]:
            changed = bytearray(sealed)
            changed[place] ^= 1 << generator.randrange(8)
            self.assertIn("SHA-256", self.refusal(bytes(changed)))

    def test_random_changes_without_seal_never_end_in_a_traceback(self):
        generator = random.Random(5)
        refused = 0
        with mock.patch.object(run_file, "READ_SECONDS", 3):  # some damage sends the HDF5 library into a loop
            for _ in range(MUTATIONS):
                changed = bytearray(self.content)
                for _ in range(generator.choice((1, 8, 64))):
                    changed[generator.randrange(8, len(changed))] = generator.choice((0, 255, generator.randrange(256)))
                refused += self.refusal(bytes(changed)) is not None
        self.assertGreater(refused, MUTATIONS // 4)

    def test_random_bytes_are_no_hdf5(self):
        noise = random.Random(7).randbytes(5000)
        self.assertIn("not an HDF5 file", self.refusal(noise))
        self.assertIsNotNone(self.refusal(self.content[:8] + noise))

    def test_scripts_answer_with_exit_2_and_one_line(self):
        for content in (b"", b"text\n", self.content[: len(self.content) // 2]):
            with open(self.file, "wb") as stream:
                stream.write(content)
            for arguments in (("run_file.py", self.file), ("cost_model.py", self.file),
                              ("report.py", self.path("run"), "--out", self.path("out"))):
                with self.subTest(script=arguments[0], size=len(content)):
                    self.assert_one_line_error(run_script(*arguments), self.file, "expected")


class Isolation(unittest.TestCase):
    def test_result_and_errors_come_back(self):
        self.assertEqual(call_isolated(sorted, [2, 1], 10), [1, 2])
        with self.assertRaisesRegex(RuntimeError, "invalid literal"):
            call_isolated(int, "x", 10)

    def test_large_result(self):
        self.assertEqual(len(call_isolated(bytes, 5_000_000, 10)), 5_000_000)

    def test_bad_input_stays_bad_input(self):
        with self.assertRaisesRegex(BadInput, "^/nowhere: "):
            call_isolated(_read_file, "/nowhere", 10)

    def test_crash_and_endless_loop_become_errors(self):
        with self.assertRaisesRegex(RuntimeError, "SIGSEGV"):
            call_isolated(signal.raise_signal, signal.SIGSEGV, 10)
        with self.assertRaisesRegex(RuntimeError, "within 0.2 seconds"):
            call_isolated(time.sleep, 60, 0.2)

    def test_relative_paths_are_those_of_the_caller(self):
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        for folder in (here, "/"):
            os.chdir(folder)
            self.assertEqual(call_isolated(os.path.abspath, "run.h5", 10), os.path.join(folder, "run.h5"))

    def test_from_several_threads_without_a_fork(self):
        """A fork copies one thread, and the locks that the others held."""
        with mock.patch("os.fork", side_effect=AssertionError("forked")), ThreadPoolExecutor(4) as pool:
            self.assertEqual(list(pool.map(lambda size: len(call_isolated(bytes, size, 10)), range(20))), list(range(20)))


if __name__ == "__main__":
    unittest.main()
