"""The bit contract: what an exported model computes is what `adapt evaluate` has measured, for each network and file."""

import pathlib
import shutil
import tempfile
import unittest

import arrays_reference
import qonnx_reference
from exported_runs import NETWORKS, PRECISIONS, Said, export, same_bits, train, word_lengths


class Contract(unittest.TestCase):
    """Each run is trained once, and all its files are looked at."""

    def check(self, network, precision):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="adapt-test-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        run = train(folder, network, precision)
        self.assertEqual(len(word_lengths(run)) > 1, precision != "8 bits", word_lengths(run))
        with self.subTest("arrays"):
            self.check_arrays(run, precision == "8 bits")
        with self.subTest("qonnx"):
            self.check_qonnx(run, precision != "recipe")

    def check_arrays(self, run, all_bytes):
        """Of 8 bits: every bit. Floats that are summed in another order: every class."""
        said = Said(run, "integer")
        export(run, "arrays", run / "model.npz")
        logits = arrays_reference.logits_of(arrays_reference.Network(run / "model.npz"), said.images)
        self.assertEqual((logits.argmax(axis=1) != said.classes).sum(), 0)
        if all_bytes:
            self.assertTrue(same_bits(logits, said.logits))

    def check_qonnx(self, run, all_outputs_on_grids):
        """Of any words, every bit; where outputs are float32 sums of words, every class; a last bit may turn a later rounding over."""
        said = Said(run, "emulated")
        export(run, "qonnx", run / "model.onnx")
        logits = arrays_reference.logits_of(qonnx_reference.Network(run / "model.onnx"), said.images)
        if all_outputs_on_grids:
            self.assertTrue(same_bits(logits, said.logits))
        self.assertEqual((logits.argmax(axis=1) != said.classes).sum(), 0)
        self.assertLessEqual(abs(logits - said.logits).max(), 1e-2 * abs(said.logits).max())


def add_tests():
    for network in NETWORKS:
        # LeNet-5 stands for networks without batch norms, whose outputs the recipe leaves alone.
        for precision in PRECISIONS if network == "lenet5" else ("8 bits", "mixed"):
            name = f"test_{network}_{precision.replace(' ', '_')}"
            setattr(Contract, name, lambda self, n=network, p=precision: self.check(n, p))


add_tests()

if __name__ == "__main__":
    unittest.main()
