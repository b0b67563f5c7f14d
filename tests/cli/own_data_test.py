"""Data of anybody's own: HDF5 files and folders of NumPy arrays and of PNG images, as a user trains on them, and what is damaged."""

import pathlib
import random
import re
import struct
import unittest
import zlib

import h5py
import numpy as np

from adapt_program import ProgramTest, adapt, info, several_at_a_time

RUN = ("training.epochs=1", "training.batch=16", "training.test_batch=0", "data.test_samples=0")
TRAIN, TEST = 48, 20


def arrays(classes=3, side=28, channels=3):
    """Random images whose mean says the class."""
    chance = np.random.default_rng(1)
    made = {}
    for split, count in (("train", TRAIN), ("test", TEST)):
        labels = np.arange(count) % classes
        noise = chance.integers(0, 60, (count, side, side, channels))
        made[f"{split}_images"] = (60 * labels[:, None, None, None] + noise).astype(np.uint8)
        made[f"{split}_labels"] = labels.astype(np.int64)
    return made


def write_hdf5(path, made, **options):
    with h5py.File(path, "w") as file:
        for name, array in made.items():
            file.create_dataset(name, data=array, **options)
    return path


def write_npy(folder, made):
    folder.mkdir()
    for name, array in made.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def png(image):
    """An image (H, W, 3) as a PNG file without filters."""
    height, width, _ = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in image)

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write_pngs(folder, made):
    for split in ("train", "test"):
        for number, (image, label) in enumerate(zip(made[f"{split}_images"], made[f"{split}_labels"])):
            place = folder / split / f"class{label}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number:05}.png").write_bytes(png(image))
    return folder


