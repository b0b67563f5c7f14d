"""Ranks that were given different tasks, experiments, data or processors: all end with one line that says which rank has
what, or train on where that does no harm."""

import os
import shutil
import unittest

import h5py
import tiny_data
from adapt_program import PROGRAM, TINY, ProgramTest, adapt, error_lines, info, one_by_one, run, run_by_rank

SHORT = ("--set", "training.epochs=1", "--set", "data.train_samples=64", "--set", "data.test_samples=20")
MNIST = ("--set", "data.name=mnist", "--set", "training.epochs=1", "--set", "training.batch=16", "--set",
         "data.train_samples=16", "--set", "data.test_samples=16")
BYTES = ("--set", "engine=integer", "--set", "precision=fixed", "--set", "precision.fixed.word_length=8", "--set",
         "precision.formats=per_tensor", "--set", "precision.backward=quantized")


class Ranks(ProgramTest):
    def task(self, *more, out="run", experiment=None, settings=SHORT):
        return ["train", experiment or self.experiment(), "--out", self.folder / out, *settings, *more]

    def assert_disagree(self, result, what, odd, usual, rank=1):
        """One line, from one rank, that says what differs, on which ranks and hosts."""
        self.assert_refused(result, f"{what} is {odd} on rank {rank} (host {os.uname().nodename})",
                            f"{usual} on rank 0 (host {os.uname().nodename})", "; expected the same ")

    def trained(self, out):
        """A finished run."""
        self.assert_done(run([PROGRAM, *map(str, self.task(out=out))]))
        return self.folder / out


class Tasks(Ranks):
    def test_subcommands(self):
        self.trained("done")
        evaluate = ["evaluate", self.folder / "done"]
        bench = ["bench", "exchange"]
        self.assert_disagree(one_by_one(self.task(), evaluate), "the subcommand", "evaluate", "train")
        self.assert_disagree(one_by_one(evaluate, self.task()), "the subcommand", "train", "evaluate")
        self.assert_disagree(one_by_one(bench, evaluate), "the subcommand", "evaluate", "bench exchange")
        self.assert_disagree(one_by_one(self.task(), self.task(), bench), "the subcommand", "bench exchange", "train", 2)

    def test_what_takes_no_part_in_the_work_of_ranks(self):
        for arguments in (["info"], ["compare", "a", "b"], self.task("--check")):
            result = one_by_one(self.task(), arguments)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn("runs alone, but was started as one of 2 ranks", error_lines(result)[0])
        self.assert_done(one_by_one(["info"]))

    def test_a_command_line_that_is_wrong_on_one_rank(self):
        result = one_by_one(self.task(), self.task("--nonsense"))
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("--nonsense", error_lines(result)[0])

    def test_options(self):
        self.assert_disagree(one_by_one(self.task(), self.task(out="other")), "--out", self.folder / "other",
                             self.folder / "run")
        self.assert_disagree(one_by_one(self.task(), self.task("--resume")), "--resume", "given", "not given")
        self.assert_disagree(one_by_one(self.task("--resume"), self.task()), "--resume", "not given", "given")
        self.assert_disagree(one_by_one(self.task("--overwrite"), self.task()), "--overwrite", "not given", "given")
        self.assertEqual([*self.folder.glob("*/run.h5")], [])

    def test_options_of_benchmarks_and_evaluations(self):
        bench = ["bench", "step", "--batch", "16", "--seconds", "0.01", "--repeats", "1"]
        self.assert_disagree(one_by_one(bench, [*bench, "--shards", "4"]), "--shards", "4", "8")
        evaluate = ["evaluate", self.trained("done")]
        self.assert_disagree(one_by_one(evaluate, [*evaluate, "--model", "best"]), "--model", "best", "last")
        self.assert_disagree(one_by_one(evaluate, [*evaluate, "--engine", "float32"]), "--engine", "float32", "not given")

    def test_programs(self):
        other = self.folder / "adapt"
        shutil.copy(PROGRAM, other)
        with other.open("ab") as file:
            file.write(b"\0")
        commands = [[PROGRAM, *self.task()], [other, *self.task()]]
        self.assert_refused(run_by_rank(commands), "the program is adapt ", "on rank 1 (host ", "on rank 0 (host ")


class Experiments(Ranks):
    def test_keys(self):
        for key, odd, usual in (("training.batch", 32, 64), ("training.shards", 4, 8), ("checkpoint.interval_steps", 1, 0),
                                ("seed", 5, 1), ("training.epochs", 2, 1), ("model.name", '"resnet20"', '"lenet5"')):
            with self.subTest(key):
                self.assert_disagree(one_by_one(self.task(), self.task("--set", f"{key}={odd}")), key, odd, usual)

    def test_files(self):
        other = self.experiment(TINY.replace("learning_rate: 0.1", "learning_rate: 0.2"), "other.yaml")
        self.assert_disagree(one_by_one(self.task(), self.task(experiment=other)), "training.learning_rate", 0.2, 0.1)
        copy = self.experiment(TINY, "copy.yaml")
        self.assert_done(one_by_one(self.task(), self.task(experiment=copy)))

    def test_every_rank_that_differs_is_named(self):
        odd = self.task("--set", "seed=2")
        result = one_by_one(self.task(), odd, self.task(), odd, odd)
        self.assert_disagree(result, "seed", 2, 1)
        self.assertIn("(ranks 1, 3-4 differ from rank 0)", error_lines(result)[0])

    def test_a_file_that_one_rank_cannot_read(self):
        result = one_by_one(self.task(), self.task(experiment=self.folder / "nowhere.yaml"))
        self.assert_refused(result, f"rank 1 (host {os.uname().nodename}): ", "nowhere.yaml")

    def test_models(self):
        usual = self.trained("done")
        self.assert_done(run([PROGRAM, *map(str, self.task("--set", "training.learning_rate=0.2", out="other"))]))
        result = one_by_one(["evaluate", usual], ["evaluate", self.folder / "other"])
        self.assert_disagree(result, "training.learning_rate", 0.2, 0.1)
        result = one_by_one(["evaluate", usual], ["evaluate", self.folder / "other", "--set", "training.learning_rate=0.1"])
        self.assert_refused(result, "the SHA-256 of the model is ", " on rank 1 ")


