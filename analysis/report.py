#!/usr/bin/python3
"""report.py RUN_DIR...|STORE --out DIR: how do these runs compare?

Of a few runs, writes to DIR: report.html (one self-contained file), table.csv, table.md, figures/*.png; prints the table and
the path of the report. Of a store or another folder of runs: report.html, whose table and charts can be filtered, runs.csv and
groups.csv. Exit 2 with one line on stderr when a run cannot be used (in a store: when none can).
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules(later=("scipy",))

import os

from analysis.errors import Parser, run_main
from analysis.files import make_folder_within, write_atomically
from analysis.layer_figures import per_run_figures
from analysis.page import page
from analysis.printable import one_line, say
from analysis.run_figures import curves_figure, run_labels, time_figure
from analysis.run_file import read_run
from analysis.run_names import file_prefixes, with_distinct_names
from analysis.style import png_bytes
from analysis.sweep_report import is_sweep, write_sweep_report
from analysis.table import console_text, csv_text, markdown_table, summary_rows

OVERVIEW = (
    ("curves", curves_figure, "Loss and accuracy; the loss per step is the mean over neighbouring steps in long runs."),
    ("time", time_figure, "Means over all logged steps of rank 0; evaluation is not part of a step."),
)


def arguments():
    """The parsed command line."""
    parser = Parser(description="Compares training runs: tables, figures and one HTML page.")
    parser.add_argument("runs", metavar="RUN_DIR|STORE", nargs="+", help="folder of a run, its run.h5, or a folder of runs")
    parser.add_argument("--where", metavar="KEY=VALUE", action="append", default=[],
                        help="of a folder of runs: only those with this setting (see compare.py --help)")
    parser.add_argument("--out", metavar="DIR", required=True, help="folder for the report; made when missing")
    return parser.parse_args()


def rendered(name, figure, caption, folder):
    """Writes the figure as folder/name.png; returns (title, caption, PNG bytes) for the page."""
    png = png_bytes(figure)
    write_atomically(os.path.join(folder, f"{name}.png"), png)
    return name.replace("_", " "), caption, png


def overview_figures(runs, folder):
    """Figures over all runs."""
    labels = run_labels(runs)
    drawn = [(name, draw(runs, labels), caption) for name, draw, caption in OVERVIEW]
    return [rendered(name, figure, caption, folder) for name, figure, caption in drawn if figure is not None]


def run_figures(run, prefix, folder):
    """Figures of one run; none when all its layers stayed float32."""
    return [rendered(f"{prefix}_{name}", figure, caption, folder) for name, caption, figure in per_run_figures(run)]


def main():
    """Reads all runs first, so that bad input leaves nothing half written."""
    options = arguments()
    if options.where or is_sweep(options.runs):
        say("\n".join(write_sweep_report(options.runs, options.where, options.out)))
        return 0
    runs = with_distinct_names([read_run(path) for path in options.runs])
    rows = summary_rows(runs)
    folder = make_folder_within(options.out, "figures")
    overview = overview_figures(runs, folder)
    prefixes = file_prefixes(runs)
    of_runs = [run_figures(run, prefix, folder) for run, prefix in zip(runs, prefixes)]
    write_atomically(os.path.join(options.out, "table.csv"), csv_text(rows))
    write_atomically(os.path.join(options.out, "table.md"), markdown_table(rows))
    report = os.path.join(options.out, "report.html")
    write_atomically(report, page(runs, rows, overview, of_runs))
    say(console_text(rows))
    say(f"report: {one_line(os.path.abspath(report))}")
    return 0


if __name__ == "__main__":
    run_main(main)
