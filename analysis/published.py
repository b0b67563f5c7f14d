"""The figures that the papers print (published.csv), each with its source."""

import csv
import os

from analysis.errors import BadInput

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "published.csv")
FIELDS = ("source", "model", "dataset", "quantity", "value", "unit")
AVERAGE = "average"  # model of the rows that average over AVERAGED_CELLS
AVERAGED_CELLS = tuple((model, dataset) for model in ("alexnet", "resnet20") for dataset in ("cifar10", "cifar100"))


def read_published(path=PATH):
    """{(source, model, dataset): {quantity: value}}, in the file's order. BadInput for a row that is not one."""
    published = {}
    with open(path, encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != FIELDS:
            raise BadInput(f"{path}:1: columns {reader.fieldnames}, expected {list(FIELDS)}")
        for row in reader:
            try:
                value = float(row["value"])
            except (TypeError, ValueError):
                raise BadInput(f"{path}:{reader.line_num}: value is {row['value']!r}, expected a number") from None
            figures = published.setdefault((row["source"], row["model"], row["dataset"]), {})
            if row["quantity"] in figures:
                raise BadInput(f"{path}:{reader.line_num}: {row['quantity']} of {row['model']} is given twice")
            figures[row["quantity"]] = value
    return published


def published_cells(published):
    """{(model, dataset): {quantity: value}} of single cells, all sources together."""
    cells = {}
    for (_, model, dataset), figures in published.items():
        if model != AVERAGE:
            cells.setdefault((model, dataset), {}).update(figures)
    return cells


def published_averages(published):
    """{source: {quantity: value}} of the averages."""
    return {source: figures for (source, model, _), figures in published.items() if model == AVERAGE}
