"""One writer in a run's folder: trainings and sweeps claim it, name who has it, and nothing goes through planted links."""

import os
import shutil
import signal
import socket
import subprocess
import time
import unittest

from adapt_program import SLOWNESS, TINY, ProgramTest, adapt, info
from failing_calls import without_locks
from processes import start, wait_for

LONG = ("training.epochs=100000", "record.flush_seconds=0", "data.test_samples=10")
PATIENCE = 30
GRID = TINY.replace("seed: 1\n", "").replace("name: tiny", "name: little") + "grid:\n  precision: [float32]\nseeds: [3]\n"
FAR = '{"host": "far", "pid": 7, "start": "1", "space": "another machine", "time": "2000-01-01T00:00:00Z"}\n'


def words(settings):
    return [word for setting in settings for word in ("--set", setting)]


class ClaimTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.run_dir = self.folder / "run"

    def begin(self, *arguments, out=None):
        """A long training in the background, once it has a checkpoint."""
        out = out or self.run_dir
        process = start("train", self.experiment(), "--out", out, *words(LONG), *arguments, stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        self.assertTrue(wait_for(lambda: list(out.glob("checkpoints/step-*[0-9]")), PATIENCE), "it does not come on")
        return process

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE * SLOWNESS)
        self.assertEqual(process.returncode, 75)

    def claims(self, folder=None):
        return sorted(path.name for path in (folder or self.run_dir).glob("claim*"))

    def store(self):
        """A store with the folder of the one run of a grid: (grid, folder)."""
        grid = self.experiment(GRID, "little.yaml")
        listed = self.sweep(grid, "--list").stdout
        return grid, self.folder / "store" / listed.splitlines()[1].split()[0]

    def sweep(self, grid, *arguments, **options):
        return adapt("sweep", grid, "--store", self.folder / "store", *arguments, **options)

    def state(self, grid, **options):
        result = self.assert_done(self.sweep(grid, "--list", **options))
        return result.stdout.splitlines()[1].split()[1]


class TwoTrainings(ClaimTest):
    def test_the_second_is_refused_until_the_first_is_dead(self):
        first = self.begin()
        owner = f"process {first.pid} on {socket.gethostname()}, since "
        for extra in (["--overwrite", "--set", "seed=2"], ["--resume", *words(LONG)], []):
            for ranks in (0, 2):
                result = self.train("run", extra=extra, ranks=ranks)
                self.assert_refused(result, self.run_dir, owner)
        self.assertIsNone(first.poll())
        first.kill()
        first.wait()
        self.assertEqual(self.claims(), ["claim"])
        # Nobody waits for a claim whose owner is known to be dead.
        self.assert_done(self.train("run", "seed=2", extra=["--overwrite"]))
        self.assertEqual(info(self.run_dir)["state"], "done")
        self.assertEqual(self.claims(), [])
        self.train("alone", "seed=2")
        self.assert_same("run", "alone")

    def test_a_stopped_one_leaves_no_claim(self):
        self.stop(self.begin())
        self.assertEqual(self.claims(), [])

    def test_a_failure_leaves_no_claim_that_counts(self):
        for ranks in (0, 2):
            self.assertEqual(self.train("run", fault="fail,phase=update,step=2,rank=0", extra=["--overwrite"], ranks=ranks).returncode, 1)
            self.assert_done(self.train("run", extra=["--overwrite"], ranks=ranks))

    def test_bad_input_makes_no_folder(self):
        self.assertEqual(self.train("new", "data.path=/nowhere", "data.name=mnist").returncode, 2)
        self.assertFalse((self.folder / "new").exists())


