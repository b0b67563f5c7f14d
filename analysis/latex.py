"""Tables for LaTeX, without any package."""

from analysis.table import cell_text

SPECIAL = {character: "\\" + character for character in "&%$#_{}"} | {
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "⟨": "$\\langle$",
    "⟩": "$\\rangle$", "…": "\\ldots{}", "±": "$\\pm$"}


def latex_text(rows, columns, groups):
    """A tabular with rounded numbers; a missing value is "--". `groups`: per column the heading that it shares with its
    neighbours ("" for none) and its own."""
    lines = [
        "\\begin{tabular}{" + "".join("r" if column.form else "l" for column in columns) + "}",
        "\\hline",
        *([_group_line(groups)] if any(heading for heading, _ in groups) else []),
        " & ".join(escaped(own) for _, own in groups) + " \\\\",
        "\\hline",
    ]
    for row in rows:
        cells = ("--" if value is None else escaped(cell_text(value, column)) for value, column in zip(row, columns))
        lines.append(" & ".join(cells) + " \\\\")
    return "\n".join([*lines, "\\hline", "\\end{tabular}"]) + "\n"


def escaped(text):
    """`text` with what LaTeX takes for commands spelled out."""
    return "".join(SPECIAL.get(character, character) for character in text)


def _group_line(groups):
    cells, place = [], 0
    while place < len(groups):
        heading, width = groups[place][0], 1
        while heading and place + width < len(groups) and groups[place + width][0] == heading:
            width += 1
        cells.append(f"\\multicolumn{{{width}}}{{c}}{{{escaped(heading)}}}" if heading else "")
        place += width
    return " & ".join(cells) + " \\\\"
