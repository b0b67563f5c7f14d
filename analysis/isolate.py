"""Runs a function in a child process with limits, so that a crash in a C library becomes an error of ours.

libhdf5 1.10 can abort, loop or crash on a damaged file; the scripts must answer with one line instead. The child is a
Python of its own, never a fork: the caller may have threads. It stays for the next call as long as nothing goes wrong.
"""

import atexit
import os
import resource
import signal
import socket
import subprocess
import sys
from multiprocessing.connection import Connection

from analysis.errors import BadInput

MEMORY = 4 << 30  # bytes that a child may take beyond what it has when it is called

_CHILD = "import sys; sys.path.insert(0, sys.argv[1]); from analysis.isolate import serve; serve(int(sys.argv[2]))"
_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

_idle = []  # children that wait for a call; any thread takes and returns one


def call_isolated(function, argument, seconds):
    """`function(argument)`, computed in a child; argument and result must be picklable, `function` importable by name.

    BadInput of the child is raised here. RuntimeError, with the reason: any other exception of the child, its death
    by a signal, or no answer within `seconds`.
    """
    child = _idle.pop() if _idle else _Child()
    try:
        kind, value = child.answer(function, argument, seconds)
    except BaseException:
        child.stop()
        raise
    if kind == "exception":
        child.stop()  # what we did not foresee may have left the library in any state
        raise RuntimeError(value)
    _idle.append(child)
    if kind == "bad input":
        raise BadInput(value)
    return value


def serve(descriptor):
    """The child: answers calls until the parent closes its end of the connection."""
    with Connection(descriptor) as connection:
        while True:
            try:
                folder, function, argument, seconds = connection.recv()
            except EOFError:
                return
            os.chdir(folder)
            confine(seconds)
            connection.send(_answer(function, argument))


def confine(seconds):
    """From now on this process may take MEMORY more bytes and `seconds` of processor time, and leaves no core file."""
    with open("/proc/self/statm", encoding="ascii") as stream:
        present = int(stream.read().split()[0]) * resource.getpagesize()
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    for limit, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, present + MEMORY),
                         (resource.RLIMIT_CPU, int(used + seconds) + 1)):  # fmt: skip
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _answer(function, argument):
    try:
        return "result", function(argument)
    except BadInput as error:
        return "bad input", str(error)
    except BaseException as error:  # whatever it was, the parent reports it
        lines = str(error).strip().splitlines()
        return "exception", lines[0] if lines else type(error).__name__


class _Child:
    def __init__(self):
        ours, theirs = socket.socketpair()
        with theirs:
            # Silent: glibc's last words would be a second line.
            self._process = subprocess.Popen(
                [sys.executable, "-c", _CHILD, _ROOT, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())

    def answer(self, function, argument, seconds):
        """(kind, value) as `_answer` gives them; RuntimeError when none comes."""
        try:
            self._connection.send((os.getcwd(), function, argument, seconds))
            if not self._connection.poll(seconds):
                raise RuntimeError(f"no answer from the HDF5 library within {seconds} seconds")
            return self._connection.recv()
        except (EOFError, ConnectionError):
            raise RuntimeError(f"the HDF5 library crashed ({self._end()})") from None

    def stop(self):
        """Ends the process, whatever it does."""
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _end(self):
        status = self._process.wait()
        return signal.Signals(-status).name if status < 0 else f"exit code {status}"


@atexit.register
def _stop_idle_children():
    while _idle:
        _idle.pop().stop()
