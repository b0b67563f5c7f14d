#!/usr/bin/python3
"""The analytical performance model of AdaPT (arXiv 2107.13490, section 4), evaluated on a run's logged series.

Everything here is modelled: bit operations counted from formats and densities, never wall clock. As a script,
`cost_model.py RUN_DIR...` prints the figures of each run as JSON; with `--formulas authors` those that the formulas of
the authors' code give (analysis/authors_model.py), for comparison with published figures only.
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules()

import dataclasses
import json
import math
import re

import numpy as np

from analysis.authors_model import authors_figures
from analysis.errors import BadInput, Parser, run_main
from analysis.printable import say
from analysis.run_file import FLOAT_BITS, read_run


@dataclasses.dataclass(frozen=True)
class CostFigures:
    """Figures of one run against float32 training of the same length. All are ratios but the mean word length."""

    training_speedup: float  # float32 cost / cost of this run, switches included
    inference_speedup: float  # of the network at the end of training
    model_size: float  # weights at the end, non-zero ones only
    training_memory: float  # float32 master + quantized copy, mean over the steps
    overhead_share: float  # of the run's own cost that goes into precision switches
    mean_word_length: float  # bits, mean over steps and layers


def cost_figures(layers, switches, batch, quantized_backward=False):
    """The model for `layers` (analysis.run_file.Layer) with their `switches` (analysis.switches.Switch), trained on
    `batch` images per step.

    The backward pass counts as much as one forward pass, at 32 bits or, if quantized, at the layer's own. A row
    of a layer's series stands for the steps after the row before, up to its own. Returns None when nothing is logged
    yet.
    """
    logged = [layer for layer in layers if len(layer.series["step"])]
    if not logged:
        return None
    overhead = float(sum(_switch_costs(layer, switches) for layer in logged))
    total = overhead + batch * sum(_pass_costs(layer, quantized_backward) for layer in logged)
    float_parameters = FLOAT_BITS * sum(layer.parameters for layer in logged)
    return CostFigures(
        training_speedup=_ratio(float_cost(logged, batch), total),
        inference_speedup=_ratio(
            FLOAT_BITS * sum(layer.madds for layer in logged),
            sum(layer.madds * _final_bits(layer) for layer in logged),
        ),
        model_size=sum(layer.parameters * _final_bits(layer) for layer in logged) / float_parameters,
        training_memory=1 + sum(_copy_bits(layer) for layer in logged) / float_parameters,
        overhead_share=_ratio(overhead, total),
        mean_word_length=float(np.mean([_mean_over_steps(layer, layer.series["word_length"]) for layer in logged])),
    )


def iso_accuracy_speedup(training_speedup, accuracies, target):
    """Training speedup when the run is stopped at the first epoch that reaches `target`, the float32 run's best test
    accuracy. `accuracies` are the run's, by epoch. None when it never does."""
    reached = np.flatnonzero(np.asarray(accuracies) >= target)
    return training_speedup * len(accuracies) / (reached[0] + 1) if len(reached) else None


def final_density(layers):
    """Share of non-zero weights at the end, over all layers; None when nothing is logged yet."""
    logged = [layer for layer in layers if len(layer.series["step"])]
    if not logged:
        return None
    nonzero = sum(layer.parameters * layer.density[-1] for layer in logged)
    return float(nonzero / sum(layer.parameters for layer in logged))


def run_figures(run):
    """CostFigures of an analysis.run_file.Run: those that the trainer stored in /summary where it did, the ones
    computed here otherwise. None when nothing is logged yet."""
    computed = computed_figures(run)
    return computed and dataclasses.replace(computed, **stored_figures(run))


def computed_figures(run):
    """CostFigures of an analysis.run_file.Run from its logged series alone."""
    quantized_backward = run.configuration.get("precision.backward") == "quantized"
    return cost_figures(run.layers, run.switches, batch_of(run), quantized_backward)


def figures_by_authors(run):
    """analysis.authors_model.AuthorsFigures of an analysis.run_file.Run. None when nothing is logged yet and for
    networks whose operations it does not know."""
    model, policy = (run.configuration.get(key, "?") for key in ("model.name", "precision.policy"))
    return authors_figures(run.layers, model, accumulation_of(run), policy)


def training_cost(run):
    """Modelled cost of the whole training, multiply-adds times bits; None when nothing is logged yet."""
    figures = run_figures(run)
    return figures and float_cost(run.layers, batch_of(run)) / figures.training_speedup


def float_cost(layers, batch):
    """Modelled cost of as many steps in float32, forward and backward, multiply-adds times bits."""
    logged = [layer for layer in layers if len(layer.series["step"])]
    return sum(2.0 * FLOAT_BITS * layer.madds * layer.series["step"][-1] * batch for layer in logged)


