#!/usr/bin/python3
"""What `cmake --install` puts in place: staged (DESTDIR), under any prefix, and after the prefix was moved elsewhere."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from adapt_program import TINY, environment_without_data

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ADAPT_BUILD", ROOT / "build" / "release"))
PREFIX = pathlib.PurePosixPath("/opt/programs/adapt")
EXPECTED = ("bin/adapt", "share/adapt/analysis/report.py", "share/adapt/experiments/quickstart.yaml",
            "share/adapt/experiments/recipes/integer.yaml", "share/adapt/experiments/models/resnet20.yaml",
            "share/adapt/slurm/sweep.sbatch", "share/bash-completion/completions/adapt", "share/doc/adapt/LICENSE",
            "share/doc/adapt/README.md", "share/man/man1/adapt.1", "share/man/man1/adapt-train.1")  # fmt: skip


def install(prefix: pathlib.PurePath, stage: pathlib.Path | None = None) -> None:
    """Installs, within `stage` where that is given."""
    environment = {**os.environ, **({"DESTDIR": str(stage)} if stage else {})}
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], env=environment, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip


def files_of(folder: pathlib.Path) -> set[str]:
    """All files below a folder, relative to it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def build_type() -> str:
    """CMAKE_BUILD_TYPE of the build."""
    return re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(encoding="utf-8"), re.M).group(1)


class Installed(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_in(self, folder: pathlib.Path, *words) -> str:
        """What a command prints that is done in `folder`; it must succeed."""
        result = subprocess.run(list(map(str, words)), cwd=folder, env=environment_without_data(), check=False,
                                capture_output=True, text=True, timeout=240)  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_stage_holds_the_prefix_and_nothing_else(self):
        install(PREFIX, self.folder / "stage")
        files = files_of(self.folder / "stage")
        self.assertEqual({name for name in files if not name.startswith(f"{str(PREFIX)[1:]}/")}, set())
        install(self.folder / "other")
        other = files_of(self.folder / "other")
        self.assertEqual(set(EXPECTED) - other, set())
        self.assertEqual({f"{str(PREFIX)[1:]}/{name}" for name in other}, files)

    def test_no_file_names_the_build_or_the_source(self):
        install(self.folder)
        traitors = [str(path).encode() for path in (BUILD, ROOT)]
        for name in files_of(self.folder):
            # Debug information and sanitizers name sources on purpose.
            if name == "bin/adapt" and build_type() != "Release":
                continue
            with self.subTest(file=name):
                content = (self.folder / name).read_bytes()
                self.assertEqual([path for path in traitors if path in content], [])

    def test_works_where_it_was_moved_to(self):
        install(PREFIX, self.folder / "stage")
        moved = self.folder / "moved to"
        shutil.move(self.folder / "stage" / str(PREFIX)[1:], moved)
        work = self.folder / "work"
        work.mkdir()
        program, share = moved / "bin" / "adapt", moved / "share" / "adapt"
        self.run_in(work, program, "train", share / "experiments" / "quickstart.yaml", "--out", "run", "--set",
                    "training.epochs=1", "--set", "data.train_samples=256", "--set", "data.test_samples=64", "--set",
                    "training.batch=64")  # fmt: skip
        self.assertIn("test accuracy", self.run_in(work, program, "evaluate", "run"))
        self.run_in(work, program, "analyse", "report", "run", "--out", "report")
        self.assertTrue((work / "report" / "report.html").is_file())
        self.run_in(work, share / "analysis" / "cost_model.py", "run")
        (work / "grid.yaml").write_text(TINY + "grid: {seed: [1, 2]}\n", encoding="ascii")
        batch = self.run_in(work, program, "sweep", "grid.yaml", "--dry-run")
        self.assertIn("sweep.sbatch", batch)  # found beside the program, not in the source tree


if __name__ == "__main__":
    unittest.main()
