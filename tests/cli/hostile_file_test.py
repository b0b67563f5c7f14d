"""Files that anybody may have put into a run's folder: every command refuses them in one line, with exit code 2, and a store
names the bad run and goes on."""

import hashlib
import os
import struct
import unittest

import numpy as np

from adapt_program import ADAPT, ProgramTest, adapt, several_at_a_time
from hostile_files import FOREIGN_PARTS, SECRET, crashing, make_hostile

ONE_STEP = ("data.train_samples=64", "training.epochs=1", "data.test_samples=20")
TERABYTE = 1 << 40


def sparse(path):
    """What is there keeps its first bytes and gets a terabyte of nothing."""
    with open(path, "ab"):
        pass
    os.truncate(path, TERABYTE)


class HostileTest(ProgramTest):
    made = None

    @classmethod
    def setUpClass(cls):
        """The folder of a good run, with fixed-point weights."""
        maker = cls()
        maker.setUp()
        cls.addClassCleanup(maker.doCleanups)
        maker.assert_done(maker.train("good", *ONE_STEP, *ADAPT))
        cls.made = maker.folder / "good"

    def runTest(self):
        """Lets setUpClass use the helpers."""

    def run_folder(self, name, content=None):
        """A run's folder with these bytes, or the good ones, as its run.h5."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        (folder / "run.h5").write_bytes(content or (self.made / "run.h5").read_bytes())
        return folder

    def assert_every_command_refuses(self, folder, *parts):
        experiment = self.experiment()
        sets = [word for key in (*ONE_STEP, *ADAPT) for word in ("--set", key)]
        commands = [("info", folder), ("evaluate", folder), ("compare", self.made, folder), ("compare", folder, self.made),
                    ("train", experiment, "--out", folder, "--resume", *sets)]  # fmt: skip
        results = several_at_a_time(lambda words: adapt(*words), commands)
        results += [adapt(*commands[1], ranks=2), adapt(*commands[4], ranks=2)]
        for result in results:
            self.assert_refused(result, folder, *parts)
            self.assertNotIn(SECRET.decode(), result.stdout + result.stderr)


class RunFiles(HostileTest):
    def test_what_crashes_the_library_is_refused(self):
        for name, content in crashing().items():
            with self.subTest(name):
                self.assert_every_command_refuses(self.run_folder(name, content), "run.h5", "expected")

    def test_parts_from_elsewhere_and_claims_are_refused(self):
        for change, word in FOREIGN_PARTS.items():
            folder = self.run_folder(change.__name__)
            make_hostile(folder / "run.h5", change)
            with self.subTest(change.__name__):
                for command in ("info", "evaluate"):
                    result = adapt(command, folder)
                    self.assert_refused(result, folder, word)
                    self.assertNotIn(SECRET.decode(), result.stdout + result.stderr)

    def test_sparse_files_are_refused_by_their_size(self):
        folder = self.run_folder("sparse")
        sparse(folder / "run.h5")
        self.assert_every_command_refuses(folder, TERABYTE, "expected at most")

    def test_a_model_that_nobody_can_compute_with_is_refused(self):
        def change_attribute(name, value):
            return lambda file, _: file["model/conv1.weight"].attrs.__setitem__(name, np.int64(value))

        def put(value):
            return lambda file, _: file["model/conv1.weight"].__setitem__((0, 0, 0, 0), value)

        self.assert_done(self.train("float32", *ONE_STEP))
        float32 = (self.folder / "float32" / "run.h5").read_bytes()
        changes = {
            "fractional length 32767": (None, change_attribute("fractional_length", 32767)),
            "fractional length -97": (None, change_attribute("fractional_length", -97)),
            "fractional length 127": (None, change_attribute("inputs_fractional_length", 127)),
            "holds nan": (float32, put(np.nan)),
            "holds -inf": (float32, put(-np.inf)),
        }
        for word, (content, change) in changes.items():
            folder = self.run_folder(word.replace(" ", "_"), content)
            make_hostile(folder / "run.h5", change)
            with self.subTest(word):
                self.assert_refused(adapt("evaluate", folder), word)


class Store(HostileTest):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        self.grid = self.experiment("name: few\nmodel: lenet5\nengine: auto\ndata: {train_samples: 64, test_samples: 20}\n"
                                    "training: {epochs: 1, batch: 64}\nseeds: [1, 2]\n", "few.yaml")  # fmt: skip
        self.assert_done(self.sweep("--run"))
        self.bad, self.good = sorted(path for path in self.store.iterdir() if path.is_dir())

    def sweep(self, *arguments, grid=True):
        return adapt("sweep", *([self.grid] if grid else []), "--store", self.store, *arguments)

    def listed(self, *arguments, grid=False):
        """The lines of --list (or --status) by identity."""
        result = self.assert_done(self.sweep(*(arguments or ("--list",)), grid=grid))
        return {line.split()[0]: line for line in result.stdout.splitlines()[1:-1]}

    def test_the_bad_run_is_named_and_the_others_are_listed(self):
        for name, content in crashing().items():
            (self.bad / "run.h5").write_bytes(content)
            for grid in (False, True):
                for mode in ("--list", "--status"):
                    (self.store / "index.json").unlink(missing_ok=True)
                    lines = self.listed(mode, grid=grid)
                    with self.subTest(file=name, grid=grid, mode=mode):
                        self.assertIn(str(self.bad / "run.h5"), lines[self.bad.name])
                        self.assertNotIn("cannot read", lines[self.good.name])
                        self.assertRegex(lines[self.good.name], r" done +0\.\d+ +1/1 ")

    def test_sparse_files(self):
        (self.bad / "DONE").unlink()  # of a finished run nobody reads the claim
        for name in ("run.h5", "experiment.yaml", "claim", "index.json", "FAILED", "requeues"):
            path = (self.store if name == "index.json" else self.bad) / name
            before = path.read_bytes() if path.exists() else None
            sparse(path)
            with self.subTest(name):
                lines = self.listed()
                self.assertEqual(set(lines), {self.bad.name, self.good.name})
                self.assertRegex(lines[self.good.name], r" done +0\.\d+ ")
                if name in ("run.h5", "experiment.yaml", "FAILED"):
                    self.assertIn(str(path), lines[self.bad.name])
            path.unlink()
            if before is not None:
                path.write_bytes(before)


class Checkpoint:
    """The fields of a checkpoint that the tests change: format, identity, three numbers, two models, state, seal."""

    HEAD = b"adapt-checkpoint 2\n"
    SEAL = 65

    def __init__(self, content):
        self.body = bytearray(content[: -self.SEAL])

    def replace(self, old, new):
        at = self.body.index(old)
        self.body[at : at + len(old)] = new
        return self

    def sealed(self):
        return bytes(self.body) + hashlib.sha256(self.body).hexdigest().encode() + b"\n"


class Checkpoints(HostileTest):
    RUN = ("data.train_samples=64", "training.batch=16", "data.test_samples=20", "checkpoint.interval_steps=2", *ADAPT)

    def setUp(self):
        super().setUp()
        self.assert_stopped(self.train("half", *self.RUN, fault="stop,phase=update,step=7"))
        self.checkpoints = self.folder / "half" / "checkpoints"
        self.last = self.checkpoints / "step-000000007"

    def test_a_sparse_one_is_skipped(self):
        self.assert_done(self.train("whole", *self.RUN))
        sparse(self.last)
        result = self.assert_done(self.resume("half", *self.RUN))
        self.assertRegex(result.stderr, rf'warning: checkpoint "{self.last}" is skipped: .*{TERABYTE} bytes; expected at most')
        self.assertIn("after step 6\n", result.stderr)
        self.assert_same("whole", "half")

    def test_sealed_but_malformed_ones_are_bad_input(self):
        """Whatever is wrong with what it holds: the message says that it is the checkpoint."""
        content = self.last.read_bytes()
        for path in self.checkpoints.iterdir():
            path.unlink()

        def weights_at(name):
            """Where the masters of a tensor begin in the state: behind its name and their number."""
            state = content.rindex(b"conv1.weight")
            return content.index(name, state - 8) + len(name) + 8

        def with_bytes(at, new):
            changed = Checkpoint(content)
            changed.body[at : at + len(new)] = new
            return changed.sealed()

        masters = weights_at(b"conv1.weight")
        changes = {
            "not a number": with_bytes(masters, struct.pack("<f", float("nan"))),
            "infinite": with_bytes(masters, struct.pack("<f", float("inf"))),
            "another tensor": Checkpoint(content).replace(b"conv1.weight", b"conv1/weight").sealed(),
            "word length": with_bytes(self.format_at(content), struct.pack("<i", 77)),
            "shape": with_bytes(content.index(b"conv1.weight") + 12 + 8, struct.pack("<q", -6)),
            "best epoch": with_bytes(self.numbers_at(content) + 16, struct.pack("<q", 99)),
            "step": with_bytes(self.numbers_at(content) + 8, struct.pack("<q", 2**62)),
        }
        for what, bad in changes.items():
            self.last.write_bytes(bad)
            with self.subTest(what):
                for ranks in (0, 2):
                    self.assert_refused(self.resume("half", *self.RUN, ranks=ranks), self.folder / "half", "checkpoint")

    @staticmethod
    def numbers_at(content):
        """Where step, epochs and best epoch stand: behind the identity."""
        length = struct.unpack_from("<Q", content, len(Checkpoint.HEAD))[0]
        return len(Checkpoint.HEAD) + 8 + length

    @staticmethod
    def format_at(content):
        """Where the first tensor's format stands: behind its name and dimensions."""
        at = content.index(b"conv1.weight") + 12
        return at + 8 + 8 * struct.unpack_from("<Q", content, at)[0]


if __name__ == "__main__":
    unittest.main()
