"""Watching: one screen, JSON for programs, and a run that is being written is read by anybody, whatever they lock."""

import re
import shutil
import subprocess
import sys
import time

import h5py
import slurm_cluster
from adapt_program import adapt, command, run
from slurm_cluster import LONG, Cluster

READ = "import h5py, sys; print(len(h5py.File(sys.argv[1], 'r')['epochs/epoch']))"


class Watched(Cluster):
    def test_one_screen_until_nothing_is_left(self):
        grid = self.grid("watched", [LONG, 1, 1], ["procedural", "procedural", "mnist"])
        self.submit(grid, ranks=1)
        watching = subprocess.Popen(command("sweep", grid, "--store", self.store, "--watch"), stdout=subprocess.PIPE, text=True)
        self.wait_for_empty_queue()
        said, _ = watching.communicate(timeout=60)
        self.assertEqual(watching.returncode, 0)
        screens = said.strip().split("\n\n")
        self.assertGreater(len(screens), 1)
        self.assertRegex(screens[-1], r"3 runs: 2 done, 1 failed\nepochs: 61 done, 0 to do.*\nbest so far: 0\.\d+ .*seed=[12]")
        self.assertRegex(screens[-1], r"failed or interrupted: 1 input; on n[1-3] \(1 input\)\n  failed \w+  .*dataset mnist not found")
        self.assertTrue(any(re.search(r"an hour, .* left", screen) for screen in screens), said)
        told = self.status()
        self.assertEqual((told["states"], told["runs"], told["abandoned"]), ({"done": 2, "failed": 1}, 3, 0))
        self.assertEqual((told["failed"][0]["reason"], told["epochs"]), ("input", 61))
        self.assertEqual(told["submissions"][0]["tasks"], {"COMPLETED": 2, "FAILED": 1})

    def test_reading_what_is_being_written(self):
        grid = self.grid("read", [4 * LONG])
        self.submit(grid, ranks=1)
        self.wait_for(lambda: len(self.runs()) == 1 and self.checkpoint_of(1), "checkpoint")
        folder = self.store / self.runs()[1]["identity"]
        seen = set()
        end = time.monotonic() + 10
        while self.states()[1] == "running" and time.monotonic() < end:
            for locking in ("TRUE", "FALSE"):
                env = {"HDF5_USE_FILE_LOCKING": locking}
                self.assert_done(adapt("info", folder, env=env))
                result = self.assert_done(run([sys.executable, "-c", READ, folder / "run.h5"], env=env))
                seen.add(int(result.stdout))
                if shutil.which("h5dump"):
                    self.assert_done(run(["h5dump", "-d", "/epochs/epoch", folder / "run.h5"], env=env))
            with h5py.File(folder / "run.h5", "r"):  # one that locks while the run is written
                time.sleep(0.5)
        self.assertGreater(len(seen), 1, "it grew meanwhile")
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done"}, self.said())
        self.assertNotIn("lock", (folder / "output.txt").read_text(errors="replace"))


if __name__ == "__main__":
    slurm_cluster.run()
