"""The ranks of a node hold one copy of the images. Measured is proportional memory (PSS), where what ranks share counts once, of all
ranks while they stand still in the same phase, and the kernel's record of each rank's peak. Nothing is sampled."""

import os
import pathlib
import re
import signal
import subprocess
import unittest

import tiny_data
from adapt_program import ProgramTest, command, environment_without_data
from processes import ranks_of, wait_for

RANKS = 8
IMAGES = 60000
IMAGE_BYTES = 28 * 28
LARGE = (f"data.train_samples={IMAGES}", "training.shards=8", "training.batch=64")
SMALL = ("data.train_samples=512", *LARGE[1:])
PATIENCE = 60


def bytes_said(pid, file, key):
    """A number of kilobytes in /proc."""
    text = pathlib.Path(f"/proc/{pid}/{file}").read_text(encoding="ascii")
    return 1024 * int(re.search(rf"^{key}:\s*(\d+) kB$", text, re.MULTILINE)[1])


def is_suspended(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "T"


class OneCopy(ProgramTest):
    def memory(self, out, *overrides):
        """Of all ranks together in the third step, and of the rank that ever had most."""
        sets = [word for override in overrides for word in ("--set", override)]
        words = command("train", self.experiment(), "--out", self.folder / out, *sets, "--set", "mpi.timeout_s=0", ranks=RANKS)
        environment = {**environment_without_data(), "ADAPT_FAULT": "suspend,phase=update,step=3"}
        launcher = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(launcher.communicate)
        self.addCleanup(launcher.kill)
        ranks = {}

        def all_suspended():
            self.assertIsNone(launcher.poll(), "it ended before")
            ranks.update(ranks_of(launcher.pid))
            return len(ranks) == RANKS and all(map(is_suspended, ranks.values()))

        self.assertTrue(wait_for(all_suspended, PATIENCE), "ranks do not come to the third step")
        together = sum(bytes_said(pid, "smaps_rollup", "Pss") for pid in ranks.values())
        most = max(bytes_said(pid, "status", "VmHWM") for pid in ranks.values())
        for pid in ranks.values():
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGCONT)
        said, _ = launcher.communicate(timeout=PATIENCE)
        self.assertEqual(launcher.returncode, 75, said)
        self.assertNotIn("each rank of this node holds its own copy", said)
        return together, most

    def test_images_of_eight_ranks_take_little_more_than_once_their_size(self):
        together, most = (large - small for large, small in zip(self.memory("large", *LARGE), self.memory("small", *SMALL)))
        images = IMAGES * IMAGE_BYTES
        print(f"60,000 images added {together / images:.2f} times their size to all ranks, {most / images:.2f} to the peak of one")
        self.assertLess(together, 1.3 * images)
        self.assertGreater(together, 0.9 * images, "it was not seen")
        self.assertLess(most, 1.3 * images, "the first rank held two copies while it read")

    def test_files_without_compression_are_the_one_copy_themselves(self):
        """Of CIFAR-10's size; nearly all of it zero, which takes no disk."""
        files = tiny_data.cifar10(self.folder / "data")
        size = sum(path.stat().st_size for path in files.iterdir())
        mapped = ("data.name=cifar10", f"data.path={self.folder / 'data'}", "training.shards=8", "training.batch=64")
        together, most = (large - small for large, small in zip(self.memory("large", *mapped), self.memory("small", *SMALL)))
        print(f"files of {size / 1e6:.0f} MB added {together / size:.2f} times their size to all ranks, {most / size:.2f} to the peak of one")
        self.assertLess(together, 1.3 * size)
        self.assertGreater(together, 0.9 * size, "it was not seen")
        self.assertLess(most, 1.3 * size)


if __name__ == "__main__":
    unittest.main()
