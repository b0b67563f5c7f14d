#!/usr/bin/python3
"""compare.py STORE|RUN_DIR... [--where KEY=VALUE]... [--group KEY[,KEY]] [--metric NAME[,NAME]]: which settings are best?

Prints one row per group of finished runs that differ in the seed only: mean ± standard deviation, best first, and whether
the difference to the best is more than scatter. --out writes compare.{csv,md,tex}, too.
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules(("numpy", "h5py"), later=("scipy",))

import collections
import os

from analysis.clocks import split_clocks
from analysis.digest import PRUNED, usable_digests
from analysis.errors import BadInput, Parser, complain, run_main
from analysis.files import make_folder, write_atomically
from analysis.find_runs import find_runs
from analysis.groups import columns_of, csv_columns_of, csv_rows_of, mixing_notes, ranked_groups, rows_of
from analysis.kept_digests import read_kept_digests
from analysis.latex import tabular_text
from analysis.metrics import METRICS
from analysis.printable import say
from analysis.selection import Keys, chosen, varied_keys
from analysis.table import aligned_text, csv_text, markdown_table

FORMATS = ("text", "csv", "markdown", "latex")
FILES = (("compare.csv", "csv"), ("compare.md", "markdown"), ("compare.tex", "latex"))


def arguments():
    """The parsed command line."""
    parser = Parser(
        description="Means over seeds, best first, of the finished runs of a store, of folders of results, or of runs.",
        epilog=f"metrics: {', '.join(METRICS)}",
    )
    parser.add_argument("results", metavar="STORE|RUN_DIR", nargs="+", help="store, folder to search for runs, or run")
    parser.add_argument("--where", metavar="KEY=VALUE", action="append", default=[],
                        help="only runs with this setting; VALUE,VALUE: any of them; KEY!=VALUE: without; repeatable")
    parser.add_argument("--group", metavar="KEY[,KEY]", help="one row per value of these settings; default: all that "
                        "differ between the runs, but for the seed; provenance.NAME is a setting, too")
    parser.add_argument("--metric", metavar="NAME[,NAME]", default="test_accuracy",
                        help="what to compare; the first one decides the order (default: test_accuracy)")
    parser.add_argument("--format", choices=FORMATS, default="text", help="of what is printed")
    parser.add_argument("--out", metavar="DIR", help="folder for CSV, Markdown and LaTeX; made when missing")
    return parser.parse_args()  # fmt: skip


def chosen_metrics(names):
    """The metrics that --metric names."""
    for name in names:
        if name not in METRICS:
            raise BadInput(f"--metric: there is no '{name}'; expected one of {', '.join(METRICS)}")
    return [METRICS[name] for name in names]


def finished_runs(paths, conditions):
    """(finished runs that meet the conditions, the other runs that meet them)."""
    runs, _ = split_clocks(usable_digests(find_runs(paths), read_kept_digests))
    runs = chosen(runs, conditions)
    done = [run for run in runs if run.done]
    if not done:
        raise BadInput(f"{paths[0]}: none of {len(runs)} runs is finished; expected at least one with DONE")
    return done, [run for run in runs if not run.done]


def notes_of_others(others):
    """A line on those that were pruned, and where; one on those that are not finished for another reason."""
    pruned = collections.Counter(len(run.epochs["epoch"]) for run in others if run.state == PRUNED)
    unfinished = len(others) - pruned.total()
    places = ", ".join(f"{count} at epoch {epoch}" for epoch, count in sorted(pruned.items()))
    return ([f"{pruned.total()} runs left out: pruned, {places}"] if pruned else []) + (
        [f"{unfinished} runs left out: not finished"] if unfinished else [])  # fmt: skip


def forms_of(groups, keys, metrics):
    """{format: the table as text}."""
    rows, columns = rows_of(groups), columns_of(keys, metrics)
    return {
        "text": aligned_text(rows, columns),
        "markdown": markdown_table(rows, columns),
        "latex": tabular_text(rows, columns, [("", column.header) for column in columns]),
        "csv": csv_text(csv_rows_of(groups), csv_columns_of(keys, metrics)),
    }


def main():
    """Reads all runs, compares, prints."""
    options = arguments()
    metrics = chosen_metrics(options.metric.split(","))
    runs, others = finished_runs(options.results, options.where)
    if options.group is None:
        keys = varied_keys(runs)
    else:
        names = Keys(runs)
        keys = [names.full(word, "--group") for word in options.group.split(",")]
    groups = ranked_groups(runs, keys, metrics)
    forms = forms_of(groups, keys, metrics)
    if options.out:
        make_folder(options.out)
        for name, form in FILES:
            write_atomically(os.path.join(options.out, name), forms[form])
    say(forms[options.format].rstrip("\n"))
    for note in mixing_notes(groups, keys) + notes_of_others(others):
        complain("note", note)
    return 0


if __name__ == "__main__":
    run_main(main)
