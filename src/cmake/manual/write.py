#!/usr/bin/python3
"""write.py PROGRAM FOLDER: manual pages (FOLDER/man1) and bash completion (FOLDER/completions) of a built adapt.

All is taken from what the program says of itself, so that it never says anything else.
"""

import pathlib
import shutil
import sys

import completion
import help_text
import man_page


def main(program: str, folder: pathlib.Path) -> None:
    """Writes everything anew; pages of commands that are no more are gone."""
    shutil.rmtree(folder, ignore_errors=True)
    version = help_text.said_by(program, "--version").splitlines()[0]
    pages = help_text.read_help(program)
    keys = help_text.read_keys(program)
    for sub in ("man1", "completions"):
        (folder / sub).mkdir(parents=True)
    for page in pages:
        own_keys = keys if page.words == ["adapt", "train"] else []
        text = man_page.man_page(page, pages, own_keys, version)
        (folder / "man1" / f"{man_page.name_of(page)}.1").write_text(text, encoding="utf-8")
    (folder / "completions" / "adapt").write_text(completion.completion(pages, keys), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
