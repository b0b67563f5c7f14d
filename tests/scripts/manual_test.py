#!/usr/bin/python3
"""Manual pages and bash completion, as the build writes them from the program: complete, well formed, and of use."""

import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "src" / "cmake" / "manual"
PROGRAM = os.environ.get("ADAPT_PROGRAM", "adapt")


def said(*words: str) -> str:
    """What the program prints."""
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=True).stdout


class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name) / "manual"
        subprocess.run([sys.executable, "-B", SCRIPTS / "write.py", PROGRAM, cls.folder], check=True)

    def rendered(self, page: str) -> str:
        """A page as text without bold; fails on any warning."""
        words = ["groff", "-man", "-ww", "-b", "-Tascii", "-P-cbou", self.folder / "man1" / f"{page}.1"]
        result = subprocess.run(words, capture_output=True, text=True, check=True)
        self.assertEqual(result.stderr, "")
        return result.stdout

    def complete(self, line: str) -> list[str]:
        """What bash is offered at the end of a line."""
        words = shlex.split(line) + ([""] if line.endswith(" ") else [])
        code = (f"source {shlex.quote(str(self.folder / 'completions' / 'adapt'))}\n"
                f"COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)} COMP_CWORD={len(words) - 1}\n"
                f"COMP_WORDS=({' '.join(map(shlex.quote, words))})\n"
                # The function that `complete` names is the one that a shell would call.
                "read -ra spec <<<\"$(complete -p adapt)\"\n"
                "for ((i = 0; i < ${#spec[@]}; ++i)); do [[ ${spec[i]} == -F ]] && function=${spec[i + 1]}; done\n"
                "\"$function\" adapt; printf '%s\\n' \"${COMPREPLY[@]}\"")  # fmt: skip
        result = subprocess.run(["bash", "-u", "-c", code], capture_output=True, text=True, check=True)
        self.assertEqual(result.stderr, "")
        return [word for word in result.stdout.split("\n") if word]

    def commands(self) -> list[str]:
        """The subcommands that `adapt --help` lists."""
        block = said("--help").split("Commands:\n")[1].split("\n\n")[0]
        return [line.split()[0] for line in block.splitlines()]


@unittest.skipUnless(shutil.which("groff"), "groff is not here")
class Pages(Manual):
    def test_every_page_renders_without_a_warning(self):
        pages = sorted(path.stem for path in (self.folder / "man1").iterdir())
        self.assertEqual({f"adapt-{name}" for name in self.commands()} - set(pages), set())
        for page in pages:
            with self.subTest(page=page):
                text = self.rendered(page)
                for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"):
                    self.assertIn(f"\n{heading}\n", text)

    def test_a_page_says_what_the_help_says(self):
        text = " ".join(self.rendered("adapt-train").split())
        for part in ("adapt-train - train a model as an experiment file says", "--set arg", "-o, --out arg",
                     "training.epochs (default: 15)", "adapt train experiments/quickstart.yaml --resume"):  # fmt: skip
            self.assertIn(part, text)
        self.assertIn("adapt-bench-step(1)", self.rendered("adapt-bench"))


class Completion(Manual):
    def test_is_bash(self):
        subprocess.run(["bash", "-n", self.folder / "completions" / "adapt"], check=True)

    def test_commands(self):
        self.assertEqual(self.complete("adapt "), self.commands())
        self.assertEqual(self.complete("adapt ev"), ["evaluate"])
        self.assertEqual(self.complete("adapt --v"), ["--version"])
        self.assertIn("ceilings", self.complete("adapt bench "))

    def test_options(self):
        self.assertIn("--overwrite", self.complete("adapt train some.yaml --"))
        self.assertEqual(self.complete("mpirun -n 2 adapt train --ov"), ["--overwrite"])
        self.assertEqual(self.complete("adapt bench step --word"), ["--word-length"])
        self.assertEqual(self.complete("adapt train experiments/"), [])  # files, which bash knows

    def test_keys(self):
        self.assertIn("training.epochs=", self.complete("adapt train a.yaml --set training."))
        self.assertEqual(self.complete("adapt train a.yaml --set training.ep"), ["training.epochs="])
        self.assertIn("precision.adapt.lookback_upper=", self.complete("adapt sweep --set precision.adapt."))

    def test_names_of_models_and_data(self):
        facts = dict(line.split(maxsplit=1) for line in said("info").splitlines())
        self.assertEqual(self.complete("adapt train a.yaml --set model="), facts["models"].split(", "))
        self.assertEqual(self.complete("adapt train a.yaml --set data="), facts["datasets"].split(", "))
        self.assertEqual(self.complete("adapt info --model "), facts["models"].split(", "))
        self.assertEqual(self.complete("adapt bench step --model lenet5,vgg"), ["lenet5,vgg11"])
        self.assertIn("integer", self.complete("adapt evaluate run --engine "))


del Manual  # a base without tests of its own

if __name__ == "__main__":
    unittest.main()
