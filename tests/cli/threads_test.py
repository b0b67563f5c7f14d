"""What the environment says about OpenMP's threads: a run has those that it asks for, or is refused at its start. oneDNN
waits for missing ones for ever."""

import shutil
import unittest

from adapt_program import PROGRAM, ProgramTest, adapt, run

TWO = "training.threads=2"
SHORT = ("training.epochs=1", "data.train_samples=64", "data.test_samples=20")


class Threads(ProgramTest):
    def test_a_limit_is_refused_with_its_name(self):
        for ranks in (0, 2):
            result = self.train("run", *SHORT, TWO, ranks=ranks, environment={"OMP_THREAD_LIMIT": "1"})
            self.assert_refused(result, "2 threads", "OpenMP gives 1", "environment variable OMP_THREAD_LIMIT is 1",
                                "expected at least 2")
        self.assertFalse((self.folder / "run").exists())

    def test_a_limit_that_is_enough_is_none(self):
        self.assert_done(self.train("one", *SHORT, environment={"OMP_THREAD_LIMIT": "1"}))
        self.assert_done(self.train("two", *SHORT, TWO, environment={"OMP_THREAD_LIMIT": "2"}))

    def test_a_limit_for_evaluations_and_benchmarks(self):
        limit = {"OMP_THREAD_LIMIT": "1"}
        self.assert_done(self.train("run", *SHORT, TWO))
        evaluate = ("evaluate", self.folder / "run")
        self.assert_refused(adapt(*evaluate, env=limit), "OMP_THREAD_LIMIT is 1")
        self.assert_done(adapt(*evaluate, "--set", "training.threads=1", env=limit))
        for benchmark in ("step", "infer", "ceilings"):
            with self.subTest(benchmark):
                self.assert_refused(adapt("bench", benchmark, "--threads", "2", env=limit), "OMP_THREAD_LIMIT is 1")

    def test_a_limit_for_a_sweep(self):
        grid = self.experiment(self.experiment().read_text() + "grid: {training.threads: [2]}\n", "grid.yaml")
        result = adapt("sweep", grid, "--run", "--store", self.folder / "store", env={"OMP_THREAD_LIMIT": "1"})
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("OMP_THREAD_LIMIT is 1", result.stderr)

    def test_other_settings_are_overruled(self):
        """Each alone leaves two threads only one processor, or one thread."""
        self.assert_done(self.train("usual", *SHORT, TWO))
        pinned = ["taskset", "-c", "0"] if shutil.which("taskset") else []
        for number, variables in enumerate((
                {"OMP_DYNAMIC": "true"}, {"OMP_MAX_ACTIVE_LEVELS": "0"}, {"OMP_NESTED": "false"}, {"OMP_NUM_THREADS": "1"},
                {"OMP_PROC_BIND": "true", "OMP_PLACES": "{0}"}, {"OMP_DYNAMIC": "true", "OMP_NUM_THREADS": "1,1"})):
            with self.subTest(variables):
                words = [*pinned, PROGRAM, "train", self.experiment(), "--out", self.folder / f"run{number}", "--set", TWO]
                words += [word for setting in SHORT for word in ("--set", setting)]
                self.assert_done(run([*map(str, words)], env=variables))
                self.assert_same("usual", f"run{number}")


if __name__ == "__main__":
    unittest.main()
