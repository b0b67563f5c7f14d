"""The memory that a training needs: said before it starts, refused where it is not there, and what was said is true."""

import contextlib
import os
import pathlib
import re
import resource
import subprocess
import unittest

import tiny_data
from adapt_program import SANITIZED, TINY, ProgramTest, adapt, command

UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
# What is said, as a multiple of what is measured (VmHWM): rather too much than too little.
LEAST, MOST = 0.8, 1.5

INTEGER = ("engine=auto", "precision.policy=adapt", "precision.formats=per_tensor", "precision.backward=quantized")
MUPPET = ("engine=emulated", "precision.policy=muppet", "precision.formats=per_tensor", "precision.backward=quantized")
ADAPT = ("engine=emulated", "precision.policy=adapt")
FEEDBACK = ("exchange.encoding=int8", "exchange.error_feedback=true")
SMALL = ("training.batch=64", "training.shards=8", "data.train_samples=128")


def shard_of(images):
    return (f"training.batch={images}", "training.shards=1", f"data.train_samples={images}")


# Every model and engine, small and with activations that outweigh the rest.
TRAININGS = [
    ("model=lenet5", *SMALL),
    ("model=lenet5", *shard_of(4096)),
    ("model=lenet5", *shard_of(2048), *ADAPT),
    ("model=lenet5", *SMALL, "data.train_samples=60000", "training.batch=20000", "data.test_samples=10000"),
    ("model=alexnet", *SMALL),
    ("model=alexnet", *shard_of(2048)),
    ("model=alexnet", *shard_of(1024), *ADAPT),
    ("model=alexnet", *SMALL, *INTEGER),
    ("model=alexnet", *SMALL, *MUPPET, "training.epochs=4"),
    ("model=alexnet", *SMALL, *FEEDBACK),
    ("model=resnet20", *SMALL),
    ("model=resnet20", *shard_of(256)),
    ("model=resnet20", *shard_of(256), *ADAPT),
    ("model=resnet20", *SMALL, *INTEGER),
    ("model=resnet20", *SMALL, "training.test_batch=500", "data.test_samples=500"),
    ("model=resnet110", *SMALL),
]


def sets(keys):
    return [word for key in keys for word in ("--set", key)]


def bytes_in(text):
    number, unit = re.match(r"([\d.e+]+) (\w+)", text).groups()
    return float(number) * UNITS[unit]


@unittest.skipIf(SANITIZED, "a sanitizer takes memory of its own")
class Estimate(ProgramTest):
    def estimated(self, keys):
        result = self.assert_done(adapt("train", self.experiment(), "--check", *sets(keys)))
        return bytes_in(re.search(r"^# memory of one rank alone, estimated: (.*)$", result.stdout, re.MULTILINE)[1])

    def measured(self, keys, name, **variables):
        """The peak of a training of two epochs with checkpoints."""
        process = subprocess.Popen(command("train", self.experiment(), "--out", self.folder / name, *sets(keys)),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   env=os.environ | variables)  # fmt: skip
        err = process.stderr.read()
        process.stderr.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, err)
        return usage.ru_maxrss * 1024

    def assert_honest(self, keys, name, **variables):
        said, found = self.estimated(keys), self.measured(keys, name, **variables)
        print(f"{said / found:.2f}  said {said / 1e6:.0f} MB, measured {found / 1e6:.0f} MB: {' '.join(keys)}")
        self.assertGreater(said, LEAST * found, f"{keys}: {said / 1e6:.0f} MB said, {found / 1e6:.0f} MB measured")
        self.assertLess(said, MOST * found, f"{keys}: {said / 1e6:.0f} MB said, {found / 1e6:.0f} MB measured")

    def test_trainings_take_what_was_said(self):
        short = ("training.epochs=2", "training.learning_rate=0.001", "data.test_samples=64", "training.test_batch=0")
        for i, keys in enumerate(TRAININGS):
            with self.subTest(keys=keys):
                self.assert_honest((*short, *keys), f"run{i}")

    def test_files_are_counted_while_they_are_read(self):
        tiny_data.cifar10(self.folder / "data")
        tiny_data.cifar100(self.folder / "data")
        for name in ("cifar10", "cifar100"):
            keys = ("model=lenet5", f"data.name={name}", "data.train_samples=64", "data.test_samples=64",
                    "training.epochs=1")  # fmt: skip
            self.assert_honest(keys, name, ADAPT_DATA=str(self.folder / "data"))


