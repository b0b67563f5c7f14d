"""Finds a Python that has h5py, numpy, matplotlib, scipy and yaml; imported before them by every script."""

import importlib
import importlib.util
import os
import sys

SYSTEM_PYTHON = "/usr/bin/python3"
RESTARTED = "ADAPT_ANALYSIS_RESTARTED"
MODULES = ("numpy", "h5py", "matplotlib", "yaml")


def missing_modules(names=MODULES, later=()):
    """The reason why a module cannot be imported ("No module named 'h5py'"), or None when all can. Those of `later` are
    looked for and not imported."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # a numpy of another ABI fails with other types than ImportError
            reason = str(error).strip().splitlines() or [type(error).__name__]
            return f"cannot import {name}: {reason[0]}"
    for name in later:
        if importlib.util.find_spec(name) is None:
            return f"cannot import {name}: there is no such module"
    return None


def require_modules(names=MODULES, later=()):
    """Returns when all modules can be imported. Otherwise starts the script again under the system's Python
    (another python3 may come first on PATH), and if that is this one, ends with one line and exit 1."""
    reason = missing_modules(names, later)
    if reason is None:
        return
    if RESTARTED not in os.environ and sys.executable != SYSTEM_PYTHON and os.access(SYSTEM_PYTHON, os.X_OK):
        os.environ[RESTARTED] = "1"
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv])
    print(
        f"error: {sys.executable}: {reason}; install them with "
        "`apt-get install python3-h5py python3-matplotlib python3-numpy python3-scipy python3-yaml` and run this with /usr/bin/python3",
        file=sys.stderr,
    )
    sys.exit(1)
