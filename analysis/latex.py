"""Tables for LaTeX, without any package."""

from analysis.printable import latex_text
from analysis.table import cell_text


def tabular_text(rows, columns, groups):
    """A tabular with rounded numbers; a missing value is "--". `groups`: per column the heading that it shares with its
    neighbours ("" for none) and its own."""
    lines = [
        "\\begin{tabular}{" + "".join("r" if column.form else "l" for column in columns) + "}",
        "\\hline",
        *([_group_line(groups)] if any(heading for heading, _ in groups) else []),
        " & ".join(latex_text(own) for _, own in groups) + " \\\\",
        "\\hline",
    ]
    for row in rows:
        cells = ("--" if value is None else latex_text(cell_text(value, column)) for value, column in zip(row, columns))
        lines.append(" & ".join(cells) + " \\\\")
    return "\n".join([*lines, "\\hline", "\\end{tabular}"]) + "\n"


def _group_line(groups):
    cells, place = [], 0
    while place < len(groups):
        heading, width = groups[place][0], 1
        while heading and place + width < len(groups) and groups[place + width][0] == heading:
            width += 1
        cells.append(f"\\multicolumn{{{width}}}{{c}}{{{latex_text(heading)}}}" if heading else "")
        place += width
    return " & ".join(cells) + " \\\\"
