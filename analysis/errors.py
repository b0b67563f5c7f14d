"""The one error that ends a script with a plain line instead of a traceback."""

import argparse
import contextlib
import os
import sys

from analysis.printable import one_line, say

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2


class BadInput(Exception):
    """What the user gave is wrong; the text says what, where, and what would be right, in one line."""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message):
        raise BadInput(f"{message}; {' '.join(self.format_usage().split())}")

    def print_help(self, file=None):
        say(self.format_help().rstrip("\n"), file)


def complain(kind, text):
    """One line on stderr: "error: ...", "warning: ...", "note: ...". Where stderr takes none, there is nobody to tell."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            say(f"{kind}: {one_line(text)}", sys.stderr)


def run_main(main):
    """Runs `main()` (returns an exit code) and ends the process with it.

    BadInput becomes one line on stderr and exit 2, an operating system error (a folder or an output that cannot be
    written) one line with the script's name and exit 1.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="backslashreplace")  # whatever the locale cannot say
    try:
        code = main()
    except BadInput as error:
        complain("error", str(error))
        code = EXIT_BAD_INPUT
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        complain("error", f"{os.path.basename(sys.argv[0])}: {what}")
        code = EXIT_FAILED
    sys.exit(code)
