"""The HTML page of a sweep: a table that can be filtered, and charts of the runs that the filter leaves. One file, nothing
loaded from elsewhere."""

import json
import os
import urllib.parse

from analysis.groups import columns_of, rows_of
from analysis.metrics import METRICS
from analysis.page import STYLE, table_html
from analysis.printable import html_text, json_value, one_line
from analysis.selection import SEED, short_names, value_of
from analysis.sweep_data import page_data
from analysis.table import Column, cell_text

SHOWN_METRICS = ("test_accuracy", "best_test_accuracy", "training_speedup", "inference_speedup", "model_size",
                 "word_length", "sparsity", "training_seconds", "images_per_second")  # fmt: skip
NOTES = (
    "<b>Modelled</b> figures count bit operations from the logged word lengths and densities (the analytical model of AdaPT, "
    "arXiv 2107.13490, section 4): they say what hardware with arithmetic of just these widths would gain.",
    "<b>Measured</b> figures are wall-clock times of the run. They can be compared between runs on the same machine, with the "
    "same ranks and threads, and nothing else running (see the provenance of each run). The engine <b>emulated</b> does the "
    "rounding of fixed point in float32 arithmetic: its times say nothing about the speed of the formats.",
)
MOST_CHOICES = 200  # values of a key that a list offers
# Whatever a name or a value holds, the browser fetches nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
MORE_STYLE = """
#filter { position: sticky; top: 0; background: #fff; padding: 10px 0; z-index: 1; border-bottom: 1px solid var(--line); }
#filter label { display: inline-block; margin: 2px 12px 2px 0; font-size: 13px; color: var(--soft); }
#count { font-weight: 600; } #runs th { cursor: pointer; } .scroll { max-height: 560px; overflow: auto; }
.scroll thead th { position: sticky; top: 0; } .scroll thead th:first-child { z-index: 1; } th.n { min-width: 62px; } th[aria-sort=ascending]::after { content: " ▲"; }
th[aria-sort=descending]::after { content: " ▼"; } td a { color: var(--accent); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(520px, 1fr)); gap: 18px; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--soft); } .grid { stroke: #e4e4e4; }
.curve { fill: none; stroke-width: 1.3; opacity: .75; cursor: pointer; } .dot { opacity: .8; cursor: pointer; }
.curve:hover { stroke-width: 3.5; opacity: 1; } .map { image-rendering: pixelated; border: 1px solid var(--line); }
figure.small { display: inline-block; margin: 6px 14px 6px 0; vertical-align: top; max-width: 200px; }
figure.small figcaption { font-size: 12px; overflow-wrap: anywhere; } .own td { font-weight: 700; }
.swatch { display: inline-block; width: 6px; height: 11px; } .swatch.wide { width: 20px; }
.state-failed { color: #b00020; font-weight: 600; } .state-unfinished, .state-pruned { color: #9a4200; }
#details { border-top: 2px solid var(--line); margin-top: 30px; }
"""


def run_columns(keys):
    """Columns of the table of runs."""
    return [Column("run", ""), Column("state", ""), *(Column(key, "") for key in short_names(keys)), Column(SEED, ""),
            *(Column(METRICS[name].header, METRICS[name].form) for name in SHOWN_METRICS)]  # fmt: skip


def run_rows(runs, keys):
    """One row of run_columns per run, in their order."""
    return [[run.name, run.state, *(value_of(run, key) for key in keys), value_of(run, SEED),
             *(METRICS[name].value(run) for name in SHOWN_METRICS)] for run in runs]  # fmt: skip


