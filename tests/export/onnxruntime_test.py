"""The QDQ file in ONNX Runtime, against `adapt evaluate --engine integer`.

$ADAPT_ONNXRUNTIME is the folder in which `npm install --ignore-scripts onnxruntime-node` was run; without it, or without
node, the test is skipped (exit code 77)."""

import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from exported_runs import NETWORKS, Said, export, same_bits, train

RUNNER = pathlib.Path(__file__).with_name("run_onnx.js")
PACKAGE = pathlib.Path(os.environ.get("ADAPT_ONNXRUNTIME", "")) / "node_modules" / "onnxruntime-node"

# ONNX Runtime's tanh has other last bits, so that now and then a number is rounded to the other side.
EXACT = {"alexnet", "resnet20", "mobilenet_v2"}
DIFFERENCE = 1e-4  # mean of logits, share of the largest


def judge(folder, model, images):
    """Logits of the images (N, H, W, C), and how often each kind of node ran by ONNX Runtime's profile."""
    n, h, w, c = images.shape
    images.transpose(0, 3, 1, 2).astype(np.float32).tofile(folder / "images")
    words = ["node", RUNNER, model, folder / "images", n, c, h, w, folder / "logits", folder / "profile"]
    subprocess.run([str(word) for word in words], check=True, timeout=300)
    events = json.loads(next(folder.glob("profile*.json")).read_text())
    kinds = {event["name"]: event["args"]["op_name"] for event in events if event["name"].endswith("_kernel_time")}
    return np.fromfile(folder / "logits", np.float32).reshape(n, -1), collections.Counter(kinds.values())


class OnnxRuntime(unittest.TestCase):
    def check(self, network, precision):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="adapt-test-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        run = train(folder, network, precision)
        table = export(run, "onnx", folder / "model.onnx")
        said = Said(run, "integer")
        logits, kinds = judge(folder, folder / "model.onnx", said.images)
        difference = np.abs(logits - said.logits).mean() / np.abs(said.logits).max()
        others = (logits.argmax(axis=1) != said.classes).sum()
        print(f"{network}, {precision}: mean difference {difference:.2g}, {others} of {len(logits)} classes differ")
        self.assertLess(difference, DIFFERENCE)
        self.assertEqual(others, 0)
        if precision == "8 bits":
            self.assertIn("u8 activations, s8 weights", table)
            if network in EXACT:
                self.assertTrue(same_bits(logits, said.logits))
            self.assert_fused(table, kinds)

    def assert_fused(self, table, kinds):
        """Every layer runs by its integer kernel, but for those that the table tells of."""
        layers, floats = len(table.splitlines()) - 1, table.count("summed in float32")
        self.assertEqual(kinds["QLinearConv"] + kinds["QGemm"], layers - floats, kinds)
        self.assertEqual(kinds["Conv"] + kinds["FusedConv"], floats, kinds)


def add_tests():
    for network in NETWORKS:
        for precision in ("8 bits", "mixed"):
            name = f"test_{network}_{precision.replace(' ', '_')}"
            setattr(OnnxRuntime, name, lambda self, n=network, p=precision: self.check(n, p))


add_tests()

if __name__ == "__main__":
    if not PACKAGE.is_dir() or shutil.which("node") is None:
        print("skipped: no ONNX Runtime; run `npm install --ignore-scripts onnxruntime-node` in some folder, and set "
              "ADAPT_ONNXRUNTIME to it")
        sys.exit(77)
    unittest.main()
