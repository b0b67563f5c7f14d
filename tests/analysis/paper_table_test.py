"""The paper's tables, against figures worked out by hand."""

import csv
import os
import pathlib
import struct
import unittest

import numpy as np

from support import ScratchTest, call_script, run_script
from synthetic_run import LENET5, constant_layer, write_run

from analysis import paper_table
from analysis.clocks import split_clocks
from analysis.errors import BadInput
from analysis.find_runs import find_runs
from analysis.latex import tabular_text
from analysis.paper_rows import adapt_rows, average_rows, level_epochs, muppet_rows, pairing_notes, repetitions
from analysis.published import AVERAGED_CELLS, FIELDS, read_published
from analysis.run_file import read_run
from analysis.table import Column

PUBLISHED = read_published()
BY_AUTHORS = [(quantity, "ours, modelled by the authors' formulas") for quantity in (
    "training_speedup", "iso_accuracy_training_speedup", "inference_speedup", "model_size")]  # fmt: skip
STEPS = 12


class PaperTest(ScratchTest):
    def quantized(self, name, density=0.5, **options):
        """8 bits throughout: training 64 / (d · 40), inference 32 / (d · 8), size d · 8 / 32."""
        options = {"model": "resnet20", "dataset": "cifar10", "test_accuracy": [0.5, 0.75, 0.8], "epochs": 3} | options
        layers = {"a": (100, 10, constant_layer(STEPS, 8, 4, density=np.full(STEPS, density)))}
        write_run(self.path(name), layers, steps=STEPS, **options)
        return read_run(self.path(name))

    def plain(self, name="float32", **options):
        options = {"model": "resnet20", "dataset": "cifar10", "test_accuracy": [0.5, 0.7, 0.75], "epochs": 3} | options
        write_run(self.path(name), {"a": (100, 10, constant_layer(STEPS, 32, 0))}, steps=STEPS, policy="float32",
                  engine="float32", **options)
        return read_run(self.path(name))

    def row(self, runs, model="resnet20", dataset="cifar10"):
        """The only row of that cell."""
        row, = [row for row in adapt_rows(runs, PUBLISHED) if (row.model, row.dataset) == (model, dataset)]
        return row


