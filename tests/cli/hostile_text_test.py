"""Text from files and from the command line, as the program prints it: it forges no line and steers no terminal."""

import json
import re
import sys
import unittest
from pathlib import Path

import h5py
import numpy as np

from adapt_program import ProgramTest, adapt
from sweeps import GRID, SweepTest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from analysis.seal import SEAL_BYTES, sealed

HOSTILE = "x\nadapt: error: forged\n0123456789abcdef  done\x1b[2J\x9b2J\u202egnp\u2066"
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
ONE_STEP = ("training.epochs=1", "data.train_samples=64")
ONE_RUN = GRID.replace("[adapt, float32]", "[float32]").replace("seeds: [3, 4]", "seeds: 1")


def reseal(path, change):
    """Changes a run.h5 by `change(file)` and seals it again, as anybody can."""
    path.write_bytes(path.read_bytes()[:-SEAL_BYTES])
    with h5py.File(path, "r+", locking=False) as file:
        change(file)
    path.write_bytes(sealed(path.read_bytes()))


class HostileText(ProgramTest):
    def assert_harmless(self, result):
        """Nothing that a terminal obeys, and no line that begins as HOSTILE's do."""
        for text in (result.stdout, result.stderr):
            self.assertIsNone(UNPRINTABLE.search(text), repr(text))
            self.assertNotRegex(text, "(?m)^(adapt: error: forged|0123456789abcdef)")
        return result

    def test_what_a_run_holds(self):
        def change(file):
            file["provenance"].attrs["host"] = HOSTILE
            file["provenance"].attrs[HOSTILE] = "value"
            file["summary"].attrs[HOSTILE] = 1.0
            text = file["config"][()]
            del file["config"]
            file["config"] = np.bytes_(text + "# \x1b[2J\u202e\n".encode())

        self.assert_done(self.train("run", *ONE_STEP))
        reseal(self.folder / "run" / "run.h5", change)
        said = self.assert_done(self.assert_harmless(adapt("info", self.folder / "run"))).stdout
        self.assertIn("x\\nadapt: error: forged\\n0123456789abcdef  done\\u001b[2J\\u009b2J\\u202egnp\\u2066", said)
        self.assertIn("\n# \\u001b[2J\\u202e\n", said)

    def test_the_first_difference(self):
        def change(file):
            for name in list(file["model"]):
                file["model"].move(name, name + HOSTILE)

        for out in ("one", "other"):
            self.assert_done(self.train(out, *ONE_STEP))
        reseal(self.folder / "other" / "run.h5", change)
        result = self.assert_harmless(adapt("compare", self.folder / "one", self.folder / "other"))
        self.assertEqual(len(result.stdout.splitlines()), 1, result)
        self.assertIn("\\nadapt: error: forged\\n", result.stdout)

    def test_names_of_files(self):
        for arguments in (("train", HOSTILE), ("info", HOSTILE), ("evaluate", HOSTILE), ("sweep", HOSTILE, "--list"),
                          (HOSTILE,), ("train", "--" + HOSTILE), ("bench", HOSTILE)):  # fmt: skip
            with self.subTest(arguments=arguments):
                self.assert_refused(self.assert_harmless(adapt(*arguments)), "forged")

    def test_a_key_and_a_value(self):
        quoted = json.dumps(HOSTILE)
        for text in (f"{quoted}: 1\n", f"model: {quoted}\n", f"data: {{path: {quoted}}}\n", f"grid: {{{quoted}: [1]}}\n"):
            with self.subTest(text):
                self.assert_refused(self.assert_harmless(adapt("train", self.experiment(text))), "experiment.yaml:1")

    def test_the_resolved_configuration(self):
        path = self.experiment('data: {name: procedural, path: "a\\u202eb\\x9b2J"}\n')
        said = self.assert_done(self.assert_harmless(adapt("train", path, "--check"))).stdout
        self.assertIn('path: "a\\u202eb\\u009b2J"\n', said)


