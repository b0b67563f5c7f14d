#!/usr/bin/python3
"""paper_table.py RESULTS_DIR|RUN_DIR... [--out DIR]: the paper's tables, published beside ours.

Prints Markdown; --out writes paper_table.{csv,md,tex}, authors_table.csv and muppet_table.csv too. A RESULTS_DIR is
searched for run.h5 and for loose *.h5 logs. Rows are cells (model × dataset); runs that differ in the seed only are
averaged.
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules()

import dataclasses
import os

from analysis.clocks import split_clocks
from analysis.comparison import FLOAT_POLICY, policy_of
from analysis.errors import Parser, run_main
from analysis.files import make_folder, write_atomically
from analysis.find_runs import find_runs
from analysis.latex import tabular_text
from analysis.paper_rows import (
    BY_AUTHORS,
    EPOCHS,
    LEVELS,
    MEASURED,
    MODELLED,
    OURS,
    PUBLISHED,
    adapt_rows,
    average_rows,
    muppet_rows,
    pairing_notes,
)
from analysis.printable import markdown_text, say
from analysis.published import read_published
from analysis.run_file import read_run
from analysis.table import Column, csv_text, markdown_table

PUBLISHED_MODELLED = "published, modelled"


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A quantity of the tables: key in published.csv, heading, form of its numbers, kinds of values (kind, heading)."""

    key: str
    heading: str
    form: str
    kinds: tuple = ((PUBLISHED, PUBLISHED), (OURS, OURS))


_MODELLED = ((PUBLISHED, PUBLISHED_MODELLED), (MODELLED, MODELLED))
_SPEEDUP = (*_MODELLED, (MEASURED, MEASURED))
FLOAT_ACCURACY = Quantity("accuracy_float32", "accuracy float32 (%)", ".2f")
DIFFERENCE = Quantity("accuracy_difference", "difference (pp)", "+.2f")
TRAINING = Quantity("training_speedup", "training speedup", ".2f", _SPEEDUP)
ACCURACY = (FLOAT_ACCURACY, Quantity("accuracy_adapt", "accuracy AdaPT (%)", ".2f"), DIFFERENCE)
COST = (
    TRAINING,
    Quantity("iso_accuracy_training_speedup", "iso-accuracy training speedup", ".2f", _MODELLED),
    Quantity("inference_speedup", "inference speedup", ".2f", _SPEEDUP),
    Quantity("model_size", "model size", ".3f", _MODELLED),
    Quantity("file_size", "file size, share of float32", ".3f", ((MEASURED, MEASURED),)),
    Quantity("average_word_length", "average word length (bits)", ".2f"),
    Quantity("density", "density", ".3f"),
)
COST_BY_AUTHORS = tuple(
    dataclasses.replace(quantity, kinds=((PUBLISHED, PUBLISHED_MODELLED), (BY_AUTHORS, BY_AUTHORS)))
    for quantity in COST if (PUBLISHED, PUBLISHED_MODELLED) in quantity.kinds
)
MUPPET = (
    *(Quantity(EPOCHS + level, f"epochs at {level}{' bits' * level.isdigit()}", "g") for level in LEVELS),
    FLOAT_ACCURACY,
    Quantity("accuracy_muppet", "accuracy MuPPET (%)", ".2f"),
    DIFFERENCE,
    TRAINING,
)
EXPLANATION = """\
Published: `analysis/published.csv`; a figure that is not known stays open. Accuracy: the best test accuracy over the
epochs. Modelled: from the analytical performance model, never wall clock. Measured: ratio of wall clocks (median seconds
of an epoch, of an evaluation), float32 over ours, only between runs on the same host, with the same ranks, threads and
batch; taken from short repetitions on an idle machine where a folder `clock` holds them. Model size: bits of the non-zero
weights relative to float32. File size: bytes of model.packed beside the log (adapt export --to packed), all tensors and names
in it, relative to the same file in float32. Word length: mean over steps and layers. Density: share of non-zero weights at the end. The
authors' formulas are those of their code, which differ from our model: see `analysis/authors_model.py`.
"""


class Table:
    """Rows under the columns of some quantities."""

    def __init__(self, title, rows, quantities):
        self.title = title
        self.keys = [(quantity.key, kind) for quantity in quantities for kind, _ in quantity.kinds]
        self.groups = [("", "model"), ("", "dataset"), ("", "runs")]
        self.groups += [(quantity.heading, heading) for quantity in quantities for _, heading in quantity.kinds]
        forms = ["", "", ""] + [quantity.form for quantity in quantities for _ in quantity.kinds]
        headers = [f"{group}: {own}" if group else own for group, own in self.groups]
        self.columns = [Column(header, form) for header, form in zip(headers, forms)]
        self.rows = [[row.model, row.dataset, row.run_names, *map(row.values.get, self.keys)] for row in rows]

    def csv(self):
        """All digits, empty fields for what is missing."""
        return csv_text(self.rows, self.columns)

    def markdown(self):
        """A heading and the table."""
        return f"## {self.title}\n\n{markdown_table(self.rows, self.columns)}"

    def latex(self):
        """The title as a comment and a tabular."""
        return f"% {self.title}\n{tabular_text(self.rows, self.columns, self.groups)}"


def arguments():
    """The parsed command line."""
    parser = Parser(description="Prints the paper's tables, published beside ours.")
    parser.add_argument("results", metavar="RESULTS_DIR|RUN_DIR", nargs="+", help="folders to search for runs, or runs")
    parser.add_argument("--out", metavar="DIR", help="folder for CSV, Markdown and LaTeX; made when missing")
    return parser.parse_args()


def notes(rows, runs):
    """What was compared with what, and which runs have no place in these tables, as a Markdown list."""
    lines = pairing_notes(rows, runs)
    for run in runs:
        if policy_of(run) not in ("adapt", "muppet", FLOAT_POLICY):
            lines.append(f"{run.name}: not in these tables (policy {policy_of(run)}).")
    lines += [f"{run.name}: not finished." for run in runs if not run.done]
    return "".join(f"- {markdown_text(line)}\n" for line in lines)


def main():
    """Reads all runs first, so that bad input leaves nothing half written."""
    options = arguments()
    runs, clocks = split_clocks([read_run(path) for path in find_runs(options.results)])
    published = read_published()
    adaptive, muppet = adapt_rows(runs, published, clocks), muppet_rows(runs, published, clocks)
    rows = adaptive + average_rows(adaptive, published)
    by_authors = Table("Cost by the authors' formulas", rows, COST_BY_AUTHORS)
    muppet_table = Table("MuPPET", muppet, MUPPET)
    tables = [Table("Accuracy", rows, ACCURACY), Table("Cost", rows, COST), by_authors, muppet_table]
    markdown = "\n".join([*(table.markdown() for table in tables), EXPLANATION, notes(adaptive + muppet, runs)])
    if options.out:
        make_folder(options.out)
        write_atomically(os.path.join(options.out, "paper_table.csv"), Table("", rows, ACCURACY + COST).csv())
        write_atomically(os.path.join(options.out, "authors_table.csv"), by_authors.csv())
        write_atomically(os.path.join(options.out, "muppet_table.csv"), muppet_table.csv())
        write_atomically(os.path.join(options.out, "paper_table.md"), markdown)
        write_atomically(os.path.join(options.out, "paper_table.tex"), "\n".join(table.latex() for table in tables))
    say(markdown.rstrip("\n"))
    return 0


if __name__ == "__main__":
    run_main(main)
