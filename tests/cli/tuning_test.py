"""Which of several exact kernels multiplies is found out once for a machine, and changes no bit."""

import json
import os
import unittest

from adapt_program import ProgramTest, adapt

INTEGER = ("engine=integer", "precision=fixed", "precision.fixed.word_length=8", "precision.formats=per_tensor",
           "precision.backward=quantized")  # fmt: skip
KERNELS = ("own", "own, 2 windows a row", "oneDNN", "magic")  # the last one nobody knows


NETWORK = """\
name: branches
image: [1, 28, 28]
layers:
  - convolution: {name: conv1, channels: 6, kernel: 3, stride: 2, padding: 1, bias: false}
  - batch_norm: {name: bn1}
  - relu: {name: out}
  - convolution: {name: conv2, channels: 6, kernel: 3, padding: 1, bias: false}
  - batch_norm: {name: bn2}
  - add: {name: sum, from: [bn2, out]}
  - relu
  - convolution: {name: conv3, channels: 20, kernel: 3, stride: 2}
  - batch_norm: {name: bn3}
  - tanh
  - linear: {name: fc, outputs: $classes}
"""


def sums_are_exact_in_onednn():
    """Without VNNI its bytes are not asked for."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return "avx512_vnni" in file.read() and "ADAPT_ISA" not in os.environ


class Tuning(ProgramTest):
    def trained(self, out, kernels=None, extra=()):
        """A run whose kernels are remembered in a file of that name in the test's folder."""
        environment = {"ADAPT_KERNELS": str(self.folder / kernels)} if kernels else {}
        return self.assert_done(self.train(out, *INTEGER, extra=extra, environment=environment))

    def remembered(self, kernels):
        """By task, of the one machine."""
        (machine,) = json.loads((self.folder / kernels).read_text(encoding="utf-8"))["machines"].values()
        return machine

    def test_the_choice_changes_no_bit(self):
        self.trained("tried", "kernels.json")
        known = self.remembered("kernels.json")
        self.assertTrue(any("1 to 6 channels" in task for task in known), known)
        self.trained("known", "kernels.json")
        self.assertEqual(self.remembered("kernels.json"), known)
        self.assert_same("tried", "known")
        self.trained("usual", "other.json", extra=("--no-tune",))
        self.assertFalse((self.folder / "other.json").exists())
        self.assert_same("tried", "usual")
        # Whatever stands in the file: every kernel for everything.
        text = (self.folder / "kernels.json").read_text(encoding="utf-8")
        (name,) = json.loads(text)["machines"]
        for number, kernel in enumerate(KERNELS):
            everywhere = {"machines": {name: dict.fromkeys(known, kernel)}}
            (self.folder / "forced.json").write_text(json.dumps(everywhere), encoding="utf-8")
            self.trained(f"forced{number}", "forced.json")
            self.assert_same("tried", f"forced{number}")

    def predicted(self, kernels, extra=()):
        """What LeNet-5, with its tanh, and a network with ReLU and batch norm say of their test images."""
        said = []
        for run in ("lenet5", "branches"):
            out = self.folder / f"{run}.npz"
            self.assert_done(adapt("evaluate", self.folder / run, "--engine", "integer", "--predictions", out, "--set",
                                   "data.test_samples=600", *extra,
                                   env={"ADAPT_KERNELS": str(self.folder / kernels)}))  # fmt: skip
            said.append(out.read_bytes())
        return said

    def test_deployed_networks_predict_the_same(self):
        network = self.folder / "net.yaml"
        network.write_text(NETWORK)
        self.trained("lenet5")
        self.assert_done(self.train("branches", *INTEGER, f"model.file={network}"))
        expected = self.predicted("none.json", ["--no-tune"])
        self.assertEqual(self.predicted("kernels.json"), expected)
        known = self.remembered("kernels.json")
        self.assertTrue(any(task.startswith("inference") for task in known) or not sums_are_exact_in_onednn(), known)
        (name,) = json.loads((self.folder / "kernels.json").read_text(encoding="utf-8"))["machines"]
        for kernel in ("own", "oneDNN"):
            everywhere = {"machines": {name: dict.fromkeys(known, kernel)}}
            (self.folder / "forced.json").write_text(json.dumps(everywhere), encoding="utf-8")
            self.assertEqual(self.predicted("forced.json"), expected, kernel)

    def test_a_damaged_file_is_made_anew_with_a_word(self):
        (self.folder / "kernels.json").write_text('{"machines": ', encoding="utf-8")
        self.assertIn("the record of the fastest kernels is made anew", self.trained("run", "kernels.json").stderr)
        self.assertTrue(self.remembered("kernels.json"))

    def test_off_in_the_environment_means_no_tune(self):
        cache = {"XDG_CACHE_HOME": str(self.folder)}
        self.assert_done(self.train("run", *INTEGER, environment={"ADAPT_KERNELS": "off", **cache}))
        self.assertFalse((self.folder / "adapt").exists())

    def test_the_file_is_in_the_users_cache_folder(self):
        cache = {"XDG_CACHE_HOME": str(self.folder)}
        self.assert_done(self.train("run", *INTEGER, environment={"ADAPT_KERNELS": "", **cache}))
        self.assertTrue((self.folder / "adapt" / "kernels.json").exists())


if __name__ == "__main__":
    unittest.main()