class Data(Ranks):
    def setUp(self):
        super().setUp()
        for host in ("a", "b"):
            tiny_data.mnist(self.folder / host)

    def change(self, name, offset, host="b"):
        """One byte of one copy."""
        path = self.folder / host / "mnist" / name
        content = bytearray(path.read_bytes())
        content[offset] ^= 1
        path.write_bytes(content)

    def trained_on(self, *hosts):
        return one_by_one(*([f"ADAPT_DATA={self.folder / host}", *self.task(settings=MNIST)] for host in hosts))

    def test_copies_that_are_equal(self):
        self.assert_done(self.trained_on("a", "b"))

    def test_one_pixel(self):
        self.change("train-images-idx3-ubyte", 16 + 5 * 784 + 100)
        self.assert_refused(self.trained_on("a", "b"), "the SHA-256 of the training data is ", "on rank 1 (host ",
                            "on rank 0 (host ", "data.path, ADAPT_DATA")

    def test_one_label_of_the_test_set(self):
        self.change("t10k-labels-idx1-ubyte", 8 + 3)
        self.assert_refused(self.trained_on("a", "a", "b"), "the SHA-256 of the test data is ", "on rank 2 (host ")

    def test_one_pixel_where_paths_are_settings(self):
        self.change("train-images-idx3-ubyte", 16)
        tasks = [self.task("--set", f"data.path={self.folder / host}", settings=MNIST) for host in ("a", "b")]
        self.assert_refused(one_by_one(*tasks), "the SHA-256 of the training data")

    def test_one_pixel_of_an_evaluation(self):
        self.assert_done(self.trained_on("a"))
        self.change("t10k-images-idx3-ubyte", 16 + 7)
        tasks = [[f"ADAPT_DATA={self.folder / host}", "evaluate", self.folder / "run"] for host in ("a", "b")]
        self.assert_refused(one_by_one(*tasks), "the SHA-256 of the test data")

    def test_a_file_that_one_rank_lacks(self):
        (self.folder / "b" / "mnist" / "t10k-labels-idx1-ubyte").unlink()
        self.assert_refused(self.trained_on("a", "b"), "rank 1 (host ", self.folder / "b", "t10k-labels-idx1-ubyte")


class Processors(Ranks):
    """What ADAPT_ISA and ONEDNN_MAX_CPU_ISA allow, rank by rank."""

    def warnings(self, result):
        self.assert_done(result)
        return [line for line in result.stderr.splitlines() if "different instruction sets" in line]

    def attributes(self, out="run"):
        with h5py.File(self.folder / out / "run.h5") as file:
            return dict(file["provenance"].attrs)

    def test_alike(self):
        self.assertEqual(self.warnings(one_by_one(self.task(), self.task(), self.task())), [])
        self.assertEqual(self.attributes()["rank_hosts"], f"0-2: {os.uname().nodename}")
        sets = info(self.folder / "run")["rank_instruction_sets"]
        self.assertEqual(sets, f"0-2: {self.attributes()['onednn_instruction_set']} {self.attributes()['vector_code']}")

    def test_one_rank_with_less(self):
        for number, limit in enumerate(("ADAPT_ISA=generic", "ONEDNN_MAX_CPU_ISA=SSE41")):
            with self.subTest(limit):
                out = f"run{number}"
                warnings = self.warnings(one_by_one(self.task(out=out), [limit, *self.task(out=out)]))
                self.assertEqual(len(warnings), 1)
                sets = self.attributes(out)["rank_instruction_sets"]
                self.assertRegex(sets, r"^0: \w+ \w+; 1: \w+ \w+$")
                self.assertIn(sets, warnings[0])

    def test_formats_need_no_warning(self):
        emulated = ("--set", "engine=emulated", "--set", "precision=fixed", "--set", "precision.fixed.word_length=20")
        for name, formats in (("bytes", BYTES), ("emulated", emulated)):
            with self.subTest(name):
                recipe = (*SHORT, *formats)
                self.assert_done(adapt(*self.task(out=f"{name}.alone", settings=recipe)))
                task = self.task(out=name, settings=recipe)
                self.assertEqual(self.warnings(one_by_one(task, ["ADAPT_ISA=generic", *task])), [])
                self.assertIn("; 1: ", self.attributes(name)["rank_instruction_sets"])
                self.assert_same(f"{name}.alone", name)

    def test_a_resumption_with_another_set_keeps_the_earlier_one(self):
        stop = ["ADAPT_FAULT=stop,phase=update,step=1", "ADAPT_ISA=generic", *self.task("--set", "training.batch=16")]
        self.assert_stopped(one_by_one(stop, stop))
        go_on = self.task("--resume", "--set", "training.batch=16")
        self.assert_done(one_by_one(go_on))
        attributes = self.attributes()
        self.assertRegex(attributes["resumptions"], r"^step 1 on 1 rank \(until then 0-1: \w+ generic\)$")
        self.assertRegex(attributes["rank_instruction_sets"], r"^0: \w+ \w+$")

    def test_a_set_that_one_rank_does_not_have(self):
        result = one_by_one(self.task(), ["ADAPT_ISA=nonsense", *self.task()])
        self.assert_refused(result, "rank 1 (host ", "ADAPT_ISA")


if __name__ == "__main__":
    unittest.main()
