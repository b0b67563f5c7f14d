"""Random small networks, every order-free encoding: the same SHA-256 of the weights on 1, 2, 3, 5, 8, 16, 31 and 64 ranks,
by every algorithm of the exchange, with overlap on and off, and when killed and resumed on another number of ranks by
another algorithm in the middle; by ranks that give their processor away while they wait and by ranks that do not.

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
ALGORITHMS = ("direct", "tree", "hierarchical")


class RandomNetworks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="adapt-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def launch(self, ranks, overlap, algorithm, per_node, *part, yields=True):
        return subprocess.run(
            [MPIEXEC, "-n", str(ranks), PROGRAM, str(SEED), str(NETWORKS), str(int(overlap)), algorithm, str(per_node),
             self.folder, *part],
            capture_output=True, text=True, timeout=100 + 60 * NETWORKS,
            env=os.environ | {"OMPI_MCA_mpi_yield_when_idle": str(int(yields))})  # fmt: skip

    def digests(self, *arguments, **options):
        """By network and encoding."""
        process = self.launch(*arguments, **options)
        self.assertEqual(process.returncode, 0, process.stderr)
        return dict(line.rsplit(" ", 1) for line in process.stdout.splitlines())

    def test_same_weights_on_any_number_of_ranks_by_any_algorithm(self):
        expected = self.digests(1, True, "auto", 1)
        self.assertGreaterEqual(len(expected), 5 * NETWORKS)
        self.assertEqual(len(set(expected.values())), len(expected), "encodings and networks differ from each other")
        for ranks in (2, 3, 5, 8, 16, 31, 64):
            for index, algorithm in enumerate(ALGORITHMS):
                with self.subTest(ranks=ranks, algorithm=algorithm):
                    self.assertEqual(self.digests(ranks, (ranks + index) % 2 == 0, algorithm, 4), expected)
        for ranks, per_node in ((4, 1), (6, 3)):
            with self.subTest(ranks=ranks, algorithm="auto"):
                self.assertEqual(self.digests(ranks, True, "auto", per_node), expected)

    def test_ranks_that_do_not_yield(self):
        expected = self.digests(1, True, "auto", 1)
        for algorithm in ("tree", "hierarchical"):
            self.assertEqual(self.digests(2, True, algorithm, 1, yields=False), expected)

    def test_killed_and_resumed_on_other_ranks_by_another_algorithm(self):
        expected = self.digests(1, True, "direct", 1)
        for before, after in (((3, True, "tree", 1), (2, False, "direct", 1)),
                              ((1, True, "direct", 1), (5, False, "hierarchical", 2)),
                              ((4, False, "hierarchical", 2), (3, True, "tree", 1))):  # fmt: skip
            with self.subTest(before=before, after=after):
                self.assertNotEqual(self.launch(*before, "begin").returncode, 0, "it was killed")
                self.assertEqual(self.digests(*after, "resume"), expected)
                for state in self.folder.iterdir():
                    state.unlink()


if __name__ == "__main__":
    unittest.main()
