"""The summary table: one row per run, every speedup column marked "modelled" or "measured"."""

import csv
import dataclasses
import io

from analysis.comparison import (
    float_reference,
    measured_speedup,
    policy_of,
    setting_of,
    task_of,
    wall_seconds,
)
from analysis.cost_model import final_density, iso_accuracy_speedup, run_figures
from analysis.printable import csv_cell, markdown_text, one_line


@dataclasses.dataclass(frozen=True)
class Column:
    """A column: its header, how its numbers look in Markdown and HTML, and what it means."""

    header: str
    form: str  # format specification; "" for text
    meaning: str = ""


COLUMNS = (
    Column("run", ""),
    Column("policy", "", "who decides the formats"),
    Column("engine", "", "float32, emulated (fixed-point meaning in float32 arithmetic) or integer"),
    Column("model", ""),
    Column("dataset", ""),
    Column("epochs", "d", "finished epochs"),
    Column("test accuracy, best (%)", ".2f", "highest over the epochs"),
    Column("test accuracy, last (%)", ".2f", "after the last epoch"),
    Column("best accuracy vs float32 (pp)", "+.2f", "percentage points above the float32 run of the same model and data"),
    Column("training speedup (modelled)", ".2f", "bit operations of float32 training / of this run, switches included"),
    Column("iso-accuracy training speedup (modelled)", ".2f", "the same, stopped at the float32 run's best accuracy"),
    Column("training speedup (measured)", ".2f", "median epoch seconds of the float32 run / of this run"),
    Column("inference speedup (modelled)", ".2f", "bit operations of the float32 network / of the final network"),
    Column("inference speedup (measured)", ".2f", "median seconds of an evaluation, float32 run / this run"),
    Column("model size (modelled)", ".3f", "bits of the non-zero weights, share of float32"),
    Column("sparsity", ".3f", "share of weights that are zero at the end"),
    Column("average word length (bits)", ".2f", "mean over steps and layers"),
    Column("wall time (s)", ".1f", "training and evaluation"),
)
MISSING = "-"


def summary_rows(runs):
    """One list per run with the values of COLUMNS in their order: str, int, float, or None where there is no value."""
    return [_row(run, runs) for run in runs]


def _row(run, runs):
    configuration = run.configuration
    accuracy = run.epochs["test_accuracy"]
    figures = run_figures(run)
    density = final_density(run.layers)
    timing_reference = float_reference(run, runs, setting_of)
    reference_best = _best_accuracy(float_reference(run, runs, task_of))
    speedup = figures and figures.training_speedup
    return [
        run.name,
        policy_of(run),
        configuration.get("engine.name", "?"),
        configuration.get("model.name", "?"),
        configuration.get("data.name", "?"),
        len(accuracy),
        _percent(_best_accuracy(run)),
        _percent(accuracy[-1] if len(accuracy) else None),
        _percent(_difference(_best_accuracy(run), reference_best)),
        speedup,
        None if None in (speedup, reference_best) else iso_accuracy_speedup(speedup, accuracy, reference_best),
        measured_speedup(run, timing_reference, "seconds"),
        figures and figures.inference_speedup,
        measured_speedup(run, timing_reference, "test_seconds"),
        figures and figures.model_size,
        None if density is None else 1 - density,
        figures and figures.mean_word_length,
        wall_seconds(run),
    ]


def _best_accuracy(run):
    return float(max(run.epochs["test_accuracy"])) if run and len(run.epochs["test_accuracy"]) else None


def _difference(value, reference):
    return None if None in (value, reference) else value - reference


def _percent(fraction):
    return None if fraction is None else 100 * float(fraction)


def cell_text(value, column):
    """A value as the reader sees it."""
    if value is None:
        return MISSING
    return format(value, column.form) if column.form else str(value)


def csv_text(rows, columns=COLUMNS):
    """CSV with all digits; a missing value is an empty field; an apostrophe stands before text that a spreadsheet would
    compute."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([csv_cell(column.header) for column in columns])
    for row in rows:
        writer.writerow([_csv_value(value) for value in row])
    return stream.getvalue()


def markdown_table(rows, columns=COLUMNS):
    """A Markdown table with rounded numbers; a missing value is "-"."""
    lines = [
        _markdown_line(markdown_text(column.header) for column in columns),
        _markdown_line("---:" if column.form else "---" for column in columns),
    ]
    for row in rows:
        lines.append(_markdown_line(markdown_text(cell_text(value, column)) for value, column in zip(row, columns)))
    return "\n".join(lines) + "\n"


def console_text(rows):
    """A table for the terminal: one line per column of the summary, one column per run."""
    lines = [[column.header, *(cell_text(row[index], column) for row in rows)] for index, column in enumerate(COLUMNS)]
    return _aligned(lines, [False] + [True] * len(rows))


def aligned_text(rows, columns):
    """A table for the terminal, one line per row, numbers right-aligned."""
    lines = [[column.header for column in columns]]
    lines += [[cell_text(value, column) for value, column in zip(row, columns)] for row in rows]
    return _aligned(lines, [bool(column.form) for column in columns])


def _aligned(lines, right):
    """`lines` of cells in columns of equal width, a rule below the first line; right[i]: column i is right-aligned."""
    lines = [[one_line(cell) for cell in cells] for cells in lines]
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    lines = [lines[0], ["-" * width for width in widths], *lines[1:]]
    texts = (
        [cell.rjust(width) if numeric else cell.ljust(width) for cell, width, numeric in zip(line, widths, right)]
        for line in lines
    )
    return "".join("  ".join(cells).rstrip() + "\n" for cells in texts)


def _csv_value(value):
    if value is None:
        return ""
    return repr(float(value)) if isinstance(value, float) else csv_cell(str(value))


def _markdown_line(cells):
    return f"| {' | '.join(cells)} |"
