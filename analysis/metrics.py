"""What runs are compared by: one number of each run, with its unit and which direction is better."""

import dataclasses
from collections.abc import Callable

import numpy as np

from analysis.cost_model import batch_of


@dataclasses.dataclass(frozen=True)
class Metric:
    """A number of a run."""

    name: str  # as on the command line
    header: str
    form: str  # format specification
    higher_is_better: bool
    value: Callable  # of an analysis.digest.Digest: float, or None where the run has no such number


def _last(column, factor=1.0):
    def value(run):
        values = run.epochs[column]
        return factor * float(values[-1]) if len(values) else None

    return value


def _best_accuracy(run):
    values = run.epochs["test_accuracy"]
    return 100 * float(np.max(values)) if len(values) else None


def _total(column):
    def value(run):
        values = run.epochs.get(column, ())
        return float(np.sum(values)) if len(values) else None

    return value


def _summary(name):
    return lambda run: run.summary.get(name)


def _sparsity(run):
    density = run.summary.get("final_density")
    return None if density is None else 1 - density


def _images_per_second(run):
    """Images of an epoch over the median seconds of an epoch; evaluation is not part of it."""
    seconds = run.epochs["seconds"]
    if not len(seconds) or not run.last_step or np.median(seconds) <= 0:
        return None
    return float(batch_of(run) * run.last_step / len(seconds) / np.median(seconds))


METRICS = {
    metric.name: metric
    for metric in (
        Metric("test_accuracy", "test accuracy, last (%)", ".2f", True, _last("test_accuracy", 100)),
        Metric("best_test_accuracy", "test accuracy, best (%)", ".2f", True, _best_accuracy),
        Metric("train_accuracy", "training accuracy, last (%)", ".2f", True, _last("train_accuracy", 100)),
        Metric("test_loss", "test loss, last (nat)", ".4f", False, _last("test_loss")),
        Metric("train_loss", "training loss, last (nat)", ".4f", False, _last("train_loss")),
        Metric("training_speedup", "training speedup (modelled)", ".2f", True, _summary("modelled_training_speedup")),
        Metric("inference_speedup", "inference speedup (modelled)", ".2f", True, _summary("modelled_inference_speedup")),
        Metric("model_size", "model size, share of float32 (modelled)", ".3f", False, _summary("modelled_model_size")),
        Metric("training_memory", "training memory, share of float32 (modelled)", ".3f", False,
               _summary("modelled_training_memory")),
        Metric("word_length", "average word length (bits)", ".2f", False, _summary("mean_word_length")),
        Metric("sparsity", "sparsity", ".3f", True, _sparsity),
        Metric("dead_channels", "dead channels, worst layer", ".3f", False, _summary("dead_channels")),
        Metric("training_seconds", "training time (measured, s)", ".1f", False, _total("seconds")),
        Metric("test_seconds", "evaluation time (measured, s)", ".1f", False, _total("test_seconds")),
        Metric("images_per_second", "images per second (measured)", ".0f", True, _images_per_second),
    )
}  # fmt: skip
