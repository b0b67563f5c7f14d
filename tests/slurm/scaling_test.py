"""experiments/scale/run.sh --slurm: one job array measures all numbers of ranks, over nodes too."""

import json
import pathlib

import slurm_cluster
from adapt_program import PROGRAM, run
from slurm_cluster import Cluster

RUN = pathlib.Path(__file__).resolve().parents[2] / "experiments" / "scale" / "run.sh"


class Scaling(Cluster):
    NODES = 2

    def measure(self, *more):
        words = [RUN, "--out", self.folder / "out", "--program", PROGRAM, "--model", "lenet5", "--engine", "float32",
                 "--batch", "32", "--seconds", "0.05", "--repeats", "1", *more]  # fmt: skip
        return run(list(map(str, words)), timeout=slurm_cluster.PATIENCE)

    def test_a_job_array_measures_all_numbers_of_ranks(self):
        self.assert_done(self.measure("--ranks", "1 4", "--slurm", "--nodes=2 --ntasks=4 --overcommit --partition=main"))
        for ranks in (1, 4):
            strong, weak = (json.loads((self.folder / "out" / f"{kind}_{ranks}.json").read_text(encoding="utf-8"))["results"][0]
                            for kind in ("strong", "weak"))  # fmt: skip
            self.assertEqual((strong["ranks"], strong["batch"]), (ranks, 32))
            self.assertEqual((weak["ranks"], weak["batch"]), (ranks, 32 * ranks))
        self.assertIn("| 4 | ", (self.folder / "out" / "scaling.md").read_text(encoding="utf-8"))

    def test_what_was_not_measured_is_said(self):
        result = self.measure("--encoding", "morse", "--ranks", "2", "--slurm", "--ntasks=2 --overcommit --partition=main")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("2 ranks were not measured; see ", result.stderr)
        self.assertIn("morse", (self.folder / "out" / "measure-0.log").read_text(encoding="utf-8"))


if __name__ == "__main__":
    slurm_cluster.run()
