"""Ranks that fail or hang while others wait for them, and training that diverges after a checkpoint: all end, one message
says why, and the last checkpoint is there to go on from."""

import os
import signal
import subprocess
import unittest

from adapt_program import SLOWNESS, ProgramTest, adapt, error_lines, several_at_a_time
from processes import is_running, ranks_of, start, wait_for

RUN = ("data.train_samples=64", "training.batch=16", "data.test_samples=20", "checkpoint.interval_steps=1")
PATIENCE = 30


def attempt(check, *arguments):
    """The failure of a check, None where it passes."""
    try:
        check(*arguments)
    except AssertionError as failure:
        return failure
    return None



# Of a rank that hangs: where, at which step (0: before the first), which rank.
HANGS = (("load", 0, 1), ("build", 0, 0), ("data", 3, 1), ("forward", 3, 1), ("backward", 3, 0), ("exchange", 3, 1),
         ("policy", 3, 0), ("update", 3, 1), ("evaluate", 4, 1), ("evaluate.batch", 4, 0), ("record", 3, 0),
         ("checkpoint.write", 3, 0), ("log.write", 4, 0))
TIMEOUT = "mpi.timeout_s=2"


class Stuck(ProgramTest):
    def hang(self, phase, step, rank, ranks=2):
        out = f"run {phase} {ranks}"
        fault = f"stall,phase={phase},step={step},rank={rank}"
        result = self.train(out, *RUN, TIMEOUT, ranks=ranks, fault=fault, experiment=self.folder / "experiment.yaml")
        place = f"phase {phase} " + (f"of step {step}" if step else "before the first step")
        said = f"stuck: rank {rank} (host {os.uname().nodename}) has given no sign of life for 2 s (mpi.timeout_s) in {place}"
        self.assert_refused(result, said, code=1)

    def test_a_rank_that_hangs_says_so_and_all_end(self):
        self.experiment()
        for where, failure in zip(HANGS, several_at_a_time(lambda where: attempt(self.hang, *where), HANGS, 4)):
            with self.subTest(where):
                self.assertIsNone(failure)

    def test_what_hung_goes_on_from_its_checkpoint(self):
        self.experiment()
        self.hang("forward", 3, 0, ranks=0)
        self.assert_done(self.resume("run forward 0", *RUN, "mpi.timeout_s=0"))

    def test_an_evaluation_that_hangs(self):
        self.assert_done(self.train("run", *RUN, TIMEOUT))
        result = adapt("evaluate", self.folder / "run", ranks=2, env={"ADAPT_FAULT": "stall,phase=evaluate,rank=1"})
        self.assert_refused(result, "stuck: rank 1 ", "in phase evaluate before the first step", code=1)

    def test_a_rank_that_cannot_say_so_is_missed_by_one_of_the_others(self):
        """Stopped as a whole, with its watchdog. The lowest of the others is the first to say so, unless it came last."""
        sets = [word for setting in (*RUN, "training.epochs=100000", "mpi.timeout_s=1") for word in ("--set", setting)]
        launcher = start("train", self.experiment(), "--out", self.folder / "run", *sets, ranks=3, stderr=subprocess.PIPE)
        self.addCleanup(launcher.wait)
        self.addCleanup(launcher.kill)
        self.assertTrue(wait_for(lambda: [*self.folder.glob("run/checkpoints/step-*")], PATIENCE), "it does not come on")
        ranks = ranks_of(launcher.pid)
        os.kill(ranks[1], signal.SIGSTOP)
        _, err = launcher.communicate(timeout=PATIENCE * SLOWNESS)
        said = [line for line in err.splitlines() if "stuck: " in line]
        self.assertEqual(len(said), 1, err)
        self.assertRegex(said[0], r"stuck: rank (0 \(host \S+\) has waited 2|2 \(host \S+\) has waited 2.2) s in MPI_\w+ after phase [\w.]+ of step \d+ ")
        self.assertTrue(wait_for(lambda: not any(map(is_running, ranks.values())), PATIENCE), "a rank still runs")

    def test_a_run_that_was_suspended_goes_on(self):
        """As by Slurm or Ctrl-Z, for longer than the timeout."""
        sets = [word for setting in (*RUN, "training.epochs=100000", "mpi.timeout_s=1") for word in ("--set", setting)]
        process = start("train", self.experiment(), "--out", self.folder / "run", *sets, stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        steps = lambda: {path.name for path in self.folder.glob("run/checkpoints/step-*")}
        self.assertTrue(wait_for(steps, PATIENCE), "it does not come on")
        os.kill(process.pid, signal.SIGSTOP)
        before = steps()
        self.assertFalse(wait_for(lambda: steps() != before, 3), "it is not suspended")
        os.kill(process.pid, signal.SIGCONT)
        self.assertTrue(wait_for(lambda: steps() != before, PATIENCE), "it does not go on")
        os.kill(process.pid, signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE * SLOWNESS)
        self.assertEqual(process.returncode, 75, err)

    def test_long_work_with_signs_of_life_goes_on(self):
        """Half a second more for each shard, each batch of an evaluation, each piece of a file: seconds in all."""
        self.experiment()
        jobs = (("forward,step=3", 0), ("evaluate.batch,step=4", 0), ("checkpoint.write,step=3", 2), ("log.write,step=4", 2))

        def slow(job):
            phase, ranks = job
            return self.train(f"run {phase}", *RUN, "data.test_samples=60", "training.test_batch=10", "mpi.timeout_s=1.5",
                              ranks=ranks, fault=f"slow,phase={phase}", experiment=self.folder / "experiment.yaml")

        for job, result in zip(jobs, several_at_a_time(slow, jobs, 4)):
            with self.subTest(job):
                self.assert_done(result)

    def test_ranks_wait_for_one_that_is_slower(self):
        result = self.train("run", *RUN, "mpi.timeout_s=1.5", ranks=2, fault="slow,phase=forward,step=3,rank=1")
        self.assert_done(result)

    def test_a_rank_that_fails_ends_all_with_its_message(self):
        for ranks, rank, phase in ((0, 0, "exchange"), (2, 1, "exchange"), (2, 1, "forward"), (3, 2, "evaluate")):
            with self.subTest(phase=phase, rank=rank):
                out = f"run {ranks} {phase}"
                result = self.train(out, *RUN, ranks=ranks, fault=f"fail,phase={phase},step=4,rank={rank}")
                self.assert_refused(result, f"fault on purpose in phase {phase} of step 4", code=1)
        self.assert_done(self.resume("run 3 evaluate", *RUN))

    def test_a_variable_that_names_no_fault_is_refused(self):
        self.assert_refused(self.train("run", *RUN, fault="kill,phase="), "ADAPT_FAULT")


class Diverging(ProgramTest):
    RECIPE = (*RUN, "training.learning_rate=1000", "training.weight_decay=1", "training.epochs=20")

    def check(self, *overrides, ranks):
        """Weights grow a thousandfold with each step."""
        out = f"run {ranks}"
        result = self.train(out, *self.RECIPE, *overrides, ranks=ranks)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assert_refused(result, "learning_rate", "the checkpoint of step ", "is kept", code=1)
        self.assertRegex(error_lines(result)[0], r"(the loss is \S+|'conv1.weight' is NaN or infinite) at step \d+")
        self.assertGreater(len([*(self.folder / out / "checkpoints").iterdir()]), 0)
        return error_lines(result)[0]

    def test_float32(self):
        said = {self.check(ranks=ranks).split(";")[0] for ranks in (0, 2)}
        self.assertEqual(len(said), 1)

    def test_quantized(self):
        self.check("engine=emulated", "precision.policy=fixed", "training.normalize=no", ranks=0)


if __name__ == "__main__":
    unittest.main()
