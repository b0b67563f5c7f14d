"""Text from files, as the scripts show it: one function for each kind of output. Names of runs and layers, settings,
provenance and reasons of failures may hold anything; none of it forges a line, steers a terminal, computes in a
spreadsheet, or is code to a browser or to LaTeX."""

import errno
import html
import os
import re
import sys
import unicodedata

# Controls, marks that steer the direction of text or are not seen, halves of characters, and ends of lines.
UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
STANDARD_OUTPUT = "standard output"
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|-", re.IGNORECASE | re.ASCII)
MARKDOWN = re.compile(r"[\\`*\[\]|]|(?<![^\W_])_|_(?![^\W_])")  # an underscore within a word is one
LATEX = {character: "\\" + character for character in "&%$#_{}"} | {
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "⟨": "$\\langle$",
    "⟩": "$\\rangle$", "…": "\\ldots{}", "±": "$\\pm$", "<": "\\textless{}", ">": "\\textgreater{}",
    "|": "\\textbar{}", '"': "{\\char34}"}  # fmt: skip


def one_line(text):
    """For a line or a cell on a terminal: what is not printable is spelled out, as in \\n, \\u001b, and \\xff for a byte
    of a path that is no UTF-8. Leaves its own result alone."""
    return "".join(map(_spelled_out, text))


def lines(text):
    """The same for several lines: line ends and tabs stay."""
    return "".join(character if character in "\n\t" else _spelled_out(character) for character in text)


def csv_cell(text):
    """For a cell of CSV: what a spreadsheet would compute becomes text by an apostrophe. A number stays one."""
    line = one_line(text)
    return f"'{line}" if FORMULA.match(line) and not NUMBER.fullmatch(line) else line


def markdown_text(text):
    """For a cell or a line of Markdown, which is HTML where it is shown."""
    return html.escape(MARKDOWN.sub(r"\\\g<0>", one_line(text)), quote=False)


def latex_text(text):
    """For LaTeX: what it takes for commands, or shows as something else, spelled out."""
    return "".join(LATEX.get(character, character) for character in one_line(text))


def html_text(text):
    """For HTML, between tags and in quoted attributes."""
    return html.escape(one_line(text))


def html_lines(text):
    """The same for several lines."""
    return html.escape(lines(text))


def figure_text(text):
    """For a title, label or legend of matplotlib, where dollars enclose formulas."""
    return one_line(text).replace("$", "\\$")


def json_value(value):
    """For JSON that a page shows: the value with the texts in it as one_line() has them."""
    if isinstance(value, dict):
        return {json_value(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    return one_line(value) if isinstance(value, str) else value


def say(text, stream=None):
    """Prints lines() of `text` and a line end, at once, to standard output unless `stream` is another. OSError, which names
    it, when that is not possible: what it has not taken is dropped."""
    stream = stream or sys.stdout
    if stream is None:  # closed before we began
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), STANDARD_OUTPUT)
    try:
        print(lines(text), file=stream, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # else the interpreter tries again when it ends
        raise OSError(error.errno, error.strerror, STANDARD_OUTPUT) from None


def _spelled_out(character):
    if unicodedata.category(character) not in UNPRINTABLE:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python has a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return SHORT.get(character) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")
