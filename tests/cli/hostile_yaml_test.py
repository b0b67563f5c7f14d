"""Small experiment files that stand for endless ones: refused at once, in little memory, with file and line."""

import resource
import subprocess
import unittest

from adapt_program import SANITIZED, SLOWNESS, ProgramTest, command

MEMORY = 1 << 30  # bytes of addresses; libraries take most of what is used
SECONDS = 5  # of the processor; they take a tenth

CYCLE = "grid: {seed: [1]}\nexclude: [{base: [&a [*a]]}]\n"


def bomb(levels):
    """Each level is ten times the one before."""
    lines = ["exclude:", " - base:", "   - - &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"     - &a{level} [{','.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join([*lines, "grid: {seed: [1]}", ""])


class HostileYaml(ProgramTest):
    def limited(self, *arguments):
        """The program with limits of memory and time: who passes them dies."""

        def limit():
            if not SANITIZED:  # a sanitizer takes all of the address space
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS * SLOWNESS, SECONDS * SLOWNESS))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        return subprocess.run(command(*arguments), capture_output=True, text=True, check=False, preexec_fn=limit)

    def refused_everywhere(self, path, *parts):
        for arguments in (("sweep", path, "--list"), ("train", path, "--check")):
            with self.subTest(arguments=arguments):
                self.assert_refused(self.limited(*arguments), *parts)

    def test_an_alias_inside_of_itself(self):
        self.refused_everywhere(self.experiment(CYCLE), "experiment.yaml:2", "circle")

    def test_aliases_of_aliases(self):
        for levels in (6, 9, 30):
            path = self.experiment(bomb(levels), f"bomb{levels}.yaml")
            self.refused_everywhere(path, f"bomb{levels}.yaml:", "more than 100000 values")

    def test_the_largest_file(self):
        text = "exclude:\n" + "- [x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x]\n" * 20000
        path = self.experiment(text)
        self.assertLess(path.stat().st_size, 1 << 20)
        self.refused_everywhere(path, "experiment.yaml:", "more than 100000 values")

    def test_bases_that_name_each_other(self):
        for level in range(15):
            self.experiment(f"base: [{', '.join([f'{level + 1}.yaml'] * 8)}]\n", f"{level}.yaml")
        self.experiment("seed: 1\n", "15.yaml")
        grid = self.experiment("base: 0.yaml\ngrid: {seed: [1]}\n", "grid.yaml")
        axis = self.experiment("grid: {base: [0.yaml, 1.yaml]}\n", "axis.yaml")
        for arguments in (("train", self.folder / "0.yaml", "--check"), ("sweep", grid, "--list"), ("sweep", axis, "--list")):
            self.assert_refused(self.limited(*arguments), "14.yaml:1", "'base'", "more than 100 files")

    def test_many_bases_for_many_runs(self):
        self.experiment("training: {epochs: 2}\n", "leaf.yaml")
        self.experiment(f"base: [{', '.join(['leaf.yaml'] * 95)}]\n", "chain.yaml")
        path = self.experiment("grid: {base: [chain.yaml]}\nseeds: 10000\n")
        self.assert_refused(self.limited("sweep", path, "--list"), "experiment.yaml: 'base'", "more than 100000 files")

    def test_many_rules_for_many_runs(self):
        for values in ("{}", "[]"):
            rules = "".join(f"- {{seed: {values.format(seed)}}}\n" for seed in range(20000))
            path = self.experiment(f"seeds: 9999\nexclude:\n{rules}")
            self.assert_refused(self.limited("sweep", path, "--list"), "experiment.yaml:3: 'exclude'", "5000000")


if __name__ == "__main__":
    unittest.main()
