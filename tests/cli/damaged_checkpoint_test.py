"""Checkpoints that cannot be used, and folders that --resume cannot go on with: what is skipped, what is refused, and that
nothing is lost by it."""

import re
import resource
import shutil
import subprocess
import unittest

import h5py

from adapt_program import SLOWNESS, ProgramTest, several_at_a_time
from processes import start, wait_for

RUN = ("data.train_samples=64", "training.batch=16", "data.test_samples=20", "checkpoint.interval_steps=2")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


class Checkpoints(ProgramTest):
    @classmethod
    def setUpClass(cls):
        """In all tests the folder "half" holds a run that was stopped at step 7, with checkpoints of steps 6 and 7 and the
        best one of step 4; "whole" one that was not."""
        cls.made = None
        maker = cls()
        maker.setUp()
        cls.addClassCleanup(maker.doCleanups)
        maker.assert_done(maker.train("whole", *RUN))
        maker.assert_stopped(maker.train("half", *RUN, fault="stop,phase=update,step=7"))
        maker.assertEqual(maker.names("half"), ["best-000000004", "step-000000006", "step-000000007"])
        cls.made = maker.folder

    def runTest(self):
        """Lets setUpClass use the helpers."""

    def setUp(self):
        super().setUp()
        self.experiment()
        if self.made:
            for name in ("whole", "half"):
                shutil.copytree(self.made / name, self.folder / name)

    def names(self, out):
        return sorted(path.name for path in (self.folder / out / "checkpoints").iterdir())

    def copy(self, name):
        shutil.copytree(self.folder / "half", self.folder / name)
        return self.folder / name / "checkpoints"

    def resume(self, out, *overrides, **options):
        return super().resume(out, *RUN, *overrides, experiment=self.folder / "experiment.yaml", **options)

    def test_the_one_before_is_used(self):
        self.assert_stopped(self.train("other", *RUN, "seed=9", fault="stop,phase=update,step=7"))
        foreign = (self.folder / "other" / "checkpoints" / "step-000000007").read_bytes()
        damages = {
            "flipped": (flip, "damaged or cut short"),
            "cut": (cut, "damaged or cut short"),
            "emptied": (lambda path: path.write_bytes(b""), "does not start as"),
            "rubbish": (lambda path: path.write_bytes(b"rubbish" * 999), "does not start as"),
            "foreign": (lambda path: path.write_bytes(foreign), "another experiment"),
            "renamed": (lambda path: path.rename(path.with_name("step-000000099")), "its name does not say"),
        }

        def check(job):
            name, (damage, reason) = job
            damage(self.copy(name) / "step-000000007")
            result = self.assert_done(self.resume(name))
            warnings = [line for line in result.stderr.splitlines() if line.startswith("adapt: warning: ")]
            self.assertEqual(len(warnings), 1, result.stderr)
            self.assertIn(reason, warnings[0])
            self.assertIn("after step 6\n", result.stderr)
            self.assert_same("whole", name)
            self.assertEqual(len(self.names(name)), 3)

        several_at_a_time(check, list(damages.items()))

    def test_the_best_one_is_the_last_resort_and_without_any_nothing_is_touched(self):
        folder = self.copy("run")
        flip(folder / "step-000000006")
        flip(folder / "step-000000007")
        shutil.copytree(self.folder / "run", self.folder / "none")
        flip(self.folder / "none" / "checkpoints" / "best-000000004")
        self.assertIn("after step 4\n", self.assert_done(self.resume("run", ranks=2)).stderr)
        self.assert_same("whole", "run")
        log = (self.folder / "none" / "run.h5").read_bytes()
        for ranks in (0, 2):
            self.assert_refused(self.resume("none", ranks=ranks), "none of the 3 checkpoints", "--overwrite")
        self.assertEqual((self.folder / "none" / "run.h5").read_bytes(), log)
        self.assertEqual(self.names("none"), ["best-000000004", "step-000000006", "step-000000007"])

    def test_what_does_not_belong_together_is_refused(self):
        self.copy("other key")
        self.assert_refused(self.resume("other key", "training.momentum=0.5"), "training.momentum: 0.9 against 0.5")
        self.copy("no log")
        (self.folder / "no log" / "run.h5").unlink()
        self.assert_refused(self.resume("no log"), "run.h5")
        self.copy("damaged log")
        flip(self.folder / "damaged log" / "run.h5")
        self.assert_refused(self.resume("damaged log"), "run.h5", "damaged")
        self.assert_stopped(self.train("short", *RUN, fault="stop,phase=update,step=3"))
        self.copy("old log")
        shutil.copy(self.folder / "short" / "run.h5", self.folder / "old log" / "run.h5")
        self.assert_refused(self.resume("old log"), "ends at step 3", "step 7")
        self.assert_refused(self.train("half", *RUN), "already holds a run", "--resume")
        self.assert_refused(self.train("half", *RUN, extra=["--resume", "--overwrite"]), "exclude")

    def test_other_data_are_refused(self):
        self.copy("run")
        with h5py.File(self.folder / "run" / "run.h5", "r+") as file:  # drops the digest
            file["provenance"].attrs["dataset_test_sha256"] = "0" * 64
        self.assert_refused(self.resume("run"), "the data changed", "dataset_test_sha256")

    def test_keys_that_are_not_of_the_experiment_may_change(self):
        self.copy("run")
        self.assert_done(self.resume("run", "checkpoint.keep=1", "checkpoint.interval_steps=0", "mpi.timeout_s=9"))
        self.assert_same("whole", "run")
        self.assertEqual([name[:4] for name in self.names("run")], ["best", "step"])

    def test_a_complete_run_stays(self):
        log = (self.folder / "whole" / "run.h5").read_bytes()
        for ranks in (0, 2):
            self.assertIn("complete", self.assert_done(self.resume("whole", ranks=ranks)).stderr)
        self.assertEqual((self.folder / "whole" / "run.h5").read_bytes(), log)
        self.assert_refused(self.resume("whole", "seed=3"), "seed: 1 against 3")

    def test_a_run_that_starts_again_forgets_the_checkpoints(self):
        self.copy("run")
        result = self.train("run", *RUN, extra=["--overwrite"], fault="stop,phase=update,step=1")
        self.assert_stopped(result)
        self.assertEqual(self.names("run"), ["step-000000001"])

    def test_without_intervals_only_the_signal_writes_one(self):
        overrides = (*RUN, "checkpoint.interval_steps=0", "checkpoint.interval_epochs=0")
        self.assert_stopped(self.train("run", *overrides, fault="stop,phase=update,step=5"))
        self.assertEqual(self.names("run"), ["step-000000005"])
        self.assert_done(self.train("run", *overrides, extra=["--resume"]))
        self.assertEqual(self.names("run"), ["step-000000005"])
        self.assert_same("whole", "run")


