#!/usr/bin/python3
"""verify.py RUN NEW_RUN: whether NEW_RUN, the first epoch of RUN's configuration trained anew, took the same bits.

Compared are all steps of the epoch (loss, learning rate), its accuracy and loss, every row of every layer and every
precision switch: all that a log without weights holds, but times. RUN may be such a log (strip.py); measured shares
that were rounded there are left out. Prints one line that names the first difference, and the commit that made RUN.
`verify.py --configuration RUN` prints RUN's configuration. experiments/results/verify.sh does both for committed logs.

Exit code: 0 the same, 1 different, 2 bad input.
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules()


import numpy as np

from analysis.errors import EXIT_FAILED, BadInput, Parser, run_main
from analysis.hdf5_file import opened
from analysis.printable import one_line, say
from analysis.run_file import STRIPPED, call_for_file, read_run
from analysis.strip import MEASURED, WITHOUT_WEIGHTS

# What tells of the clock, of the network and of the arithmetic, and not of the trajectory; and the strategy of a step, which early logs
# hold as it was before the step's switches (those have it, too).
NOT_BITS = ("seconds", "exposed_seconds", "test_seconds", "bytes_sent", "messages_sent", "strategy", "integer_share")


def arguments():
    """The parsed command line."""
    parser = Parser(description="Compares a log with its first epoch, trained anew.")
    parser.add_argument("run", metavar="RUN", help="a run folder, or a log without weights")
    parser.add_argument("new", metavar="NEW_RUN", nargs="?", help="the first epoch of its configuration")
    parser.add_argument("--configuration", action="store_true", help="only print RUN's configuration")
    return parser.parse_args()


def is_bits(column):
    """Whether a column has to be the same in both."""
    return column not in NOT_BITS and not column.startswith("seconds_")


def first_difference(run, new, rounded):
    """What differs first between `run` and its first epoch `new`, in words; None where nothing does. `rounded`: RUN's
    measured shares are."""
    steps = len(new.steps["step"])
    if len(new.epochs["epoch"]) != 1 or steps == 0:
        raise BadInput(f"{new.path}: {len(new.epochs['epoch'])} epochs of {steps} steps; expected one whole epoch")
    if len(run.epochs["epoch"]) == 0:
        raise BadInput(f"{run.path}: no epoch was finished; expected a log of one at least")
    last = int(new.steps["step"][-1])
    tables = [("steps", "step", run.steps, new.steps), ("epochs", "epoch", run.epochs, new.epochs)]
    if [layer.name for layer in run.layers] != [layer.name for layer in new.layers]:
        return "the layers are others"
    for ours, theirs in zip(run.layers, new.layers):
        tables.append((f"layers/{ours.name}", "step", ours.series, theirs.series))
    differences = []
    for name, key, old, fresh in tables:
        end = last if key == "step" else 1
        differences += _table_difference(name, key, _until(old, key, end), fresh, rounded)
    differences += _switch_difference([switch for switch in run.switches if switch.step <= last], new.switches)
    return min(differences)[1] if differences else None


def _until(table, key, end):
    rows = table[key] <= end
    return {name: values[rows] for name, values in table.items()}


def _table_difference(name, key, old, fresh, rounded):
    """[(step, words)] of the first row that differs, or []. Where rows were merged, those that are left are compared."""
    place = np.searchsorted(fresh[key], old[key])
    if np.any(place >= len(fresh[key])) or np.any(fresh[key][np.minimum(place, len(fresh[key]) - 1)] != old[key]):
        return [(0, f"{name}: other rows")]
    if not rounded and len(old[key]) != len(fresh[key]):
        return [(0, f"{name}: {len(old[key])} rows against {len(fresh[key])}")]
    found = []
    for column in sorted(old.keys() & fresh.keys()):
        if not is_bits(column) or (rounded and MEASURED.fullmatch(column)):
            continue
        unequal = ~_same(old[column], fresh[column][place])
        if np.any(unequal):
            row = int(np.argmax(unequal))
            number = int(old[key][row])
            words = f"{name}/{column} at {key} {number}: {old[column][row]!r} against {fresh[column][place[row]]!r}"
            found.append((number if key == "step" else np.inf, words))
    return sorted(found)[:1]


def _same(a, b):
    """Element by element; NaN is NaN."""
    equal = a == b
    if a.dtype.kind == "f" and b.dtype.kind == "f":
        equal |= np.isnan(a) & np.isnan(b)
    return equal


def _switch_difference(old, fresh):
    for ours, theirs in zip(old, fresh):
        if repr(ours) != repr(theirs):  # as text: NaN is NaN
            return [(ours.step, f"switches: {ours} against {theirs}")]
    return [] if len(old) == len(fresh) else [(0, f"switches: {len(old)} against {len(fresh)}")]


def _is_rounded(path):
    """Runs in a child process."""
    with opened(path) as (file, _):
        return str(file.attrs.get(STRIPPED, WITHOUT_WEIGHTS)) != WITHOUT_WEIGHTS


def main():
    """One comparison."""
    options = arguments()
    run = read_run(options.run)
    if options.configuration:
        say(run.configuration_text.rstrip("\n"))
        return 0
    if options.new is None:
        raise BadInput("no new run given; usage: verify.py RUN NEW_RUN")
    new = read_run(options.new)
    commit = run.provenance.get("git_commit", "an unknown commit")[:10]
    difference = first_difference(run, new, call_for_file(_is_rounded, run.path, run.path))
    if difference is None:
        say(f"same       {one_line(run.path)}  (made by {commit})")
        return 0
    processors = {each.provenance.get("onednn_instruction_set", "unknown") for each in (run, new)}
    elsewhere = f"; made on {run.provenance.get('onednn_instruction_set')}, here {new.provenance.get('onednn_instruction_set')}"
    say(f"different  {one_line(run.path)}  (made by {commit}): {one_line(difference)}{elsewhere if len(processors) > 1 else ''}")
    return EXIT_FAILED


if __name__ == "__main__":
    from analysis.verify import main  # under the name that the process which reads files finds it by

    run_main(main)
