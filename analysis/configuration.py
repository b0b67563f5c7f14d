"""The resolved configuration of a run as a flat dictionary."""

import hashlib

# Keys that older runs do not have, and what they did.
YOUNG = {"training.label_smoothing": "0"}


def resolved_values(text):
    """flatten_yaml of a whole configuration: keys that are younger than it have their defaults, and a network of its own
    is known by the first digits of the SHA-256 of its text."""
    values = {**YOUNG, **flatten_yaml(text)}
    if "model.graph" in values:
        line = next(line for line in text.splitlines() if line.strip().startswith("graph:"))
        values["model.graph"] = hashlib.sha256(line.strip().encode()).hexdigest()[:12]
    return values


def flatten_yaml(text):
    """Block mappings of scalars as {"training.batch": "256"}; a list of scalars becomes one string "[3, 4]".

    This is the subset in which `adapt` writes /config; lines outside it are left out, because the full text is shown
    in the report anyway. Values stay strings, without their quotes.
    """
    values = {}
    parents = []  # (indentation, key) of the mappings around the current line
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", "---", "...")):
            continue
        indentation = len(line) - len(line.lstrip(" "))
        if stripped.startswith("- "):
            _append_item(values, parents, _scalar(stripped[2:]))
            continue
        key, colon, value = stripped.partition(":")
        if not colon or (value and value[0] != " "):
            continue
        while parents and parents[-1][0] >= indentation:
            parents.pop()
        parents.append((indentation, _scalar(key)))
        scalar = _scalar(value)
        if scalar:
            values[".".join(name for _, name in parents)] = scalar
    return {key: f"[{', '.join(value)}]" if isinstance(value, list) else value for key, value in values.items()}


def _append_item(values, parents, item):
    key = ".".join(name for _, name in parents)
    if not isinstance(values.get(key), list):
        values[key] = []
    values[key].append(item)


def _scalar(text):
    """Text without white space, trailing comment and quotes."""
    text = text.strip()
    if len(text) >= 2 and text[0] in "\"'" and text[0] in text[1:]:
        return text[1 : text.index(text[0], 1)]
    return text.split(" #")[0].strip()
