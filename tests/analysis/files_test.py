"""Result files are written under names that nobody foresees, through no link, and whole."""

import os
import stat
import subprocess
import unittest
from unittest import mock

from support import ROOT, ScratchTest, run_script
from synthetic_run import constant_layer, write_run

from analysis.errors import BadInput
from analysis.files import make_folder_within, write_atomically


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
            with self.assertRaises(OSError) as raised:
                write_atomically(self.path("table.csv"), "numbers")
        self.assertEqual(raised.exception.filename, self.path("table.csv"))
        self.assertEqual(os.listdir(self.folder), ["precious"])


class Folders(ScratchTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("elsewhere"))
        write_run(self.path("run"), {"a": (1000, 100, constant_layer(10))})

    def report(self, out):
        return run_script("report.py", self.path("run"), "--out", self.path(out))

    def test_a_planted_link_is_not_written_through(self):
        os.mkdir(self.path("report"))
        for target in ("../elsewhere", "../nowhere"):
            os.symlink(target, self.path("report", "figures"))
            self.assert_one_line_error(self.report("report"), self.path("report", "figures"), f"a link to {target}; expected a folder")
            os.remove(self.path("report", "figures"))
        self.assertEqual((os.listdir(self.path("elsewhere")), os.listdir(self.path("report"))), ([], []))
        os.symlink("elsewhere", self.path("between"))
        with self.assertRaises(BadInput):
            make_folder_within(self.folder, "between/run")
        self.assertEqual(os.listdir(self.path("elsewhere")), [])

    def test_a_link_that_the_user_names_is_his_will(self):
        os.symlink("elsewhere", self.path("report"))
        self.assertEqual(self.report("report").returncode, 0)
        self.assertIn("report.html", os.listdir(self.path("elsewhere")))


class OutputThatIsRefused(ScratchTest):
    """A full disk and a closed pipe: one line with the names of script and output, and exit 1."""

    def setUp(self):
        super().setUp()
        write_run(self.path("run"), {"a": (1000, 100, constant_layer(10))})

    def said(self, redirection, *arguments):
        """(exit code, stderr) of a script that a shell starts with its output redirected."""
        command = f'(sleep 0.1; exec "$@") {redirection}'  # a reader that reads nothing is gone by then
        words = [os.path.join(ROOT, "analysis", arguments[0]), *arguments[1:]]
        outcome = subprocess.run(["bash", "-c", command, "bash", *words], capture_output=True, text=True, timeout=100, check=False)
        return outcome.returncode, outcome.stderr

    def test_standard_output(self):
        for redirection, reason in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor"),
                                    ("| true; exit ${PIPESTATUS[0]}", "Broken pipe")):  # fmt: skip
            for command in (("compare.py", self.path("run")), ("cost_model.py", self.path("run")), ("compare.py", "--help")):
                with self.subTest(redirection, command=command):
                    code, said = self.said(redirection, *command)
                    self.assertEqual(said, f"error: {command[0]}: standard output: {reason}\n")
                    self.assertEqual(code, 1)

    def test_a_file(self):
        limited = ["bash", "-c", 'ulimit -f 0; exec "$@"', "bash"]  # an error of the write, as on a full disk
        script = os.path.join(ROOT, "analysis", "compare.py")
        outcome = subprocess.run([*limited, script, self.path("run"), "--out", self.path("out")], capture_output=True, text=True,
                                 timeout=100, check=False)  # fmt: skip
        self.assert_one_line_error(outcome, f"error: compare.py: {self.path('out', 'compare.csv')}: File too large", code=1)
        self.assertEqual(os.listdir(self.path("out")), [])

    def test_standard_error_changes_no_exit_code(self):
        for redirection in ("2>/dev/full", "2>&-"):
            self.assertEqual(self.said(f"{redirection} >{self.path('printed')}", "compare.py", self.path("gone"))[0], 2)
            self.assertEqual(os.path.getsize(self.path("printed")), 0)


if __name__ == "__main__":
    unittest.main()
