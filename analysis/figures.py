#!/usr/bin/python3
"""figures.py RESULTS_DIR|RUN_DIR... --out DIR: the paper's figures of these runs, as PNG and SVG.

Per run with fixed-point layers: word length, fractional length and sparsity per layer over the steps; word length as a
heat map; lookback, gradient diversity and strategy. Over all runs: pareto, accuracy against modelled training cost.
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules()

import os

from analysis.errors import Parser, run_main
from analysis.files import make_folder, write_atomically
from analysis.find_runs import find_runs
from analysis.layer_figures import per_run_figures
from analysis.pareto_figure import pareto_figure
from analysis.printable import say
from analysis.run_figures import run_labels
from analysis.run_file import read_run
from analysis.run_names import file_prefixes, with_distinct_names
from analysis.style import png_bytes, svg_bytes

FORMS = (("png", png_bytes), ("svg", svg_bytes))


def arguments():
    """The parsed command line."""
    parser = Parser(description="Draws the figures of training runs, as PNG and SVG.")
    parser.add_argument("results", metavar="RESULTS_DIR|RUN_DIR", nargs="+", help="folders to search for runs, or runs")
    parser.add_argument("--out", metavar="DIR", required=True, help="folder for the figures; made when missing")
    return parser.parse_args()


def write_figure(folder, name, figure):
    """Writes the figure in all forms and prints the paths."""
    for extension, render in FORMS:
        path = os.path.join(folder, f"{name}.{extension}")
        write_atomically(path, render(figure))
        say(path)


def main():
    """Reads all runs first, so that bad input leaves nothing half written."""
    options = arguments()
    runs = with_distinct_names([read_run(path) for path in find_runs(options.results)])
    make_folder(options.out)
    pareto = pareto_figure(runs, run_labels(runs))
    if pareto is not None:
        write_figure(options.out, "pareto", pareto)
    for run, prefix in zip(runs, file_prefixes(runs)):
        for name, _, figure in per_run_figures(run):
            write_figure(options.out, f"{prefix}_{name}", figure)
    return 0


if __name__ == "__main__":
    run_main(main)
