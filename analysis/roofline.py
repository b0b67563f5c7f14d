#!/usr/bin/python3
"""roofline.py FOLDER [--measure] [--out PAGE]: the time of each layer beside what the machine could do at best.

FOLDER holds the JSON of `adapt bench`: ceilings.json, and any of step_MODEL.json, infer_MODEL.json (batch 128) and
latency_MODEL.json (batch 1), all with `--layers yes`, and what else there is to say, in notes.md. --measure makes the JSON
first, on an idle machine:

    analysis/roofline.py experiments/results/roofline --measure --out experiments/ROOFLINE.md
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules()

import dataclasses
import json
import os
import subprocess

from analysis.errors import BadInput, Parser, run_main
from analysis.files import make_folder, write_atomically
from analysis.printable import markdown_text, say
from analysis.table import Column, markdown_table

MODELS = ("resnet20", "alexnet")
TITLES = {"step": "Training step", "infer": "Inference", "latency": "Inference of one image"}
DIRECTIONS = {"layers_forward": ", forward", "layers_backward": ", backward", "layers": ""}
SMALL_SHARE = 0.01  # layers that take less are added up
INTRODUCTION = """# Roofline: where the time goes

Written by `analysis/roofline.py` from what `adapt bench` measured; all times are wall clock. For each layer:

- **measured**: its time in one call (a training step, a classification of one batch), mean over the ranks.
- **product ceiling**: the time of its multiply-adds at the rate of a large matrix product in the engine's own type;
  **float32 ceiling**: the same at the rate of float32. Layers without a product have none.
- **memory ceiling**: the time of reading and writing its activations and weights once, in the engine's own type, at the
  rate of the memory. Layers can beat it, because what one layer leaves in the cache the next one finds there.
- **reached**: product ceiling / measured.

