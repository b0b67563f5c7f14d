"""experiments/run.sh with the built program."""

import os
import pathlib
import subprocess
import tempfile
import unittest
import unittest.mock

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "experiments" / "run.sh"
TINY = """\
name: {name}
data: {{name: procedural, train_samples: 64, test_samples: 32}}
training: {{epochs: 1, batch: 32, shards: 2, test_batch: 32}}
"""


def run(*arguments):
    environment = os.environ | {"ADAPT_SKIP_PACKAGES": "1"}
    return subprocess.run([SCRIPT, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=environment)


class Run(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="adapt-test-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def experiment(self, name, text=TINY):
        path = self.folder / f"file_of_{name}.yaml"
        path.write_text(text.format(name=name), encoding="utf-8")
        return path

    def test_trains_each_file_once(self):
        files = [self.experiment("first"), self.experiment("second")]
        out = self.folder / "runs"
        result = run("--ranks", 2, "--out", out, *files)
        self.assertEqual(result.returncode, 0, result.stderr)
        for name in ("first", "second"):
            self.assertTrue((out / name / "DONE").exists(), name)
        times = [(out / name / "run.h5").stat().st_mtime_ns for name in ("first", "second")]
        again = run("--out", out, *files)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("run: first is finished", again.stdout)
        self.assertEqual(times, [(out / name / "run.h5").stat().st_mtime_ns for name in ("first", "second")])

    def test_an_unfinished_run_goes_on(self):
        first = self.experiment("first")
        arguments = ("--ranks", 1, "--out", self.folder, first)
        with unittest.mock.patch.dict(os.environ, {"ADAPT_FAULT": "stop,phase=update,step=1"}):
            stopped = run(*arguments, self.experiment("second"))
            self.assertEqual(run(*arguments, "--", "--overwrite").returncode, 75)  # at its first step again
        self.assertEqual(stopped.returncode, 75, stopped.stderr)
        self.assertFalse((self.folder / "second").exists())
        resumed = run(*arguments)
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        self.assertIn("after step 1\n", resumed.stderr)

    def test_hands_options_on(self):
        result = run("--ranks", 1, "--out", self.folder, self.experiment("first"), "--", "--set", "name=other")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue((self.folder / "other" / "DONE").exists())

    def test_nothing_starts_when_a_file_is_wrong(self):
        wrong = self.experiment("wrong", "name: {name}\nmodell: lenet5\n")
        result = run("--out", self.folder, self.experiment("first"), wrong)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("modell", result.stderr)
        self.assertFalse((self.folder / "first").exists())

    def test_each_run_has_a_folder_of_its_own(self):
        files = [self.experiment("first"), self.experiment("second")]
        result = run("--out", self.folder, *files, "--", "--set", "name=seed2")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("file_of_second.yaml: another experiment here is named 'seed2'", result.stderr)
        self.assertFalse((self.folder / "seed2").exists())

    def test_a_failure_stays_alone(self):
        (self.folder / "first").mkdir()
        (self.folder / "first" / "run.h5").write_text("an unfinished run", encoding="utf-8")
        result = run("--ranks", 1, "--out", self.folder, self.experiment("first"), self.experiment("second"))
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("first ended with exit code 2", result.stderr)
        self.assertTrue((self.folder / "second" / "DONE").exists())

    def test_bad_arguments(self):
        for arguments, complaint in (
            ((), "no experiment"),
            (("nowhere.yaml",), "there is no experiment file 'nowhere.yaml'"),
            (("--ranks", "0"), "expected a whole number"),
            (("--rank", "1"), "unknown option '--rank'"),
            (("--out",), "expected a folder"),
        ):
            result = run(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(complaint, result.stderr)

    def test_help(self):
        result = run("--help")
        self.assertEqual(result.returncode, 0)
        self.assertIn("usage: experiments/run.sh", result.stdout)


if __name__ == "__main__":
    unittest.main()