class Rows(PaperTest):
    def test_published_beside_ours(self):
        runs = [self.quantized("q", epoch_seconds=5.0, test_seconds=0.25), self.plain(epoch_seconds=3.0)]
        self.assertEqual(self.row(runs).values, {
            ("accuracy_float32", "published"): 89.5,
            ("accuracy_float32", "ours"): 75,
            ("accuracy_adapt", "ours"): 80,
            ("accuracy_difference", "ours"): 5,
            ("training_speedup", "ours, modelled"): 64 / 20,
            ("training_speedup", "ours, measured"): 3 / 5,
            ("iso_accuracy_training_speedup", "ours, modelled"): 64 / 20 * 3 / 2,
            ("inference_speedup", "ours, modelled"): 8,
            ("inference_speedup", "ours, measured"): 2,
            ("model_size", "ours, modelled"): 0.125,
            ("file_size", "ours, measured"): None,
            ("average_word_length", "ours"): 8,
            ("density", "ours"): 0.5,
            **dict.fromkeys(BY_AUTHORS),  # no layer of the real network
        })

    def test_a_packed_model_beside_the_log_is_measured(self):
        run = self.quantized("q")
        packed = pathlib.Path(self.path("q")) / "model.packed"
        # Two tensors of 100 and 3 numbers, of 7 bits and float32.
        content = b"ADAPTPK1" + struct.pack("<I", 2) + struct.pack("<H1sBBhB2I", 1, b"a", 0, 7, -3, 2, 10, 10) + bytes(88)
        content += struct.pack("<H2sBBhBI", 2, b"bc", 1, 32, 0, 1, 3) + bytes(12)
        packed.write_bytes(content)
        value = self.row([run, self.plain()]).values["file_size", "ours, measured"]
        self.assertEqual(value, len(content) / (len(content) - 88 + 400))
        for damaged in (b"", content[:-1], content + b"x", b"ADAPTPK2" + content[8:]):
            packed.write_bytes(damaged)
            with self.assertRaisesRegex(BadInput, "model.packed: .*; expected a file of adapt export --to packed"):
                self.row([run, self.plain()])

    def test_authors_formulas_stand_beside_what_they_published(self):
        layers = {name: (*size, constant_layer(STEPS, 8, 4)) for name, size in LENET5.items()}
        write_run(self.path("q"), layers, steps=STEPS, epochs=3, test_accuracy=[0.5, 0.75, 0.8])
        runs = [read_run(self.path("q")), self.plain(model="lenet5", dataset="mnist")]
        values = self.row(runs, "lenet5", "mnist").values
        # all at 8 bits, no switches: F = 32 x, Q = 8 x; the target is reached after one epoch of three
        self.assertEqual({key: values[key] for key in BY_AUTHORS},
                         dict(zip(BY_AUTHORS, (64 / 40, 64 / 40 * 3, 4, 0.25))))
        table = paper_table.Table("", [], paper_table.COST_BY_AUTHORS)
        self.assertEqual(table.keys[1::2], BY_AUTHORS)
        self.assertEqual({kind for _, kind in table.keys[::2]}, {"published"})

    def test_published_cells_stay_visible_without_runs(self):
        rows = adapt_rows([], PUBLISHED)
        self.assertEqual([(row.model, row.dataset) for row in rows], [*AVERAGED_CELLS, ("lenet5", "mnist")])
        for row in rows:
            self.assertEqual(list(row.values), [("accuracy_float32", "published")])
            self.assertIsNone(row.run_names)

    def test_cell_that_the_paper_has_not_comes_last(self):
        run = self.quantized("q", model="resnet32")
        row = adapt_rows([run], PUBLISHED)[-1]
        self.assertEqual((row.model, row.run_names), ("resnet32", "q"))
        self.assertNotIn(("accuracy_float32", "published"), row.values)

    def test_runs_that_differ_in_the_seed_are_averaged(self):
        runs = [self.quantized("q1", density=0.5), self.quantized("q2", density=0.25, seed=2), self.plain()]
        row = self.row(runs)
        self.assertEqual(row.run_names, "q1, q2")
        self.assertEqual(row.values["training_speedup", "ours, modelled"], (3.2 + 6.4) / 2)
        other = self.quantized("q3", configuration="precision:\n  adapt:\n    epsilon: 0.1\n")
        self.assertEqual([len(group) for group in repetitions([*runs, other])], [2, 1, 1])

    def test_float32_run_alone(self):
        values = self.row([self.plain()]).values
        self.assertEqual(values, {("accuracy_float32", "published"): 89.5, ("accuracy_float32", "ours"): 75})

    def test_averages_are_over_the_cells_of_the_paper(self):
        runs = [self.quantized("q", density=0.5), self.quantized("a", density=0.25, model="alexnet"),
                self.quantized("l", density=1, model="lenet5", dataset="mnist"), self.plain(),
                self.quantized("own", density=0.1, configuration="precision:\n  formats: per_tensor\n")]
        ours, sdm = average_rows(adapt_rows(runs, PUBLISHED), PUBLISHED)
        self.assertEqual(ours.values["training_speedup", "published"], 1.27)
        self.assertEqual(ours.values["training_speedup", "ours, modelled"], (3.2 + 6.4) / 2)
        self.assertEqual(ours.values["accuracy_difference", "ours"], 5, "only one of the two has a float32 run")
        self.assertIn("2 rows", ours.model)
        self.assertEqual({kind for _, kind in sdm.values}, {"published"})
        self.assertEqual(sdm.values["iso_accuracy_training_speedup", "published"], 4.76)


