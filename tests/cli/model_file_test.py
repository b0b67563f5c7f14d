"""Networks that nobody compiled: a model file is trained, and its run needs it no more."""

import subprocess
import unittest

from adapt_program import ADAPT, ProgramTest, adapt

SHORT = ("training.epochs=1", "data.train_samples=64", "data.test_samples=20")
PER_TENSOR = ("precision.policy=fixed", "precision.fixed.word_length=8", "precision.formats=per_tensor",
              "precision.backward=quantized")
NETWORK = """\
name: branches
image: [1, 28, 28]
blocks:
  twice:
    - convolution: {name: a, channels: $channels, kernel: 3, padding: 1, bias: false}
    - batch_norm: {name: bn}
    - relu: {name: out}
    - dropout: {rate: 0.2}
    - convolution: {name: b, channels: $channels, kernel: 3, padding: 1}
    - add: {name: sum, from: [b, out]}
layers:
  - twice: {name: first, channels: 6}
  - max_pool: {kernel: 2}
  - twice: {name: second., repeat: 2, channels: 8}
  - global_average_pool
  - dropout
  - linear: {name: fc, outputs: $classes}
"""


class ModelFile(ProgramTest):
    def setUp(self):
        super().setUp()
        self.network = self.folder / "net.yaml"
        self.network.write_text(NETWORK)
        self.file = self.experiment(self.experiment().read_text().replace("model: lenet5", "model: {file: net.yaml}"),
                                    "branches.yaml")

    def trained(self, name, *settings, **options):
        words = ("train", self.file, "--out", self.folder / name, *sum((["--set", s] for s in SHORT + settings), []))
        return adapt(*words, **options)

    def test_a_run_of_a_model_file_needs_it_no_more(self):
        for engine, settings in (("float32", ()), ("emulated", ADAPT), ("integer", (*ADAPT, "engine=integer"))):
            with self.subTest(engine):
                self.assert_done(self.trained(engine, *settings))
                self.assert_done(self.trained(engine + "2", *settings, ranks=2))
                self.assert_same(engine, engine + "2")
        self.network.unlink()
        for name in ("float32", "emulated", "integer"):
            self.assert_done(adapt("evaluate", self.folder / name))
            self.assert_done(adapt("evaluate", self.folder / name, "--engine", "float32"))
            self.assertIn("second.2.sum", adapt("info", self.folder / name).stdout)
        again = self.trained("again")
        self.assert_refused(again, "branches.yaml:3: 'model.file': there is no", "net.yaml")

    def test_what_the_file_means_is_part_of_the_experiment(self):
        def resume():
            return adapt("train", self.file, "--out", self.folder / "run", "--resume", *sum((["--set", s] for s in SHORT), []))

        self.assert_done(self.trained("run"))
        self.network.write_text("# a comment changes nothing\n" + NETWORK)
        self.assert_done(resume())
        self.network.write_text(NETWORK.replace("channels: 6", "channels: 7"))
        self.assert_refused(resume(), "model.graph")

    def test_layers_before_the_first_weights(self):
        self.network.write_text("name: pooled\nimage: [1, 28, 28]\nlayers:\n  - max_pool: {kernel: 2}\n  - relu\n"
                                "  - average_pool: {kernel: 2}\n  - dropout\n  - linear: {outputs: $classes}\n")
        self.assert_done(self.trained("float32"))
        self.assert_done(self.trained("emulated", *ADAPT))
        self.assert_done(self.trained("integer", *ADAPT, "engine=integer"))
        self.assert_same("emulated", "integer")

    def test_sums_behind_linear_layers(self):
        self.network.write_text("name: sums\nimage: [1, 28, 28]\nlayers:\n  - linear: {name: a, outputs: $classes}\n"
                                "  - linear: {name: b, from: input, outputs: $classes}\n  - add: {from: [a, b]}\n")
        self.assert_done(self.trained("run", *ADAPT, "precision.formats=per_tensor", "precision.backward=quantized"))
        usual = adapt("evaluate", self.folder / "run")
        self.assert_done(usual)
        for engine in ("float32", "integer"):
            self.assert_done(adapt("evaluate", self.folder / "run", "--engine", engine))

    def test_what_is_no_classifier_is_refused(self):
        for layers, words in (("linear: {outputs: 7}", "makes (8, 7, 1, 1); expected (8, 10, 1, 1), a number for each class"),
                              ("max_pool: {kernel: 3}", "the last one, makes")):
            self.network.write_text(f"name: end\nimage: [1, 28, 28]\nlayers:\n  - {layers}\n")
            self.assert_refused(self.trained("run"), f"net.yaml:4: layer '{layers.split(':')[0]}1'", words)

    def test_the_network_of_a_run_stays(self):
        self.assert_done(self.trained("run"))
        self.assert_refused(adapt("evaluate", self.folder / "run", "--set", "model=lenet5"), "the network is that of the run")
        self.file.write_text(self.file.read_text().replace("{file: net.yaml}", "{file: net.yaml, name: lenet5}"))
        self.assert_refused(self.trained("both"), "expected a name or a file, not both")
        grid = self.experiment("base: experiment.yaml\ngrid: {model.file: [net.yaml]}\n", "grid.yaml")
        self.assert_refused(adapt("sweep", grid, "--list"), "grid.yaml:2: 'model.file'", "expected 'base' there")

    def test_a_table_of_layers(self):
        shown = adapt("info", "--model", self.network)
        self.assert_done(shown)
        for words in ("first.a", "(1, 6, 28, 28)", "global average pooling", "total", "integers"):
            self.assertIn(words, shown.stdout)
        self.assert_done(adapt("info", "--model", "resnet20"))
        self.assert_refused(adapt("info", "--model", "resnet21"), "no shipped model; did you mean 'resnet20'?")
        self.assert_refused(adapt("info", "--model", self.network, self.folder), "got both")

    def test_what_overflows_is_named(self):
        deep = "".join(f"  - convolution: {{name: c{i}, channels: 8, kernel: 1}}\n" for i in range(50))
        self.network.write_text("name: deep\nimage: [1, 28, 28]\nlayers:\n  - global_average_pool\n" + deep +
                                "  - batch_norm: {name: bn}\n  - relu\n  - linear: {name: fc, outputs: $classes}\n")
        for engine in (("engine=float32", "precision=float32"), ("engine=emulated", *PER_TENSOR),
                       ("engine=integer", *PER_TENSOR)):
            with self.subTest(engine):
                result = self.trained(engine[0], "model.init_scale=100", *engine)
                self.assertEqual(result.returncode, 1)
                self.assertRegex(result.stderr, r"(NaN or Inf in|NaN or Inf first appears in) the output of 'c\d+'")

    def test_mistakes_are_named_with_their_place(self):
        self.network.write_text(NETWORK.replace("[b, out]", "[b, input]"))
        self.assert_refused(self.trained("run"), "net.yaml:10: layer 'first.sum' wants (8, 6, 28, 28), as from 'first.b'",
                            "gets (8, 1, 28, 28) from the image")
        self.network.write_text(NETWORK.replace("kernel: 2", "kernl: 2"))
        for words in (("train", self.file, "--check"), ("train", self.file), ("info", "--model", self.network)):
            self.assert_refused(adapt(*words), "net.yaml:13: 'max_pool'")
        self.network.write_text("model: lenet5\n")
        self.assert_refused(adapt("train", self.file, "--check"), "net.yaml:1: unknown key 'model'")

    def test_a_graph_takes_the_place_of_a_file(self):
        graph = "name: other\\nimage: [1, 28, 28]\\nlayers: [linear: {name: only, outputs: $classes}]\\n"
        self.assert_done(self.trained("run", f'model.graph="{graph}"'))
        self.assertIn("only", self.tensors("run"))

    def tensors(self, name):
        """The names below /model of a run's log."""
        return subprocess.run(["h5ls", self.folder / name / "run.h5/model"], capture_output=True, text=True, check=True).stdout

    def test_on_the_command_line(self):
        self.assert_done(self.train("run", *SHORT, f"model.file={self.network}"))
        self.assert_done(self.trained("named", "model=lenet5"))
        self.assert_refused(self.train("none", "model.file=nowhere.yaml"), "there is no nowhere.yaml")


if __name__ == "__main__":
    unittest.main()
