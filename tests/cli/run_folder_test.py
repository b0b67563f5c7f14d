"""Run folders: what may be written where, what can be read back, and what damaged files lead to."""

import unittest

import h5py

from adapt_program import ADAPT, ProgramTest, adapt, info

ONE_STEP = ("training.epochs=1", "data.train_samples=64")


class Occupied(ProgramTest):
    def test_a_run_is_not_replaced_unless_asked(self):
        self.assert_done(self.train("run", *ONE_STEP))
        before = (self.folder / "run" / "run.h5").read_bytes()
        for ranks in (0, 2):
            self.assert_refused(self.train("run", *ONE_STEP, ranks=ranks), self.folder / "run", "--overwrite")
        self.assertEqual((self.folder / "run" / "run.h5").read_bytes(), before)
        self.assert_done(self.train("run", *ONE_STEP, "seed=9", extra=["--overwrite"]))
        self.assertEqual(info(self.folder / "run")["seed"], "9")

    def test_default_folder_bears_the_name_of_the_experiment(self):
        sets = [word for setting in ONE_STEP for word in ("--set", setting)]
        self.assert_done(adapt("train", self.experiment(), *sets, cwd=self.folder))
        self.assertEqual(info(self.folder / "runs" / "tiny")["state"], "done")

    def test_folder_that_cannot_be(self):
        (self.folder / "file").write_text("in the way", encoding="utf-8")
        for ranks in (0, 2):
            result = self.train("file/run", *ONE_STEP, ranks=ranks)
            self.assert_refused(result, self.folder / "file", code=result.returncode)
            self.assertIn(result.returncode, (1, 2))


class LastLine(ProgramTest):
    def test_an_accuracy_of_zero_is_one(self):
        for seed in range(1, 20):  # one test image: right or wrong
            result = self.assert_done(self.train(f"run{seed}", *ONE_STEP, "data.test_samples=1", f"seed={seed}"))
            with h5py.File(self.folder / f"run{seed}" / "run.h5", "r") as file:
                accuracy = float(file["epochs/test_accuracy"][-1])
            self.assertIn(f" test {100 * accuracy:.2f} %", result.stderr)
            if accuracy == 0:
                return
        self.fail("all images were right")


class Evaluate(ProgramTest):
    def check_final_figures(self, *overrides):
        """The stored model gives the figures of the last epoch again, on any number of ranks."""
        self.assert_done(self.train("run", *overrides, ranks=2))
        with h5py.File(self.folder / "run" / "run.h5", "r") as file:
            accuracy = float(file["epochs/test_accuracy"][-1])
            loss = float(file["epochs/test_loss"][-1])
        for ranks in (0, 3):
            result = self.assert_done(adapt("evaluate", self.folder / "run", ranks=ranks))
            said = dict(line.rsplit(None, 1) for line in result.stdout.splitlines() if "(" not in line)
            self.assertEqual(said["test images"], "130")
            self.assertEqual(round(float(said["test accuracy"]) * 130), round(accuracy * 130))
            self.assertEqual(float(said["test accuracy"]), float(f"{accuracy:.6g}"))
            self.assertEqual(float(said["test loss"]), float(f"{loss:.6g}"))

    def test_float32(self):
        self.check_final_figures()

    def test_adapt(self):
        self.check_final_figures(*ADAPT)

    def test_a_link_that_the_user_names_is_his_will(self):
        (self.folder / "elsewhere").mkdir()
        (self.folder / "run").symlink_to("elsewhere")
        self.assert_done(self.train("run", *ONE_STEP))
        self.assertTrue((self.folder / "elsewhere" / "DONE").exists())
        self.assertTrue((self.folder / "run").is_symlink())

    def test_overrides_and_bad_input(self):
        self.assert_done(self.train("run", *ONE_STEP))
        run = self.folder / "run"
        result = self.assert_done(adapt("evaluate", run, "--set", "data.test_samples=30"))
        self.assertIn("test images      30\n", result.stdout)
        self.assert_refused(adapt("evaluate", run, "--set", "data.tset_samples=30"), "test_samples")
        for override in ("model=alexnet", "model.name=resnet20", "model.file=nowhere.yaml"):
            self.assert_refused(adapt("evaluate", run, "--set", override), f"--set {override}", "the network is that of the run")
        for ranks in (0, 2):
            result = adapt("evaluate", self.folder / "nothing", ranks=ranks)
            self.assert_refused(result, self.folder / "nothing")


class Damaged(ProgramTest):
    def damages(self, whole):
        middle = len(whole) // 2
        flipped = bytearray(whole)
        flipped[middle] ^= 0x10
        return {
            "empty": b"",
            "rubbish": b"rubbish" * 1000,
            "truncated": whole[:middle],
            "signature": b"\0" + whole[1:],
            "a flipped bit": bytes(flipped),
        }

    def test_every_reader_refuses_damaged_files(self):
        self.assert_done(self.train("good", *ONE_STEP))
        good = self.folder / "good"
        bad = self.folder / "bad"
        bad.mkdir()
        for what, data in self.damages((good / "run.h5").read_bytes()).items():
            (bad / "run.h5").write_bytes(data)
            with self.subTest(what):
                self.assert_refused(adapt("info", bad), bad)
                self.assert_refused(adapt("evaluate", bad), bad)
                self.assert_refused(adapt("compare", good, bad), bad)
                self.assert_refused(adapt("compare", bad, good), bad)

    def test_folders_that_hold_no_run(self):
        self.assert_refused(adapt("info", self.folder), self.folder)
        self.assert_refused(adapt("info", self.folder / "missing"), self.folder / "missing")
        with h5py.File(self.folder / "run.h5", "w") as file:
            file["steps"] = [1, 2, 3]
        self.assert_refused(adapt("info", self.folder), self.folder)


if __name__ == "__main__":
    unittest.main()
