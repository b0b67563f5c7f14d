"""Figures over all runs: learning curves and where the time goes."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.style import PALETTE, new_figure, run_style, shorten, side_legend, thin_means

PHASES = ("data", "forward", "backward", "quantize", "exchange", "policy", "update", "record")
PREFIX = "seconds_"


def curves_figure(runs, labels):
    """Loss per step, loss and accuracy per epoch, of all runs; training dashed, test solid."""
    figure, axes = new_figure(3.4 + 0.12 * max(0, len(runs) - 12), 1, 3)
    by_step, loss, accuracy = axes[0]
    lines = []
    for index, run in enumerate(runs):
        colour, dash = run_style(index)
        name = "cross_entropy" if "cross_entropy" in run.steps else "loss"
        x, y = thin_means(run.steps["step"], _finite(run.steps[name]))
        lines += by_step.plot(x, y, color=colour, linestyle=dash, linewidth=0.9)
        epochs = run.epochs
        _curve_pair(loss, epochs["epoch"], epochs["train_loss"], epochs["test_loss"], colour)
        _curve_pair(accuracy, epochs["epoch"], 100 * epochs["train_accuracy"], 100 * epochs["test_accuracy"], colour)
    _label(by_step, "Training loss per step", "training step", "cross entropy (nats)")
    _label(loss, "Loss per epoch", "epoch", "loss (nats)")
    _label(accuracy, "Accuracy per epoch", "epoch", "accuracy (%)")
    kinds = [Line2D([], [], color="#555555", linestyle=style) for style in ("-", "--")]
    side_legend(figure, lines + kinds, [*labels, "test, per epoch", "training, per epoch"], "run")
    return figure


def time_figure(runs, labels):
    """Mean milliseconds of a training step by phase, stacked, one bar per run. None when no run logged phases."""
    phases = _phases(runs)
    if not phases:
        return None
    figure, axes = new_figure(1.5 + 0.34 * len(runs))
    axis = axes[0, 0]
    left = np.zeros(len(runs))
    for index, phase in enumerate(phases):
        widths = np.array([_mean_milliseconds(run, phase) for run in runs])
        axis.barh(labels, widths, left=left, height=0.68, label=shorten(phase), color=_phase_colour(index),
                  edgecolor="white", linewidth=0.6)
        left += widths
    for row, total in enumerate(left):
        axis.text(total, row, f" {total:.3g} ms", va="center", fontsize=8)
    axis.set_xlim(0, max(left.max(), 1e-9) * 1.1)
    axis.invert_yaxis()
    axis.grid(False, axis="y")
    _label(axis, "Where a training step spends its time (measured, rank 0)", "mean time per step (ms)", "")
    side_legend(figure, *axis.get_legend_handles_labels(), "phase")
    return figure


def run_labels(runs):
    """Short, distinct names for legends."""
    names = [shorten(run.name) for run in runs]
    return [name if names.count(name) == 1 else f"{index + 1}: {name}" for index, name in enumerate(names)]


def _curve_pair(axis, epoch, train, test, colour):
    marker = "." if len(epoch) < 20 else None  # a single epoch would draw no line at all
    axis.plot(epoch, _finite(train), color=colour, linestyle="--", linewidth=1.0, marker=marker, alpha=0.75)
    axis.plot(epoch, _finite(test), color=colour, linestyle="-", marker=marker)


def _finite(values):
    """Gaps instead of infinities: a diverged loss must not blow up the axis."""
    return np.where(np.isfinite(values), values, np.nan)


def _label(axis, title, x, y):
    axis.set_title(title)
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    if x == "epoch":
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))


def _phases(runs):
    """Phases that any run logged: the known ones in the order of a step, then others."""
    logged = {name[len(PREFIX) :] for run in runs for name in run.steps if name.startswith(PREFIX)}
    return [name for name in PHASES if name in logged] + sorted(logged - set(PHASES))


def _mean_milliseconds(run, phase):
    seconds = run.steps.get(PREFIX + phase, np.empty(0))
    seconds = seconds[np.isfinite(seconds)]
    return 1000 * float(np.mean(seconds)) if len(seconds) else 0.0


def _phase_colour(index):
    return (*PALETTE[:6], "#444444", "#B8B8B8")[index % 8]
