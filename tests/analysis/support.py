"""What the tests of analysis/ share: the package on the path, a scratch folder, a script's outcome."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT)

from analysis.errors import BadInput  # noqa: E402 (found by the line above)


class ScratchTest(unittest.TestCase):
    """A test with an empty folder of its own, `self.folder`."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="adapt_analysis_")
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name

    def path(self, *parts):
        """A path inside the folder."""
        return os.path.join(self.folder, *parts)

    def assert_one_line_error(self, outcome, *words, code=2):
        """The script ended with `code`, said nothing on stdout and one line with all `words` on stderr."""
        self.assertEqual(outcome.returncode, code, outcome.stderr)
        self.assertEqual(outcome.stdout, "")
        self.assertEqual(len(outcome.stderr.splitlines()), 1, outcome.stderr)
        for word in words:
            self.assertIn(word, outcome.stderr)


def run_script(name, *arguments, cwd=None, environment=None):
    """Runs analysis/<name> by its path, as a user does."""
    script = os.path.join(ROOT, "analysis", name)
    return subprocess.run([script, *arguments], capture_output=True, text=True, cwd=cwd, timeout=100, check=False,
                          env={**os.environ, **(environment or {})})


def call_script(module, *arguments):
    """What main() of an imported script prints to stdout, run here: saves the half second of a new interpreter.
    Fails unless it returns 0 and says nothing on stderr."""
    stdout, stderr = call_script_aloud(module, *arguments)
    assert stderr == "", stderr
    return stdout


def call_script_aloud(module, *arguments):
    """The same with what it says on stderr: (stdout, stderr)."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with mock.patch.object(sys, "argv", [module.__file__, *arguments]):
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            code = module.main()
    assert code == 0, (code, stderr.getvalue())
    return stdout.getvalue(), stderr.getvalue()


def call_to_refuse(module, *arguments):
    """The text of the BadInput by which main() of an imported script refuses its arguments."""
    with mock.patch.object(sys, "argv", [module.__file__, *arguments]):
        try:
            module.main()
        except BadInput as refusal:
            return str(refusal)
    raise AssertionError(f"{module.__file__} {arguments} was not refused")
