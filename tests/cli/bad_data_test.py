"""Data files that are damaged: exit code 2 and one line with path, offset, expected and found; no crash, no
hang, on one and on two ranks."""

import itertools
import os
import shutil
import unittest

import tiny_data
from adapt_program import ProgramTest, several_at_a_time

OVERRIDES = ("data.train_samples=16", "data.test_samples=16", "training.epochs=1", "training.batch=16")
CIFAR_AT_A_TIME = 4  # a rank reads a file of up to 150 MB as a whole


def patched(offset, value):
    """Replaces a byte."""

    def damage(path):
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(bytes([value]))

    return damage


def resized(change):
    """Cuts bytes off the end (a negative change), or adds some."""
    return lambda path: os.truncate(path, path.stat().st_size + change)


truncate = resized(-1)
surplus = resized(1)


def empty(path):
    path.write_bytes(b"")


def directory(path):
    path.unlink()
    path.mkdir()


def dangling_link(path):
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def link_to_itself(path):
    path.unlink()
    path.symlink_to(path)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def missing(path):
    path.unlink()


# Damages of any file, with what the complaint must hold besides the path.
ANY_FILE = {
    "empty": (empty, ("byte 0",)),
    "directory": (directory, ()),
    "dangling": (dangling_link, ()),
    "loop": (link_to_itself, ()),
    "pipe": (pipe, ()),
    "missing": (missing, ()),
}
IDX_IMAGES = {
    "magic": (patched(3, 0x0D), ("byte 3", "0x03", "0x0d")),
    "count": (patched(7, 17), ("byte 12560", "17 images")),
    "rows": (patched(11, 29), ("byte 8", "28", "29")),
    "truncated": (truncate, ("byte 12559", "12560")),
    "surplus": (surplus, ("byte 12560", "surplus")),
}
IDX_LABELS = {
    "magic": (patched(2, 0x09), ("byte 2", "0x08", "0x09")),
    "label": (patched(8 + 5, 10), ("byte 13", "0..9", "10")),
    "count": (patched(7, 15), ("byte 4", "16", "15")),
    "truncated": (truncate, ("byte 23", "24")),
    "surplus": (surplus, ("byte 24", "surplus")),
}


def cifar(record, records):
    """Damages of a file that must hold so many records of `record` bytes."""
    size = record * records
    whole = f"expected {size} bytes ({records} records of {record} bytes)"
    end = f"byte {size}: expected the end"
    return {
        "truncated": (truncate, (f"byte {size - 1}: {whole}", "truncated")),
        "truncated by a record": (resized(-record), (f"byte {size - record}: {whole}", "truncated")),
        "surplus": (surplus, (end, "found 1 surplus")),
        "surplus record": (resized(record), (end, f"found {record} surplus")),
    }


CIFAR10 = {
    **cifar(3073, 10000),
    "label": (patched(3073 * 2, 10), ("byte 6146", "0..9", "10")),
}
CIFAR100 = {
    **cifar(3074, 50000),
    "coarse label": (patched(3074, 20), ("byte 3074", "0..19", "20")),
    "fine label": (patched(3074 + 1, 100), ("byte 3075", "0..99", "100")),
}


class BadData(ProgramTest):
    def check(self, name, make, file, damages, at_a_time=8):
        """Each damage of one file, on one and on two ranks."""
        jobs = list(itertools.product({**damages, **ANY_FILE}.items(), (0, 2)))
        results = several_at_a_time(lambda job: self.train_on_damaged(name, make, file, *job), jobs, at_a_time)
        for ((what, (_, parts)), ranks), (path, result) in zip(jobs, results):
            with self.subTest(damage=what, ranks=ranks):
                self.assert_refused(result, path, *parts)

    def train_on_damaged(self, name, make, file, damage, ranks):
        root = self.folder / f"{damage[0]}-{ranks}"
        path = make(root) / file
        damage[1][0](path)
        where = (f"data.name={name}", f"data.path={root}")
        experiment = self.folder / "experiment.yaml"
        result = self.train(f"run-{root.name}", *where, *OVERRIDES, ranks=ranks, experiment=experiment)
        shutil.rmtree(root)
        return path, result

    def setUp(self):
        super().setUp()
        self.experiment()

    def test_idx_images(self):
        self.check("mnist", tiny_data.mnist, "train-images-idx3-ubyte", IDX_IMAGES)

    def test_idx_labels(self):
        self.check("mnist", tiny_data.mnist, "t10k-labels-idx1-ubyte", IDX_LABELS)

    def test_cifar10(self):
        self.check("cifar10", tiny_data.cifar10, "data_batch_2.bin", CIFAR10, CIFAR_AT_A_TIME)

    def test_cifar100(self):
        self.check("cifar100", tiny_data.cifar100, "train.bin", CIFAR100, CIFAR_AT_A_TIME)

    def test_undamaged_data_train(self):
        makers = {"mnist": tiny_data.mnist, "cifar10": tiny_data.cifar10, "cifar100": tiny_data.cifar100}
        for name, make in makers.items():
            with self.subTest(name):
                make(self.folder / name)
                path = f"data.path={self.folder / name}"
                self.assert_done(self.train(f"run-{name}", f"data.name={name}", path, *OVERRIDES))

    def test_no_data_at_all(self):
        result = self.train("run", "data.name=mnist", f"data.path={self.folder / 'nothing'}", ranks=2)
        self.assert_refused(result, self.folder / "nothing", "data/fetch.sh mnist")


if __name__ == "__main__":
    unittest.main()
