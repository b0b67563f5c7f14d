#!/usr/bin/python3
"""page.py DIR: scaling.md and scaling.png of what run.sh has measured in DIR: images per second by number of ranks.

Three kinds of numbers, each in a column of its own: measured (`adapt bench step` on as many ranks); modelled (what one rank
measured, divided by the ranks, and the exchange by analysis/exchange_model.py on networks of analysis/fabrics.yaml); simulated (the
same, but the exchange is SimGrid's of results/simulated.csv, by the fastest algorithm, for models and ranks that it holds).
Neither of the latter hides any of the exchange behind the backward pass, which training does: they are lower bounds."""

import csv
import json
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[0] = str(HERE.parents[1])

from analysis.interpreter import require_modules  # noqa: E402

require_modules()

from analysis.errors import BadInput, Parser, run_main  # noqa: E402
from analysis.exchange_model import ALGORITHMS, DEFAULT_FABRICS, ENCODINGS, read_fabrics, traffic  # noqa: E402
from analysis.files import write_atomically  # noqa: E402
from analysis.printable import one_line, say  # noqa: E402
from analysis.style import DASHES, PALETTE, new_figure, png_bytes  # noqa: E402

SCALINGS = ("strong", "weak")
FABRICS = ("ethernet_10g", "ethernet_100g")
POWERS = tuple(2**power for power in range(11))
INTEGERS = {"int8": 8, "int16": 16, "layer": 8, "exact": 36}  # bits of the modelled exchange; layer: its usual tier


ALIKE = ("model", "engine", "encoding")  # of all results of a page


