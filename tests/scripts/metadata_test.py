#!/usr/bin/python3
"""CITATION.cff, codemeta.json, the licence, the changelog and the program say the same about this project."""

import json
import os
import pathlib
import re
import subprocess
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("ADAPT_PROGRAM", "adapt")


def text_of(name: str) -> str:
    """A file of the top folder."""
    return (ROOT / name).read_text(encoding="utf-8")


def project_entry(word: str) -> str | None:
    """What stands behind a word of CMakeLists.txt's project(), without quotes."""
    call = re.search(r"\bproject\(([^)]*)\)", text_of("CMakeLists.txt")).group(1)
    found = re.search(rf'\b{word}\s+("[^"]*"|\S+)', call)
    return found.group(1).strip('"') if found else None


class Metadata(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.citation = yaml.safe_load(text_of("CITATION.cff"))
        cls.codemeta = json.loads(text_of("codemeta.json"))

    def test_version(self):
        version = project_entry("VERSION")
        self.assertRegex(version, r"^\d+\.\d+\.\d+$")
        self.assertEqual(self.citation["version"], version)
        self.assertEqual(self.codemeta["version"], version)
        self.assertIn(f"\n## [{version}]", text_of("CHANGELOG.md"))

    def test_program_says_the_version_and_its_libraries(self):
        said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertEqual(said[0], f"adapt {project_entry('VERSION')}")
        facts = dict(line.split(maxsplit=1) for line in said[1:])
        for library in ("oneDNN", "HDF5", "Boost"):
            self.assertRegex(facts[library], r"^\d+\.\d+", library)
        self.assertRegex(facts["MPI"], r"\d+\.\d+")
        self.assertRegex(facts["compiler"], r"\d+\.\d+")

    def test_title_and_summary(self):
        self.assertEqual(self.codemeta["name"], self.citation["title"])
        self.assertEqual(self.codemeta["description"], self.citation["abstract"].strip())
        self.assertEqual(self.codemeta["keywords"], self.citation["keywords"])

    def test_authors(self):
        cited = [author.get("name") or f"{author['given-names']} {author['family-names']}"
                 for author in self.citation["authors"]]  # fmt: skip
        named = [author.get("name") or f"{author['givenName']} {author['familyName']}"
                 for author in self.codemeta["author"]]  # fmt: skip
        self.assertTrue(cited)
        self.assertEqual(named, cited)

    def test_licence(self):
        self.assertEqual(self.codemeta["license"], "https://spdx.org/licenses/" + self.citation["license"])
        name, _, version = self.citation["license"].partition("-")
        title = re.sub(r"\s+", " ", text_of("LICENSE")[:200])
        self.assertIn(f" {name} License Version {version}, ", title)

    def test_repository(self):
        # Where none of them names a repository yet, they agree, too.
        cited = self.citation.get("repository-code")
        self.assertEqual(self.codemeta.get("codeRepository"), cited)
        self.assertEqual(project_entry("HOMEPAGE_URL"), cited)

    def test_paper(self):
        paper = self.codemeta["referencePublication"]
        self.assertIn((paper["name"], paper["url"]),
                      [(cited["title"], cited["url"]) for cited in self.citation["references"]])  # fmt: skip


if __name__ == "__main__":
    unittest.main()
