"""adapt sweep on this machine: grids are run, stopped, continued, and shared by several processes."""

import json
import os
import signal
import subprocess
import unittest

from adapt_program import SLOWNESS, adapt, command
from processes import wait_for
from sweeps import FAILING, GRID, LONG, SweepTest


class Running(SweepTest):
    def test_each_run_is_trained_once(self):
        self.assertEqual(set(self.states().values()), {"planned"})
        self.assertFalse(self.store.exists())
        result = self.assert_done(self.sweep("--run", "-J", 2))
        self.assertEqual(result.stdout, "4 done\n")
        self.assertEqual(set(self.states().values()), {"done"})
        times = [(run / "run.h5").stat().st_mtime_ns for run in self.runs()]
        again = self.assert_done(self.sweep("--run"))
        self.assertEqual(again.stdout, "4 done before\n")
        self.assertEqual(times, [(run / "run.h5").stat().st_mtime_ns for run in self.runs()])
        for run in self.runs():
            self.assertTrue((run / "DONE").exists())
            self.assertFalse(list(run.glob("claim*")))

    def test_a_run_is_what_train_makes_of_it(self):
        self.assert_done(self.sweep("--run", "--where", "seed=3", "--where", "precision=adapt", "-n", 2))
        (run,) = self.runs()
        self.assert_done(adapt("train", run / "experiment.yaml", "--out", self.folder / "alone"))
        self.assert_same(run, "alone")

    def test_two_grids_share_a_run(self):
        self.assert_done(self.sweep("--run", "-J", 2))
        other = self.grid(GRID.replace("[3, 4]", "[4, 5]").replace("little", "other"), "other.yaml")
        states = self.states(other)
        self.assertEqual([states[f"precision={policy} seed={seed}"] for policy in ("adapt", "float32") for seed in (4, 5)],
                         ["done", "planned", "done", "planned"])  # fmt: skip
        result = self.assert_done(self.sweep("--run", "-J", 2, grid=other))
        self.assertEqual(result.stdout, "2 done, 2 done before\n")
        self.assertEqual(len(self.runs()), 6)

    def test_the_index_is_there_for_other_programs(self):
        self.assert_done(self.sweep("--run", "--where", "seed=3"))
        self.assert_done(self.sweep("--list"))
        index = json.loads((self.store / "index.json").read_text(encoding="utf-8"))
        self.assertEqual([run["identity"] for run in index], [run.name for run in self.runs()])
        for run in index:
            self.assertEqual((run["state"], run["configuration"]["seed"], run["metrics"]["epochs"]), ("done", 3, 2))
            self.assertIsInstance(run["metrics"]["test_accuracy"], float)
            self.assertIn("modelled_training_speedup", run["metrics"])

    def test_set_counts_for_every_run(self):
        self.assert_done(self.sweep("--run", "-J", 2, "--set", "training.epochs=1"))
        self.assertEqual(set(self.states().values()), {"planned"})
        listed = self.assert_done(self.sweep("--list", "--where", "epochs=1", grid=False))
        self.assertIn("4 runs: 4 done\n", listed.stdout)


class Failures(SweepTest):
    def test_a_failure_stays_alone_and_is_tried_again_on_request(self):
        grid = self.grid(FAILING)
        result = self.sweep("--run", grid=grid)
        self.assertEqual((result.returncode, result.stdout), (1, "2 done, 2 failed\n"), result.stderr)
        states = self.states(grid)
        self.assertEqual({label: state for label, state in states.items() if "mnist" in label},
                         {"data=mnist precision=adapt seed=0": "failed", "data=mnist precision=float32 seed=0": "failed"})
        failed = [run for run in self.runs() if (run / "FAILED").exists()]
        said = json.loads((failed[0] / "FAILED").read_text(encoding="utf-8"))
        self.assertEqual((said["exit_code"], said["requeues"]), (2, 0))
        self.assertIn("dataset mnist not found", said["message"])
        self.assertIn("dataset mnist not found", self.sweep("--list", grid=grid).stdout)
        # Left alone, and not taken for done.
        again = self.sweep("--run", grid=grid)
        self.assertEqual(again.returncode, 1)
        self.assertEqual(again.stdout, "2 done before, 2 failed before (--retry failed tries them again)\n")
        retried = self.sweep("--retry", "failed", grid=grid)
        self.assertEqual((retried.returncode, retried.stdout), (1, "2 done before, 2 failed\n"), retried.stderr)

    def test_bad_grids_are_refused_before_anything_starts(self):
        cases = {
            GRID.replace("precision:", "precison:"): ("little.yaml:7:", "precison", "precision"),
            GRID.replace("[3, 4]", "[3, four]"): ("little.yaml:8:", "seed", "four"),
            GRID.replace("grid:\n  precision: [adapt, float32]\n", "grid: {}\n"): ("little.yaml:6:", "'grid'", "empty"),
            GRID.replace("[3, 4]", "[3, 3]"): ("little.yaml:8:", "seed", "the same"),
            GRID.replace("seeds: [3, 4]", "zip: {seed: [1, 2], training.epochs: [1]}"): ("little.yaml:8:", "training.epochs"),
            GRID.replace("[adapt, float32]", f"[adapt, float32]\n  training.l1: [{', '.join(f'0.{i:05}' for i in range(1, 1001))}]")
            .replace("[3, 4]", "1000"): ("little.yaml:9:", "'grid' makes 2000000 runs", "at most 10000"),
            GRID + "slurm: {partitoin: main}\n": ("little.yaml:9:", "slurm.partitoin", "did you mean 'partition'?"),
        }  # fmt: skip
        for text, parts in cases.items():
            for mode in ("--run", "--list", "--dry-run", "--submit"):
                with self.subTest(parts[1], mode=mode):
                    self.assert_refused(self.sweep(mode, grid=self.grid(text)), *parts)
        self.assertFalse(self.store.exists())

    def test_bad_arguments(self):
        for arguments, part in ((["--run", "--list"], "exclude each other"), ([], "expected what to do"),
                                (["--run", "-J", "0"], "--jobs 0"), (["--retry", "done"], "expected failed"),
                                (["--list", "--where", "modell=x"], "modell"), (["--run", "x.yaml"], "one grid file"),
                                (["--task", "0", "--submission", "none-1"], "none-1")):  # fmt: skip
            with self.subTest(arguments):
                self.assert_refused(self.sweep(*arguments), part)
        self.assert_refused(self.sweep("--run", grid=False), "needs a grid file")

    def test_a_store_that_is_not_there(self):
        for mode in (["--list"], ["--list", "--json"], ["--status"]):
            self.assert_refused(self.sweep(*mode, grid=False), f'--store "{self.store}" does not exist; expected', "a grid file")
            self.assert_done(self.sweep(*mode))  # all is planned
        self.assertFalse(self.store.exists())
        self.store.write_text("a file", encoding="utf-8")
        for mode in ("--list", "--status", "--run", "--submit", "--dry-run"):
            self.assert_refused(self.sweep(mode), f'--store "{self.store}" is not a folder; expected')
        self.store.unlink()
        (self.folder / "elsewhere").mkdir()
        self.store.symlink_to("elsewhere")  # a link that the user names is his will
        self.assert_done(self.sweep("--list", grid=False))
        self.assert_done(self.sweep("--run", "--where", "seed=3", "--where", "precision=adapt"))
        self.assertEqual(len(self.runs()), 1)