class TrainingAndSweep(ClaimTest):
    def test_a_sweep_leaves_a_training_alone(self):
        grid, folder = self.store()
        training = self.begin(out=folder)
        self.assertEqual(self.state(grid), "running")
        self.assertEqual(self.assert_done(self.sweep(grid, "--run")).stdout, "1 running elsewhere\n")
        self.stop(training)

    def test_a_training_is_refused_while_a_sweep_works_there(self):
        """The sweep's own training gets in under its claim, also behind mpirun."""
        for ranks in ("1", "2"):
            grid, folder = self.store()
            grid.write_text(GRID.replace("epochs: 3", "epochs: 100000"), encoding="utf-8")
            _, folder = self.folder, self.folder / "store" / self.sweep(grid, "--list").stdout.splitlines()[1].split()[0]
            sweep = start("sweep", grid, "--store", self.folder / "store", "--run", "--ranks", ranks)
            self.addCleanup(sweep.wait)
            self.addCleanup(sweep.kill)
            self.assertTrue(wait_for(lambda: list(folder.glob("checkpoints/step-*[0-9]")), PATIENCE))
            for extra in (["--resume"], ["--overwrite"]):
                result = adapt("train", folder / "experiment.yaml", "--out", folder, *extra)
                self.assert_refused(result, f"process {sweep.pid} on ")
            sweep.send_signal(signal.SIGTERM)
            self.assertEqual(sweep.wait(PATIENCE * SLOWNESS), 75)
            self.assertEqual(self.claims(folder), [])
            shutil.rmtree(self.folder / "store")

    def test_a_training_that_outlives_its_launcher_keeps_its_folder(self):
        """As behind a job step that was given up for lost."""
        grid, folder = self.store()
        grid.write_text(GRID.replace("epochs: 3", "epochs: 100000"), encoding="utf-8")
        folder = self.folder / "store" / self.sweep(grid, "--list").stdout.splitlines()[1].split()[0]
        launcher = self.folder / "launcher"
        launcher.write_text('#!/bin/bash\n"$@" & echo $! >"$(dirname "$0")/pid"\n'
                            'while ! compgen -G "$5/checkpoints/step-*[0-9]" >/dev/null; do sleep 0.02; done\nexit 9\n')
        launcher.chmod(0o755)
        result = self.sweep(grid, "--run", "--launch", launcher)
        training = int((self.folder / "pid").read_text())
        try:
            self.assertEqual((result.returncode, self.state(grid)), (75, "running"), result.stderr)
            self.assertEqual(self.assert_done(self.sweep(grid, "--run")).stdout, "1 running elsewhere\n")
            result = adapt("train", folder / "experiment.yaml", "--out", folder, "--resume")
            self.assert_refused(result, f"process {training} on ")
        finally:
            os.kill(training, signal.SIGKILL)
        self.assertTrue(wait_for(lambda: self.state(grid) == "resumable", PATIENCE))

    def test_a_claim_that_is_not_there(self):
        self.assert_refused(self.train("run", extra=["--claim", "0123456789abcdef"]), "no claim 0123456789abcdef", self.run_dir)


class Clocks(ClaimTest):
    def test_clocks_of_two_machines_are_not_compared(self):
        grid, folder = self.store()
        folder.mkdir(parents=True)
        claim = folder / "claim"
        claim.write_text(FAR, encoding="utf-8")
        for offset in (-1200, 0, 1200):
            env = without_locks(self.folder, clock_offset=offset)
            # The file system is this machine's: its clock is not off.
            os.utime(claim)
            self.assertEqual(self.state(grid, env=env), "running", offset)
            self.assert_refused(adapt("train", self.experiment(), "--out", folder, env=env), "process 7 on far, since 2000-01-01")
            then = time.time() - 1200
            os.utime(claim, (then, then))
            self.assertEqual(self.state(grid, env=env), "resumable", offset)

    def test_a_garbage_claim_does_not_count_for_ever(self):
        for content in (b"", b"{", b"null", b"\xff\0" * 1000):
            self.run_dir.mkdir()
            claim = self.run_dir / "claim"
            claim.write_bytes(content)
            self.assert_refused(self.train("run"), f'"{claim}" cannot be read')
            then = time.time() - 1200
            os.utime(claim, (then, then))
            self.assert_done(self.train("run"))
            self.assertEqual(self.claims(), [])
            shutil.rmtree(self.run_dir)


