"""Files that try to hurt their reader: each starts from a sound run.h5 and wants one thing more."""

import hashlib
import lzma
import os
import pathlib

import h5py
import numpy as np

FOLDER = pathlib.Path(__file__).parent / "hostile"
SECRET = b"the content of another file"


def crashing():
    """{name: bytes of a file that crashes HDF5 1.10: its checksums are right}; one has a right seal as well."""
    return {path.name: lzma.decompress(path.read_bytes()) for path in sorted(FOLDER.glob("*.h5.xz"))}


def seal(path):
    """Appends the digest that `adapt` would: anybody can compute it."""
    with open(path, "rb") as stream:
        digest = hashlib.sha256(stream.read()).hexdigest()
    with open(path, "a", encoding="ascii") as stream:
        stream.write(f"adapt-run sha256 {digest}\n")


def _replace(file, name, **arguments):
    del file[name]
    return file.create_dataset(name, **arguments)


def _other_file(path):
    """An HDF5 file with /config and /epochs of its own, and a plain file, beside `path`."""
    other = os.path.join(os.path.dirname(path), "other.h5")
    with h5py.File(other, "w", libver=("v110", "v110")) as file:
        file["config"] = np.bytes_(SECRET)
        file.create_group("epochs")
    plain = os.path.join(os.path.dirname(path), "plain")
    with open(plain, "wb") as stream:
        stream.write(SECRET)
    return other, plain


def external_link(file, path):
    del file["config"]
    file["config"] = h5py.ExternalLink(_other_file(path)[0], "/config")


def external_group(file, path):
    del file["epochs"]
    file["epochs"] = h5py.ExternalLink(_other_file(path)[0], "/epochs")


def soft_link(file, _):
    file.move("config", "elsewhere")
    file["config"] = h5py.SoftLink("/elsewhere")


def external_storage(file, path):
    _replace(file, "config", shape=(1,), dtype=f"S{len(SECRET)}", external=[(_other_file(path)[1], 0, len(SECRET))])


def virtual_dataset(file, path):
    layout = h5py.VirtualLayout(shape=(2,), dtype="f8")
    layout[:] = h5py.VirtualSource(_other_file(path)[0], "losses", shape=(2,))
    del file["epochs/train_loss"]
    file.create_virtual_dataset("epochs/train_loss", layout)


def filter_plugin(file, _):
    storage = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    storage.set_chunk((2,))
    storage.set_filter(32001, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple((2,))
    del file["epochs/train_loss"]
    h5py.h5d.create(file["epochs"].id, b"train_loss", h5py.h5t.NATIVE_DOUBLE, space, storage)


def large_text(file, _):
    _replace(file, "config", shape=(), dtype=f"S{2**31 - 1}")


def many_rows(file, _):
    _replace(file, "epochs/train_loss", shape=(2**45,), dtype="f8", chunks=(1024,))


# What is done to the file, and a word of the complaint.
FOREIGN_PARTS = {
    external_link: "link to another file",
    external_group: "link to another file",
    soft_link: "soft link",
    external_storage: "stored in other files",
    virtual_dataset: "stored in other files",
    filter_plugin: "filter 32001",
    large_text: "claims more elements",
    many_rows: "claims more elements",
}


def make_hostile(path, change):
    """Changes the run.h5 at `path`, and seals it anew."""
    with h5py.File(path, "r+", libver=("v110", "v110")) as file:
        change(file, path)
    seal(path)