def sweep_page(title, runs, keys, groups, metrics):
    """The page as text. `runs`: analysis.digest.Digest with layers; `keys`: settings that differ; `groups` of the finished
    runs by these (analysis.groups) for `metrics`."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sweep_page.js"), encoding="utf-8") as stream:
        script = stream.read()
    heading = html_text(f"adapt: {title}, {len(runs)} runs")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{STYLE}{MORE_STYLE}</style></head>\n<body><main><h1>{heading}</h1>\n"
        f"{_groups_section(groups, keys, metrics)}{_filter(runs, keys)}{_runs_section(runs, keys)}{_charts()}"
        f'<section id="details" hidden></section>\n<section id="notes"><h2>Notes</h2>{_notes()}</section>\n'
        f'<script type="application/json" id="data">{_json_text(page_data(runs, keys))}</script>\n'
        f"<script>{script}</script></main></body></html>\n"
    )


def _groups_section(groups, keys, metrics):
    columns = columns_of(short_names(keys), metrics)
    cells = [[cell_text(value, column) for value, column in zip(row, columns)] for row in rows_of(groups)]
    numeric = [index for index, column in enumerate(columns) if column.form]
    body = table_html([column.header for column in columns], cells, numeric)
    return (
        '<section id="groups"><h2>Settings, best first</h2><p class="soft">Finished runs that differ in the seed only are '
        "one row: mean ± standard deviation. p: Student's t test against the first row, paired where the seeds are the "
        f"same, adjusted for the number of rows (Holm).</p>{body}</section>\n"
    )


def _filter(runs, keys):
    """The line of inputs above the runs."""
    choices = {"state": sorted({run.state for run in runs})}
    choices |= {key: sorted({value_of(run, key) for run in runs}, key=_number_first) for key in keys}
    names = dict(zip(choices, ["state", *short_names(keys)]))
    lists = "".join(
        f'<label title="{html_text(key)}">{html_text(names[key])} <select data-key="{html_text(key)}"><option value="">all</option>'
        + "".join(f"<option>{html_text(value)}</option>" for value in values)
        + "</select></label>"
        for key, values in choices.items()
        if len(values) <= MOST_CHOICES
    )
    colour = "".join(f"<option>{html_text(key)}</option>" for key in _colour_keys(runs, keys))
    return (
        '<section id="filter"><label>find <input id="find" type="search" placeholder="words of a row"></label>'
        f'{lists}<label>colour by <select id="colour">{colour}</select></label> <span id="count"></span>'
        '<div id="legend"></div></section>\n'
    )


def _colour_keys(runs, keys):
    """Keys with few values first: they make the clearest picture."""
    return sorted(keys, key=lambda key: len({value_of(run, key) for run in runs}) > 8) + [SEED, "state"]


def _number_first(text):
    try:
        return (0, float(text), text)
    except ValueError:
        return (1, 0.0, text)


def _runs_section(runs, keys):
    columns = run_columns(keys)
    kinds = ['class="n"' if column.form else 'class="text"' for column in columns]
    head = "".join(f"<th {kind}>{html_text(column.header)}</th>" for kind, column in zip(kinds, columns))
    body = []
    for number, row in enumerate(run_rows(runs, keys)):
        cells = [html_text(cell_text(value, column)) for value, column in zip(row, columns)]
        cells[0] = f'<a href="#run={urllib.parse.quote(one_line(row[0]), safe="")}">{cells[0]}</a>'
        cells[1] = f'<span class="state-{cells[1]}">{cells[1]}</span>'
        body.append(f'<tr data-run="{number}">'
                    + "".join(f"<td {kind}>{cell}</td>" for kind, cell in zip(kinds, cells)) + "</tr>\n")  # fmt: skip
    return (
        '<section id="runs"><h2>Runs</h2><p class="soft">A click on a heading sorts, one on a run shows its settings.</p>'
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{"".join(body)}</tbody></table></div></section>\n'
    )


def _charts():
    charts = (
        ("accuracy-curves", "Test accuracy over the epochs"),
        ("loss-curves", "Training loss over the epochs"),
        ("time-scatter", "Accuracy against measured time"),
        ("cost-scatter", "Accuracy against modelled cost"),
    )
    figures = "".join(f'<div><h3>{title}</h3><div id="{name}"></div></div>' for name, title in charts)
    return (
        '<section id="charts"><h2>Charts of the runs shown</h2><noscript><p>The charts need JavaScript.</p></noscript>'
        f'<div class="charts">{figures}</div><h3>Word lengths</h3><div id="maps"></div></section>\n'
    )


def _notes():
    return "".join(f"<p>{note}</p>" for note in NOTES)


def _json_text(value):
    """JSON that cannot end the element which it stands in."""
    text = json.dumps(json_value(value), separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
