#!/usr/bin/python3
"""The analytical performance model of AdaPT (arXiv 2107.13490, section 4), evaluated on a run's logged series.

Everything here is modelled: bit operations counted from formats and densities, never wall clock. As a script,
`cost_model.py RUN_DIR...` prints the figures of each run as JSON.
"""

if __name__ == "__main__":
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from analysis.interpreter import require_modules

    require_modules()

import dataclasses
import json
import sys

import numpy as np

from analysis.errors import BadInput, run_main
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


def cost_figures(layers, last_step, batch):
    """The model for `layers` (analysis.run_file.Layer) trained for `last_step` steps of `batch` images.

    The backward pass counts as much as one forward pass at 32 bits. A row of a layer's series holds until the next
    row; the first one also for the steps before it.
    Returns None when nothing is logged yet.
    """
    logged = [layer for layer in layers if len(layer.series["step"])]
    if not logged or last_step < 1:
        return None
    costs = [_layer_costs(layer, last_step, batch) for layer in logged]
    float_cost = sum(2.0 * FLOAT_BITS * layer.madds * last_step * batch for layer in logged)
    overhead = sum(cost.overhead for cost in costs)
    total = overhead + sum(cost.passes for cost in costs)
    float_parameters = FLOAT_BITS * sum(layer.parameters for layer in logged)
    return CostFigures(
        training_speedup=_ratio(float_cost, total),
        inference_speedup=_ratio(
            FLOAT_BITS * sum(layer.madds for layer in logged),
            sum(layer.madds * _final_bits(layer) for layer in logged),
        ),
        model_size=sum(layer.parameters * _final_bits(layer) for layer in logged) / float_parameters,
        training_memory=1 + sum(cost.copy_bits for cost in costs) / float_parameters,
        overhead_share=_ratio(overhead, total),
        mean_word_length=float(np.mean([cost.mean_word_length for cost in costs])),
    )


def iso_accuracy_speedup(training_speedup, accuracies, target):
    """Training speedup when the run is stopped at the first epoch that reaches `target`, the float32 run's best test
    accuracy. `accuracies` are the run's, by epoch. None when it never does."""
    reached = np.flatnonzero(np.asarray(accuracies) >= target)
    return training_speedup * len(accuracies) / (reached[0] + 1) if len(reached) else None


def final_density(layers):
    """Share of non-zero weights at the end, over all layers; None when nothing is logged yet."""
    logged = [layer for layer in layers if len(layer.series["density"])]
    if not logged:
        return None
    return sum(layer.parameters * layer.series["density"][-1] for layer in logged) / sum(
        layer.parameters for layer in logged
    )


def run_figures(run):
    """CostFigures of an analysis.run_file.Run: those that the trainer stored in /summary where it did, the ones
    computed here otherwise. None when nothing is logged yet."""
    computed = computed_figures(run)
    if computed is None:
        return None
    stored = {name: run.summary[name] for name in dataclasses.asdict(computed) if name in run.summary}
    return dataclasses.replace(computed, **stored)


def computed_figures(run):
    """CostFigures of an analysis.run_file.Run from its logged series alone."""
    steps = run.steps["step"]
    ends = [int(layer.series["step"][-1]) for layer in run.layers if len(layer.series["step"])]
    last_step = max([int(steps[-1]) if len(steps) else 0, *ends])
    return cost_figures(run.layers, last_step, batch_of(run))


def batch_of(run):
    """Images per optimizer step. BadInput when the configuration does not say."""
    text = run.configuration.get("training.batch", "")
    if not text.isdigit() or int(text) < 1:
        raise BadInput(f"{run.path}: training.batch in /config is '{text}'; expected a positive number of images")
    return int(text)


@dataclasses.dataclass(frozen=True)
class _LayerCosts:
    passes: float  # forward and backward, bit operations
    overhead: float  # precision switches, bit operations
    copy_bits: float  # of the quantized copy, mean over the steps
    mean_word_length: float  # bits


def _layer_costs(layer, last_step, batch):
    series = layer.series
    durations = _durations(series["step"], last_step)
    word_length, density = series["word_length"], series["density"]
    passes = density * layer.madds * (word_length + FLOAT_BITS)  # forward + backward
    copy = np.where(layer.is_float32, 0.0, density * layer.parameters * word_length)
    return _LayerCosts(
        passes=float(np.sum(durations * passes)) * batch,
        overhead=float(np.sum(durations * _switch_cost_per_step(layer))) * FLOAT_BITS,
        copy_bits=float(np.sum(durations * copy)) / last_step,
        mean_word_length=float(np.sum(durations * word_length)) / last_step,
    )


def _durations(step, last_step):
    """For how many of the steps 1..last_step each logged row stands; sums to last_step."""
    durations = np.diff(np.append(step, last_step + 1)).astype(np.float64)
    durations[0] += step[0] - 1
    return durations


def _switch_cost_per_step(layer):
    """Multiply-adds of one precision switch (PushDown and PushUp), spread over the lookback; 0 where no lookback is
    logged (policies without switches)."""
    series = layer.series
    lookback = series["lookback"]
    evaluations = 2 * np.log2(np.maximum(series["word_length"] - 8, 2))
    push_down = 3 * layer.parameters * evaluations * series["resolution"] * series["density"]
    push_up = (lookback + 1) * layer.parameters
    return np.where(lookback > 0, (push_down + push_up) / np.maximum(lookback, 1), 0.0)


def _final_bits(layer):
    """Density times word length in the last row, bits."""
    return float(layer.series["density"][-1] * layer.series["word_length"][-1])


def _ratio(numerator, denominator):
    """0 / 0 is 1, x / 0 infinite: a network pruned to nothing costs nothing."""
    if denominator > 0:
        return numerator / denominator
    return float("inf") if numerator > 0 else 1.0


def main():
    """JSON {run path: figures} of the runs given on the command line."""
    if len(sys.argv) < 2:
        raise BadInput("no run given; usage: cost_model.py RUN_DIR...")
    figures = {}
    for path in sys.argv[1:]:
        run = read_run(path)
        values = run_figures(run)
        figures[run.path] = dataclasses.asdict(values) if values else None
    print(json.dumps({"modelled": figures}, indent=2))
    return 0


if __name__ == "__main__":
    run_main(main)
