"""AdaPT's performance model as the authors' code computes it (github.com/lorenz0890/AdaPT, commit 81e54e0,
utils/analytics.py), evaluated on our logs: only for comparison with the published figures.

It is not our model (analysis/cost_model.py). F: float32 forward cost, Q: cost of the quantized forward passes and of
the precision switches, both in multiply-adds times bits and summed over forward passes and operations
(analysis/authors_networks.py). The differences:
- the backward pass is dense and counts F on both sides: training speedup = 2 F / (Q + F);
- multiply-adds are those of one image, switches are paid per step: no batch between them;
- Q = sum of d · (MAdds · WL + overhead): the density d weighs the overhead, and PushDown in it once more;
- overhead = 32 · (3 · N · bisections · r · d + (lb + 1) · N + 1) · 10 / (lb · accumulated mini-batches) in each
  forward pass, where bisections = 2 log2(WL - 8), 1 for WL <= 8, and 10 is the logging interval of all their
  configurations for images;
- model size: mean word length times mean density over 32, each operation alike however many weights it has;
- memory: 1 + twice that, over all steps;
- overhead share: of Q alone, and of an overhead that d does not weigh.

A log of ours lacks the density of batch norms (counted as 1) and biases (left out, as in their logs of ResNet).
"""

import dataclasses
import math

import numpy as np

from analysis.authors_networks import counted_operations
from analysis.run_file import FLOAT_BITS

LOGGING_INTERVAL = 10  # multiplies the overhead there, although every forward pass is logged


@dataclasses.dataclass(frozen=True)
class AuthorsFigures:
    """Figures of one run against float32 training of the same length, by the authors' formulas. All are ratios."""

    training_speedup: float
    inference_speedup: float  # of the last row
    model_size: float  # of the last row
    training_memory: float
    overhead_share: float


def authors_figures(layers, model, accumulate, policy="adapt"):
    """The formulas for network `model`, logged as `layers` (analysis.run_file.Layer), with gradients of `accumulate`
    mini-batches per step. For `policy` "muppet" density is 1, as in their code; precision switches cost something where
    a lookback is logged. None when nothing is logged yet, for layers logged at different steps, and for a network that
    counted_operations does not know."""
    operations = counted_operations(model, layers)
    if operations is None or not _logged_together(layers):
        return None
    logged = {layer.name: layer for layer in layers}
    rows = [_Rows(operation, logged[operation.layer], accumulate, policy) for operation in operations]
    float_cost = FLOAT_BITS * sum(np.sum(each.steps) * each.madds for each in rows)
    cost = sum(np.sum(each.steps * each.density * (each.forward + each.overhead)) for each in rows)
    final_cost = sum(each.density[-1] * each.forward[-1] for each in rows)
    sizes = _model_sizes(rows)
    return AuthorsFigures(
        training_speedup=float(2 * float_cost / (cost + float_cost)),
        inference_speedup=float(FLOAT_BITS * sum(each.madds for each in rows) / final_cost) if final_cost else math.inf,
        model_size=float(sizes[-1]),
        training_memory=float(1 + 2 * np.average(sizes, weights=rows[0].steps)),
        overhead_share=float(sum(np.sum(each.steps * each.overhead) for each in rows) / cost) if cost else 0.0,
    )


def authors_iso_accuracy_speedup(training_speedup, accuracies, target):
    """Training speedup over the share of epochs before the first one that reaches `target`: the plain speedup when none
    does, None when the first one does (a division by zero there). `accuracies` are the run's, by epoch."""
    reached = np.flatnonzero(np.asarray(accuracies) >= target)
    if not len(reached):
        return training_speedup
    return float(training_speedup * len(accuracies) / reached[0]) if reached[0] else None


def _logged_together(layers):
    """Whether all layers have rows for the same steps, at least one."""
    steps = layers[0].series["step"]
    return len(steps) > 0 and all(np.array_equal(layer.series["step"], steps) for layer in layers)


class _Rows:
    """What each logged row says of an operation; arrays (rows,)."""

    def __init__(self, operation, layer, accumulate, policy):
        self.madds = operation.madds
        self.steps = layer.durations
        self.word_length = layer.series["word_length"].astype(np.float64)
        has_density = operation.size is not None and policy != "muppet"
        self.density = layer.density if has_density else np.ones(len(self.steps))
        self.forward = operation.madds * self.word_length
        self.overhead = self._overhead(operation.elements, layer.series, accumulate)

    def _overhead(self, elements, series, accumulate):
        """Cost of the precision switches that fall to one forward pass."""
        lookback = np.asarray(series["lookback"], dtype=np.float64)
        beyond = self.word_length - 8
        bisections = np.where(beyond > 0, 2 * np.log2(np.maximum(beyond, 1)), 1.0)
        push_down = 3 * elements * bisections * series["resolution"] * self.density
        push_up = (lookback + 1) * elements + 1
        passes = np.maximum(lookback, 1) * accumulate
        return np.where(lookback > 0, FLOAT_BITS * (push_down + push_up) * LOGGING_INTERVAL / passes, 0.0)


def _model_sizes(rows):
    """Model size of each logged row, share of float32."""
    word_lengths = np.mean([each.word_length for each in rows], axis=0)
    return word_lengths * np.mean([each.density for each in rows], axis=0) / FLOAT_BITS
