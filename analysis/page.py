"""The HTML page: everything inside one file, nothing loaded from elsewhere."""

import base64

from analysis.printable import html_lines, html_text
from analysis.table import COLUMNS, cell_text

MAX_SWITCHES = 100
NOTES = (
    "<b>Modelled</b> figures count bit operations from the logged word lengths and densities (the analytical model of "
    "AdaPT, arXiv 2107.13490, section 4; backward at 32 bits; switch overhead included). "
    "<b>Measured</b> figures are ratios of wall-clock medians to the float32 run of this report with the same model, "
    "data, batch, ranks, threads and processor. The two are never mixed; “-” means that there is nothing to compare with.",
    "The <b>emulated</b> engine does the rounding of fixed point in float32 arithmetic: it shows what the formats mean "
    "for training, not how fast they could be, so its measured speedup is usually below 1. A modelled speedup says what "
    "hardware with arithmetic of just these widths would gain.",
)
STYLE = """
:root { --ink: #1c2430; --soft: #5b6675; --line: #dde2e8; --accent: #0072B2; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: var(--ink); margin: 0; background: #f5f6f8;
       overflow-wrap: anywhere; }
main { max-width: 1320px; margin: 0 auto; padding: 24px 28px 60px; background: #fff; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 20px; margin: 40px 0 10px; padding-top: 12px; border-top: 2px solid var(--line); }
h3 { font-size: 16px; margin: 24px 0 8px; } p { max-width: 90ch; }
.soft { color: var(--soft); } .warning { color: #9a4200; font-weight: 600; }
nav a { margin-right: 14px; color: var(--accent); text-decoration: none; }
.scroll { overflow-x: auto; margin: 8px 0; overflow-wrap: normal; }
.scroll tr > :first-child { position: sticky; left: 0; max-width: 240px; overflow-wrap: break-word; white-space: normal;
                            box-shadow: 1px 0 var(--line); }
.scroll tbody tr { background: #fff; } .scroll tbody tr > :first-child { background: inherit; }
table { border-collapse: collapse; font-size: 12.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 6px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: bottom; }
td.n, th.n { text-align: right; } th { background: #f0f3f6; font-weight: 600; line-height: 1.25; font-size: 11.5px; }
.scroll tbody tr:hover { background: #f7fafc; } td:first-child { font-weight: 600; white-space: nowrap; }
td.text { max-width: 420px; overflow-wrap: break-word; }
figure { margin: 12px 0; } img { max-width: 100%; height: auto; display: block; }
figcaption { color: var(--soft); font-size: 13px; max-width: 90ch; }
pre { background: #f5f6f8; border: 1px solid var(--line); padding: 12px; overflow-x: auto;
      font-size: 12.5px; line-height: 1.4; }
summary { cursor: pointer; color: var(--accent); } li { max-width: 90ch; }
"""


def page(runs, rows, overview, figures_of_run):
    """The page as text. `rows`: table.summary_rows; `overview`: figures over all runs; `figures_of_run`: one list per
    run. A figure is (title, caption, PNG bytes)."""
    sections = [
        _section("summary", "Summary", _summary_table(rows) + _notes(runs)),
        _section("curves", "Learning curves and time", "".join(map(_figure, overview))),
        *(_run_section(index, run, figures) for index, (run, figures) in enumerate(zip(runs, figures_of_run))),
        _section("differences", "Configuration differences", _differences_table(runs)),
        _section("provenance", "Provenance", _by_run_table(runs, [run.provenance for run in runs], "attribute")),
    ]
    links = [("summary", "Summary"), ("curves", "Curves")]
    links += [(f"run-{index + 1}", run.name) for index, run in enumerate(runs)]
    links += [("differences", "Differences"), ("provenance", "Provenance")]
    navigation = "".join(f'<a href="#{anchor}">{html_text(text)}</a>' for anchor, text in links)
    count = f"{len(runs)} run{'s' if len(runs) > 1 else ''}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>adapt: report of {count}</title><style>{STYLE}</style></head>\n<body><main>"
        f'<h1>adapt: report of {count}</h1><nav>{navigation}</nav>\n{"".join(sections)}</main></body></html>\n'
    )


def _section(anchor, title, body):
    return f'<section id="{anchor}"><h2>{html_text(title)}</h2>\n{body}</section>\n'


