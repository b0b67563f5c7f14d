#!/usr/bin/python3
"""A training, its evaluation and a comparison under Valgrind: no byte is read before it was written, or beside its block."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from adapt_program import PROGRAM, SANITIZED, TINY, environment_without_data

# Formats of 8 bits, so that our own kernels run; few images: Valgrind takes some fifty times as long.
SETS = ("engine=integer", "precision=fixed", "precision.fixed.word_length=8", "precision.fixed.fractional_length=5",
        "precision.formats=per_tensor", "precision.backward=quantized", "data.train_samples=32", "data.test_samples=10",
        "training.batch=32", "training.epochs=1")  # fmt: skip


@unittest.skipUnless(shutil.which("valgrind"), "valgrind is not here")
@unittest.skipIf(SANITIZED, "sanitizers and Valgrind exclude each other")
class Valgrind(unittest.TestCase):
    def clean(self, *words) -> None:
        """Runs the program; fails where Valgrind finds an error."""
        command = ["valgrind", "--quiet", "--error-exitcode=99", PROGRAM, *map(str, words)]
        result = subprocess.run(command, env=environment_without_data(), capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr[-4000:])

    def test_training(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "tiny.yaml").write_text(TINY, encoding="ascii")
            sets = [word for assignment in SETS for word in ("--set", assignment)]
            self.clean("train", folder / "tiny.yaml", "--out", folder / "run", *sets)
            self.clean("evaluate", folder / "run")
            self.clean("compare", folder / "run", folder / "run")


if __name__ == "__main__":
    unittest.main()
