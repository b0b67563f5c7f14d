"""What the tests of analysis/ share: the package on the path, a scratch folder, a script's outcome."""

import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT)


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