def table_html(headers, rows, numeric=()):
    """A table element. Cells are plain text; columns whose index is in `numeric` are right-aligned."""
    kinds = ['class="n"' if index in numeric else 'class="text"' for index in range(len(headers))]
    head = "".join(f"<th {kind}>{html_text(text)}</th>" for kind, text in zip(kinds, headers))
    body = "".join(
        "<tr>" + "".join(f"<td {kind}>{html_text(cell)}</td>" for kind, cell in zip(kinds, row)) + "</tr>\n"
        for row in rows
    )
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>\n'


def _summary_table(rows):
    numeric = [index for index, column in enumerate(COLUMNS) if column.form]
    cells = [[cell_text(value, column) for value, column in zip(row, COLUMNS)] for row in rows]
    return table_html([column.header for column in COLUMNS], cells, numeric)


def _notes(runs):
    unfinished = [run.name for run in runs if not run.done]
    names = html_text(", ".join(unfinished))
    warning = f'<p class="warning">Not finished (no DONE): {names}.</p>' if unfinished else ""
    meanings = "".join(
        f"<li><b>{html_text(column.header)}</b>: {html_text(column.meaning)}</li>"
        for column in COLUMNS
        if column.meaning
    )
    notes = "".join(f"<p>{note}</p>" for note in NOTES)
    return f"{warning}{notes}<details><summary>What the columns mean</summary><ul>{meanings}</ul></details>"


def _figure(figure):
    title, caption, png = figure
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<figure><img alt="{html_text(title)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{html_text(caption)}</figcaption></figure>\n"
    )


def _run_section(index, run, figures):
    pictures = "".join(map(_figure, figures)) or '<p class="soft">No layer of this run has a fixed-point format in the log.</p>'
    configuration = (
        "<h3>Configuration</h3><details><summary>Resolved YAML</summary>"
        f"<pre>{html_lines(run.configuration_text)}</pre></details>"
    )
    body = (
        f'<p class="soft">{html_text(run.path)} · {"finished" if run.done else "not finished"}</p>{pictures}'
        f"{_switch_table(run)}{_model_table(run)}{configuration}"
    )
    return _section(f"run-{index + 1}", f"Run: {run.name}", body)


def _switch_table(run):
    if not run.switches:
        return '<h3>Precision switches</h3><p class="soft">None.</p>'
    shown = run.switches[:MAX_SWITCHES]
    headers = ["step", "layer", "before", "after", "minimal"]
    headers += ["lookback", "resolution", "diversity", "divergence", "strategy"]
    rows = [
        [str(switch.step), switch.layer, _format(switch.before), _format(switch.after), _format(switch.minimal) if switch.minimal else "-",
         str(switch.lookback), str(switch.resolution), f"{switch.diversity:.3g}", f"{switch.divergence:.2e}",
         switch.strategy or "-"]
        for switch in shown
    ]  # fmt: skip
    return (
        f"<h3>Precision switches</h3><details><summary>{len(shown)} of {len(run.switches)} switches"
        f"</summary>{table_html(headers, rows, {0, 5, 6, 7, 8})}</details>"
    )


def _model_table(run):
    if not run.model:
        return ""
    rows = [
        [tensor.name, " × ".join(map(str, tensor.dims)) or "scalar",
         _format((tensor.word_length, tensor.fractional_length)), f"{1 - tensor.density:.3f}"]
        for tensor in run.model
    ]  # fmt: skip
    return (
        f"<h3>Final model</h3><details><summary>{len(rows)} tensors</summary>"
        f'{table_html(["tensor", "shape", "format", "sparsity"], rows, {3})}</details>'
    )


def _format(lengths):
    """⟨WL, FL⟩, or float32 where there is no format."""
    if lengths is None or lengths[0] is None:
        return "float32"
    return f"⟨{lengths[0]}, {lengths[1]}⟩"


def _differences_table(runs):
    """Configuration keys that are not the same in all runs."""
    keys = sorted({key for run in runs for key in run.configuration})
    differing = [key for key in keys if len({run.configuration.get(key) for run in runs}) > 1]
    if not differing:
        return '<p class="soft">None.</p>'
    values = [{key: run.configuration.get(key, "-") for key in differing} for run in runs]
    return _by_run_table(runs, values, "key")


def _by_run_table(runs, dictionaries, header):
    """One row per key of any dictionary, one column per run."""
    keys = sorted({key for dictionary in dictionaries for key in dictionary})
    rows = [[key, *(dictionary.get(key, "-") for dictionary in dictionaries)] for key in keys]
    return table_html([header, *(run.name for run in runs)], rows)
