"""model.weights: a training that starts from another run's model, or from arrays."""

import unittest

import h5py
import numpy as np
from adapt_program import ADAPT, ProgramTest, adapt, info
from onnx import helper, numpy_helper

SHORT = ("training.epochs=1", "data.train_samples=64", "data.test_samples=20", "training.batch=64")
RATE = "training.learning_rate=1e-20"  # next to nothing is learned: what was read is what is stored
FIXED = ("engine=emulated", "precision=fixed", "precision.fixed.word_length=9", "precision.fixed.fractional_length=6")


BEHIND_A_MAP = """\
name: behind_a_map
image: [1, 28, 28]
layers:
  - convolution: {name: conv, channels: 4, kernel: 3, stride: 2, padding: 1, bias: false}
  - batch_norm: {name: bn}
  - max_pool: {kernel: 2}
  - linear: {name: fc1, outputs: 12}
  - relu
  - linear: {name: fc2, outputs: $classes}
"""


class Weights(ProgramTest):
    def model(self, run):
        with h5py.File(self.folder / run / "run.h5") as file:
            return {name: tensor[()] * 2.0 ** -float(tensor.attrs.get("fractional_length", 0))
                    for name, tensor in file["model"].items()}  # fmt: skip

    def started(self, out, weights, *more, **options):
        return self.train(out, *SHORT, f"model.weights={weights}", *more, **options)

    def assert_same_numbers(self, run, other):
        own, theirs = self.model(run), self.model(other)
        self.assertEqual(set(own), set(theirs))
        for name, numbers in own.items():
            self.assertLess(np.abs(numbers - theirs[name]).max(), 1e-15, name)

    def assert_starts_from_it(self, *settings):
        """A run with those settings, by its folder and by its arrays."""
        self.assert_done(self.train("first", *SHORT, *settings))
        self.assert_done(adapt("export", self.folder / "first", "--to", "arrays", "--out", self.folder / "first.npz"))
        for weights in ("first", "first.npz", "first/run.h5"):
            with self.subTest(weights):
                self.assert_done(self.started("second", self.folder / weights, RATE, extra=["--overwrite"]))
                self.assert_same_numbers("first", "second")

    def test_float32(self):
        self.assert_starts_from_it()

    def test_fixed_point(self):
        self.assert_starts_from_it(*FIXED)

    def test_batch_norm_by_pytorchs_names(self):
        self.assert_done(self.train("first", *SHORT, "model=resnet20", "training.batch=32"))
        words = {"scale": "weight", "shift": "bias", "running_variance": "running_var"}
        arrays = {}
        for name, numbers in self.model("first").items():
            layer, word = name.rsplit(".", 1)
            arrays[f"{layer}.{words.get(word, word)}"] = numbers.astype(np.float64)
        arrays["bn1.num_batches_tracked"] = np.array(3)
        np.savez(self.folder / "torch.npz", **arrays)
        self.assert_done(self.started("second", self.folder / "torch.npz", "model=resnet20", RATE, "training.batch=32"))
        first, second = self.model("first"), self.model("second")
        for name in first:
            if ".running_" not in name:
                self.assertLess(np.abs(first[name] - second[name]).max(), 1e-15, name)

    def onnx_file(self, name, arrays, nodes=(), **changes):
        """A model of these initializers."""
        tensors = [numpy_helper.from_array(array, tensor) for tensor, array in arrays.items()]
        for tensor in tensors:
            for field, value in changes.items():
                setattr(tensor, field, value)
        graph = helper.make_graph(list(nodes), "trained elsewhere", [], [], tensors)
        path = self.folder / name
        path.write_bytes(helper.make_model(graph).SerializeToString())
        return path

    def test_initializers_of_onnx(self):
        """As PyTorch exports them: images are (N, C, H, W), and what shapes are is there, too."""
        network = self.folder / "net.yaml"
        network.write_text(BEHIND_A_MAP)
        model = f"model.file={network}"
        self.assert_done(self.train("first", *SHORT, model))
        words = {"bn.scale": "bn.weight", "bn.shift": "bn.bias", "bn.running_variance": "bn.running_var"}
        arrays = {words.get(name, name): numbers.astype(np.float32) for name, numbers in self.model("first").items()}
        by_pixel = arrays["fc1.weight"].reshape(12, 7 * 7, 4)
        arrays["fc1.weight"] = np.ascontiguousarray(by_pixel.transpose(0, 2, 1).reshape(12, -1))
        arrays["fc2.weight"] = np.ascontiguousarray(arrays["fc2.weight"].T).astype(np.float64)
        arrays["shape"] = np.array([0, -1])
        nodes = [helper.make_node("Gemm", ["a", "fc1.weight", "fc1.bias"], ["b"], transB=1),
                 helper.make_node("Gemm", ["b", "fc2.weight", "fc2.bias"], ["c"])]  # fmt: skip
        self.assert_done(self.started("second", self.onnx_file("torch.onnx", arrays, nodes), model, RATE))
        first, second = self.model("first"), self.model("second")
        for name in first:
            if ".running_" not in name:
                self.assertLess(np.abs(first[name] - second[name]).max(), 1e-15, name)

    def test_onnx_that_does_not_fit_is_refused(self):
        self.assert_done(self.train("first", *SHORT))
        arrays = {name: numbers.astype(np.float32) for name, numbers in self.model("first").items()}

        def refused(path, *parts):
            self.assert_refused(self.started("out", path), path.name, *parts)

        refused(self.onnx_file("short.onnx", arrays, raw_data=b"1234"), "has 4 bytes of numbers", "for its dimensions")
        refused(self.onnx_file("outside.onnx", arrays, data_location=1), "in another file")
        refused(self.onnx_file("bytes.onnx", {**arrays, "fc2.bias": arrays["fc2.bias"].astype(np.int8)}),
                "'fc2.bias' is of the data type 3", "float32")  # fmt: skip
        refused(self.onnx_file("named.onnx", {"onnx::Conv_12": arrays["conv1.bias"]}), "no tensor 'onnx::Conv_12'")
        (self.folder / "noise.onnx").write_bytes(b"\x0a\xff\xff\xff\xff\x0f")
        refused(self.folder / "noise.onnx", "not a model of ONNX")
        (self.folder / "cut.onnx").write_bytes(self.onnx_file("whole.onnx", arrays).read_bytes()[:-1000])
        refused(self.folder / "cut.onnx", "not a model of ONNX")
        self.assertFalse((self.folder / "out" / "run.h5").exists())

    def test_an_archive_of_many_entries_for_the_same_bytes_is_refused(self):
        np.savez(self.folder / "one.npz", a00=np.zeros(1 << 16))
        whole = (self.folder / "one.npz").read_bytes()
        end = whole.rindex(b"PK\5\6")
        start = int.from_bytes(whole[end + 16 : end + 20], "little")
        entry = whole[start:end]
        entries = b"".join(entry.replace(b"a00", f"a{number:02}".encode()) for number in range(50))
        tail = bytearray(whole[end:])
        tail[8:12] = 2 * (50).to_bytes(2, "little")
        tail[12:16] = len(entries).to_bytes(4, "little")
        (self.folder / "bomb.npz").write_bytes(whole[:start] + entries + tail)
        result = self.started("second", self.folder / "bomb.npz")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("entries that overlap", result.stderr)

    def test_where_it_came_from_is_recorded_and_counts(self):
        self.assert_done(self.train("first", *SHORT))
        self.assert_done(self.started("second", self.folder / "first"))
        self.assert_done(self.started("third", self.folder / "first", ranks=2))
        self.assert_same("second", "third")
        recorded = info(self.folder / "second")
        self.assertEqual(recorded["weights_sha256"], (self.folder / "first" / "DONE").read_text().split()[0])
        self.assertNotEqual(recorded["identity"], info(self.folder / "first")["identity"])
        self.assert_done(adapt("evaluate", self.folder / "second"))

    def test_a_run_does_not_replace_the_one_it_starts_from(self):
        self.assert_done(self.train("first", *SHORT))
        for weights in ("first", "first/run.h5", "other/../first"):
            (self.folder / "other").mkdir(exist_ok=True)
            self.assert_refused(self.started("first", self.folder / weights, extra=["--overwrite"]), "model.weights", "--out")
        self.assert_done(adapt("evaluate", self.folder / "first"))

    def test_what_does_not_fit_is_refused(self):
        self.assert_done(self.train("first", *SHORT))
        arrays = {name: numbers.astype(np.float32) for name, numbers in self.model("first").items()}
        nothing = self.folder / "nothing.npz"
        self.assert_refused(self.started("out", nothing), "'model.weights'", "nothing.npz")

        def refused(change, *parts):
            changed = dict(arrays)
            change(changed)
            np.savez(self.folder / "changed.npz", **changed)
            self.assert_refused(self.started("out", self.folder / "changed.npz"), "changed.npz", *parts)

        refused(lambda all: all.update({"conv1.weight": all["conv1.weight"][:5]}),
                "'conv1.weight' has the shape (5, 1, 5, 5)", "(6, 1, 5, 5)")  # fmt: skip
        refused(lambda all: all.pop("fc2.bias"), "no tensor 'fc2.bias'")
        refused(lambda all: all.update({"fc9.bias": all["fc2.bias"]}), "no tensor 'fc9.bias'", "did you mean")
        refused(lambda all: all.update({"fc2.bias": all["fc2.bias"] * np.float32("nan")}), "'fc2.bias'", "finite")
        refused(lambda all: all.update({"fc2.bias": all["fc2.bias"].astype(np.int64)}), "'fc2.bias'", "float32")
        np.savez_compressed(self.folder / "small.npz", **arrays)
        self.assert_refused(self.started("out", self.folder / "small.npz"), "is compressed")
        self.assert_refused(self.started("out", self.folder / "first", "model=alexnet"), "conv1.weight", "shape")
        self.assertFalse((self.folder / "out" / "run.h5").exists())


if __name__ == "__main__":
    unittest.main()
