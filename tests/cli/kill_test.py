"""Runs that are killed at any moment, writing checkpoints included, and resumed: nothing is lost, and the end is that of a
run that never was. ADAPT_TEST_KILLS sets how many random kills there are."""

import hashlib
import os
import random
import signal
import subprocess
import time
import unittest

from adapt_program import ADAPT, SLOWNESS, ProgramTest, several_at_a_time
from processes import is_running, ranks_of, start, wait_for

KILLS = int(os.environ.get("ADAPT_TEST_KILLS", "6"))
PATIENCE = 20
SEAL = 65  # bytes of the digest at the end of a checkpoint
TINY_STEPS = ("data.train_samples=64", "training.batch=16", "data.test_samples=20", "checkpoint.interval_steps=1")


class Killed(ProgramTest):
    def assert_checkpoints_whole(self, out):
        """Every file under a checkpoint's name."""
        found = [path for path in (self.folder / out).glob("checkpoints/*-*") if ".tmp." not in path.name]
        for path in found:
            data = path.read_bytes()
            self.assertEqual(data[-SEAL:].decode(), hashlib.sha256(data[:-SEAL]).hexdigest() + "\n", path)
        return len(found)

    def end(self, launcher):
        """Waits for mpirun, which after a death during MPI_Init may hang without any rank; it is killed then."""
        try:
            launcher.wait(PATIENCE * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.assertEqual(ranks_of(launcher.pid), {}, "a rank still runs")
            launcher.kill()
            launcher.wait(PATIENCE * SLOWNESS)

    def kill_at_random(self, draw, *overrides):
        """Resumes on a random number of ranks, kills one rank or all. Whether there was something left to kill."""
        sets = [word for override in overrides for word in ("--set", override)]
        ranks = draw.choice((1, 2, 3))
        launcher = start("train", self.experiment(), "--out", self.folder / "run", "--resume", *sets, ranks=ranks)
        self.addCleanup(launcher.kill)
        wait_for(lambda: launcher.poll() is not None or len(ranks_of(launcher.pid)) == ranks, PATIENCE)
        time.sleep(draw.uniform(0, 1))
        pids = list(ranks_of(launcher.pid).values())
        for pid in draw.choice((pids[:1], pids[-1:], [launcher.pid, *pids])):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it has just ended
        self.end(launcher)
        self.assertTrue(wait_for(lambda: not any(map(is_running, pids)), PATIENCE), "a rank still runs")
        return launcher.returncode != 0

    def test_at_random_moments(self):
        overrides = [*ADAPT, *TINY_STEPS, "training.epochs=20", "precision.adapt.lookback_upper=20"]
        self.assert_done(self.train("whole", *overrides, "checkpoint.interval_steps=0"))
        draw = random.Random(5)
        kills = sum(self.kill_at_random(draw, *overrides) for _ in range(KILLS))
        self.assertGreater(kills, KILLS / 3, "it was too fast to be killed")
        if (self.folder / "run" / "checkpoints").exists():
            self.assert_checkpoints_whole("run")
        self.assert_done(self.resume("run", *overrides, ranks=2))
        self.assert_same("whole", "run")
        self.assertEqual(self.assert_checkpoints_whole("run"), 3)

    def test_in_every_phase(self):
        self.assert_done(self.train("whole", *ADAPT, *TINY_STEPS))
        faults = [f"{phase},step={step}" for phase, step in (
            ("log.write", 1), ("checkpoint.start", 1), ("checkpoint.write", 1), ("checkpoint.rename", 1), ("checkpoint.rename", 4),
            ("checkpoint.prune", 3), ("forward", 5), ("update", 8), ("evaluate", 8), ("log.rename", 12), ("checkpoint.write", 12),
            ("checkpoint.prune", 12))]

        experiment = self.experiment()  # once: others read it meanwhile

        def kill_and_resume(job):
            number, fault = job
            killed = self.train(f"run{number}", *ADAPT, *TINY_STEPS, fault=f"kill,phase={fault}", experiment=experiment)
            self.assertEqual(killed.returncode, -signal.SIGKILL, fault + killed.stderr)
            self.assert_checkpoints_whole(f"run{number}")
            resumed = self.assert_done(self.resume(f"run{number}", *ADAPT, *TINY_STEPS, experiment=experiment))
            self.assertNotRegex(resumed.stderr, "warning: (?!oneDNN)")
            self.assert_same("whole", f"run{number}")
            self.assertEqual(self.assert_checkpoints_whole(f"run{number}"), 3)
            leftovers = [*(self.folder / f"run{number}").rglob("*.tmp.*")]
            self.assertEqual(leftovers, [])

        several_at_a_time(kill_and_resume, list(enumerate(faults)))


if __name__ == "__main__":
    unittest.main()
