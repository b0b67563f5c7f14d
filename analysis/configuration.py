"""The resolved configuration of a run as a flat dictionary."""

import hashlib

import yaml

from analysis.errors import BadInput

# The fast one where this Python has it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

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
    """Mappings of scalars as {"training.batch": "256"}, with their text as it stands, without quotes; a list of scalars
    becomes one string "[3, 4]". What is empty, or of another form, is left out: the full text is shown in the report
    anyway. References ("*name") are not followed, so that no short text becomes long. BadInput for a text that is no YAML.
    """
    values = {}
    try:
        _flatten(yaml.parse(text, Loader=LOADER), values)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise BadInput(f"no YAML: {getattr(error, 'problem', None) or 'unreadable characters'}{where}") from None
    return values


NO_NAME = False  # the key of a value that is left out, as it is no scalar


def _flatten(events, values):
    path = []  # of the mappings around: the key whose value is next, or None where a key is
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            path.pop()
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)) and path and path[-1] is None:
            _scalars(events)
            path[-1] = NO_NAME
            continue
        elif isinstance(event, yaml.MappingStartEvent):
            path.append(None)
            continue
        elif isinstance(event, yaml.SequenceStartEvent):
            items = _scalars(events)
            if items is not None:
                _set(values, path, f"[{', '.join(items)}]")
        elif isinstance(event, yaml.ScalarEvent):
            if path and path[-1] is None:
                path[-1] = event.value
                continue
            _set(values, path, event.value)
        elif isinstance(event, yaml.AliasEvent):
            if path and path[-1] is None:
                path[-1] = NO_NAME
                continue
        else:
            continue
        if path:
            path[-1] = None  # a value has ended: a key comes next


def _set(values, path, text):
    if text and path and NO_NAME not in path:
        values[".".join(path)] = text


def _scalars(events):
    """Goes to the end of a list or mapping that has begun. Its items, or None where one is no scalar."""
    items = []
    depth = 1
    for event in events:
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            depth -= 1
        if depth == 0:
            break
        if isinstance(event, yaml.ScalarEvent) and items is not None:
            items.append(event.value)
        else:
            items = None
    return items
