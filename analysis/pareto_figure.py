"""Accuracy against modelled training cost, over runs."""

import numpy as np
from matplotlib.lines import Line2D

from analysis.comparison import policy_of, task_of
from analysis.cost_model import training_cost
from analysis.printable import figure_text
from analysis.style import PALETTE, new_figure, run_style, shorten, side_legend

MARKERS = {"float32": "s", "adapt": "o", "muppet": "^", "fixed": "D"}
OTHER_MARKER = "P"
WIDE_RANGE = 10  # largest / smallest cost from which on the axis is logarithmic


def pareto_front(costs, accuracies):
    """Indices of the runs that no other beats in both cost (lower) and accuracy (higher), cheapest first."""
    front = []
    for index in sorted(range(len(costs)), key=lambda index: (costs[index], -accuracies[index])):
        if not front or accuracies[index] > accuracies[front[-1]]:
            front.append(index)
    return front


def pareto_figure(runs, labels):
    """Best test accuracy over modelled training cost, one panel per task, with the front of what no other run beats.
    None when no run has both."""
    tasks = {}
    for index, run in enumerate(runs):
        cost = training_cost(run) if len(run.epochs["test_accuracy"]) else None
        if cost:
            point = cost, 100 * float(max(run.epochs["test_accuracy"]))
            tasks.setdefault(task_of(run), []).append((index, *point))
    if not tasks:
        return None
    columns = min(3, len(tasks))
    rows = -(-len(tasks) // columns)
    figure, axes = new_figure(max(3.4 * rows, 1.6 + 0.17 * len(runs)), rows, columns)
    handles = {}
    for axis, (task, points) in zip(axes.flat, tasks.items()):
        _draw_task(axis, task, points, runs, handles)
    for axis in axes.flat[len(tasks):]:
        axis.remove()
    shown = sorted(handles)
    policies = sorted({policy_of(runs[index]) for index in shown})
    markers = [MARKERS.get(policy, OTHER_MARKER) for policy in policies]
    keys = [handles[index] for index in shown]
    keys += [Line2D([], [], color="#555555", linestyle="", marker=marker) for marker in markers]
    side_legend(figure, keys, [labels[index] for index in shown] + list(map(shorten, policies)), "run")
    return figure


def _draw_task(axis, task, points, runs, handles):
    indices, costs, accuracies = zip(*points)
    front = pareto_front(costs, accuracies)
    axis.plot(np.array(costs)[front], np.array(accuracies)[front], drawstyle="steps-post", color="#BBBBBB", zorder=1)
    for index, cost, accuracy in points:
        marker = MARKERS.get(policy_of(runs[index]), OTHER_MARKER)
        colour = PALETTE[index % len(PALETTE)]
        fill = colour if run_style(index)[1] == "-" else "white"  # more runs than colours
        handles[index], = axis.plot(cost, accuracy, marker, color=colour, markerfacecolor=fill, markersize=7)
    if max(costs) > WIDE_RANGE * min(costs):
        axis.set_xscale("log")
    else:
        axis.set_xlim(left=0, right=1.08 * max(costs))
    axis.margins(y=0.15)
    axis.set_title(figure_text(", ".join(part for part in task[:2] if part)))
    axis.set_xlabel("modelled training cost (MAdds × bits)")
    axis.set_ylabel("best test accuracy (%)")
