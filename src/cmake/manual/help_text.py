"""What a built `adapt` says of itself: its help texts and the keys of an experiment file, taken apart."""

import dataclasses
import os
import re
import subprocess

_OPTION = re.compile(r"  (?:(-\w) \[ (--[\w-]+) \]|(--[\w-]+))( arg)?(?: \(=([^)]*)\))? *(.*)")
_ENTRY = re.compile(r"  (\S+) {2,}(.*)")


@dataclasses.dataclass
class Option:
    """One option of a command."""

    names: list[str]  # "-o", "--out"
    takes_value: bool
    standard: str
    meaning: str


@dataclasses.dataclass
class Help:
    """The help of a command; `words` are the command's own, "adapt" first."""

    words: list[str]
    summary: str
    synopsis: str
    description: str = ""
    entries: list[tuple[str, str]] = dataclasses.field(default_factory=list)  # commands below it, with summaries
    options: list[Option] = dataclasses.field(default_factory=list)
    examples: list[str] = dataclasses.field(default_factory=list)
    rest: str = ""
    is_of_scripts: bool = False  # the entries are scripts, whose help is their own


@dataclasses.dataclass
class Key:
    """A key of an experiment file."""

    name: str  # "training.epochs"
    standard: str
    meaning: str
    choices: list[str]


def said_by(program: str, *words: str) -> str:
    """What the program prints."""
    # A sanitized program would fail for what libraries leave behind at exit, which is not asked here.
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    return subprocess.run([program, *words], env=environment, capture_output=True, text=True, check=True).stdout


def _option_of(match: re.Match) -> Option:
    short, name, alone, value, standard, meaning = match.groups()
    return Option([short, name] if short else [alone], bool(value), standard or "", meaning.strip())


def _read_options(lines: list[str]) -> list[Option]:
    options: list[Option] = []
    for line in lines:
        match = _OPTION.fullmatch(line)
        if match:
            options.append(_option_of(match))
        else:
            options[-1].meaning = f"{options[-1].meaning} {line.strip()}".strip()
    return options


def _parse(text: str, words: list[str], summary: str) -> Help:
    usage, *blocks = [block for block in text.rstrip().split("\n\n") if block]
    if not usage.startswith("usage: "):
        raise ValueError(f"{' '.join(words)} --help: expected 'usage: ...', found {usage!r}")
    page = Help(words, summary, usage.removeprefix("usage: "))
    for block in blocks:
        heading, *lines = block.strip("\n").split("\n")
        if heading == "Options:":
            page.options = _read_options(lines)
        elif heading == "Examples:":
            page.examples = [line.strip() for line in lines]
        elif lines and all(map(_ENTRY.fullmatch, lines)):
            page.is_of_scripts = heading == "Scripts:"
            page.entries = [match.groups() for match in map(_ENTRY.fullmatch, lines)]
        elif page.description:
            page.rest = block
        else:
            page.description = block
    return page


def read_help(program: str, words: tuple[str, ...] = (), summary: str = "") -> list[Help]:
    """The help of a command, and of all below it."""
    page = _parse(said_by(program, *words, "--help"), ["adapt", *words], summary)
    page.summary = summary or page.description.rstrip(".")
    below = [read_help(program, (*words, name), text) for name, text in page.entries if not page.is_of_scripts]
    return [page, *(each for pages in below for each in pages)]


def _key_of(name: str, standard: str, comment: str) -> Key:
    _, _, listed = comment.rpartition("one of ")
    choices = listed.split(", ") if listed != comment else []
    return Key(name, standard, comment, ["true", "false"] if comment.endswith("true or false") else choices)


def read_keys(program: str) -> list[Key]:
    """The keys of an experiment file, as `adapt train --help-keys` lists them."""
    keys: list[Key] = []
    sections: list[str] = []
    comment = ""
    for line in said_by(program, "train", "--help-keys").splitlines():
        match = re.fullmatch(r"( *)([\w-]+):(?: (.*))?", line)
        if line.lstrip().startswith("# "):
            comment = line.strip().removeprefix("# ")
        elif match:
            sections = sections[: len(match[1]) // 2] + [match[2]]
            if match[3] is not None:
                keys.append(_key_of(".".join(sections), match[3], comment))
    return keys
