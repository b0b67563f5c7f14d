"""Random small networks, every order-free encoding: the same SHA-256 of the weights after 20 steps on 1, 2, 3, 4 and 8
ranks, with overlap on and off, and when killed and resumed on another number of ranks in the middle.

ADAPT_RANDOM_NETWORKS (2) says how many networks, ADAPT_RANDOM_SEED (1) which."""

import os
import pathlib
import subprocess
import tempfile
import unittest

MPIEXEC = os.environ["ADAPT_MPIEXEC"]
PROGRAM = os.environ["ADAPT_RANDOM_NETWORKS_PROGRAM"]
NETWORKS = int(os.environ.get("ADAPT_RANDOM_NETWORKS", "2"))
SEED = int(os.environ.get("ADAPT_RANDOM_SEED", "1"))


class RandomNetworks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="adapt-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def launch(self, ranks, overlap, *part):
        return subprocess.run(
            [MPIEXEC, "-n", str(ranks), PROGRAM, str(SEED), str(NETWORKS), str(int(overlap)), self.folder, *part],
            capture_output=True, text=True, timeout=100 + 30 * NETWORKS)

    def digests(self, ranks, overlap, *part):
        """By network and encoding."""
        process = self.launch(ranks, overlap, *part)
        self.assertEqual(process.returncode, 0, process.stderr)
        return dict(line.rsplit(" ", 1) for line in process.stdout.splitlines())

    def test_same_weights_on_any_number_of_ranks(self):
        expected = self.digests(1, True)
        self.assertGreaterEqual(len(expected), 5 * NETWORKS)
        self.assertEqual(len(set(expected.values())), len(expected), "encodings and networks differ from each other")
        for ranks, overlap in ((2, True), (2, False), (3, True), (4, False), (8, True), (8, False)):
            with self.subTest(ranks=ranks, overlap=overlap):
                self.assertEqual(self.digests(ranks, overlap), expected)
        for before, after in ((3, 2), (1, 4)):
            with self.subTest(before=before, after=after):
                self.assertNotEqual(self.launch(before, True, "begin").returncode, 0, "it was killed")
                self.assertEqual(self.digests(after, False, "resume"), expected)
                for state in self.folder.iterdir():
                    state.unlink()


if __name__ == "__main__":
    unittest.main()
