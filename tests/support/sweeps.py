"""Little grids, and what tests of `adapt sweep` share: a store, a folder of data in which there are none, the states of runs."""

import re

from adapt_program import ProgramTest, adapt

# Two models' worth of policies times seeds, a second's work each.
GRID = """\
name: little
model: lenet5
engine: auto
data: {train_samples: 256, test_samples: 130}
training: {epochs: 2, batch: 64, test_batch: 50}
grid:
  precision: [adapt, float32]
seeds: [3, 4]
"""
# Its second data set is nowhere.
FAILING = GRID.replace("grid:\n", "grid:\n  data: [procedural, mnist]\n").replace("seeds: [3, 4]\n", "seeds: 1\n")
# Seconds long on a fast machine, so that it is still going on when it is to be stopped.
LONG = GRID.replace("epochs: 2", "epochs: 60")


class SweepTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        (self.folder / "data").mkdir()
        self.env = {"ADAPT_DATA": str(self.folder / "data")}

    def grid(self, text=GRID, name="little.yaml"):
        return self.experiment(text, name)

    def sweep(self, *arguments, grid=None, **options):
        grid = [grid or self.grid()] if grid is not False else []
        return adapt("sweep", *grid, "--store", self.store, *arguments, env=self.env, **options)

    def states(self, grid=None):
        """State of each run by its label, as --list says."""
        result = self.assert_done(self.sweep("--list", grid=grid))
        lines = [re.split(r"\s+", line, maxsplit=5) for line in result.stdout.splitlines()[1:-1]]
        return {line[5].split(":")[0]: line[1] for line in lines}

    def runs(self):
        return sorted(path for path in self.store.iterdir() if re.fullmatch("[0-9a-f]{16}", path.name))
