"""On file systems that refuse: without file locks everything works, and an error of the machine is not taken for a damaged
file. The program and the scripts of analysis/ alike."""

import errno
import os
import pathlib
import subprocess
import sys
import unittest

from adapt_program import ADAPT, ProgramTest, adapt
from failing_calls import without_locks

ANALYSIS = pathlib.Path(__file__).parents[2] / "analysis"


class FileSystem(ProgramTest):
    def script(self, name, *arguments, env):
        return subprocess.run([sys.executable, ANALYSIS / name, *map(str, arguments)], capture_output=True, text=True,
                              check=False, env={**os.environ, **env}, timeout=100)  # fmt: skip

    def scripts(self, run):
        """Names and arguments of scripts that read a run."""
        yield "run_file.py", [run]
        yield "cost_model.py", [run]
        yield "compare.py", [run]
        yield "strip.py", [run, self.folder / "stripped.h5"]
        yield "report.py", [run, "--out", self.folder / "report"]
        yield "ro_crate.py", [run, "--out", self.folder / "crate"]

    def test_without_locks(self):
        env = without_locks(self.folder)
        with open(self.folder / "file", "wb") as file:  # the library does what it is for
            code = "import fcntl; fcntl.flock(1, fcntl.LOCK_SH)"
            locking = subprocess.run([sys.executable, "-c", code], stdout=file, stderr=subprocess.PIPE, text=True, check=False,
                                     env={**os.environ, **env})  # fmt: skip
        self.assertIn(os.strerror(errno.ENOLCK), locking.stderr)
        run = self.folder / "run"
        experiment = self.experiment()
        sets = [word for override in ADAPT for word in ("--set", override)]
        self.assert_done(adapt("train", experiment, "--out", run, *sets, env=env))
        self.assert_done(adapt("train", experiment, "--out", run, *sets, "--resume", env=env))
        for arguments in (["info", run], ["evaluate", run], ["compare", run, run]):
            self.assert_done(adapt(*arguments, env=env))
        for name, arguments in self.scripts(run):
            with self.subTest(name):
                result = self.script(name, *arguments, env=env)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertNotIn("damaged", result.stderr)

    def test_an_error_of_the_machine_is_named(self):
        run = self.folder / "run"
        self.assert_done(self.train("run", "training.epochs=1"))
        for number in (errno.EACCES, errno.ENOLCK, errno.EIO, errno.ENOENT, errno.ENOMEM):
            env = without_locks(self.folder, number)
            said = [adapt(*arguments, env=env) for arguments in (["info", run], ["evaluate", run], ["compare", run, run])]
            said += [self.script(name, *arguments, env=env) for name, arguments in self.scripts(run)]
            for result in said:
                with self.subTest(error=os.strerror(number), command=result.args):
                    self.assertEqual(result.returncode, 2, result.stderr)
                    self.assertIn(os.strerror(number), result.stderr)
                    self.assertIn(str(run / "run.h5"), result.stderr)
                    self.assertNotIn("damaged", result.stderr)


if __name__ == "__main__":
    unittest.main()
