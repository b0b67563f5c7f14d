"""Groups of runs that differ in the seed only, ranked by a metric: means, scatter, significance."""

import dataclasses

from analysis.selection import by_seed, grouped, varied_keys
from analysis.significance import deviation, holm, mean, paired_p_value, welch_p_value
from analysis.table import Column

PAIRED, WELCH = "paired t", "Welch's t"


@dataclasses.dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation of values; no deviation of a single one."""

    mean: float
    deviation: float | None

    def __format__(self, form):
        text = format(self.mean, form)
        return text if self.deviation is None else f"{text} ± {format(self.deviation, form)}"


@dataclasses.dataclass
class Group:
    """Runs with the same values of the keys that were grouped by."""

    values: tuple
    runs: list
    spreads: list  # one Spread per metric, None where no run has a value
    p_value: float | None = None  # of "the first metric has the same mean as in the best group", Holm-adjusted
    test: str | None = None


def ranked_groups(runs, keys, metrics):
    """The groups of `runs` by full `keys`, best first by the first of `metrics`, those without a value last."""
    groups = [Group(values, members, [_spread(members, metric) for metric in metrics])
              for values, members in grouped(runs, keys).items()]  # fmt: skip
    sign = -1 if metrics[0].higher_is_better else 1
    groups.sort(key=lambda group: (group.spreads[0] is None, sign * group.spreads[0].mean if group.spreads[0] else 0))
    tests = [_test(group, groups[0], metrics[0]) for group in groups[1:]]
    for group, (_, name), adjusted in zip(groups[1:], tests, holm([p_value for p_value, _ in tests])):
        group.p_value, group.test = adjusted, None if adjusted is None else name
    return groups


def mixing_notes(groups, keys):
    """A line for each group whose runs differ in more than the seed: its mean is over unlike runs."""
    notes = []
    for group in groups:
        others = [key for key in varied_keys(group.runs) if key not in keys]
        if others:
            shown = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
            notes.append(f"{_title(group, keys)}: its runs differ in {shown}, too; add to --group or narrow with --where")
        elif by_seed(group.runs, lambda run: 0) is None:
            notes.append(f"{_title(group, keys)}: several runs with the same seed")
    return notes


def columns_of(keys, metrics):
    """Columns of the table for people."""
    return ([Column(key, "") for key in keys] + [Column("runs", "d")]
            + [Column(metric.header, metric.form) for metric in metrics]
            + [Column("p against the best", ".2g"), Column("test", "")])  # fmt: skip


def rows_of(groups):
    """Rows of columns_of."""
    return [[*group.values, len(group.runs), *group.spreads, group.p_value, group.test] for group in groups]


def csv_columns_of(keys, metrics):
    """Columns of the table for programs: means and deviations apart."""
    pairs = [Column(metric.header + part, metric.form) for metric in metrics for part in (": mean", ": standard deviation")]
    return [Column(key, "") for key in keys] + [Column("runs", "d"), *pairs, Column("p against the best", ".2g"),
                                                Column("test", "")]  # fmt: skip


def csv_rows_of(groups):
    """Rows of csv_columns_of."""
    rows = []
    for group in groups:
        pairs = [part for spread in group.spreads
                 for part in ((None, None) if spread is None else (spread.mean, spread.deviation))]  # fmt: skip
        rows.append([*group.values, len(group.runs), *pairs, group.p_value, group.test])
    return rows


def _spread(runs, metric):
    values = [value for value in map(metric.value, runs) if value is not None]
    if not values:
        return None
    return Spread(mean(values), deviation(values) if len(values) > 1 else None)


def _test(group, best, metric):
    """(p, name of the test): over pairs of runs with the same seed where all have a partner, else Welch's."""
    of_group, of_best = (by_seed(each.runs, metric.value) for each in (group, best))
    if of_group and of_best and of_group.keys() == of_best.keys():
        return paired_p_value([of_group[seed] for seed in of_group], [of_best[seed] for seed in of_group]), PAIRED
    values = [[value for value in map(metric.value, each.runs) if value is not None] for each in (group, best)]
    return welch_p_value(*values), WELCH


def _title(group, keys):
    return ", ".join(f"{key}={value}" for key, value in zip(keys, group.values)) or "all runs"