def stored_figures(run):
    """The fields of CostFigures that the trainer stored in /summary: {field: value}."""
    names = {name: f"modelled_{name}" for name in (field.name for field in dataclasses.fields(CostFigures))}
    names["mean_word_length"] = "mean_word_length"  # a mean of what was, not a model of what would be
    return {field: run.summary[name] for field, name in names.items() if name in run.summary}


def batch_of(run):
    """Images per optimizer step: those of a mini-batch times the mini-batches. BadInput when the configuration does
    not say."""
    return positive(run, "training.batch", "") * accumulation_of(run)


def accumulation_of(run):
    """Mini-batches per optimizer step."""
    return positive(run, "training.accumulate", "1")


def positive(run, key, default):
    """The positive whole number under `key` of the run's configuration."""
    return positive_number(run.configuration.get(key, default), f"{run.path}: {key} in /config")


def positive_number(text, place):
    """The positive whole number that `text` is. BadInput, which names the `place`, otherwise."""
    if not re.fullmatch("0*[1-9][0-9]{0,8}", text, re.ASCII):
        raise BadInput(f"{place} is '{text}'; expected a positive number")
    return int(text)


def _mean_over_steps(layer, values):
    """Mean of `values` (one per row) over the steps."""
    return float(np.average(values, weights=layer.durations))


def _pass_costs(layer, quantized_backward):
    """Forward and backward passes of all steps for one image, multiply-adds times bits."""
    forward_bits = layer.series["word_length"]
    backward_bits = forward_bits if quantized_backward else FLOAT_BITS
    costs = layer.density * layer.madds * (forward_bits + backward_bits)
    return float(np.sum(layer.durations * costs))


def _switch_costs(layer, switches):
    """PushDown and PushUp of all switches of `layer`, multiply-adds times bits; a policy without them has resolution 0.
    The lookback that counts is that of the window that ended with the switch."""
    steps, density = layer.series["step"], layer.density
    total, last_step = 0.0, 0
    for switch in (switch for switch in switches if switch.layer == layer.name and switch.resolution > 0):
        word_length = switch.before[0] if switch.before else FLOAT_BITS
        row = min(np.searchsorted(steps, switch.step), len(steps) - 1)
        evaluations = 2 * math.log2(max(word_length - 8, 2))
        push_down = 3 * layer.parameters * evaluations * switch.resolution * density[row]
        push_up = (switch.step - last_step + 1) * layer.parameters
        total += FLOAT_BITS * (push_down + push_up)
        last_step = switch.step
    return total


def _copy_bits(layer):
    """Size of the quantized copy beside the float32 master, mean over the steps; float32 needs no copy."""
    bits = layer.density * layer.parameters * layer.series["word_length"]
    return _mean_over_steps(layer, np.where(layer.is_float32, 0.0, bits))


def _final_bits(layer):
    """Density times word length in the last row, bits."""
    return float(layer.density[-1] * layer.series["word_length"][-1])


def _ratio(numerator, denominator):
    """0 / 0 is 1, x / 0 infinite: a network pruned to nothing costs nothing."""
    if denominator > 0:
        return numerator / denominator
    return float("inf") if numerator > 0 else 1.0


def _arguments():
    """The parsed command line."""
    parser = Parser(description="Prints the modelled figures of runs as JSON.")
    parser.add_argument("runs", metavar="RUN_DIR", nargs="+", help="folder of a run, or its run.h5")
    parser.add_argument("--formulas", choices=("ours", "authors"), default="ours",
                        help="authors: those of the authors' code, to compare with published figures")  # fmt: skip
    return parser.parse_args()


def _printed_figures(run, formulas):
    """The fields of the figures as a dictionary, None when nothing is logged yet."""
    figures = run_figures(run) if formulas == "ours" else figures_by_authors(run)
    if figures is None and formulas == "authors" and computed_figures(run):
        model = run.configuration.get("model.name", "?")
        raise BadInput(f"{run.path}: the authors' formulas do not know the layers of this '{model}'; expected alexnet, "
                       "lenet5 or a resnet as `adapt` builds them")  # fmt: skip
    return figures and dataclasses.asdict(figures)


def main():
    """JSON {"formulas": which, "modelled": {run path: figures}} of the runs given on the command line."""
    options = _arguments()
    runs = [read_run(path) for path in options.runs]
    figures = {run.path: _printed_figures(run, options.formulas) for run in runs}
    say(json.dumps({"formulas": options.formulas, "modelled": figures}, indent=2))
    return 0


if __name__ == "__main__":
    run_main(main)
