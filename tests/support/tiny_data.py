"""Data sets in the official formats that hold a few images, for tests."""

import os
import struct

IMAGES = 16


def _pixels(count, salt):
    return bytes((i * 7 + salt) % 251 for i in range(count))


def mnist(folder):
    """The four IDX files, uncompressed, below folder/mnist."""
    target = folder / "mnist"
    target.mkdir(parents=True)
    for prefix in ("train", "t10k"):
        images = struct.pack(">IIII", 0x803, IMAGES, 28, 28) + _pixels(IMAGES * 784, 1)
        labels = struct.pack(">II", 0x801, IMAGES) + bytes(i % 10 for i in range(IMAGES))
        (target / f"{prefix}-images-idx3-ubyte").write_bytes(images)
        (target / f"{prefix}-labels-idx1-ubyte").write_bytes(labels)
    return target


def _cifar(target, sizes, labels_of):
    """Files that must hold `sizes` records; those after the first few are all zero, which takes no space on the
    disk."""
    target.mkdir(parents=True)
    head = b"".join(labels_of(i) + _pixels(3072, i) for i in range(IMAGES))
    for name, records in sizes.items():
        path = target / name
        path.write_bytes(head)
        os.truncate(path, records * (len(head) // IMAGES))
    return target


def cifar10(folder):
    """The six batches below folder/cifar-10-batches-bin."""
    sizes = {f"data_batch_{i}.bin": 10000 for i in range(1, 6)} | {"test_batch.bin": 10000}
    return _cifar(folder / "cifar-10-batches-bin", sizes, lambda i: bytes([i % 10]))


def cifar100(folder):
    """Both files below folder/cifar-100-binary."""
    sizes = {"train.bin": 50000, "test.bin": 10000}
    return _cifar(folder / "cifar-100-binary", sizes, lambda i: bytes([i % 20, i % 100]))
