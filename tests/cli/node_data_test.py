"""The ranks of a node hold one copy of the images. Measured is proportional memory (PSS): what ranks share counts once."""

import subprocess
import threading
import time
import unittest

from adapt_program import ProgramTest, command, environment_without_data

RANKS = 8
IMAGES = 60000
IMAGE_BYTES = 28 * 28
LARGE = (f"data.train_samples={IMAGES}", "training.shards=8", "training.batch=64")
SMALL = ("data.train_samples=512", *LARGE[1:])


def proportional_bytes(pids):
    """Sum over the processes that are still there."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
                total += sum(1024 * int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            pass
    return total


def descendants(pid):
    """Processes that it started, and theirs."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    return [int(child) for child in found] + [each for child in found for each in descendants(child)]


class OneCopy(ProgramTest):
    def peak(self, out, *overrides):
        """Most memory of all ranks together while they read the data and train a few steps."""
        sets = [word for override in overrides for word in ("--set", override)]
        words = command("train", self.experiment(), "--out", self.folder / out, *sets, ranks=RANKS)
        process = subprocess.Popen(words, env={**environment_without_data(), "ADAPT_FAULT": "stop,phase=update,step=3"},
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
        said = []
        reader = threading.Thread(target=lambda: said.append(process.communicate()[0]))
        reader.start()
        most = 0
        while reader.is_alive():
            most = max(most, proportional_bytes(descendants(process.pid)))
            time.sleep(0.02)
        self.assertEqual(process.returncode, 75, said)
        self.assertNotIn("each rank of this node holds its own copy", said[0])
        return most

    def test_images_of_eight_ranks_take_little_more_than_once_their_size(self):
        added = self.peak("large", *LARGE) - self.peak("small", *SMALL)
        images = IMAGES * IMAGE_BYTES
        self.assertLess(added, 1.3 * images)
        self.assertGreater(added, 0.9 * images, "it was not seen")


if __name__ == "__main__":
    unittest.main()
