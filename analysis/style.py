"""How all figures look: colour-blind safe colours, light axes, sizes in inches."""

import io

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.backends.backend_agg import FigureCanvasAgg

from analysis.printable import figure_text, one_line

MAX_POINTS = 2000
MEAN_POINTS = 400  # more would draw the noise as a band
# Okabe and Ito's palette without yellow (too pale on white).
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A6D3B")
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))
DPI = 120
WIDTH = 10.0

matplotlib.rcParams.update(
    {
        "svg.hashsalt": "adapt",
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.edgecolor": "#666666",
        "grid.color": "#E4E4E4",
        "grid.linewidth": 0.8,
        "lines.linewidth": 1.4,
        "legend.frameon": False,
        "legend.fontsize": 8,
        "legend.handlelength": 1.6,
    }
)


def new_figure(height, rows=1, columns=1, **options):
    """(figure, axes array (rows, columns)) of WIDTH × height inches, laid out without overlaps."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes


def png_bytes(figure):
    """The figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def svg_bytes(figure):
    """The figure as SVG, the same bytes for the same figure."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def layer_colours(count):
    """One colour per layer in the model's order: distinct ones for few layers, dark to bright for many."""
    if count <= len(PALETTE):
        return list(PALETTE[:count])
    return [matplotlib.colormaps["viridis"](position) for position in np.linspace(0, 0.93, count)]


def run_style(index):
    """(colour, dash pattern) of run `index`; distinct for 32 runs."""
    return PALETTE[index % len(PALETTE)], DASHES[index // len(PALETTE) % len(DASHES)]


def side_legend(figure, handles, labels, title):
    """A legend right of all axes, in as many columns as its height needs; the axes make room for it."""
    rows = max(1, int((figure.get_figheight() - 0.6) / 0.165))
    legend = figure.legend(handles, labels, title=title, loc="upper right", ncols=-(-len(labels) // rows),
                           alignment="left")
    width = legend.get_window_extent(figure.canvas.get_renderer()).width / figure.bbox.width
    figure.get_layout_engine().set(rect=(0, 0, 1 - width, 1))


def thin_changes(x, y):
    """The points of a piecewise constant series that a steps-post line needs: first, last, every change; at most
    MAX_POINTS."""
    if not len(y):
        return x, y
    keep = np.flatnonzero(np.concatenate(([True], y[1:] != y[:-1])))
    keep = np.union1d(keep[:: -(-len(keep) // MAX_POINTS)], [len(y) - 1])
    return x[keep], y[keep]


def thin_means(x, y):
    """Means over equal numbers of rows, at most MEAN_POINTS of them."""
    width = -(-len(y) // MEAN_POINTS) if len(y) else 1
    whole = len(y) // width * width  # the last, incomplete group is left out
    return x[:whole].reshape(-1, width).mean(axis=1), y[:whole].reshape(-1, width).mean(axis=1)


def shorten(name, limit=28):
    """A name as a label that fits a legend: its middle gives way."""
    half = (limit - 1) // 2
    name = one_line(name)
    return figure_text(name if len(name) <= limit else f"{name[:half]}…{name[-half:]}")
