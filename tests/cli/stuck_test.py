"""Ranks that fail or hang while others wait for them, and training that diverges after a checkpoint: all end, one message
says why, and the last checkpoint is there to go on from."""

import time
import unittest

from adapt_program import ProgramTest, error_lines

RUN = ("data.train_samples=64", "training.batch=16", "data.test_samples=20", "checkpoint.interval_steps=1")


class Stuck(ProgramTest):
    def test_a_rank_that_hangs_is_ended_by_the_others(self):
        for phase in ("forward", "exchange"):
            with self.subTest(phase):
                out = f"run {phase}"
                begin = time.monotonic()
                result = self.train(out, *RUN, "mpi.timeout_s=1", ranks=2, fault=f"stall,phase={phase},step=3,rank=1")
                self.assertLess(time.monotonic() - begin, 25)
                self.assertEqual(result.returncode, 1, result.stderr)
                lines = error_lines(result)
                self.assertEqual(len(lines), 1, result.stderr)
                self.assertRegex(lines[0], r"stuck: MPI_\w+ has waited 1 s .*mpi.timeout_s")
                self.assert_done(self.resume(out, *RUN, "mpi.timeout_s=0"))

    def test_work_that_is_longer_than_the_timeout_is_none_of_its_business(self):
        self.assert_done(self.train("run", "training.epochs=2", "mpi.timeout_s=0.3", "data.train_samples=2048"))

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