Layers that take less than 1 % are added up. A quantization, batch norm or activation function that is done within
another layer counts there.
"""


@dataclasses.dataclass(frozen=True)
class Layer:
    """A row: seconds measured, operations and bytes of one call."""

    name: str
    seconds: float
    operations: float
    bytes: float


def arguments():
    """The parsed command line."""
    parser = Parser(description="Time of each layer beside the ceilings of the machine.")
    parser.add_argument("folder", metavar="FOLDER", help="folder with the JSON of adapt bench")
    parser.add_argument("--measure", action="store_true", help="run the benchmarks first, and leave their JSON in FOLDER")
    parser.add_argument("--adapt", default="build/release/adapt", help="the program (default: %(default)s)")
    parser.add_argument("--ranks", type=int, default=2, help="ranks to measure on, one core each (default: %(default)s)")
    parser.add_argument("--engines", default="float32,bfloat16,integer", help="default: %(default)s")
    parser.add_argument("--out", metavar="PAGE", help="Markdown file to write; else it is printed")
    return parser.parse_args()


def measurements(options):
    """(file name, ranks, arguments of `adapt bench`) of each measurement."""
    layers = ("--layers", "yes", "--engine", options.engines)
    yield "ceilings", options.ranks, ("ceilings",)
    for model in MODELS:
        # The rounding of the recipes. With two shards each rank works on one; ResNet-20 has the default of eight.
        shards = ("--shards", "2") if model == "alexnet" else ()
        step = ("step", "--model", model, "--batch", "128", *shards, "--rounding", "nearest")
        yield f"step_{model}", options.ranks, (*step, *layers)
        yield f"infer_{model}", options.ranks, ("infer", "--model", model, "--batch", "128", *layers)
        yield f"latency_{model}", 1, ("infer", "--model", model, "--batch", "1", *layers)


def measure(options):
    """Runs the benchmarks and writes FOLDER/NAME.json."""
    make_folder(options.folder)
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1"}
    for name, ranks, command in measurements(options):
        launcher = ["mpirun", "-n", str(ranks), "--bind-to", "core", options.adapt, "bench", *command, "--json"]
        try:
            outcome = subprocess.run(launcher, capture_output=True, text=True, check=False, env={**os.environ, **root})
        except FileNotFoundError as error:
            raise BadInput(f"{error.filename}: not found; expected mpirun on PATH") from None
        if outcome.returncode != 0:
            reason = (outcome.stderr.strip().splitlines() or ["no reason given"])[0]
            raise BadInput(f"`{' '.join(launcher)}` ended with {outcome.returncode}: {reason}")
        write_atomically(os.path.join(options.folder, f"{name}.json"), outcome.stdout)


def read_results(folder, name):
    """The list "results" of FOLDER/NAME.json; None when there is no such file."""
    path = os.path.join(folder, f"{name}.json")
    if not os.path.exists(path):
        return None
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)["results"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path}: not the JSON of adapt bench ({error!r})") from None


def read_ceilings(folder):
    """Units per second by name: float32, bfloat16, integer (operations), memory and cache (bytes)."""
    results = read_results(folder, "ceilings")
    if results is None:
        raise BadInput(f"{folder}: no ceilings.json; expected what `adapt bench ceilings --json` prints, or --measure")
    return {result["ceiling"]: (result["unit"], result["units_per_second"] / result["ranks"]) for result in results}


def layers_of(result, group):
    """The rows of a group of parts, small ones added up at the end."""
    total = sum(result[group].values())
    work = result.get("work", {}).get(group, {})
    layers = [
        Layer(name, seconds, *(work.get(name, {}).get(kind, 0) / result["ranks"] for kind in ("operations", "bytes")))
        for name, seconds in result[group].items()
    ]
    large = [layer for layer in layers if layer.seconds >= SMALL_SHARE * total]
    small = [layer for layer in layers if layer.seconds < SMALL_SHARE * total]
    if small:
        sums = (sum(getattr(layer, field) for layer in small) for field in ("seconds", "operations", "bytes"))
        large.append(Layer(f"{len(small)} others", *sums))
    return [*large, Layer("all", *(sum(getattr(layer, field) for layer in layers)
                                   for field in ("seconds", "operations", "bytes")))]


def layer_row(layer, ceilings, engine):
    """The cells of a layer: name, milliseconds measured and at the ceilings, share reached."""
    product = ceilings.get("float32" if engine == "emulated" else engine, ceilings["float32"])[1]
    at_product = layer.operations / product
    cells = [at_product, layer.operations / ceilings["float32"][1]] if layer.operations else [None, None]
    times = [layer.seconds, *cells, layer.bytes / ceilings["memory"][1]]
    reached = 100 * at_product / layer.seconds if layer.operations and layer.seconds else None
    return [layer.name, *(None if seconds is None else 1e3 * seconds for seconds in times), reached]


LAYER_COLUMNS = (
    Column("layer", ""),
    Column("measured (ms)", ".3f"),
    Column("product ceiling (ms)", ".3f"),
    Column("float32 ceiling (ms)", ".3f"),
    Column("memory ceiling (ms)", ".3f"),
    Column("reached (%)", ".0f"),
)
RATE_COLUMNS = (
    Column("engine", ""),
    Column("images/s", ".0f"),
    Column("ms, median", ".3f"),
    Column("min", ".3f"),
    Column("max", ".3f"),
    Column("times the first", ".2f"),
)
PHASE_UNIT = " (ms)"


def rates(results):
    """The table of rates, the engines of a measurement against the first."""
    first = results[0]["images_per_second"]
    rows = [
        [
            result["engine"],
            result["images_per_second"],
            *(1e3 * result["seconds"][name] for name in ("median", "min", "max")),
            result["images_per_second"] / first,
        ]
        for result in results
    ]
    return markdown_table(rows, RATE_COLUMNS)


def phases(results):
    """The table of phases (training steps only), a column for each engine."""
    if "phases" not in results[0]:
        return ""
    names = list(results[0]["phases"])
    columns = (Column("phase", ""), *(Column(result["engine"] + PHASE_UNIT, ".3f") for result in results))
    rows = [[name, *(1e3 * result["phases"][name] for result in results)] for name in names]
    return "\n" + markdown_table(rows, columns)


def section(title, results, ceilings):
    """A measurement: rates, phases, and a table of layers for each engine and direction."""
    first = results[0]
    setting = f"batch {first['batch']}, {first['ranks']} ranks × {first['threads']} threads"
    text = f"\n## {title}, {markdown_text(first['model'])}: {setting}\n\n" + rates(results) + phases(results)
    for result in results:
        for group, direction in DIRECTIONS.items():
            if group in result:
                rows = [layer_row(layer, ceilings, result["engine"]) for layer in layers_of(result, group)]
                text += f"\n### {markdown_text(result['engine'])}{direction}\n\n" + markdown_table(rows, LAYER_COLUMNS)
    return text


def page(folder):
    """The whole page."""
    ceilings = read_ceilings(folder)
    columns = (Column("ceiling, per rank", ""), Column("10⁹ per second", ".1f"), Column("of", ""))
    rows = [[name, rate / 1e9, unit] for name, (unit, rate) in ceilings.items()]
    text = INTRODUCTION + "\n" + markdown_table(rows, columns)
    for model in MODELS:
        for kind, title in TITLES.items():
            results = read_results(folder, f"{kind}_{model}")
            if results:
                text += section(title, results, ceilings)
    notes = os.path.join(folder, "notes.md")
    if os.path.exists(notes):
        with open(notes, encoding="utf-8") as stream:
            text += "\n" + stream.read()
    return text


def main():
    """Measures if asked to, then writes the page."""
    options = arguments()
    if options.measure:
        measure(options)
    text = page(options.folder)
    if options.out:
        write_atomically(options.out, text)
    else:
        say(text.rstrip("\n"))
    return 0


if __name__ == "__main__":
    run_main(main)
