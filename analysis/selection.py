"""Runs by their settings: names of keys, conditions, groups of runs that differ in the seed only."""

import difflib

from analysis.errors import BadInput

SEED = "seed"
PROVENANCE = "provenance."
NO_SETTING = ("name", "data.path", "record.", "checkpoint.", "mpi.")  # no result depends on these


class Keys:
    """The keys that some runs have, by full or short names: of the configuration, and provenance.NAME."""

    def __init__(self, runs):
        self.names = {key for run in runs for key in run.configuration}
        self.names |= {PROVENANCE + key for run in runs for key in run.provenance}

    def full(self, word, option):
        """The full name of `word`: itself, `word.name`, or the one key that ends in `.word`. BadInput otherwise."""
        for name in (word, f"{word}.name"):
            if name in self.names:
                return name
        ends = sorted(name for name in self.names if name.endswith(f".{word}") and not name.startswith(PROVENANCE))
        if len(ends) == 1:
            return ends[0]
        if ends:
            raise BadInput(f"{option}: '{word}' may be {', '.join(ends)}; expected one of these")
        short = {name.removesuffix(".name").rpartition(".")[2]: name for name in sorted(self.names)}
        near = difflib.get_close_matches(word, sorted(self.names | short.keys()), 1)
        hint = f"; did you mean {short.get(near[0], near[0])}?" if near else "; `adapt train --help-keys` lists them"
        raise BadInput(f"{option}: no run has the key '{word}'{hint}")


def short_names(keys):
    """A short name for each full key, by which Keys.full finds it among `keys`: its last part, without `.name`."""
    shorts = [key.removesuffix(".name").rpartition(".")[2] for key in keys]
    return [key if shorts.count(short) > 1 else short for key, short in zip(keys, shorts)]


def value_of(run, key):
    """The run's value of a full key, "-" where it has none."""
    if key.startswith(PROVENANCE):
        return run.provenance.get(key[len(PROVENANCE) :], "-")
    return run.configuration.get(key, "-")


def chosen(runs, conditions, option="--where"):
    """The runs that meet all `conditions` (texts KEY=VALUE[,VALUE...], any of the values; or KEY!=VALUE...). BadInput for
    a condition that is none, and for one that leaves nothing."""
    keys = Keys(runs)
    for condition in conditions:
        word, equals, wanted = condition.partition("=")
        if not equals or not word.rstrip("!"):
            raise BadInput(f"{option} {condition}: expected KEY=VALUE, for example model=resnet20")
        negated = word.endswith("!")
        key = keys.full(word.rstrip("!"), option)
        left = [run for run in runs if _is_any(value_of(run, key), wanted) != negated]
        if not left:
            found = ", ".join(sorted({value_of(run, key) for run in runs})[:10])
            raise BadInput(f"{option} {condition}: no run is left; {key} is {found} in the runs before it")
        runs = left
    return runs


def _is_any(value, wanted):
    return any(_same(value, word) for word in (wanted, *wanted.split(",")))


def _same(value, word):
    """Equal as text or as numbers: 1e-4 is 1.0e-04."""
    try:
        return value == word or float(value) == float(word)
    except ValueError:
        return False


def varied_keys(runs):
    """The settings that are not the same in all runs, sorted: keys of the configuration but for the seed and what no
    result depends on."""
    keys = sorted({key for run in runs for key in run.configuration})
    return [key for key in keys
            if key != SEED and not key.startswith(NO_SETTING) and len({value_of(run, key) for run in runs}) > 1]  # fmt: skip


def grouped(runs, keys):
    """{values of `keys`: runs}, in the order in which they are found."""
    groups = {}
    for run in runs:
        groups.setdefault(tuple(value_of(run, key) for key in keys), []).append(run)
    return groups


def by_seed(runs, value):
    """{seed: value(run)} over the runs with a value; None when two runs have the same seed."""
    values = {}
    for run in runs:
        seed = value_of(run, SEED)
        if value(run) is None:
            continue
        if seed in values:
            return None
        values[seed] = value(run)
    return values
