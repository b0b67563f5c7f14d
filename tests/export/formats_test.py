"""adapt export as its users meet it: what is printed, refused, and left behind; the packed file, read by the C program
of the documentation."""

import json
import os
import pathlib
import re
import subprocess

import numpy as np
from adapt_program import ProgramTest, adapt

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMATS = ("onnx", "qonnx", "arrays", "packed")
ADAPTIVE = ("engine=emulated", "precision=adapt", "precision.adapt.lookback_lower=2", "precision.adapt.lookback_upper=4",
            "training.epochs=1")  # fmt: skip


class Export(ProgramTest):
    def export(self, run, to, out, *more):
        return adapt("export", self.folder / run, "--to", to, "--out", self.folder / out, *more)

    def test_every_format_is_the_same_each_time(self):
        self.assert_done(self.train("run", *ADAPTIVE))
        for to in FORMATS:
            with self.subTest(to):
                result = self.assert_done(self.export("run", to, "one"))
                self.assertRegex(result.stdout, r"(?m)^layer +bits +exported as$")
                self.assertEqual(len(result.stdout.splitlines()), 6)
                self.assert_done(self.export("run", to, "two", "--model", "best"))
                self.assertEqual((self.folder / "one").read_bytes(), (self.folder / "two").read_bytes())

    def test_packed_is_what_the_documentation_reads(self):
        self.assert_done(self.train("run", *ADAPTIVE))
        self.assert_done(self.export("run", "packed", "model.packed"))
        self.assert_done(self.export("run", "arrays", "model.npz"))
        text = (ROOT / "src" / "export" / "README.md").read_text(encoding="utf-8")
        reader = re.search(r"```c\n(.*?)```", text, re.DOTALL)[1]
        self.assertLessEqual(len(reader.splitlines()), 60)
        (self.folder / "reader.c").write_text(reader)
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", "reader", "reader.c", "-lm"], cwd=self.folder, check=True)
        lines = subprocess.run(["./reader", "model.packed"], cwd=self.folder, check=True, capture_output=True, text=True)
        read = {line.split()[0]: np.array(line.split()[1:], np.float32) for line in lines.stdout.splitlines()}
        archive = np.load(self.folder / "model.npz")
        tensors = json.loads(archive["network"].item())["tensors"]
        self.assertEqual(set(read), set(tensors))
        lengths = set()
        for name, formats in tensors.items():
            fraction = formats["format"][1] if "format" in formats else 0
            lengths.add(formats["format"][0] if "format" in formats else 32)
            self.assertTrue((read[name] == archive[name].ravel() * np.float32(2.0**-fraction)).all(), name)
        self.assertGreater(len(lengths), 1)

    def test_what_is_refused_leaves_no_file(self):
        self.assert_done(self.train("run", "training.epochs=1"))
        self.assert_refused(self.export("run", "oonx", "out"), "unknown format 'oonx'")
        self.assert_refused(self.export("run", "arrays", "out", "--model", "first"), "expected last or best")
        self.assert_refused(self.export("nowhere", "arrays", "out"), "nowhere")
        self.assert_refused(adapt("export", self.folder / "run", "--to", "arrays"), "expected --out")
        self.assert_refused(adapt("export", self.folder / "run", "--out", self.folder / "out"), "expected --to")
        damaged = self.folder / "run" / "run.h5"
        good = damaged.read_bytes()
        damaged.write_bytes(good[:4000] + b"x" + good[4001:])
        self.assert_refused(self.export("run", "arrays", "out"), "damaged")
        damaged.write_bytes(good)
        (self.folder / "run" / "DONE").unlink()
        self.assert_refused(self.export("run", "arrays", "out"), "is not finished")
        self.assertFalse((self.folder / "out").exists())

    def test_nothing_is_written_over_what_is_no_export(self):
        self.assert_done(self.train("run", "training.epochs=1"))
        os.mkfifo(self.folder / "pipe")
        (self.folder / "link").symlink_to(self.folder / "pipe")
        before = (self.folder / "run" / "run.h5").read_bytes()
        places = {"no/such/folder": "there is no folder", "pipe": "regular file", "link": "regular file", "run": "regular file",
                  "run/run.h5": "the run itself", "run/DONE": "the run itself", "run/checkpoints/x": "the run itself"}  # fmt: skip
        for out, reason in places.items():
            with self.subTest(out):
                self.assert_refused(self.export("run", "arrays", out), reason)
                self.assert_refused(adapt("evaluate", self.folder / "run", "--engine", "float32", "--predictions",
                                          self.folder / out), reason)  # fmt: skip
        self.assert_refused(adapt("export", self.folder / "run", "--to", "arrays", "--out", ""), "is empty")
        self.assertEqual((self.folder / "run" / "run.h5").read_bytes(), before)
        self.assertTrue((self.folder / "pipe").is_fifo())

    def test_predictions_need_an_engine_and_one_rank(self):
        self.assert_done(self.train("run", "training.epochs=1"))
        words = ("evaluate", self.folder / "run", "--predictions", self.folder / "said.npz")
        self.assert_refused(adapt(*words), "--engine")
        together = adapt(*words, "--engine", "float32", ranks=2)
        self.assertEqual(together.returncode, 2)
        self.assertIn("without mpirun", together.stderr)
        self.assert_done(adapt(*words, "--engine", "float32"))
        said = np.load(self.folder / "said.npz")
        self.assertEqual((said["images"].shape, said["logits"].shape), ((130, 28, 28, 1), (130, 10)))


if __name__ == "__main__":
    import unittest

    unittest.main()
