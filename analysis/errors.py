"""The one error that ends a script with a plain line instead of a traceback."""

import argparse
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


def complain(kind, text):
    """One line on stderr: "error: ...", "warning: ...", "note: ..."."""
    say(f"{kind}: {one_line(text)}", sys.stderr)


def run_main(main):
    """Runs `main()` (returns an exit code) and ends the process with it.

    BadInput becomes one line on stderr and exit 2, an operating system error (a folder that cannot be written) one
    line and exit 1.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # whatever the locale cannot say
    try:
        code = main()
        sys.stdout.flush()
    except BadInput as error:
        complain("error", str(error))
        code = EXIT_BAD_INPUT
    except BrokenPipeError:  # `report.py ... | head`: whoever read us has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        complain("error", str(error))
        code = EXIT_FAILED
    sys.exit(code)
