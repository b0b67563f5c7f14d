"""Watching: one screen, JSON for programs, and a run that is being written is read by anybody, whatever they lock."""

import itertools
import re
import shutil
import subprocess
import sys
import time

import h5py
import slurm_cluster
from adapt_program import adapt, command, run
from slurm_cluster import CLUSTER, LONG, Cluster

ROOT = CLUSTER.parents[1]
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
        # One training is told that it may lock files, one that it may not; and so is whoever reads them.
        grid = self.grid("read", [2 * LONG, 2 * LONG])
        for seed, locking in ((1, "TRUE"), (2, "FALSE")):
            self.submit(grid, "--where", f"seed={seed}", ranks=1, env={"HDF5_USE_FILE_LOCKING": locking})
        self.wait_for(lambda: len(self.runs()) == 2 and self.checkpoint_of(1) and self.checkpoint_of(2), "checkpoints")
        folders = [self.store / entry["identity"] for entry in self.entries()]
        seen = {folder: set() for folder in folders}
        end = time.monotonic() + 10
        while "running" in self.states().values() and time.monotonic() < end:
            for folder, locking in itertools.product(folders, ("TRUE", "FALSE")):
                seen[folder].add(self.epochs_read(folder, {"HDF5_USE_FILE_LOCKING": locking}))
            with h5py.File(folders[0] / "run.h5", "r"), h5py.File(folders[1] / "run.h5", "r"):  # they lock meanwhile
                time.sleep(0.5)
            if not (self.folder / "report").exists():
                self.assert_done(run([ROOT / "analysis" / "report.py", *folders, "--out", self.folder / "report"]))
        self.assertGreater(min(map(len, seen.values())), 1, f"they grew meanwhile: {seen}")
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done", 2: "done"}, self.said())
        for folder in folders:
            self.assertNotIn("lock", (folder / "output.txt").read_text(errors="replace"))

    def epochs_read(self, folder, env):
        """Epochs that are there for h5py, which `adapt info` and h5dump read, too."""
        self.assert_done(adapt("info", folder, env=env))
        if shutil.which("h5dump"):
            self.assert_done(run(["h5dump", "-d", "/epochs/epoch", folder / "run.h5"], env=env))
        return int(self.assert_done(run([sys.executable, "-c", READ, folder / "run.h5"], env=env)).stdout)


if __name__ == "__main__":
    slurm_cluster.run()
