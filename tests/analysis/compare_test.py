"""compare.py over a small store whose means, deviations and tests can be worked out by hand."""

import csv
import io
import os
import re
import unittest

from support import ROOT, ScratchTest, call_script, call_script_aloud, call_to_refuse, run_script
from synthetic_run import constant_layer, write_run

from analysis import compare
from analysis.digest import read_digests
from analysis.metrics import METRICS
from analysis.run_file import read_run

SUMMARY = {"modelled_training_speedup": 1.5, "modelled_inference_speedup": 2.0, "modelled_model_size": 0.25,
           "modelled_training_memory": 1.25, "mean_word_length": 8.0, "final_density": 0.75, "dead_channels": 0.125}
LAYERS = {"b": (100, 10, constant_layer(10)), "a": (100, 10, constant_layer(10))}


class Store(ScratchTest):
    """adapt: 70, 72, 74 %; float32: 75, 74, 76 %; fixed: one seed, 60 %; one run failed, one is unfinished."""

    def setUp(self):
        super().setUp()
        self.count = 0
        for policy, accuracies in (("adapt", (0.70, 0.72, 0.74)), ("float32", (0.75, 0.74, 0.76)), ("fixed", (0.60,))):
            for seed, accuracy in enumerate(accuracies):
                self.add(policy, seed, accuracy)
        unfinished = self.add("adapt", 7, 0.1, done=False)
        failed = self.add("adapt", 8, 0.1, done=False)
        with open(os.path.join(os.path.dirname(failed), "FAILED"), "w", encoding="ascii") as stream:
            stream.write('{"exit_code": 1, "message": "NaN"}')
        self.assertTrue(os.path.exists(unfinished))

    def add(self, policy, seed, accuracy, **options):
        self.count += 1
        options = {"summary": SUMMARY, "test_accuracy": [0.9, accuracy]} | options
        return write_run(self.path(f"{self.count:016x}"), LAYERS, policy=policy, seed=seed, **options)

    def rows(self, *arguments):
        """The CSV rows that compare.py prints for the store."""
        table, self.notes = call_script_aloud(compare, self.folder, "--format", "csv", *arguments)
        return list(csv.DictReader(io.StringIO(table)))

    def test_means_deviations_order_and_significance(self):
        rows = self.rows("--group", "policy")
        self.assertEqual([row["precision.policy"] for row in rows], ["float32", "adapt", "fixed"])
        self.assertEqual([row["runs"] for row in rows], ["3", "3", "1"])
        means = [float(row["test accuracy, last (%): mean"]) for row in rows]
        deviations = [row["test accuracy, last (%): standard deviation"] for row in rows]
        for found, expected in zip(means, (75, 72, 60)):
            self.assertAlmostEqual(found, expected, delta=1e-9)
        self.assertAlmostEqual(float(deviations[0]), 1, delta=1e-9)
        self.assertAlmostEqual(float(deviations[1]), 2, delta=1e-9)
        self.assertEqual(deviations[2], "")
        # Differences by seed: 5, 2, 2; t = 3 / (sqrt(3) / sqrt(3)) = 3 with 2 degrees of freedom.
        self.assertAlmostEqual(float(rows[1]["p against the best"]), 1 - 3 / 11**0.5, delta=1e-9)
        self.assertEqual([row["test"] for row in rows], ["", "paired t", ""])
        self.assertIn("2 runs left out: not finished", self.notes)

    def test_what_was_pruned_where(self):
        for seed, epochs in ((9, 1), (10, 1), (11, 2)):
            run = self.add("adapt", seed, 0.2, done=False, epochs=epochs, test_accuracy=[0.2] * epochs)
            with open(os.path.join(os.path.dirname(run), "rungs"), "w", encoding="ascii") as stream:
                stream.write('{"metric": "test_accuracy", "results": [], "stopped": true}')
        self.rows("--group", "policy")
        self.assertIn("3 runs left out: pruned, 2 at epoch 1, 1 at epoch 2", self.notes)
        self.assertIn("2 runs left out: not finished", self.notes)

    def test_other_seeds_are_not_paired(self):
        self.add("float32", 3, 0.75)
        self.assertEqual(self.rows("--group", "policy")[1]["test"], "Welch's t")

    def test_default_groups_are_what_differs(self):
        self.assertEqual(list(self.rows())[0]["precision.policy"], "float32")
        self.add("float32", 0, 0.99, batch=8)
        rows = self.rows()
        self.assertEqual((rows[0]["training.batch"], rows[0]["runs"]), ("8", "1"))
        self.rows("--group", "policy")
        self.assertIn("precision.policy=float32: its runs differ in training.batch, too", self.notes)

    def test_conditions(self):
        self.assertEqual(len(self.rows("--where", "policy=adapt,fixed")), 2)
        self.assertEqual(len(self.rows("--group", "policy", "--where", "policy!=adapt", "--where", "seed=0.0")), 2)
        self.assertEqual(self.rows("--where", "training.batch=4", "--where", "policy=adapt")[0]["runs"], "3")
        self.assertEqual(len(self.rows("--group", "provenance.host")), 1)

    def test_metrics_and_their_better_direction(self):
        self.add("fixed", 0, 0.5, batch=16, summary=SUMMARY | {"mean_word_length": 4.0}, epoch_seconds=1.0)
        rows = self.rows("--metric", "word_length,images_per_second,training_seconds", "--group", "batch")
        self.assertEqual([row["training.batch"] for row in rows], ["16", "4"])
        self.assertEqual(float(rows[0]["average word length (bits): mean"]), 4)
        self.assertEqual(float(rows[0]["images per second (measured): mean"]), 16 * 10 / 2 / 1.0)
        self.assertEqual(float(rows[0]["training time (measured, s): mean"]), 2)

    def test_every_metric_has_a_value_in_a_finished_run(self):
        digest = read_digests([self.path(f"{1:016x}")])[0][0]
        values = {name: metric.value(digest) for name, metric in METRICS.items()}
        self.assertNotIn(None, values.values())
        self.assertAlmostEqual(values["best_test_accuracy"], 90)
        self.assertEqual((values["sparsity"], values["training_speedup"]), (0.25, 1.5))

    def test_forms_say_the_same(self):
        call_script(compare, self.path(f"{4:016x}"), self.path(f"{5:016x}"), self.path(f"{6:016x}"), "--group", "policy", "--out", self.path("out"))
        with open(self.path("out", "compare.md"), encoding="utf-8") as stream:
            self.assertIn("| float32 | 3 | 75.00 ± 1.00 | - | - |", stream.read())
        with open(self.path("out", "compare.tex"), encoding="utf-8") as stream:
            self.assertIn("float32 & 3 & 75.00 $\\pm$ 1.00 & -- & -- \\\\", stream.read())
        with open(self.path("out", "compare.csv"), encoding="utf-8") as stream:
            self.assertIn("float32,3,75.0,", stream.read())

    def test_a_damaged_run_is_named_and_left_out(self):
        with open(self.path(f"{1:016x}", "run.h5"), "r+b") as stream:
            stream.truncate(2000)
        rows = self.rows("--group", "policy")
        self.assertEqual(rows[1]["runs"], "2")
        self.assertRegex(self.notes, f"warning: left out: .*{1:016x}/run.h5: damaged")

    def test_bad_command_lines(self):
        for arguments, words in (
            (["--where", "policy"], ["--where policy", "KEY=VALUE"]),
            (["--where", "polici=adapt"], ["'polici'", "precision.policy"]),
            (["--where", "policy=adopt"], ["no run is left", "adapt, fixed, float32"]),
            (["--where", "policy=adapt", "--where", "seed=8"], ["none of 1 runs is finished"]),
            (["--group", "epoch"], ["'epoch'", "training.epochs"]),
            (["--metric", "accuracy"], ["'accuracy'", "test_accuracy"]),
        ):
            refusal = call_to_refuse(compare, self.folder, *arguments)
            for word in words:
                self.assertIn(word, refusal)
        empty = self.path("empty")
        os.makedirs(empty)
        self.assert_one_line_error(run_script("compare.py", empty), empty)


