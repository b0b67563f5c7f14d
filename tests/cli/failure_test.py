"""Runs that do not reach their end: killed ranks, killed runs, training that diverges. Nothing may hang, and
run.h5 must be whole."""

import os
import signal
import unittest

from adapt_program import SLOWNESS, ProgramTest, adapt, info
from processes import is_running, ranks_of, start, wait_for

LONG = ("training.epochs=100000", "record.flush_seconds=0")
DIVERGING = ("training.learning_rate=1000", "training.weight_decay=1", "training.batch=8")
PATIENCE = 20  # seconds in which the other ranks must have ended


class Killed(ProgramTest):
    RANKS = 2

    def start(self, *overrides):
        """A long training that has already written some steps."""
        sets = [word for setting in overrides for word in ("--set", setting)]
        self.run_dir = self.folder / "run"
        self.launcher = start("train", self.experiment(), "--out", self.run_dir, *sets, ranks=self.RANKS)
        self.addCleanup(self.launcher.wait)
        self.addCleanup(self.launcher.kill)
        written = wait_for(lambda: (self.run_dir / "run.h5").exists() and self.steps() > 0, 40)
        self.assertTrue(written, "no step was written")
        self.ranks = ranks_of(self.launcher.pid)
        self.assertEqual(sorted(self.ranks), list(range(self.RANKS)))

    def steps(self):
        return int(info(self.run_dir)["steps"])

    def assert_all_end(self):
        pids = [self.launcher.pid, *self.ranks.values()]
        self.launcher.wait(PATIENCE * SLOWNESS)
        self.assertTrue(wait_for(lambda: not any(map(is_running, pids)), PATIENCE), "a rank still runs")

    def assert_whole(self, least_steps):
        said = info(self.run_dir)
        self.assertEqual(said["state"], "not finished")
        self.assertGreaterEqual(int(said["steps"]), least_steps)
        return int(said["steps"])

    def test_death_of_one_rank_ends_all(self):
        for rank in range(self.RANKS):
            with self.subTest(rank=rank):
                self.start(*LONG)
                seen = self.steps()
                os.kill(self.ranks[rank], signal.SIGKILL)
                self.assert_all_end()
                self.assertNotEqual(self.launcher.returncode, 0)
                self.assert_whole(seen)
                self.run_dir.rename(self.folder / f"killed{rank}")

    def kill_all(self):
        for pid in (self.launcher.pid, *self.ranks.values()):
            os.kill(pid, signal.SIGKILL)
        self.assert_all_end()

    def test_death_of_all_leaves_every_flushed_step(self):
        self.start(*LONG)
        seen = self.steps()
        self.kill_all()
        self.assert_whole(seen)

    def test_what_was_not_flushed_is_lost_as_a_whole(self):
        self.start("training.epochs=100000", "record.flush_seconds=86400")  # at the end of each epoch only
        self.kill_all()
        self.assertEqual(self.assert_whole(4) % 4, 0)


class Diverging(ProgramTest):
    def test_one_clear_message_and_the_steps_so_far(self):
        for ranks in (0, 1, 2, 4):
            with self.subTest(ranks=ranks):
                result = self.train(f"run{ranks}", *DIVERGING, ranks=ranks)
                self.assert_refused(result, "diverged", "learning_rate", code=1)
                said = info(self.folder / f"run{ranks}")
                self.assertEqual(said["state"], "not finished")
                self.assertGreater(int(said["steps"]), 0)
                self.assertEqual(said["epochs"], "0")
                self.assert_refused(adapt("evaluate", self.folder / f"run{ranks}"), "holds no model")


class OutOfMemory(ProgramTest):
    def test_one_line_names_rank_and_phase(self):
        for ranks, rank in ((0, 0), (2, 1)):
            for phase in ("load", "build"):
                with self.subTest(ranks=ranks, phase=phase):
                    result = self.train(f"{phase}{ranks}", ranks=ranks, fault=f"memory,phase={phase},rank={rank}")
                    self.assert_refused(result, f"out of memory on rank {rank} in phase {phase}", code=1)
            result = self.train(f"forward{ranks}", ranks=ranks, fault=f"memory,phase=forward,rank={rank},step=2")
            self.assert_refused(result, f"out of memory on rank {rank} in phase ", code=1)


if __name__ == "__main__":
    unittest.main()
