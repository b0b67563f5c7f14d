"""Stop signals: a checkpoint, exit code 75, and --resume goes on from there."""

import os
import re
import resource
import signal
import subprocess
import unittest

from adapt_program import ADAPT, SLOWNESS, TINY, ProgramTest, adapt, info
from processes import ranks_of, start, wait_for

LONG = ("training.epochs=100000", "record.flush_seconds=0", "data.test_samples=10")
PATIENCE = 30


def resident(pid):
    """Bytes of memory that a process holds."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


class Stopped(ProgramTest):
    def run_until(self, step, ranks):
        """A long training, resumed where there is one, that has come beyond `step`."""
        sets = [word for setting in LONG for word in ("--set", setting)]
        self.run_dir = self.folder / "run"
        self.launcher = start("train", self.experiment(), "--out", self.run_dir, "--resume", *sets, ranks=ranks,
                              stderr=subprocess.PIPE)
        self.addCleanup(self.launcher.wait)
        self.addCleanup(self.launcher.kill)
        if not wait_for(lambda: self.steps() > step, PATIENCE):
            self.launcher.kill()
            self.fail(f"it does not come on: {self.launcher.communicate()[1]}")
        self.pids = ranks_of(self.launcher.pid) if ranks else {0: self.launcher.pid}

    def steps(self):
        return int(info(self.run_dir)["steps"]) if (self.run_dir / "run.h5").exists() else 0

    def assert_stops(self):
        """Returns the step that it says, which is the last one in the log and in the checkpoints."""
        _, err = self.launcher.communicate(timeout=PATIENCE * SLOWNESS)
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


class StoppedWithinAStep(ProgramTest):
    """A step, or an evaluation, may take minutes: it is left half-way, and done again."""

    ENDS_AT = re.compile(r"stopped by a signal after the checkpoint of step (\d+)")

    def assert_stops(self, fault, step, *overrides, ranks=0):
        """Stops by `fault` after `step`, and goes on as if nothing had been."""
        with self.subTest(fault=fault, ranks=ranks):
            out = f"{fault}{ranks}"
            stopped = self.assert_stopped(self.train(out, *ADAPT, *overrides, ranks=ranks, fault=f"stop,{fault}"))
            self.assertEqual(self.ENDS_AT.search(stopped.stderr)[1], str(step), stopped.stderr)
            self.assert_done(self.resume(out, *ADAPT, *overrides, ranks=ranks))
            self.assert_same("whole", out)

    def test_it_is_done_again(self):
        self.assert_done(self.train("whole", *ADAPT))
        for ranks in (0, 2):
            self.assert_stops("phase=forward,step=3,rank=0", 2, ranks=ranks)
            self.assert_stops("phase=backward,step=6,rank=0", 5, ranks=ranks)
        self.assert_stops("phase=backward,step=6,rank=1", 5, ranks=2)

    def test_so_is_an_evaluation(self):
        self.assert_done(self.train("whole", *ADAPT))
        self.assert_stops("phase=evaluate.batch,step=4", 4)
        self.assert_stops("phase=evaluate.batch,step=12,rank=1", 12, ranks=2)

    def test_a_step_that_cannot_be_taken_back_is_ended(self):
        feedback = ("exchange.encoding=int8", "exchange.error_feedback=true")
        self.assert_done(self.train("whole", *ADAPT, *feedback))
        self.assert_stops("phase=backward,step=3", 3, *feedback)

    def test_the_first_one_leaves_nothing(self):
        stopped = self.assert_stopped(self.train("run", fault="stop,phase=forward,step=1"))
        self.assertIn(StoppedBeforeTheFirstStep.NOTHING_LOST, stopped.stderr)
        self.assert_done(self.train("whole"))
        self.assert_done(self.resume("run"))
        self.assert_same("whole", "run")


class StoppedBeforeTheFirstStep(ProgramTest):
    """A signal that comes while a run is prepared: nothing is lost, and the same command line starts it again."""

    PER_TENSOR = (*ADAPT, "precision.formats=per_tensor", "precision.backward=quantized")
    NOTHING_LOST = "adapt: stopped by a signal before the first step; --resume starts where this did\n"

    def test_each_phase_hears_it(self):
        for phase in ("load", "build", "calibrate"):
            for ranks, rank in ((0, 0), (2, 1)):
                with self.subTest(phase=phase, ranks=ranks):
                    out = f"{phase}{ranks}"
                    stopped = self.resume(out, *self.PER_TENSOR, ranks=ranks, fault=f"stop,phase={phase},rank={rank}")
                    self.assert_stopped(stopped)
                    self.assertIn(self.NOTHING_LOST, stopped.stderr)
                    self.assertFalse((self.folder / out / "run.h5").exists())
        self.assert_done(self.resume("load0", "training.epochs=1"))

    def test_it_is_heard_while_images_are_drawn(self):
        """Which takes seconds for so many; the memory is asked for first."""
        launcher = start("train", self.experiment(), "--out", self.folder / "run", "--set", "data.train_samples=800000",
                         "--set", "data.test_samples=10", stderr=subprocess.PIPE)  # fmt: skip
        self.addCleanup(launcher.wait)
        self.addCleanup(launcher.kill)
        drawing = wait_for(lambda: resident(launcher.pid) > 400_000_000, PATIENCE)
        self.assertTrue(drawing, "no image was drawn")
        os.kill(launcher.pid, signal.SIGTERM)
        _, err = launcher.communicate(timeout=PATIENCE * SLOWNESS)
        self.assertEqual((launcher.returncode, err), (75, self.NOTHING_LOST))

    def test_a_sweep_goes_on_with_it(self):
        grid = self.experiment(TINY + "grid: {seed: [1, 2]}\n", "grid.yaml")
        sweep = ("sweep", grid, "--run", "--store", self.folder / "store", "--set", "training.epochs=1")
        self.assert_stopped(adapt(*sweep, env={"ADAPT_FAULT": "stop,phase=load"}))
        self.assertIn("2 done", self.assert_done(adapt(*sweep)).stdout + adapt(*sweep[:2], "--list", *sweep[3:]).stdout)


if __name__ == "__main__":
    unittest.main()
