"""Hostile text in each kind of output, and that every script prints through one place."""

import csv
import html
import io
import json
import os
import re
import unittest

from support import ROOT
from sweep_store import HOSTILE, UNPRINTABLE

from analysis.groups import Spread
from analysis.latex import tabular_text
from analysis.printable import (
    csv_cell,
    figure_text,
    html_lines,
    html_text,
    json_value,
    latex_text,
    lines,
    markdown_text,
    one_line,
)
from analysis.table import Column, aligned_text, csv_text, markdown_table

COLUMNS = (Column("name", ""), Column(HOSTILE, ""), Column("x", ".1f"))
ROWS = [["a", HOSTILE, 1.25], ["b", "=cmd()", -0.5], ["c", "c", Spread(1.0, 0.5)]]
ORDINARY = ("", "conv1.weight", "Größe ≤ 5 · 日本 🙂", "\\back", "1.0e-4")


class Lines(unittest.TestCase):
    def test_ordinary_text_stays(self):
        for text in ORDINARY:
            self.assertEqual((one_line(text), lines(text), html_text(text)), (text, text, text))

    def test_controls_are_spelled_out(self):
        for text, expected in {
            "a\nb\rc\td": "a\\nb\\rc\\td",
            "\x1b[2J\x9b2J\0\x7f": "\\u001b[2J\\u009b2J\\u0000\\u007f",
            "\u202egnp\u2066\u2069\u200f\u061c": "\\u202egnp\\u2066\\u2069\\u200f\\u061c",
            "\u2028\u2029\x85": "\\u2028\\u2029\\u0085",
            "\u200b\ufeff\U000e0041": "\\u200b\\ufeff\\U000e0041",
            os.fsdecode(b"run\xff"): "run\\xff",
            "\ud800": "\\ud800",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(one_line(text), expected)
                self.assertEqual(one_line(expected), expected)

    def test_several_lines_keep_their_ends(self):
        self.assertEqual(lines("a\n\tb\x1b[2J\r\n"), "a\n\tb\\u001b[2J\\r\n")

    def test_a_table_has_as_many_lines_as_rows(self):
        text = aligned_text(ROWS, COLUMNS)
        self.assertIsNone(UNPRINTABLE.search(text))
        self.assertEqual(len(text.splitlines()), 2 + len(ROWS))


class Csv(unittest.TestCase):
    def test_what_a_spreadsheet_would_compute(self):
        for text in ("=cmd()", "+1+1", "-1+1", "@SUM(A1)", " =1", "=", "-cmd", "＝1", "--1", "+", "-1 "):
            self.assertEqual(csv_cell(text), f"'{text}")
        self.assertEqual(csv_cell("\t=1"), "\\t=1")

    def test_what_it_would_not(self):
        for text in (*ORDINARY, "-", "-1", "+0.5", "-1.0e-04", "3", ".5", "a=b", "a-b", "[3, -4]"):
            self.assertEqual(csv_cell(text), text)

    def test_table(self):
        text = csv_text(ROWS, COLUMNS)
        self.assertIsNone(UNPRINTABLE.search(text))
        self.assertEqual(len(text.splitlines()), 1 + len(ROWS))
        rows = list(csv.reader(io.StringIO(text)))
        self.assertEqual(rows[2], ["b", "'=cmd()", "-0.5"])
        self.assertEqual(rows[0][1], rows[1][1])


class Markdown(unittest.TestCase):
    def test_tags_links_and_cells(self):
        for text, expected in {
            "<script>x</script> & co": "&lt;script&gt;x&lt;/script&gt; &amp; co",
            "a | b": "a \\| b",
            "![x](https://e.org/x.png) [y](javascript:z)": "!\\[x\\](https://e.org/x.png) \\[y\\](javascript:z)",
            "*bold* `code` \\|": "\\*bold\\* \\`code\\` \\\\\\|",
            "_emphasis_ snake_case __init__": "\\_emphasis\\_ snake_case \\_\\_init\\_\\_",
            "a\n\n# b": "a\\\\n\\\\n# b",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(markdown_text(text), expected)

    def test_table(self):
        text = markdown_table(ROWS, COLUMNS)
        self.assertIsNone(UNPRINTABLE.search(text))
        self.assertNotIn("<", text)
        self.assertEqual([len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines()], [4] * (2 + len(ROWS)))


class Latex(unittest.TestCase):
    def test_commands_and_signs(self):
        self.assertEqual(latex_text("50 % of a_b & \\x"), "50 \\% of a\\_b \\& \\textbackslash{}x")
        self.assertEqual(latex_text("a < b > c | d"), "a \\textless{} b \\textgreater{} c \\textbar{} d")
        self.assertEqual(latex_text('$x^2$ {"~#'), "\\$x\\textasciicircum{}2\\$ \\{{\\char34}\\textasciitilde{}\\#")
        self.assertEqual(latex_text("\\input{/etc/passwd}"), "\\textbackslash{}input\\{/etc/passwd\\}")

    def test_table(self):
        text = tabular_text(ROWS, COLUMNS, [("", column.header) for column in COLUMNS])
        self.assertIsNone(UNPRINTABLE.search(text))
        self.assertNotRegex(text, "[<>|]")
        self.assertEqual(len(text.splitlines()), 6 + len(ROWS))


class Pages(unittest.TestCase):
    def test_html(self):
        self.assertEqual(html_text("<script>'\"&\n"), "&lt;script&gt;&#x27;&quot;&amp;\\n")
        self.assertEqual(html_lines("a: <b>\n\u202e"), "a: &lt;b&gt;\n\\u202e")
        self.assertEqual(html.unescape(html_text(HOSTILE)), one_line(HOSTILE))

    def test_json(self):
        value = json_value({HOSTILE: [HOSTILE, 1, None, {"a": (HOSTILE, 0.5)}]})
        self.assertEqual(value, {one_line(HOSTILE): [one_line(HOSTILE), 1, None, {"a": [one_line(HOSTILE), 0.5]}]})
        self.assertIsNone(UNPRINTABLE.search(json.dumps(value, ensure_ascii=False)))

    def test_figures(self):
        self.assertEqual(figure_text("$\\frac{x$ \n"), "\\$\\frac{x\\$ \\n")


class OnePlace(unittest.TestCase):
    def test_nobody_else_prints_or_escapes(self):
        """The exception comes before our own modules can be imported."""
        folder = os.path.join(ROOT, "analysis")
        names = sorted(name for name in os.listdir(folder) if name.endswith(".py"))
        self.assertGreater(len(names), 30)
        for name in set(names) - {"printable.py", "interpreter.py"}:
            with open(os.path.join(folder, name), encoding="utf-8") as stream:
                found = re.findall(r"\bprint\(|\bhtml\.escape|stdout\.write|stderr\.write|ArgumentParser\(", stream.read())
            self.assertFalse(set(found) - {"ArgumentParser("} if name == "errors.py" else found, name)


if __name__ == "__main__":
    unittest.main()