def read_measured(folder):
    """(scaling, ranks) -> result of the benchmark. BadInput where there is none on the way of strong scaling, or where they are not
    all of one model, engine and encoding."""
    results = {}
    first = None
    for path in sorted(pathlib.Path(folder).glob("*_*.json")):
        name = re.fullmatch(r"(strong|weak)_(\d+)\.json", path.name)
        if name is None:
            continue
        try:
            (result,) = json.loads(path.read_text(encoding="utf-8"))["results"]
            alike = {key: str(result[key]) for key in ALIKE}
            results[name[1], int(name[2])] = {
                **alike,
                **{key: int(result[key]) for key in ("batch", "ranks")},
                "images_per_second": float(result["images_per_second"]),
                "median": float(result["seconds"]["median"]),
                "exchange": float(result["phases"].get("exchange", 0)),
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{path}: {error!r}; expected what `adapt bench step --json` prints of one engine") from None
        first = first or (path, alike)
        if alike != first[1]:
            raise BadInput(f"{path}: {alike}, but {first[0]} has {first[1]}; expected results of one model, engine and encoding")
        if alike["encoding"] not in ENCODINGS:
            raise BadInput(f"{path}: the encoding is '{alike['encoding']}'; expected one of {', '.join(ENCODINGS)}")
    if not any(scaling == "strong" for scaling, _ in results):
        raise BadInput(f"{folder}: no strong_N.json in it; expected what run.sh measured")
    return results


def sizes_of(model):
    """Parameters of each layer; None for models without a list."""
    path = HERE / f"{model}.tensors"
    return [int(line) for line in path.read_text(encoding="utf-8").split()] if path.exists() else None


def simulated_exchanges(model):
    """(network, ranks, ranks per node) -> least seconds of an int8 exchange, and by which algorithm."""
    best = {}
    with open(HERE / "results" / "simulated.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = (row["network"], int(row["ranks"]), int(row["ranks_per_node"]))
            if row["model"] == model and row["method"] != "allreduce":
                best[key] = min(best.get(key, (float("inf"), "")), (float(row["seconds"]), row["method"]))
    return best


def project(base, scaling, ranks, exchange):
    """Images per second on `ranks` ranks from one measured result: its computation, and so many seconds of an exchange."""
    compute = (base["median"] - base["exchange"]) * base["ranks"]
    images = base["batch"] * (ranks if scaling == "weak" else 1)
    seconds = compute * images / base["batch"] / ranks + exchange
    return images / seconds


def shards_of(scaling, ranks):
    """As run.sh has them."""
    return 8 * ranks if scaling == "weak" else max(8, ranks)


def rows_of(results, scaling):
    """One row for each number of ranks: {"ranks", "measured", "modelled": {fabric: .}, "simulated": {network: .}}."""
    base = results["strong", min(ranks for kind, ranks in results if kind == "strong")]
    encoding = base["encoding"]
    sizes = sizes_of(base["model"])
    fabrics = read_fabrics(os.path.join(sys.path[0], "analysis", DEFAULT_FABRICS))
    simulated = simulated_exchanges(base["model"])
    most = base["batch"] if scaling == "strong" else POWERS[-1]
    rows = []
    for ranks in sorted({*POWERS, *(number for kind, number in results if kind == scaling)}):
        if ranks > most:
            continue
        row = {"ranks": ranks, "modelled": {}, "simulated": {},
               "measured": results.get((scaling, ranks), {}).get("images_per_second")}  # fmt: skip
        for name in FABRICS if sizes else ():
            loads = [traffic(encoding, sizes, ranks, shards_of(scaling, ranks), INTEGERS.get(encoding, 32), way) for way in ALGORITHMS]
            row["modelled"][name] = project(base, scaling, ranks, min(map(fabrics[name].seconds, loads)))
        for (network, number, per_node), (seconds, method) in simulated.items():
            if number == ranks and encoding == "int8":
                row["simulated"][f"{network}, {per_node} on a node, {method}"] = project(base, scaling, ranks, seconds)
        rows.append(row)
    return base, rows


def draw(tables):
    """The figure: strong and weak side by side, both axes logarithmic."""
    figure, axes = new_figure(4.2, columns=len(tables))
    for axis, (scaling, rows) in zip(axes[0], tables.items()):
        measured = [(row["ranks"], row["measured"]) for row in rows if row["measured"]]
        axis.plot(*zip(*measured), "o", color=PALETTE[0], label="measured")
        for number, name in enumerate(FABRICS):
            points = [(row["ranks"], row["modelled"][name]) for row in rows if name in row["modelled"]]
            if points:
                axis.plot(*zip(*points), color=PALETTE[1], linestyle=DASHES[number], label=f"modelled, {name}")
        points = [(row["ranks"], speed) for row in rows for speed in row["simulated"].values()]
        if points:
            axis.plot(*zip(*points), "x", color=PALETTE[2], label="exchange simulated")
        axis.set(xscale="log", yscale="log", xlabel="ranks", ylabel="images per second", title=f"{scaling} scaling")
        axis.set_xscale("log", base=2)
        axis.legend()
    return figure


def page_text(base, tables):
    """The page, Markdown."""
    lines = [f"# Scaling: {one_line(base['model'])}, {one_line(base['engine'])}, {one_line(base['encoding'])}", "",
             f"Images per second, more is better. **Measured**: `adapt bench step`, as many ranks as it says, in one row's turn. **Modelled** and "
             f"**simulated**: the computation measured on {base['ranks']} rank(s), divided; the exchange by a formula, or by SimGrid, and "
             "none of it hidden behind the backward pass: lower bounds.", "", "![Images per second by ranks](scaling.png)", ""]  # fmt: skip
    for scaling, rows in tables.items():
        lines += [f"## {scaling.capitalize()} scaling", "", f"| ranks | measured | {' | '.join(f'modelled, {name}' for name in FABRICS)} | simulated exchange |",
                  "| ---: | ---: | ---: | ---: | --- |"]  # fmt: skip
        for row in rows:
            cells = [f"{row['measured']:.0f}" if row["measured"] else ""]
            cells += [f"{row['modelled'][name]:.0f}" if name in row["modelled"] else "" for name in FABRICS]
            cells += ["; ".join(f"{speed:.0f} ({where})" for where, speed in row["simulated"].items())]
            lines.append(f"| {row['ranks']} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def main():
    """Reads what was measured, writes both files."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="DIR", help="what run.sh --out made")
    options = parser.parse_args()
    results = read_measured(options.folder)
    tables = {}
    for scaling in SCALINGS:
        if any(kind == scaling for kind, _ in results):
            base, tables[scaling] = rows_of(results, scaling)
    for name, content in (("scaling.png", png_bytes(draw(tables))), ("scaling.md", page_text(base, tables).encode())):
        write_atomically(os.path.join(options.folder, name), content)
        say(os.path.join(options.folder, name))
    return 0


if __name__ == "__main__":
    run_main(main)