class Digests(ScratchTest):
    def test_digest_holds_what_the_full_reader_reads(self):
        path = write_run(self.path("run"), LAYERS, summary=SUMMARY)
        digest, run = read_digests([path], layers=True)[0][0], read_run(path)
        for name in ("path", "name", "done", "configuration", "provenance", "summary"):
            self.assertEqual(getattr(digest, name), getattr(run, name), name)
        self.assertEqual(digest.epochs.keys(), run.epochs.keys())
        for name, values in run.epochs.items():
            self.assertEqual(digest.epochs[name].tolist(), values.tolist())
        self.assertEqual(digest.last_step, 10)
        for layer, full in zip(digest.layers, run.layers, strict=True):
            self.assertEqual((layer.name, layer.madds, layer.parameters), (full.name, full.madds, full.parameters))
            for name, values in layer.series.items():
                self.assertEqual(values.tolist(), full.series[name].tolist())

    def test_order_is_that_of_the_paths(self):
        paths = [write_run(self.path(f"run{i}"), {}, seed=i) for i in range(45)]
        seeds = [run.configuration["seed"] for run in read_digests(paths)[0]]
        self.assertEqual(seeds, [str(i) for i in range(45)])


class CommittedLogs(unittest.TestCase):
    def test_results_in_the_tree(self):
        table = call_script(compare, os.path.join(ROOT, "experiments", "results"), "--group", "policy", "--where",
                            "model=resnet20", "--where", "precision.formats=per_layer")
        self.assertRegex(table, re.compile(r"^float32 +1 +88\.00", re.MULTILINE))
        self.assertRegex(table, re.compile(r"^adapt +1 +87\.30", re.MULTILINE))


if __name__ == "__main__":
    unittest.main()