class WithoutHardLinks(ClaimTest):
    def test_claims_are_exclusive_all_the_same(self):
        env = {**without_locks(self.folder), "ADAPT_TEST_NO_LINKS": "1"}
        self.run_dir.mkdir()
        claim = self.run_dir / "claim"
        claim.write_text(FAR, encoding="utf-8")
        self.assert_refused(adapt("train", self.experiment(), "--out", self.run_dir, env=env), "process 7 on far")
        self.assertEqual(claim.read_text(encoding="utf-8"), FAR)
        claim.unlink()
        self.assert_done(adapt("train", self.experiment(), "--out", self.run_dir, env=env))
        self.assertEqual(list(self.run_dir.glob("*claim*")), [])


class Done(ClaimTest):
    def test_a_done_of_another_run_is_noticed(self):
        """9 of 12 steps of one run under the DONE of another."""
        grid, folder = self.store()
        self.assert_done(self.sweep(grid, "--run"))
        self.assertEqual(self.state(grid), "done")
        other = (folder / "DONE").read_bytes()
        shutil.rmtree(folder)
        result = adapt("train", self.experiment(), "--out", folder, "--set", "seed=3", env={"ADAPT_FAULT": "kill,phase=update,step=10"})
        self.assertNotIn(result.returncode, (0, 2), result.stderr)
        (folder / "DONE").write_bytes(other.replace(other[:8], b"00000000"))
        self.assertEqual(info(folder)["state"], "not finished: DONE does not belong to this run.h5")
        self.assertEqual(self.state(grid), "resumable")
        resumed = self.assert_done(adapt("train", self.experiment(), "--out", folder, "--set", "seed=3", "--resume"))
        self.assertRegex(resumed.stderr, "warning: DONE in .* does not belong to its run.h5")
        self.assertEqual(info(folder)["state"], "done")
        self.assertEqual((folder / "DONE").read_bytes()[64:], other[64:])
        self.assertEqual(self.state(grid), "done")


class PlantedLinks(ClaimTest):
    def precious(self):
        """A folder with a checkpoint of somebody else."""
        folder = self.folder / "precious"
        folder.mkdir()
        (folder / "step-000000001").write_text("mine", encoding="utf-8")
        return folder

    def test_checkpoints_elsewhere_are_neither_written_nor_removed(self):
        precious = self.precious()
        for target in (precious, self.folder / "nowhere"):
            self.run_dir.mkdir()
            (self.run_dir / "checkpoints").symlink_to(target)
            for extra in (["--overwrite"], ["--resume"]) if target == precious else ([], ["--overwrite"]):
                result = self.train("run", extra=extra)
                self.assertEqual(result.returncode, 2, result.stderr)
            self.assert_refused(self.train("run", extra=["--overwrite"]), "checkpoints", "is a link to")
            shutil.rmtree(self.run_dir)
        self.assertEqual([path.name for path in precious.iterdir()], ["step-000000001"])
        self.assertFalse((self.folder / "nowhere").exists())

    def test_a_sweep_writes_through_no_link_and_goes_on(self):
        grid = self.experiment(GRID.replace("seeds: [3]", "seeds: [3, 4]"), "little.yaml")
        runs = [line.split()[0] for line in self.sweep(grid, "--list").stdout.splitlines()[1:3]]
        precious = self.precious()
        store = self.folder / "store"
        store.mkdir()
        (store / runs[0]).symlink_to(precious)
        result = self.sweep(grid, "--run")
        self.assertEqual((result.returncode, result.stdout), (1, "1 done, 1 left, each for its own reason\n"), result.stderr)
        self.assertIn(f"{store / runs[0]} is a link to", result.stderr.replace('"', ""))
        self.assertEqual([path.name for path in precious.iterdir()], ["step-000000001"])
        result = self.sweep(grid, "--submit")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn(f"{store / runs[0]} is a link", result.stderr.replace('"', ""))
        self.assertEqual([path.name for path in precious.iterdir()], ["step-000000001"])

    def test_what_a_training_prints_goes_through_no_link(self):
        grid, folder = self.store()
        folder.mkdir(parents=True)
        precious = self.precious() / "step-000000001"
        (folder / "output.txt").symlink_to(precious)
        self.assertNotEqual(self.sweep(grid, "--run").returncode, 0)
        self.assertEqual(precious.read_text(encoding="utf-8"), "mine")


if __name__ == "__main__":
    unittest.main()
