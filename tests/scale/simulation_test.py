"""The exchange on 64 ranks that SimGrid simulates: the code of src/, compiled unchanged. Seconds are simulated, so they are the
same each time."""

import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCALE = ROOT / "experiments" / "scale"
PROGRAM = pathlib.Path(os.environ["ADAPT_BUILD"]) / "simulated_exchange"
SKIPPED = 77


def simulate(*words):
    """The row of one simulation: by column."""
    process = subprocess.run([SCALE / "simulate.sh", PROGRAM, *map(str, words)], capture_output=True, text=True)
    if process.returncode != 0:
        raise AssertionError(process.stdout + process.stderr)
    header = (SCALE / "results" / "simulated.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    return dict(zip(header, process.stdout.strip().split(","), strict=True))


class Simulation(unittest.TestCase):
    def test_64_ranks_have_the_same_bits_and_hierarchical_is_twice_as_fast_as_allreduce(self):
        rows = {method: simulate("fat_tree_100g", 64, 32, "resnet20", method, 4)
                for method in ("allreduce", "direct", "tree", "hierarchical")}  # fmt: skip
        self.assertEqual(len({rows[method]["sha256"] for method in ("direct", "tree", "hierarchical")}), 1)
        self.assertEqual(len(rows["tree"]["sha256"]), 64)
        self.assertLess(int(rows["tree"]["messages"]), int(rows["direct"]["messages"]))
        spread = simulate("ethernet_10g", 64, 1, "resnet20", "tree", 4)
        self.assertEqual(spread["sha256"], rows["tree"]["sha256"], "one rank on each node")
        plain = simulate("ethernet_10g", 64, 1, "resnet20", "allreduce", 4)
        self.assertLess(2 * float(spread["seconds"]), float(plain["seconds"]))

    def test_row_is_that_of_the_table(self):
        """A committed row comes out again; another version of SimGrid may take a little more or less time."""
        table = (SCALE / "results" / "simulated.csv").read_text(encoding="utf-8").splitlines()[1:]
        (row,) = [row for row in table if row.startswith("fat_tree_100g,64,32,resnet20,hierarchical,1,")]
        found = simulate("fat_tree_100g", 64, 32, "resnet20", "hierarchical")
        expected = dict(zip(found, row.split(","), strict=True))
        self.assertAlmostEqual(float(found.pop("seconds")), float(expected.pop("seconds")), delta=0.02 * 0.000286)
        self.assertEqual(found, expected)


if __name__ == "__main__":
    build = subprocess.run([SCALE / "build.sh", PROGRAM], capture_output=True, text=True)
    if build.returncode != 0:
        print(build.stdout + build.stderr)
        sys.exit(SKIPPED if build.returncode == SKIPPED else 1)
    unittest.main()
