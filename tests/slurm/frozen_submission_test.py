"""A submission is frozen: its job runs the program, and trains on the data, that were there when it was submitted."""

import hashlib
import os
import shutil
import subprocess

import h5py
import slurm_cluster
import tiny_data
from adapt_program import PROGRAM, adapt, run
from slurm_cluster import CLUSTER, Cluster, slurm

GRID = """\
name: frozen
model: {file: net.yaml}
precision: float32
training: {batch: 8, test_batch: 8, epochs: 1}
zip:
  seed: [1, 2]
  data: [{name: procedural, train_samples: 64, test_samples: 10}, mnist]
"""


class Frozen(Cluster):
    def setUp(self):
        super().setUp()
        self.program = self.folder / "build" / "release" / "adapt"
        self.program.parent.mkdir(parents=True)
        shutil.copy2(PROGRAM, self.program)
        (self.folder / "slurm").symlink_to(CLUSTER.parent)
        self.data = tiny_data.mnist(self.folder / "data")

    def sweep(self, *arguments):
        return run([self.program, "sweep", *map(str, arguments), "--store", self.store],
                   env={"ADAPT_DATA": str(self.folder / "data")})

    def test_what_is_edited_after_the_submission(self):
        network = self.folder / "net.yaml"
        shutil.copy(CLUSTER.parents[1] / "experiments" / "models" / "lenet5.yaml", network)
        grid = self.experiment(GRID, "frozen.yaml")
        site = self.experiment("options: [--hold]\n", "site.yaml")
        self.assert_done(self.sweep(grid, "--submit", "--site", site))
        digest = hashlib.sha256(self.program.read_bytes()).hexdigest()
        self.assertEqual([path.name for path in (self.store / "programs").iterdir()], [digest])
        self.program.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        network.write_text("layers: [relu]\n", encoding="utf-8")
        grid.write_text(GRID.replace("epochs: 1", "epochs: 3"), encoding="utf-8")
        labels = self.data / "train-labels-idx1-ubyte"
        labels.write_bytes(labels.read_bytes()[:-1] + b"\1")
        self.assertIn("0 programs removed, 1 kept", self.assert_done(adapt("sweep", "--store", self.store, "--clean")).stdout)
        (job,) = set(slurm("squeue", "--noheader", "--format=%F").split())
        slurm("scontrol", "release", job)
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done", 2: "failed"}, self.said())
        self.assertIn("dataset_train_sha256 was", self.runs()[2]["message"])
        with h5py.File(self.store / self.runs()[1]["identity"] / "run.h5") as log:
            told = dict(log["provenance"].attrs)
            self.assertEqual(len(log["epochs/epoch"]), 1)
            self.assertIn("conv1", log["layers"])
        self.assertEqual(told["program_sha256"], digest)
        self.assertTrue(told["command_line"].startswith(f"{os.path.realpath(self.store)}/programs/{digest}/adapt "))
        self.assertIn("1 program removed", self.assert_done(adapt("sweep", "--store", self.store, "--clean")).stdout)
        self.assertEqual(list((self.store / "programs").iterdir()), [])

    def test_what_runs_on_is_not_cleaned_away(self):
        grid = self.grid("long", [slurm_cluster.LONG])
        self.submit(grid)
        self.wait_for(lambda: len(self.runs()) == 1 and self.checkpoint_of(1), "checkpoint")
        self.assertIn("1 kept", self.assert_done(adapt("sweep", "--store", self.store, "--clean")).stdout)
        subprocess.run(["scancel", f"--user={os.getuid()}"], check=True)


if __name__ == "__main__":
    slurm_cluster.run()