class Preflight(ProgramTest):
    HUGE = ("training.batch=1048576", "training.shards=1", "data.train_samples=2000000")

    @contextlib.contextmanager
    def address_space(self, limit):
        """Programs that are started have so many bytes of it."""
        before = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)

    def train_within(self, limit, out, *keys, ranks=0):
        with self.address_space(limit):
            return self.train(out, *keys, ranks=ranks)

    @unittest.skipIf(SANITIZED, "a sanitizer takes all of the address space")
    def test_what_does_not_fit_is_refused_and_what_fits_is_named(self):
        keys = ("training.batch=65536", "training.shards=1", "data.train_samples=70000", "training.epochs=1")
        for ranks in (0, 1):
            result = self.train_within(3_000_000_000, f"run{ranks}", *keys, ranks=ranks)
            self.assert_refused(result, "experiment.yaml: it needs about ", "activations and their gradients", " GB",
                                "RLIMIT_AS, 3 GB", "this fits: training.batch ", "or training.shards ")  # fmt: skip
            self.assertFalse((self.folder / f"run{ranks}").exists())
        batch = re.search(r"this fits: training\.batch (\d+)", result.stderr)[1]
        shards = re.search(r"or training\.shards (\d+)", result.stderr)[1]
        self.assertGreater(int(batch), 1000)
        for number, change in enumerate((f"training.batch={batch}", f"training.shards={shards}")):
            self.assert_done(self.train_within(3_000_000_000, f"fits{number}", *keys, change, "data.test_samples=10"))

    def test_of_two_ranks_each_counts(self):
        """A shard that fits once, but not once for each of as many ranks as there are shards."""
        meminfo = pathlib.Path("/proc/meminfo").read_text(encoding="ascii")
        available = int(re.search(r"MemAvailable: *(\d+)", meminfo)[1]) * 1024
        said = adapt("train", self.experiment(), "--check", *sets(("training.batch=80000", "training.shards=8", "data.train_samples=80000")))
        shard = bytes_in(re.search(r"activations and their gradients (\S+ \S+?)[,)]", said.stdout)[1])
        images = int(available * 0.7 / shard * 10000)
        keys = (f"training.batch={2 * images}", "training.shards=2", f"data.train_samples={2 * images}")
        result = self.train("run", *keys, ranks=2)
        self.assert_refused(result, "this machine with 2 ranks has ", "this fits: training.batch ")

    def test_the_images_of_a_node_count_once(self):
        grid = self.experiment(TINY.replace("train_samples: 256", "train_samples: 60000") + "grid: {seed: [1]}\n", "grid.yaml")

        def parts(ranks):
            site = self.experiment(f"memory: 10M\nranks_per_node: {ranks}\n", f"site{ranks}.yaml")
            result = adapt("sweep", grid, "--store", self.folder / "store", "--submit", "--site", site)
            self.assert_refused(result, "needs about ", "slurm.memory is 10M")
            return {name: bytes_in(text) for name, text in re.findall(r"([a-z][a-z ]*) ([\d.]+ [kMG]?B)[,)]", result.stderr)}

        one, eight = parts(1), parts(8)
        self.assertEqual(one["images"], eight["images"])
        self.assertAlmostEqual(one["images"], (60000 + 130) * (28 * 28 + 4), delta=1e6)
        self.assertAlmostEqual(eight["program"], 8 * one["program"], delta=0.1 * eight["program"])

    def test_the_report(self):
        result = self.train("run", *self.HUGE, "model=resnet110")
        self.assert_refused(result, "it needs about ", " TB (activations and their gradients ", "of memory, and this machine has ")
        self.assertFalse((self.folder / "run").exists())

    @unittest.skipIf(SANITIZED, "a sanitizer takes all of the address space")
    def test_evaluations_ask_first(self):
        self.assert_done(self.train("run", "training.epochs=1"))
        large = ("--set", "training.test_batch=1000000")
        with self.address_space(3_000_000_000):
            result = adapt("evaluate", self.folder / "run", *large)
            self.assert_refused(result, "it needs about ", "this fits: training.test_batch ")
            fitting = re.search(r"this fits: training\.test_batch (\d+)", result.stderr)[1]
            self.assert_done(adapt("evaluate", self.folder / "run", "--set", f"training.test_batch={fitting}"))
        self.assert_refused(self.train_within(3_000_000_000, "other", "training.test_batch=1000000"),
                            "it needs about ", "this fits: training.test_batch 0")  # fmt: skip

    def test_a_sweep_says_what_its_largest_run_needs(self):
        grid = self.experiment(TINY + "grid: {training.batch: [64, 128]}\n", "grid.yaml")
        result = self.assert_done(adapt("sweep", grid, "--dry-run", "--store", self.folder / "store"))
        self.assertRegex(result.stdout, r"memory: up to [\d.]+ MB for a rank \(.*\), estimated: training\.batch=128\n")


if __name__ == "__main__":
    unittest.main()
