"""The page of experiments/scale/run.sh: real benchmarks of two small steps, and the arithmetic of projections by hand."""

import json
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "experiments" / "scale")]

import page  # noqa: E402
from adapt_program import PROGRAM, ProgramTest, run  # noqa: E402

RUN = ROOT / "experiments" / "scale" / "run.sh"


def result(ranks, batch, seconds, exchange):
    """A benchmark's result."""
    return {"model": "resnet20", "engine": "integer", "encoding": "int8", "batch": batch, "ranks": ranks,
            "images_per_second": batch / seconds, "seconds": {"median": seconds},
            "phases": {"forward": seconds - exchange, "exchange": exchange}}  # fmt: skip


class Page(ProgramTest):
    def write(self, scaling, ranks, *values, **changes):
        path = self.folder / f"{scaling}_{ranks}.json"
        path.write_text(json.dumps({"results": [result(ranks, *values) | changes]}), encoding="utf-8")

    def test_projections_by_hand(self):
        self.write("strong", 2, 64, 0.5, 0.1)  # 0.8 s of one rank
        base = page.read_measured(self.folder)["strong", 2]
        self.assertAlmostEqual(page.project(base, "strong", 8, 0.3), 64 / (0.8 / 8 + 0.3))
        self.assertAlmostEqual(page.project(base, "weak", 8, 0.3), 512 / (0.8 + 0.3))

    def test_each_number_says_what_it_is(self):
        self.write("strong", 1, 128, 0.1, 0.0)
        self.write("strong", 2, 128, 0.06, 0.01)
        self.write("weak", 2, 256, 0.11, 0.01)
        done = run([ROOT / "experiments" / "scale" / "page.py", self.folder])
        self.assert_done(done)
        text = (self.folder / "scaling.md").read_text(encoding="utf-8")
        self.assertIn("| ranks | measured | modelled, ethernet_10g | modelled, ethernet_100g | simulated exchange |", text)
        strong, weak = text.split("## Weak scaling")
        self.assertIn("| 1 | 1280 | 1280 | 1280 |  |", strong)
        self.assertIn("| 2 | 2133 | ", strong)
        self.assertIn("| 2 | 2327 | ", weak)
        self.assertRegex(strong, r"\| 64 \|  \| \d+ \| \d+ \| .*\d+ \(fat_tree_100g, 32 on a node, hierarchical\)")
        self.assertNotIn("| 256 |", strong, "a rank without an image")
        self.assertEqual((self.folder / "scaling.png").read_bytes()[:4], b"\x89PNG")

    def test_what_is_no_measurement_is_refused(self):
        without_median = json.dumps({"results": [result(1, 64, 0.5, 0.1) | {"seconds": {}}]})
        for text in ("", "{}", '{"results": []}', '{"results": [[]]}', without_median):
            (self.folder / "strong_1.json").write_text(text, encoding="utf-8")
            done = run([ROOT / "experiments" / "scale" / "page.py", self.folder])
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("strong_1.json", done.stderr)

    def test_results_of_different_settings_are_refused(self):
        self.write("strong", 1, 64, 0.5, 0.1)
        for change in ({"model": "lenet5"}, {"engine": "float32"}, {"encoding": "float32"}):
            self.write("strong", 2, 64, 0.3, 0.1, **change)
            done = run([ROOT / "experiments" / "scale" / "page.py", self.folder])
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("expected results of one model, engine and encoding", done.stderr)
        (self.folder / "strong_2.json").unlink()
        self.write("strong", 1, 64, 0.5, 0.1, encoding="auto")
        done = run([ROOT / "experiments" / "scale" / "page.py", self.folder])
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("the encoding is 'auto'", done.stderr)

    def test_each_rank_has_its_shards_in_weak_scaling(self):
        self.assertEqual([page.shards_of("weak", ranks) for ranks in (1, 4, 64)], [8, 32, 512])
        self.assertEqual([page.shards_of("strong", ranks) for ranks in (1, 4, 64)], [8, 8, 64])

    def test_measured_by_run(self):
        words = [RUN, "--out", self.folder / "out", "--program", PROGRAM, "--ranks", "1 2", "--model", "lenet5", "--engine", "float32",
                 "--batch", "64", "--seconds", "0.05", "--repeats", "1"]  # fmt: skip
        done = run(list(map(str, words)), env={"OMP_NUM_THREADS": "1"})
        self.assert_done(done)
        names = sorted(path.name for path in (self.folder / "out").iterdir())
        self.assertEqual(names, ["scaling.md", "scaling.png", "settings", *(f"{kind}_{ranks}.json" for kind in ("strong", "weak") for ranks in (1, 2))])
        weak = json.loads((self.folder / "out" / "weak_2.json").read_text(encoding="utf-8"))["results"][0]
        self.assertEqual((weak["ranks"], weak["batch"]), (2, 128))
        for bad in (["--ranks", "two"], ["--model"], ["--nodes", "3"], ["--model", "resnet20"], ["--batch", "32"]):
            self.assertEqual(run(list(map(str, [*words, *bad]))).returncode, 2)
        again = run(list(map(str, words)), env={"PATH": "/usr/bin:/bin", "OMPI_MCA_plm": "none"})
        self.assert_done(again)  # what is there is not measured again


if __name__ == "__main__":
    unittest.main()
