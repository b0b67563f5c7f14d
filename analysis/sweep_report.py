"""The report of a whole sweep: one page, a table of the runs and one of their groups."""

import functools
import os

from analysis.clocks import split_clocks
from analysis.digest import read_digests, usable_digests
from analysis.files import make_folder, write_atomically
from analysis.find_runs import find_all
from analysis.groups import csv_columns_of, csv_rows_of, mixing_notes, ranked_groups
from analysis.metrics import METRICS
from analysis.printable import one_line
from analysis.run_names import with_distinct_names
from analysis.selection import chosen, varied_keys
from analysis.sweep_data import runs_without_log
from analysis.sweep_page import run_columns, run_rows, sweep_page
from analysis.table import csv_text

GROUP_METRICS = ("test_accuracy", "best_test_accuracy", "training_speedup", "inference_speedup", "training_seconds")


def is_sweep(paths):
    """Whether one of `paths` is a folder of runs, not a run."""
    return any(os.path.isdir(path) and not os.path.exists(os.path.join(path, "run.h5")) for path in paths)


def write_sweep_report(paths, conditions, folder):
    """Writes folder/report.html, runs.csv and groups.csv on all runs below `paths` that meet the conditions. Returns lines
    to print."""
    logs, without_log = find_all(paths)
    runs, _ = split_clocks(usable_digests(logs, functools.partial(read_digests, layers=True)))
    runs = chosen(with_distinct_names(runs + runs_without_log(without_log)), conditions)
    keys = varied_keys(runs)
    metrics = [METRICS[name] for name in GROUP_METRICS]
    done = [run for run in runs if run.done]
    groups = ranked_groups(done, keys, metrics) if done else []
    page = sweep_page(os.path.basename(os.path.abspath(paths[0])), runs, keys, groups, metrics)
    make_folder(folder)
    report = os.path.join(folder, "report.html")
    write_atomically(report, page)
    write_atomically(os.path.join(folder, "runs.csv"), csv_text(run_rows(runs, keys), run_columns(keys)))
    write_atomically(os.path.join(folder, "groups.csv"), csv_text(csv_rows_of(groups), csv_columns_of(keys, metrics)))
    states = ", ".join(f"{sum(run.state == state for run in runs)} {state}" for state in sorted({run.state for run in runs}))
    notes = [f"note: {one_line(note)}" for note in mixing_notes(groups, keys)]
    return [f"{len(runs)} runs: {states}", *notes, f"report: {one_line(os.path.abspath(report))}"]
