"""Experiment files that cannot be run: exit code 2 and one line that says where and what would be right."""

import itertools
import os
import unittest

from adapt_program import TINY, ProgramTest, adapt, several_at_a_time

# What is appended to a good experiment, and what the complaint must hold. TINY has 14 lines.
BAD_ENDINGS = {
    "unknown section": ("trainign: 3\n", (":15:", "trainign", "training")),
    "unknown key": ("record:\n  layer_intervall: 3\n", (":16:", "layer_intervall", "layer_interval")),
    "wrong type": ("record:\n  layer_interval: often\n", (":16:", "record.layer_interval", "often")),
    "out of range": ("record:\n  layer_interval: 0\n", (":16:", "record.layer_interval", "0")),
    "twice": ("seed: 2\n", (":15:", "seed")),
    "no YAML": ("  - [\n", (":15:", "YAML")),
    "unknown name": ("exchange: exakt\n", (":15:", "exakt", "exact")),
}

BAD_SETTINGS = {
    "unknown dataset": ("data.name=mnits", ("mnits", "mnist")),
    "unknown policy": ("precision.policy=adept", ("adept", "adapt")),
    "unknown model": ("model=lenet", ("lenet", "lenet5")),
    "learning rate": ("training.learning_rate=1e6", ("training.learning_rate", "1e6")),
    "not a number": ("training.learning_rate=.nan", ("training.learning_rate",)),
    "batch and shards": ("training.batch=60", ("training.batch", "training.shards")),
    "engine and policy": ("precision.policy=adapt", ("engine", "emulated")),
    "lookback": ("precision.adapt.lookback_lower=1000", ("lookback_lower", "lookback_upper")),
    "too few images": ("data.train_samples=10", ("10",)),
}


class BadExperiment(ProgramTest):
    def refused_on_one_and_two_ranks(self, paths):
        """What `adapt train` says to each experiment file: (path, ranks, result)."""
        jobs = list(itertools.product(paths, (0, 2)))
        run = self.folder / "run"
        results = several_at_a_time(lambda job: adapt("train", job[0], "--out", run, ranks=job[1]), jobs)
        self.assertFalse(run.exists(), "a refused experiment leaves nothing behind")
        return [(*job, result) for job, result in zip(jobs, results)]

    def test_bad_endings(self):
        parts = {}
        for what, (ending, expected) in BAD_ENDINGS.items():
            path = self.experiment(TINY + ending, f"{what}.yaml")
            parts[path] = (path, *expected)
        for path, ranks, result in self.refused_on_one_and_two_ranks(parts):
            with self.subTest(path=path, ranks=ranks):
                self.assert_refused(result, *parts[path])

    def test_bad_settings(self):
        for what, (setting, parts) in BAD_SETTINGS.items():
            with self.subTest(what):
                self.assert_refused(self.train("run", setting), *parts)
        self.assertFalse((self.folder / "run").exists())

    def test_more_ranks_than_shards(self):
        result = self.train("run", "training.shards=2", ranks=3)
        self.assert_refused(result, "training.shards", "3 ranks")

    def test_files_that_are_none(self):
        loop = self.folder / "loop.yaml"
        loop.symlink_to(loop)
        dangling = self.folder / "dangling.yaml"
        dangling.symlink_to(self.folder / "nowhere")
        pipe = self.folder / "pipe.yaml"
        os.mkfifo(pipe)
        paths = (self.folder / "missing.yaml", self.folder, loop, dangling, pipe)
        for path, ranks, result in self.refused_on_one_and_two_ranks(paths):
            with self.subTest(path=path, ranks=ranks):
                self.assert_refused(result, path)

    def test_empty_file(self):
        self.assert_refused(adapt("train", self.experiment("")), "experiment.yaml", "empty")

    def test_binary_rubbish(self):
        path = self.folder / "rubbish.yaml"
        path.write_bytes(bytes(range(256)) * 20)
        self.assert_refused(adapt("train", path), path)


if __name__ == "__main__":
    unittest.main()
