"""Figures of one run: what its layers' formats did over the steps."""

import numpy as np
from matplotlib.colors import BoundaryNorm
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
import matplotlib

from analysis.style import (
    MAX_POINTS,
    PALETTE,
    layer_colours,
    new_figure,
    shorten,
    side_legend,
    thin_changes,
    thin_means,
)

STRATEGIES = ("min", "mean", "max")
WHOLE_UNITS = ("bits", "steps")
SHARE = "% of weights"
LOSSES = (
    ("dead_channels", "Dead channels (weights or batch-norm scale below 1/256 of the largest)"),
    ("inputs_zeroed", "Inputs rounded to zero"),
    ("outputs_zeroed", "Outputs rounded to zero"),
    ("activation_gradients_zeroed", "Gradients of activations rounded to zero"),
    ("activation_gradients_saturated", "Gradients of activations beyond their range"),
)
"""Columns of a layer that say what it loses, with titles; all are shares."""


def per_run_figures(run):
    """[(name, caption, figure)] of one run; none when all its layers stayed float32."""
    if not has_formats(run):
        return []
    drawn = [(name, caption, draw(run)) for name, draw, caption in PER_RUN]
    return [(name, caption, figure) for name, caption, figure in drawn if figure is not None]


def drawable_layers(run):
    """Layers with logged rows."""
    return [layer for layer in run.layers if len(layer.series["step"])]


def has_formats(run):
    """Whether any layer ever had a fixed-point format."""
    return any(not np.all(layer.is_float32) for layer in drawable_layers(run))


def precision_figure(run):
    """Word length, fractional length and sparsity per layer over the steps."""
    layers = drawable_layers(run)
    panels = (
        ("Word length", "bits", lambda layer: layer.series["word_length"], thin_changes),
        ("Fractional length", "bits", lambda layer: layer.series["fractional_length"], thin_changes),
        ("Sparsity (weights that are zero)", SHARE, lambda layer: 100 * (1 - layer.series["density"]), thin_means),
    )
    return _layer_panels(layers, panels)


def policy_figure(run):
    """Lookback and gradient diversity per layer, and the strategy, over the steps. None for a policy without them."""
    layers = drawable_layers(run)
    if not any(np.any(layer.series["lookback"] > 0) for layer in layers):
        return None
    panels = (
        ("Lookback", "steps", lambda layer: layer.series["lookback"], thin_changes),
        ("Gradient diversity of the last window", "diversity Δ", _finite_diversity, thin_changes),
    )
    codes = _strategy_codes(run)
    figure = _layer_panels(layers, panels, extra_panels=0 if codes is None else 1)
    if codes is not None:
        _strategy_panel(figure.axes[len(panels)], run.steps["step"], codes)
    return figure


def heat_map_figure(run):
    """Word length of every layer (rows, first layer on top) over the steps (columns)."""
    layers = drawable_layers(run)
    lengths = [layer.series["word_length"] for layer in layers]
    lowest, highest = int(min(map(np.min, lengths))), int(max(map(np.max, lengths)))
    figure, axes = new_figure(1.3 + 0.24 * len(layers))
    colours = matplotlib.colormaps["cividis_r"]
    if lowest == highest:  # neighbours on the scale, so that one colour means one word length
        lowest, highest = lowest - 1, highest + 1
    norm = BoundaryNorm(np.arange(lowest - 0.5, highest + 1), colours.N)
    mesh = _heat_map(axes[0, 0], layers, lengths, "Word length per layer", cmap=colours, norm=norm)
    bar = figure.colorbar(mesh, ax=axes[0, 0], pad=0.01, aspect=12)
    bar.set_label("word length (bits)")
    bar.set_ticks(_bit_ticks(lowest, highest))
    bar.ax.minorticks_off()
    return figure


def loss_figure(run):
    """What every layer loses to rounding, as heat maps: shares in percent. None for a log that does not say."""
    layers = drawable_layers(run)
    panels = [(name, title) for name, title in LOSSES if all(name in layer.series for layer in layers)]
    if not panels:
        return None
    figure, axes = new_figure((0.7 + 0.2 * len(layers)) * len(panels), len(panels), sharex=True)
    for (name, title), axis in zip(panels, axes[:, 0]):
        mesh = _heat_map(axis, layers, [100 * layer.series[name] for layer in layers], title, cmap="magma_r",
                         vmin=0, vmax=100)
    bar = figure.colorbar(mesh, ax=list(axes[:, 0]), pad=0.01, aspect=40)
    bar.set_label("%")
    return figure


def _heat_map(axis, layers, values, title, **colours):
    """Draws `values`, an array for each layer, one row of the picture each; returns what a colour bar belongs to."""
    grid = _step_grid(layers)
    rows = np.stack([_held(layer, of_layer, grid) for layer, of_layer in zip(layers, values)])
    edges = np.append(grid, grid[-1] + (grid[-1] - grid[-2] if len(grid) > 1 else 1))
    mesh = axis.pcolormesh(edges, np.arange(len(layers) + 1), rows, rasterized=True, **colours)
    axis.set_yticks(np.arange(len(layers)) + 0.5, [shorten(layer.name) for layer in layers])
    axis.invert_yaxis()
    axis.grid(False)
    axis.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axis.set_xlabel("training step")
    axis.set_title(title)
    return mesh