class Pairing(PaperTest):
    def test_wall_clocks_of_another_machine_are_not_compared(self):
        for change in ({"host": "h2"}, {"ranks": "4"}):
            with self.subTest(change=change):
                runs = [self.quantized("q"), self.plain(**change)]
                row = self.row(runs)
                self.assertEqual(row.values["accuracy_difference", "ours"], 5)
                self.assertIsNone(row.values["training_speedup", "ours, measured"])
                self.assertIsNone(row.values["inference_speedup", "ours, measured"])
                self.assertIn("wall clocks not comparable", pairing_notes([row], runs)[0])

    def test_clocks_of_repetitions_stand_for_those_of_the_runs(self):
        runs = [self.quantized("q", epoch_seconds=9.0, test_seconds=0.25), self.plain("f", epoch_seconds=3.0)]
        clocks = [self.quantized("clock/q", epoch_seconds=4.0, test_seconds=0.5), self.plain("clock/f", epoch_seconds=2.0)]
        clocks[0].configuration["training.epochs"] = "2"
        results, found = split_clocks([*runs, *clocks])
        self.assertEqual((results, found), (runs, clocks))
        row = next(row for row in adapt_rows(results, PUBLISHED, found) if row.runs)
        self.assertEqual(row.values["training_speedup", "ours, measured"], 2 / 4)
        self.assertEqual(row.values["inference_speedup", "ours, measured"], 1)
        for change in ("drop the reference", "another engine"):
            with self.subTest(change):
                if change == "another engine":
                    clocks[0].configuration["engine.name"] = "integer"
                row = next(row for row in adapt_rows(runs, PUBLISHED, clocks[:1]) if row.runs)
                self.assertEqual(row.values["training_speedup", "ours, measured"], 3 / 9)

    def test_other_lengths_and_batches_are_no_pair(self):
        for change in ({"epochs": 2, "test_accuracy": [0.5, 0.6]}, {"batch": 8}, {"model": "alexnet"}):
            with self.subTest(change=change):
                runs = [self.quantized("q"), self.plain(**change)]
                row = self.row(runs[:1])
                self.assertIsNone(row.values["accuracy_float32", "ours"])
                self.assertIn("no float32 run of the same model", pairing_notes([row], runs)[0])

    def test_closest_recipe_wins_and_the_rest_is_said(self):
        rate = "training:\n  learning_rate: {}\n"
        far = self.plain("far", configuration=rate.format(0.2) + "  l1: 1\n", test_accuracy=[0.1, 0.1, 0.1])
        near = self.plain("near", configuration=rate.format(0.2))
        run = self.quantized("q", configuration=rate.format(0.1))
        rows = adapt_rows([far, near, run], PUBLISHED)
        row = next(row for row in rows if row.runs == [run])
        self.assertEqual(row.values["accuracy_float32", "ours"], 75)
        self.assertEqual(pairing_notes([row], [far, near, run]), [
            "q: compared with near (recipes differ in training.learning_rate 0.1 / 0.2; same host, ranks and batch)."])
        self.assertIn([far], [row.runs for row in rows])

    def test_same_seed_before_same_host(self):
        runs = [self.plain("a", seed=2), self.plain("b", host="h2"), self.quantized("q")]
        self.assertIn("compared with b (same recipe", pairing_notes(adapt_rows(runs, PUBLISHED), runs)[0])


class Muppet(PaperTest):
    def run_through_levels(self):
        """Six epochs of two steps: two at 8 bits, one at 12, then float32."""
        series = constant_layer(STEPS, word_length=np.repeat([8, 12, 32], [4, 2, 6]),
                                fractional_length=np.repeat([5, 9, 0], [4, 2, 6]))
        write_run(self.path("m"), {"a": (100, 10, series)}, steps=STEPS, epochs=6, policy="muppet", model="alexnet",
                  dataset="cifar10", test_accuracy=np.full(6, 0.5))
        return read_run(self.path("m"))

    def test_epochs_per_level(self):
        run = self.run_through_levels()
        self.assertEqual(level_epochs(run), {"8": 2, "12": 1, "float32": 3})
        alexnet, resnet = muppet_rows([run], PUBLISHED)
        levels = [f"muppet_epochs_{level}" for level in ("8", "12", "14", "16", "float32")]
        self.assertEqual([alexnet.values[level, "ours"] for level in levels], [2, 1, 0, 0, 3])
        self.assertEqual([alexnet.values[level, "published"] for level in levels], [16, 10, 14, 14, 45])
        self.assertEqual([resnet.values[level, "published"] for level in levels], [22, 22, 10, 15, 45])
        self.assertEqual([resnet.values[level, "ours"] for level in levels], [None] * 5)
        self.assertEqual(alexnet.values["training_speedup", "ours, modelled"], 64 * 12 / (4 * 40 + 2 * 44 + 6 * 64))

    def test_nothing_logged(self):
        write_run(self.path("m"), {"a": (1, 1, constant_layer(0))}, steps=0, epochs=0, policy="muppet")
        self.assertEqual(level_epochs(read_run(self.path("m"))), {})


