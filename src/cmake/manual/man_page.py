"""A manual page for each help text, in the language of troff."""

from help_text import Help, Key, Option


def _text(words: str) -> str:
    """As troff prints it unchanged."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in escaped.split("\n"))


def _literal(lines: list[str]) -> str:
    return ".nf\n" + "\n".join(map(_text, lines)) + "\n.fi\n"


def _tagged(tag: str, text: str) -> str:
    return f".TP\n{tag}\n{_text(text)}\n"


def _option(option: Option) -> str:
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names)
    standard = f" (default: {option.standard})" if option.standard else ""
    return _tagged(names + (" \\fIarg\\fR" if option.takes_value else ""), option.meaning + standard)


def _keys(keys: list[Key]) -> str:
    pages = (_tagged(f"\\fB{_text(key.name)}\\fR (default: {_text(key.standard)})", key.meaning) for key in keys)
    return ".SH KEYS OF AN EXPERIMENT FILE\n" + "".join(pages)


def name_of(page: Help) -> str:
    """The page's name: "adapt-bench-step"."""
    return "-".join(page.words)


def _see_also(page: Help, pages: list[Help]) -> str:
    """The commands above and directly below."""
    near = [other for other in pages
            if other.words == page.words[:-1] or other.words[:-1] == page.words]  # fmt: skip
    return ",\n".join(f"\\fB{_text(name_of(other))}\\fR(1)" for other in near)


def man_page(page: Help, pages: list[Help], keys: list[Key], version: str) -> str:
    """The text of a page; `keys` are listed on it when there are any."""
    name = name_of(page)
    parts = [
        f'.TH {name.upper()} 1 "" "{version}" "User commands"\n',
        f".SH NAME\n{_text(name)} \\- {_text(page.summary)}\n",
        ".SH SYNOPSIS\n" + _literal([page.synopsis]),
        f".SH DESCRIPTION\n{_text(page.description)}\n",
    ]
    if page.entries:
        parts.append(".SH COMMANDS\n" + "".join(_tagged(f"\\fB{_text(entry)}\\fR", text) for entry, text in page.entries))
    if page.rest:
        parts.append(f".PP\n{_text(page.rest)}\n")
    if page.options:
        parts.append(".SH OPTIONS\n" + "".join(map(_option, page.options)))
    if keys:
        parts.append(_keys(keys))
    if page.examples:
        parts.append(".SH EXAMPLES\n" + _literal(page.examples))
    parts.append(f".SH SEE ALSO\n{_see_also(page, pages)}\n")
    return "".join(parts)
