"""Result files are written under names that nobody foresees, through no link, and whole."""

import os
import stat
import unittest
from unittest import mock

from support import ScratchTest

from analysis.files import write_atomically


class Files(ScratchTest):
    def read(self, name):
        with open(self.path(name), encoding="utf-8") as stream:
            return stream.read()

    def setUp(self):
        super().setUp()
        with open(self.path("precious"), "w", encoding="utf-8") as stream:
            stream.write("mine")

    def test_a_link_planted_under_the_name_of_old_is_not_followed(self):
        os.symlink("precious", self.path(f"table.csv.tmp.{os.getpid()}"))
        write_atomically(self.path("table.csv"), "numbers")
        self.assertEqual((self.read("precious"), self.read("table.csv")), ("mine", "numbers"))

    def test_a_link_that_was_guessed_is_refused(self):
        with mock.patch("secrets.token_hex", return_value="guessed"):
            for target in ("precious", "not_there"):
                os.symlink(target, self.path("table.csv.tmp.guessed"))
                with self.assertRaises(FileExistsError):
                    write_atomically(self.path("table.csv"), "numbers")
                os.remove(self.path("table.csv.tmp.guessed"))
        self.assertEqual(self.read("precious"), "mine")
        self.assertEqual(os.listdir(self.folder), ["precious"])

    def test_a_link_in_place_of_the_result_is_replaced(self):
        os.symlink("precious", self.path("table.csv"))
        write_atomically(self.path("table.csv"), "numbers")
        self.assertEqual((self.read("precious"), self.read("table.csv")), ("mine", "numbers"))

    def test_others_may_read_the_result_as_the_umask_says(self):
        before = os.umask(0o027)
        self.addCleanup(os.umask, before)
        write_atomically(self.path("table.csv"), b"numbers")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("table.csv")).st_mode), 0o640)

    def test_nothing_is_left_behind(self):
        with mock.patch("os.replace", side_effect=OSError(28, "No space left on device")):
            with self.assertRaises(OSError):
                write_atomically(self.path("table.csv"), "numbers")
        self.assertEqual(os.listdir(self.folder), ["precious"])


if __name__ == "__main__":
    unittest.main()
