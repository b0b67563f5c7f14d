"""Stop signals: a checkpoint, exit code 75, and --resume goes on from there."""

import os
import re
import signal
import subprocess
import unittest

from adapt_program import ProgramTest, info
from processes import ranks_of, start, wait_for

LONG = ("training.epochs=100000", "record.flush_seconds=0", "data.test_samples=10")
PATIENCE = 30


class Stopped(ProgramTest):
    def run_until(self, step, ranks):
        """A long training, resumed where there is one, that has come beyond `step`."""
        sets = [word for setting in LONG for word in ("--set", setting)]
        self.run_dir = self.folder / "run"
        self.launcher = start("train", self.experiment(), "--out", self.run_dir, "--resume", *sets, ranks=ranks,
                              stderr=subprocess.PIPE)
        self.addCleanup(self.launcher.wait)
        self.addCleanup(self.launcher.kill)
        self.assertTrue(wait_for(lambda: self.steps() > step, PATIENCE), "it does not come on")
        self.pids = ranks_of(self.launcher.pid) if ranks else {0: self.launcher.pid}

    def steps(self):
        return int(info(self.run_dir)["steps"]) if (self.run_dir / "run.h5").exists() else 0

    def assert_stops(self):
        """Returns the step that it says, which is the last one in the log and in the checkpoints."""
        _, err = self.launcher.communicate(timeout=PATIENCE)
        self.assertEqual(self.launcher.returncode, 75, err)
        step = int(re.search(r"adapt: stopped by a signal after the checkpoint of step (\d+)", err)[1])
        self.assertEqual(info(self.run_dir)["state"], "not finished")
        self.assertEqual(self.steps(), step)
        self.assertTrue((self.run_dir / "checkpoints" / f"step-{step:09}").exists())
        return step

    def test_sigterm_and_sigusr1_again_and_again(self):
        step = 0
        for name in (signal.SIGTERM, signal.SIGUSR1, signal.SIGTERM):
            self.run_until(step, ranks=0)
            os.kill(self.launcher.pid, name)
            before, step = step, self.assert_stops()
            self.assertGreater(step, before)

    def test_any_rank_stops_all(self):
        step = 0
        for rank, name in ((1, signal.SIGTERM), (0, signal.SIGUSR1)):
            self.run_until(step, ranks=2)
            os.kill(self.pids[rank], name)
            step = self.assert_stops()

    def test_mpirun_passes_sigusr1_on(self):
        self.run_until(0, ranks=2)
        os.kill(self.launcher.pid, signal.SIGUSR1)
        self.assert_stops()


if __name__ == "__main__":
    unittest.main()
