"""The tables of the bash completion, from the help texts and keys."""

import pathlib
import re
import shlex

from help_text import Help, Key, Option

_CODE = pathlib.Path(__file__).with_name("completion.bash")


def _named(keys: list[Key]) -> dict[str, list[str]]:
    """The names that a section's plain value may have, and a key's own: {"model": [...], "model.name": [...]}."""
    named = {}
    for key in keys:
        section, _, last = key.name.rpartition(".")
        if key.choices and last in ("name", "policy"):
            named[section] = key.choices
        if key.choices:
            named[key.name] = key.choices
    return named


def _assignments(keys: list[Key]) -> list[str]:
    """What may stand behind --set: "training.epochs=", "data=mnist"."""
    named = _named(keys)
    free = [f"{key.name}=" for key in keys if key.name not in named]
    return free + [f"{name}={value}" for name, values in named.items() for value in values]


def _values(option: Option, keys: list[Key]) -> list[str]:
    """The names that an option takes: those of the keys that are called like it, where its help speaks of them."""
    name = option.names[-1].removeprefix("--").replace("-", "_")
    for key, choices in _named(keys).items():
        words = set(re.findall(r"[\w-]+", option.meaning + " " + option.standard))
        if key.split(".")[-1] == name and (len(words & set(choices)) > 1 or option.standard.split(",")[0] in choices
                                           or "name" in option.meaning):  # fmt: skip
            return choices
    return []


def _table(name: str, rows: dict[str, list[str]]) -> str:
    lines = (f"  [{shlex.quote(key)}]={shlex.quote(' '.join(words))}\n" for key, words in rows.items() if words)
    return f"declare -gA {name}=(\n{''.join(lines)})\n"


def completion(pages: list[Help], keys: list[Key]) -> str:
    """The whole completion file."""
    words, valued, values = {}, {}, {}
    for page in pages:
        command = " ".join(page.words)
        options = [name for option in page.options for name in option.names]
        words[command] = [entry for entry, _ in page.entries] + (options or ["--help"])
        valued[command] = [name for option in page.options if option.takes_value for name in option.names]
        for option in page.options:
            takes_key = option.takes_value and re.search(r"\ba key\b", option.meaning)
            for name in option.names:
                values[f"{command} {name}"] = ["="] if takes_key else _values(option, keys)
    words["adapt"].append("--version")
    tables = _table("_adapt_words", words) + _table("_adapt_valued", valued) + _table("_adapt_values", values)
    assignments = "\n".join(f"  {shlex.quote(each)}" for each in _assignments(keys))
    return _CODE.read_text(encoding="utf-8") + "\n" + tables + f"_adapt_assignments=(\n{assignments}\n)\n"
