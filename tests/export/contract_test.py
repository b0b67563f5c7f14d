"""The bit contract: what an exported model computes is what `adapt evaluate` has measured, for each network and file."""

import pathlib
import shutil
import tempfile
import unittest

import arrays_reference
from exported_runs import NETWORKS, Said, export, same_bits, train


class Contract(unittest.TestCase):
    """Each run is trained once, and all its files are looked at."""

    def check(self, network, precision):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="adapt-test-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        run = train(folder, network, precision)
        self.check_arrays(run, precision == "8 bits")

    def check_arrays(self, run, all_bytes):
        """Of 8 bits: every bit. Floats that are summed in another order: nearly so."""
        said = Said(run, "integer")
        export(run, "arrays", run / "model.npz")
        logits = arrays_reference.logits_of(arrays_reference.Network(run / "model.npz"), said.images)
        with self.subTest("arrays"):
            if all_bytes:
                self.assertTrue(same_bits(logits, said.logits))
            self.assertEqual((logits.argmax(axis=1) != said.classes).sum(), 0)


def add_tests():
    for network in NETWORKS:
        for precision in ("8 bits", "mixed"):
            name = f"test_{network}_{precision.replace(' ', '_')}"
            setattr(Contract, name, lambda self, n=network, p=precision: self.check(n, p))


add_tests()

if __name__ == "__main__":
    unittest.main()