def _layer_panels(layers, panels, extra_panels=0):
    """A figure with one panel per (title, unit, values of a layer, thinning), one line per layer, one legend."""
    rows = len(panels) + extra_panels
    figure, axes = new_figure(0.5 + 2.1 * len(panels) + 1.1 * extra_panels, rows, sharex=True,
                              gridspec_kw={"height_ratios": [2] * len(panels) + [0.8] * extra_panels})
    colours = layer_colours(len(layers))
    crowded = len(layers) > len(PALETTE)
    alpha = 0.35 if crowded else 0.9
    # Few layers: later lines are thinner, so that those which coincide can all be seen.
    widths = np.full(len(layers), 0.8) if crowded else np.linspace(3.0, 1.2, len(layers))
    lines = []
    for (title, unit, values_of, thin), axis in zip(panels, axes[:, 0]):
        style = "steps-post" if thin is thin_changes else "default"
        lines = []
        for layer, colour, width in zip(layers, colours, widths):
            x, y = thin(layer.series["step"], values_of(layer))
            marker = "o" if len(x) == 1 else None
            lines += axis.plot(x, y, color=colour, linewidth=width, alpha=alpha, drawstyle=style, marker=marker)
        if crowded:
            lines += _plot_median(axis, layers, values_of, thin, style)
        axis.set_title(title)
        axis.set_ylabel(unit)
        axis.yaxis.set_major_locator(MaxNLocator(6, integer=unit in WHOLE_UNITS, min_n_ticks=1))
        if unit == SHARE:
            axis.set_ylim(0, max(1, axis.get_ylim()[1]))
    _label_steps(axes[-1, 0])
    names = [shorten(layer.name) for layer in layers] + ["median of the layers"] * crowded
    keys = [Line2D([], [], color=line.get_color(), linewidth=max(line.get_linewidth(), 1.4)) for line in lines]
    side_legend(figure, keys, names, "layer")
    return figure


def _plot_median(axis, layers, values_of, thin, style):
    """The median over the layers at each step, in black; gaps where no layer has a value."""
    grid = _step_grid(layers)
    values = np.stack([_held(layer, values_of(layer), grid) for layer in layers])
    known = np.any(np.isfinite(values), axis=0)
    medians = np.full(len(grid), np.nan)
    medians[known] = np.nanmedian(values[:, known], axis=0)
    x, y = thin(grid, medians)
    return axis.plot(x, y, drawstyle=style, color="black", linewidth=1.8)


def _strategy_panel(axis, step, codes):
    x, y = thin_changes(step, codes)
    axis.plot(x, y, drawstyle="steps-post", color=PALETTE[6])
    axis.set_yticks(range(len(STRATEGIES)), STRATEGIES)
    axis.set_ylim(-0.4, len(STRATEGIES) - 0.6)
    axis.set_title("Strategy (all layers)")


def _label_steps(axis):
    axis.set_xlabel("training step")
    axis.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axis.margins(x=0.01)


def _finite_diversity(layer):
    """Diversity with gaps where there is none: 0 before the first window, infinite when gradients cancelled out."""
    diversity = layer.series["diversity"]
    return np.where(np.isfinite(diversity) & (diversity > 0), diversity, np.nan)


def _strategy_codes(run):
    """Strategy of each step as an index into STRATEGIES, NaN for others; None when the log has none at all."""
    names = run.steps.get("strategy")
    if names is None:
        return None
    codes = np.full(len(names), np.nan)
    for code, name in enumerate(STRATEGIES):
        codes[names == name] = code
    return None if np.all(np.isnan(codes)) else codes


def _step_grid(layers):
    """All steps that any layer logged, evenly thinned to MAX_POINTS."""
    grid = np.unique(np.concatenate([layer.series["step"] for layer in layers]))
    return grid[:: -(-len(grid) // MAX_POINTS)]


def _held(layer, values, grid):
    """Of the layer's `values` (one per logged row) those in force at each step of `grid`."""
    rows = np.searchsorted(layer.series["step"], grid, side="right") - 1
    return values[np.maximum(rows, 0)]


def _bit_ticks(lowest, highest):
    """At most ten whole numbers from lowest to highest."""
    return np.arange(lowest, highest + 1, -(-(highest - lowest + 1) // 10))


PER_RUN = (
    ("precision", precision_figure, "Weights' format and sparsity of each layer."),
    ("word_length_map", heat_map_figure, "Darker is more bits."),
    ("losses", loss_figure, "What 8 bits do not hold: of the numbers that are not zero, and of the channels."),
    ("policy", policy_figure, "What AdaPT decided from: window, gradient diversity (gaps: not defined), strategy."),
)
