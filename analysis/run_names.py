"""Names of runs that stand beside each other: in tables, legends and file names."""

import os
import re


def with_distinct_names(runs):
    """Gives runs whose folders have the same name the parent's name too, and a number if that is not enough."""
    names = [run.name for run in runs]
    for run in runs:
        if names.count(run.name) > 1:
            parent = os.path.basename(os.path.dirname(os.path.dirname(os.path.abspath(run.path))))
            run.name = f"{parent}/{run.name}"
    names = [run.name for run in runs]
    for index, run in enumerate(runs):
        if names.count(run.name) > 1:
            run.name = f"{run.name} ({index + 1})"
    return runs


def file_prefixes(runs):
    """One beginning of a file name per run, in their order."""
    return [f"{index + 1:02d}_{re.sub(r'[^A-Za-z0-9.-]+', '_', run.name)[:60]}" for index, run in enumerate(runs)]
