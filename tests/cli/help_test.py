"""Help texts, and what the program says to words that it does not know."""

import os
import subprocess
import unittest
import unittest.mock

from adapt_program import TINY, ProgramTest, adapt, command

COMMANDS = ("train", "evaluate", "export", "compare", "info")


class Help(ProgramTest):
    def test_program_lists_its_commands(self):
        result = self.assert_done(adapt("--help"))
        for name in COMMANDS:
            self.assertIn(f"\n  {name} ", result.stdout)
        self.assertIn("Exit codes", result.stdout)
        self.assertEqual(result.stderr, "")
        self.assertEqual(adapt("-h").stdout, result.stdout)

    def test_what_cannot_be_printed_is_a_failure(self):
        grid = self.experiment(TINY + "grid: {seed: [1, 2]}\n", "grid.yaml")
        self.assert_done(self.train("run", "training.epochs=1"))
        for words in (["--help"], ["train", "--help-keys"], ["info"], ["info", self.folder / "run"],
                      ["evaluate", self.folder / "run"], ["sweep", grid, "--list"]):  # fmt: skip
            with self.subTest(words=words), open("/dev/full", "w", encoding="ascii") as full:
                result = subprocess.run(command(*words), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertIn("adapt: error: cannot write to standard output", result.stderr)

    def test_nothing_given_prints_the_help_and_fails(self):
        result = adapt()
        self.assertEqual(result.returncode, 2)
        self.assertIn("usage: adapt COMMAND", result.stdout + result.stderr)

    def test_every_command_has_help_with_examples(self):
        for name in COMMANDS:
            with self.subTest(command=name):
                result = self.assert_done(adapt(name, "--help"))
                self.assertTrue(result.stdout.startswith(f"usage: adapt {name}"), result.stdout)
                self.assertIn("\nExamples:\n  ", result.stdout)
                self.assertIn(f"adapt {name}", result.stdout.split("Examples:")[1])
                self.assertEqual(result.stderr, "")

    def test_all_keys_are_an_experiment(self):
        reference = self.assert_done(adapt("train", "--help-keys")).stdout
        self.assertIn("lookback_upper", reference)
        experiment = self.experiment(reference)
        sets = ("data.train_samples=64", "data.test_samples=10", "training.epochs=1", "training.batch=64")
        self.assert_done(self.train("run", *sets, experiment=experiment))

    def test_info_says_what_the_program_is(self):
        result = self.assert_done(adapt("info"))
        for part in ("onednn_version", "mpi_version", "lenet5", "procedural", "adapt", "float32"):
            self.assertIn(part, result.stdout)


    def test_analyse_lists_its_scripts_and_becomes_one(self):
        text = self.assert_done(adapt("analyse", "--help")).stdout
        self.assertIn("\n  report ", text)
        self.assertIn("how do these runs compare?", text)
        self.assertNotIn("  files ", text)  # a part of scripts, not one
        self.assertIn("report.py", self.assert_done(adapt("analyse", "report", "--help")).stdout)
        self.assert_refused(adapt("analyse"), "expected the name of a script")


class Silence(ProgramTest):
    def output_of(self, level):
        """What a training prints whose environment has this level."""
        with unittest.mock.patch.dict(os.environ, {"ADAPT_LOG": level}):
            return self.train(f"run-{level}", "training.epochs=1", "data.train_samples=64", "training.batch=64")

    def test_output_can_be_turned_off(self):
        self.assertIn("wrote", self.assert_done(self.output_of("info")).stderr)
        quiet = self.assert_done(self.output_of("warning"))
        self.assertEqual((quiet.stdout, quiet.stderr), ("", ""))

    def test_of_commands_that_run_alone(self):
        self.assert_done(self.output_of("info"))
        words = ("export", self.folder / "run-info", "--to", "packed", "--out", self.folder / "packed")
        for level, expected in (("info", "wrote"), ("warning", None)):
            with unittest.mock.patch.dict(os.environ, {"ADAPT_LOG": level}):
                said = self.assert_done(adapt(*words)).stderr
            self.assertEqual("wrote" in said, expected is not None, said)

    def test_errors_are_still_said(self):
        with unittest.mock.patch.dict(os.environ, {"ADAPT_LOG": "error"}):
            self.assert_refused(self.train("run", "training.epochs=0"), "training.epochs")

    def test_unknown_level(self):
        self.assert_refused(self.output_of("quiet"), "unknown level in ADAPT_LOG 'quiet'", "error, warning, info")


class Unknown(ProgramTest):
    def test_command(self):
        self.assert_refused(adapt("trian"), "'trian'", "did you mean 'train'?")
        self.assert_refused(adapt("analyse", "reprot"), "'reprot'", "'report'")
        self.assert_refused(adapt("xyzzy"), "'xyzzy'", "adapt --help")

    def test_option(self):
        for name in COMMANDS:
            with self.subTest(command=name):
                self.assert_refused(adapt(name, "--frobnicate"), "frobnicate", f"usage: adapt {name}")

    def test_number_of_arguments(self):
        self.assert_refused(adapt("train"), "one experiment file, got 0")
        self.assert_refused(adapt("train", "a", "b"), "got 2")
        self.assert_refused(adapt("evaluate"), "one run folder, got 0")
        self.assert_refused(adapt("compare", "a"), "two run folders, got 1")
        self.assert_refused(adapt("info", "a", "b"), "got 2")

    def test_option_without_its_value(self):
        self.assert_refused(adapt("train", self.experiment(), "--out"), "out")

    def test_key_of_an_override(self):
        experiment = self.experiment()
        result = adapt("train", experiment, "--set", "training.epoch=3")
        self.assert_refused(result, "--set training.epoch=3", "'training.epochs'")
        result = adapt("train", experiment, "--set", "training.epochs")
        self.assert_refused(result, "--set training.epochs")


if __name__ == "__main__":
    unittest.main()