class Script(PaperTest):
    def setUp(self):
        super().setUp()
        self.quantized("results/deep/er/q")
        self.plain("results/float32")
        os.rename(self.path("results/float32/run.h5"), self.path("results/resnet20_float32.h5"))

    def test_all_forms_hold_the_same(self):
        markdown = call_script(paper_table, self.path("results"), "--out", self.path("out"))
        with open(self.path("out", "paper_table.md"), encoding="utf-8") as stream:
            self.assertEqual(stream.read(), markdown)
        with open(self.path("out", "paper_table.csv"), encoding="utf-8", newline="") as stream:
            rows = {(row["model"], row["dataset"]): row for row in csv.DictReader(stream)}
        ours = rows["resnet20", "cifar10"]
        self.assertEqual(ours["runs"], "q")
        self.assertEqual(ours["accuracy float32 (%): published"], "89.5")
        self.assertEqual(ours["difference (pp): ours"], "5.0")
        self.assertEqual(ours["accuracy AdaPT (%): published"], "")
        self.assertEqual(rows["alexnet", "cifar100"]["training speedup: ours, modelled"], "")
        self.assertIn("| resnet20 | cifar10 | q | 89.50 | 75.00 | - | 80.00 | - | +5.00 |", markdown)
        self.assertIn("- q: compared with resnet20_float32 (same recipe; same host, ranks and batch).", markdown)
        with open(self.path("out", "paper_table.tex"), encoding="utf-8") as stream:
            latex = stream.read()
        self.assertIn("resnet20 & cifar10 & q & 89.50 & 75.00 & -- & 80.00 & -- & +5.00 \\\\", latex)
        self.assertEqual(sorted(os.listdir(self.path("out"))), [
            "authors_table.csv", "muppet_table.csv", "paper_table.csv", "paper_table.md", "paper_table.tex"])  # fmt: skip

    def test_every_speedup_says_modelled_or_measured(self):
        for quantities in (paper_table.ACCURACY, paper_table.COST, paper_table.COST_BY_AUTHORS, paper_table.MUPPET):
            for column in paper_table.Table("", [], quantities).columns:
                if "speedup" in column.header or "size" in column.header:
                    self.assertNotEqual("modelled" in column.header, "measured" in column.header, column.header)

    def test_other_policies_and_unfinished_runs_are_named(self):
        self.quantized("results/fixed8", policy="fixed", done=False)
        markdown = call_script(paper_table, self.path("results"))
        self.assertIn("- fixed8: not in these tables (policy fixed).", markdown)
        self.assertIn("- fixed8: not finished.", markdown)

    def test_bad_input(self):
        os.mkdir(self.path("empty"))
        self.assert_one_line_error(run_script("paper_table.py", self.path("empty")), self.path("empty"), "no run.h5")
        with open(self.path("results", "x.h5"), "w", encoding="ascii") as stream:
            stream.write("no HDF5")
        self.assert_one_line_error(run_script("paper_table.py", self.path("results")), "x.h5", "not an HDF5 file")


class Found(ScratchTest):
    def make(self, *names):
        for name in names:
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            open(self.path(name), "w").close()

    def test_folders_loose_logs_and_each_file_once(self):
        self.make("a/run.h5", "a/other.h5", "a/deep/x.h5", "b/loose.h5", "b/notes.txt", "checkpoints/c.h5")
        found = find_runs([self.path("b/loose.h5"), self.folder, self.path("a")])
        self.assertEqual(found, [self.path(name) for name in ("b/loose.h5", "a/run.h5")])


class Published(ScratchTest):
    def test_what_the_papers_say(self):
        adapt = PUBLISHED["AdaPT, arXiv 2107.13490v4", "average", ""]
        self.assertEqual(adapt, {"accuracy_difference": 0.98, "training_speedup": 1.27, "inference_speedup": 2.33,
                                 "model_size": 0.52})
        floats = [figures["accuracy_float32"] for figures in PUBLISHED.values() if "accuracy_float32" in figures]
        self.assertEqual(floats, [73.1, 41.3, 89.5, 64.3, 98.3])

    def test_bad_rows_are_refused_with_their_line(self):
        header = ",".join(FIELDS) + "\n"
        row = "s,m,d,accuracy_float32,1,%\n"
        for text, words in (("a,b\n", ":1: columns"), (header + "s,m,d,q,x,%\n", ":2: value is 'x'"),
                            (header + row + row, ":3: accuracy_float32 of m is given twice")):
            with open(self.path("p.csv"), "w", encoding="utf-8") as stream:
                stream.write(text)
            with self.assertRaisesRegex(BadInput, words):
                read_published(self.path("p.csv"))


class Latex(unittest.TestCase):
    def test_headings_span_their_columns(self):
        columns = [Column("m", ""), Column("x: a", ".1f"), Column("x: b", ".1f"), Column("y: a", ".2f")]
        text = tabular_text([["r_1", 1.25, None, 3.0]], columns, [("", "m"), ("x", "a"), ("x", "b"), ("y", "a")])
        lines = text.splitlines()
        self.assertEqual(lines[0], "\\begin{tabular}{lrrr}")
        self.assertEqual(lines[2], " & \\multicolumn{2}{c}{x} & \\multicolumn{1}{c}{y} \\\\")
        self.assertEqual(lines[5], "r\\_1 & 1.2 & -- & 3.00 \\\\")


if __name__ == "__main__":
    unittest.main()
