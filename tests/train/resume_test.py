"""A run that is stopped and resumed, on the same or other numbers of ranks, equals one that never was: in all that
run.h5 holds but times, bytes sent and provenance."""

import unittest

import h5py
import numpy

from adapt_program import ADAPT, ProgramTest

MUPPET = (
    "engine=emulated",
    "precision.policy=muppet",
    "precision.formats=per_tensor",
    "precision.backward=quantized",
    "precision.muppet.levels=[8, 12]",
    "precision.muppet.resolution=2",
    "precision.muppet.window=sliding",
    "precision.muppet.threshold=0",  # with beta 0 any fall of the diversity is a violation
    "precision.muppet.slack=0",
    "precision.muppet.violations=1",
    "training.epochs=16",
    "data.train_samples=128",
    "training.final_epochs=2",
    "training.schedule.name=multi_step",
    "training.schedule.origin=final_phase",
    "training.schedule.milestones=[1]",
)
PLATEAU = (
    "training.learning_rate=0.000001",
    "training.schedule.name=reduce_on_plateau",
    "training.schedule.patience=0",
    "training.schedule.threshold=0.5",
    "training.schedule.warmup_epochs=0.5",
    "training.epochs=4",
)
RESNET = ("model=resnet20", "data.train_samples=48", "training.batch=16", "training.shards=4", "data.test_samples=20")
NOT_COMPARED = ("seconds", "bytes_sent", "messages_sent")


def contents(run_dir):
    """Everything that must be equal, by name."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not any(word in name for word in NOT_COMPARED) and name != "config":
            found[name] = item[()].tobytes(), item.shape, sorted((k, str(v)) for k, v in item.attrs.items())

    with h5py.File(run_dir / "run.h5", "r") as file:
        file.visititems(visit)
        found["best epoch"] = file["best_model"].attrs["epoch"]
        for name, value in file["summary"].attrs.items():
            if not name.startswith("measured_"):
                found["summary " + name] = value
    return found


class Resume(ProgramTest):
    def assert_resumes(self, *overrides, stops, ranks):
        """Stops after the steps `stops`, on one number of `ranks` after the other (0: without mpirun), the last for
        the rest. The last rank gets the signal."""
        overrides = [*overrides, "data.test_samples=50"]
        self.assert_done(self.train("whole", *overrides))
        for i, step in enumerate(stops):
            fault = f"stop,phase=update,step={step},rank={max(ranks[i] - 1, 0)}"
            self.assert_stopped(self.resume("parts", *overrides, ranks=ranks[i], fault=fault))
        self.assert_done(self.resume("parts", *overrides, ranks=ranks[-1]))
        self.assert_same("whole", "parts")
        whole, parts = contents(self.folder / "whole"), contents(self.folder / "parts")
        self.assertEqual(sorted(whole), sorted(parts))
        for name, value in whole.items():
            self.assertEqual(value, parts[name], name)
        with h5py.File(self.folder / "parts" / "run.h5", "r") as file:
            self.assertEqual(file["provenance"].attrs["resumptions"].count("step "), len(stops))
        return self.folder / "parts" / "run.h5"

    def test_float32_with_exact_sums(self):
        """Within an epoch, between its last step and its evaluation, and right after a resumption."""
        self.assert_resumes("exchange.encoding=exact", stops=(2, 3, 8), ranks=(0, 3, 2, 4))

    def test_scaled_integers_with_error_feedback(self):
        """The residuals belong to shards, so that they may move to other ranks."""
        self.assert_resumes("exchange.encoding=int8", "exchange.error_feedback=true", stops=(2, 7), ranks=(3, 0, 2))

    def test_adapt_switches_before_and_after(self):
        run = self.assert_resumes(*ADAPT, stops=(5, 7), ranks=(2, 0, 3))
        with h5py.File(run, "r") as file:
            steps = file["switches"]["step"]
            self.assertTrue((steps <= 5).any() and (steps > 7).any())
            of_steps, of_switches = file["steps/strategy"][()], file["switches"]["strategy"]
            self.assertEqual([of_steps[step - 1] for step in steps], list(of_switches))

    def test_adapt_with_accumulation_and_per_tensor_formats(self):
        self.assert_resumes(*ADAPT, "precision.formats=per_tensor", "precision.backward=quantized",
                            "training.accumulate=2", stops=(1, 5), ranks=(2, 0, 0))

    def test_adapt_with_batch_norm(self):
        self.assert_resumes(*ADAPT, *RESNET, stops=(2, 4), ranks=(2, 0, 3))

    def test_muppet_before_and_in_its_final_phase(self):
        run = self.assert_resumes(*MUPPET, stops=(6, 13, 20), ranks=(0, 3, 0, 2))
        with h5py.File(run, "r") as file:
            switched = sorted(set(file["switches"]["step"]))
            rates = numpy.unique(file["steps/learning_rate"][()])
            self.assertEqual(len(switched), 2)
            self.assertTrue(6 < switched[0] and switched[1] < 20, switched)
            self.assertEqual(len(rates), 2)
            self.assertLess(len(file["epochs/epoch"]), 16)

    def test_plateau_schedule(self):
        run = self.assert_resumes(*PLATEAU, stops=(9, 13), ranks=(0, 2, 0))
        with h5py.File(run, "r") as file:
            self.assertGreater(len(numpy.unique(file["steps/learning_rate"][4:])), 2)

    def test_the_best_model_of_an_epoch_before(self):
        """At once too large a rate: accuracy falls, so the best model is an early one and survives the stop."""
        run = self.assert_resumes("training.learning_rate=0.3", "training.momentum=0.95", "training.epochs=4",
                                  "training.schedule.name=multi_step", "training.schedule.milestones=[2]",
                                  "training.schedule.factor=1e-9", stops=(14,), ranks=(0, 0))
        with h5py.File(run, "r") as file:
            self.assertLess(file["best_model"].attrs["epoch"], 4)

    def test_early_end(self):
        self.assert_resumes("training.target_accuracy=0.05", stops=(3,), ranks=(0, 0))


if __name__ == "__main__":
    unittest.main()