class OwnData(ProgramTest):
    def setUp(self):
        super().setUp()
        self.text = self.experiment().read_text(encoding="utf-8").replace("  train_samples: 256\n", "")
        self.own = self.experiment(self.text, "own.yaml")

    def on(self, name, path, out="run", *overrides, **options):
        return self.train(out, *RUN, f"data.name={name}", f"data.path={path}", *overrides, experiment=self.own, **options)

    def digests(self, out):
        table = info(self.folder / out)
        return table["dataset_train_sha256"], table["dataset_test_sha256"]

    def test_the_same_images_in_every_form_train_the_same(self):
        made = arrays()
        forms = (("arrays", write_hdf5(self.folder / "own.h5", made), "h5"), ("arrays", write_npy(self.folder / "npy", made), "npy"))
        for name, path, out in forms:
            self.assert_done(self.on(name, path, out))
        self.assert_same("h5", "npy")
        self.assert_done(self.on("arrays", self.folder / "npy", "ranks", ranks=2))
        self.assert_same("npy", "ranks")
        # PNG files are taken class after class, one of each: as they were made.
        self.assert_done(self.on("png_folder", write_pngs(self.folder / "png", made), "png"))
        self.assertEqual(self.digests("png"), self.digests("npy"))
        self.assert_done(self.on("png_folder", self.folder / "png", "png ranks", ranks=2))
        self.assert_same("png", "png ranks")
        self.assert_done(adapt("evaluate", self.folder / "png"))
        self.assert_done(adapt("export", self.folder / "npy", "--to", "arrays", "--out", self.folder / "out.npz"))

    def test_another_file_is_another_experiment(self):
        made = arrays()
        write_npy(self.folder / "a", made)
        write_npy(self.folder / "b", made)
        grid = lambda path: self.experiment(self.text.replace("name: procedural", f"name: arrays\n  path: {path}")
                                            + "grid: {seed: [1]}\n", f"{pathlib.Path(path).name}.yaml")  # fmt: skip
        listed = lambda path, **options: self.assert_done(adapt("sweep", grid(path), "--store", self.folder / "store", "--list", **options)).stdout
        identity = lambda text: re.search(r"^([0-9a-f]{16}) ", text, re.MULTILINE)[1]
        a = identity(listed(self.folder / "a"))
        self.assertNotEqual(a, identity(listed(self.folder / "b")))
        for same in ("a", "a/", "./a//"):
            self.assertEqual(a, identity(listed(same, cwd=self.folder)), "the same folder, named from another one")

    def test_larger_than_memory(self):
        """A sparse file of 61 GB: nothing of it is held."""
        images, side = 5_000_000, 64
        folder = self.folder / "large"
        folder.mkdir()
        labels = (np.arange(images) % 5).astype(np.uint8)
        for split, count in (("train", images), ("test", TEST)):
            np.save(folder / f"{split}_labels.npy", labels[:count])
            head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, {side}, {side}, 3), }}\n".encode()
            with open(folder / f"{split}_images.npy", "wb") as file:
                file.write(b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head)
                file.truncate(file.tell() + count * side * side * 3)
        result = self.on("arrays", folder, "run", "model=lenet5", "training.learning_rate=0.001", fault="stop,phase=update,step=2")
        self.assert_stopped(result)
        result = self.assert_done(adapt("train", self.own, "--check", "--set", "data.name=arrays", "--set", f"data.path={folder}"))
        said = re.search(r"images ([\d.]+) (\w+)", result.stdout)
        self.assertEqual(said[2], "MB", "labels only")
        self.assertLess(float(said[1]), 4 * (images + TEST) / 1e6 + 1)

    def damaged(self, path, name="arrays", parts=()):
        for ranks in (0, 2):
            self.assert_refused(self.on(name, path, ranks=ranks), path, *parts)
        self.assertFalse((self.folder / "run").exists())

    def test_hdf5_files_that_are_none(self):
        made = arrays()
        path = self.folder / "own.h5"
        write_hdf5(path, made)
        size = path.stat().st_size
        path.write_bytes(path.read_bytes()[: size - 30000])
        self.damaged(path)
        path.write_bytes(b"no HDF5" * 100)
        self.damaged(path, parts=["expected an HDF5 file"])
        self.damaged(self.folder / "nothing.h5", parts=["missing"])
        write_hdf5(path, made, chunks=True, compression="gzip")
        self.damaged(path, parts=["/train_images", "in one piece", "without chunks and compression"])
        write_hdf5(path, {name: array for name, array in made.items() if name != "test_labels"})
        self.damaged(path, parts=["test_labels"])
        write_hdf5(path, made | {"train_labels": made["train_labels"] - 1})
        with h5py.File(path) as file:
            offset = file["train_labels"].id.get_offset()
        self.damaged(path, parts=[f"byte {offset}: expected a label 0..65535, found -1"])
        write_hdf5(path, made | {"train_images": made["train_images"].astype(np.float32)})
        self.damaged(path, parts=[":/train_images: expected uint8 images", "found float32 (48, 28, 28, 3)"])
        path.unlink()
        with h5py.File(path, "w") as file:
            for name, array in made.items():
                file[name] = array
            del file["train_labels"]
            shifted = h5py.h5t.STD_I32LE.copy()  # of which eight bits in the middle count
            shifted.set_precision(8)
            shifted.set_offset(8)
            labels = h5py.h5d.create(file.id, b"train_labels", shifted, h5py.h5s.create_simple((TRAIN,)))
            labels.write(h5py.h5s.ALL, h5py.h5s.ALL, made["train_labels"].astype(np.int32))
        self.damaged(path, parts=["/train_labels: expected"])
        path.unlink()
        with h5py.File(path, "w") as file:
            for name, array in made.items():
                file[name] = array
            del file["train_images"]
            file["train_images"] = h5py.ExternalLink("other.h5", "/train_images")
        self.damaged(path, parts=["/train_images", "another file"])

    def test_every_damage_of_an_hdf5_file_is_refused_or_harmless(self):
        """Bytes of metadata at random: exit code 2 with one line, or a training."""
        write_hdf5(self.folder / "good.h5", {name: array[:16] for name, array in arrays(channels=1).items()})
        good = (self.folder / "good.h5").read_bytes()
        with h5py.File(self.folder / "good.h5") as file:
            data = min(file[name].id.get_offset() for name in file)
        chance = random.Random(1)

        def train_on(number):
            bad = bytearray(good)
            for _ in range(chance.choice((1, 4))):
                bad[chance.randrange(data)] ^= 1 << chance.randrange(8)
            path = self.folder / f"bad{number}.h5"
            path.write_bytes(bad)
            return path, self.on("arrays", path, f"run{number}", "training.batch=8")

        codes = set()
        for path, result in several_at_a_time(train_on, range(40), 4):
            codes.add(result.returncode)
            if result.returncode != 0:
                self.assert_refused(result, path)
        self.assertEqual(codes, {0, 2}, "some damage hurts, some does not")

    def test_png_files_that_are_none(self):
        folder = write_pngs(self.folder / "png", arrays())
        bad = folder / "train" / "class1" / "00001.png"
        whole = bad.read_bytes()
        bad.write_bytes(whole[:-20])
        self.damaged(bad.parent.parent.parent, "png_folder", [bad, "byte "])
        bad.write_bytes(whole[:100] + b"x" + whole[101:])
        self.damaged(folder, "png_folder", [bad, "byte "])
        bad.unlink()
        (bad.parent / "notes.txt").write_text("x")
        self.damaged(folder, "png_folder", ["notes.txt", "NAME.png"])


if __name__ == "__main__":
    unittest.main()