class FullDisk(ProgramTest):
    """A limit on the size of files stands for a disk without space."""

    def test_it_is_said_and_the_last_checkpoint_stays(self):
        overrides = ("data.train_samples=1024", "training.batch=16", "training.epochs=1", "data.test_samples=20",
                     "checkpoint.interval_steps=1", "checkpoint.keep=1")
        self.assert_done(self.train("whole", *overrides))
        sets = [word for setting in overrides for word in ("--set", setting)]
        run = start("train", self.experiment(), "--out", self.folder / "run", *sets, stderr=subprocess.PIPE)
        folder = self.folder / "run" / "checkpoints"
        self.assertTrue(wait_for(lambda: [*folder.glob("step-?????????")], 30))
        resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (300000, resource.RLIM_INFINITY))  # a checkpoint has more
        _, err = run.communicate(timeout=30 * SLOWNESS)
        self.assertEqual(run.returncode, 1, err)
        said = [line for line in err.splitlines() if line.startswith("adapt: error: ")]
        self.assertEqual(len(said), 1, err)
        self.assertRegex(said[0], r'cannot write .*/checkpoints/step-\d+\.tmp\.[0-9a-f]+": File too large; the checkpoint of step')
        step = int(re.search(r"the checkpoint of step (\d+) is kept", said[0])[1])
        self.assertEqual([path.name for path in folder.iterdir()], [f"step-{step:09}"])
        resumed = self.assert_done(self.train("run", *overrides, extra=["--resume"]))
        self.assertIn(f"after step {step}\n", resumed.stderr)
        self.assert_same("whole", "run")


if __name__ == "__main__":
    unittest.main()