class Stopping(SweepTest):
    def begin(self, grid, *arguments):
        """A sweep in the background, once it works on a run that has a checkpoint."""
        process = subprocess.Popen(command("sweep", grid, "--store", self.store, "--run", *arguments),
                                   env={**os.environ, **self.env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.addCleanup(process.kill)
        self.assertTrue(wait_for(lambda: any(list(run.parent.glob("checkpoints/step-*[0-9]"))
                                             for run in self.store.glob("*/claim")), 60))  # fmt: skip
        return process

    def test_ctrl_c_leads_to_checkpoints_and_the_next_sweep_goes_on(self):
        grid = self.grid(LONG)
        for ranks, name in ((1, signal.SIGINT), (2, signal.SIGTERM)):
            process = self.begin(grid, "--ranks", str(ranks), "--where", "precision=adapt")
            process.send_signal(name)
            out, err = process.communicate(timeout=60 * SLOWNESS)
            self.assertEqual(process.returncode, 75, err)
            self.assertRegex(out, "stopped, to be resumed")
            self.assertIn("resumable", self.states(grid).values())
        stopped = [run for run in self.runs() if not (run / "DONE").exists()][0]
        self.assertFalse(list(stopped.glob("claim*")))
        result = self.assert_done(self.sweep("--run", "-J", 2, "--where", "precision=adapt", grid=grid, timeout=240))
        self.assertRegex(result.stdout, "^[12] done")
        self.assert_done(adapt("train", stopped / "experiment.yaml", "--out", self.folder / "alone", timeout=120))
        self.assert_same(stopped, "alone")

    def test_a_killed_sweep_leaves_its_runs_to_the_next(self):
        grid = self.grid(LONG)
        process = self.begin(grid, "--where", "precision=adapt", "--where", "seed=3")
        process.kill()
        process.communicate(timeout=60 * SLOWNESS)
        # The training hears of it, and stops at a checkpoint; until then it counts as running.
        label = "precision=adapt seed=3"
        self.assertTrue(wait_for(lambda: self.states(grid)[label] == "resumable", 60), self.states(grid))
        (run,) = self.runs()
        self.assertTrue((run / "claim").exists())
        self.assert_done(self.sweep("--run", "--where", "seed=3", "--where", "precision=adapt", grid=grid, timeout=240))
        self.assertTrue((run / "DONE").exists())
        self.assertFalse(list(run.glob("claim*")))


class Together(SweepTest):
    def test_sweeps_at_once_run_each_run_exactly_once(self):
        grid = self.grid(GRID.replace("seeds: [3, 4]", "seeds: 4").replace("epochs: 2", "epochs: 1"))
        launcher = self.folder / "launcher"
        launcher.write_text(f'#!/bin/sh\necho "$5" >>{self.folder}/started\nexec "$@"\n', encoding="utf-8")
        launcher.chmod(0o755)
        sweeps = [subprocess.Popen(command("sweep", grid, "--store", self.store, "--run", "-J", "2", "--launch", launcher),
                                   env={**os.environ, **self.env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True) for _ in range(3)]  # fmt: skip
        outputs = [process.communicate(timeout=120 * SLOWNESS) for process in sweeps]
        for process, (out, err) in zip(sweeps, outputs):
            self.assertEqual(process.returncode, 0, f"{out}\n{err}")
        started = (self.folder / "started").read_text(encoding="utf-8").split()
        self.assertEqual(sorted(started), sorted(str(run) for run in self.runs()))
        self.assertEqual(len(started), 8)
        self.assertEqual(set(self.states(grid).values()), {"done"})


if __name__ == "__main__":
    unittest.main()