class HostileStore(SweepTest):
    assert_harmless = HostileText.assert_harmless

    def setUp(self):
        super().setUp()
        self.assert_done(self.sweep("--list", grid=self.grid(ONE_RUN)))
        self.label = next(iter(self.states(self.grid(ONE_RUN))))

    def failed(self, message):
        """A store with one run, that failed with `message`."""
        found = json.loads(self.sweep("--list", "--json", grid=self.grid(ONE_RUN)).stdout)
        self.run_dir = self.store / found[0]["identity"]
        self.run_dir.mkdir(parents=True)
        failure = {"exit_code": 1, "message": message, "time": "", "requeues": 0}
        (self.run_dir / "FAILED").write_text(json.dumps(failure), encoding="utf-8")

    def test_the_message_of_a_failure(self):
        self.failed(HOSTILE)
        for grid in (False, self.grid(ONE_RUN)):
            for mode, lines in (("--list", 3), ("--status", 4)):  # with the reasons of failures
                with self.subTest(grid=grid, mode=mode):
                    said = self.assert_done(self.assert_harmless(self.sweep(mode, grid=grid))).stdout
                    self.assertEqual(len(said.splitlines()), lines, said)
        as_json = self.assert_done(self.assert_harmless(self.sweep("--list", "--json", grid=False))).stdout
        self.assertEqual(json.loads(as_json)[0]["message"], HOSTILE)

    def test_the_index(self):
        self.failed("")
        self.assert_done(self.sweep("--list", grid=False))
        index = self.store / "index.json"
        entries = json.loads(index.read_text(encoding="utf-8"))
        entries[0]["name"] = entries[0]["configuration"]["training.epochs"] = HOSTILE
        index.write_text(json.dumps(entries), encoding="utf-8")
        said = self.assert_done(self.assert_harmless(self.sweep("--list", grid=False))).stdout
        self.assertEqual(len(said.splitlines()), 3, said)

    def test_an_index_of_many_numbers(self):
        """Each looked up by its name would take minutes."""
        self.failed("")
        self.assert_done(self.sweep("--list", grid=False))
        index = self.store / "index.json"
        entries = json.loads(index.read_text(encoding="utf-8"))
        entries[0]["metrics"] = {f"m{number}": number for number in range(200000)}
        index.write_text(json.dumps(entries), encoding="utf-8")
        self.assertEqual(len(self.assert_done(self.sweep("--list", grid=False)).stdout.splitlines()), 3)

    def test_submissions(self):
        """A damaged one is named, and the others are told of."""
        folder = self.store / "submissions"
        folder.mkdir(parents=True)
        good = {"id": HOSTILE, "time": "", "job": "17", "chunk": 1, "runs": [{"identity": "0" * 16, "label": "x"}]}
        texts = {"good": good, "chunk": good | {"chunk": 2**32 + 1}, "job": good | {"job": "17 --me"},
                 "runs": good | {"runs": [{"identity": "../.."}]}}  # fmt: skip
        for name, value in texts.items():
            (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
        (folder / "cut.json").write_text('{"id": "x', encoding="utf-8")
        result = self.assert_done(self.assert_harmless(self.sweep("--status", grid=self.grid(ONE_RUN))))
        self.assertIn("forged", result.stdout)
        self.assertEqual(result.stdout.count("submission "), 1, result.stdout)
        for name in ("chunk", "job", "runs", "cut"):
            self.assertIn(f"/{name}.json", result.stderr)

    def test_the_path_of_the_store(self):
        for store in ("a\nb", "a\x1b[2J", "a\tb", "a\x7f"):
            for mode in ("--list", "--run", "--dry-run", "--submit", "--status"):
                with self.subTest(store=store, mode=mode):
                    result = adapt("sweep", self.grid(ONE_RUN), "--store", self.folder / store, mode, env=self.env)
                    self.assert_refused(self.assert_harmless(result), "--store", "control character")
        self.assertFalse([path for path in self.folder.iterdir() if path.name.startswith("a")])

    def test_more_ranks_than_shards(self):
        for ranks in (9, 1000000000):
            for mode in ("--run", "--dry-run"):
                with self.subTest(ranks=ranks, mode=mode):
                    result = self.sweep(mode, "--ranks", ranks, "-J", 2147483647, grid=self.grid(ONE_RUN))
                    self.assert_refused(result, f"--ranks {ranks}", "8 shards", "training.shards")
        self.assertFalse(self.store.exists())
        self.assert_done(self.sweep("--dry-run", "-J", 2147483647, "-n", 8, grid=self.grid(ONE_RUN)))


if __name__ == "__main__":
    unittest.main()
