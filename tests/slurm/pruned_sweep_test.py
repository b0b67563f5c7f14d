"""A sweep that is pruned through Slurm: every task takes what is to be done next, and one that was promoted ends in the bits
of a run that never stopped."""

import json

import slurm_cluster
from slurm_cluster import Cluster

GRID = """\
name: pruned
model: lenet5
precision: float32
data: {train_samples: 256, test_samples: 130}
training: {batch: 64, test_batch: 50, epochs: 9}
seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9]
prune: {metric: test_accuracy, eta: 3, rungs: [1, 3]}
"""


class Pruned(Cluster):
    def test_the_best_go_on(self):
        grid = self.experiment(GRID, "pruned.yaml")
        self.submit(grid, ranks=1, more="chunk: 3\n")
        self.wait_for_empty_queue()
        states = self.states()
        self.assertEqual(set(states.values()), {"done", "pruned"}, self.said())
        results = {}
        for seed, entry in self.runs().items():
            results[seed] = json.loads((self.store / entry["identity"] / "rungs").read_text(encoding="utf-8"))["results"]
        self.assertTrue(all(result[0]["epoch"] == 1 for result in results.values()))
        best = max(results, key=lambda seed: results[seed][0]["value"])
        self.assertEqual(len(results[best]), 2, "the best at the first rung reached the second one")
        for seed, state in states.items():
            epochs = self.runs()[seed]["metrics"]["epochs"]
            self.assertEqual(epochs, 9 if state == "done" else results[seed][-1]["epoch"])
        for seed in (seed for seed, state in states.items() if state == "done"):
            self.assert_undisturbed(seed)
        self.assertEqual(self.submit(grid, ranks=1).stdout, "nothing to submit\n")


if __name__ == "__main__":
    slurm_cluster.run()
