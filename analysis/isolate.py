"""Runs a function in a child process with limits, so that a crash in a C library becomes an error of ours.

libhdf5 1.10 can abort, loop or crash on a damaged file; the scripts must answer with one line instead.
"""

import os
import pickle
import resource
import select
import signal
import time

from analysis.errors import BadInput

MEMORY = 4 << 30  # bytes that the child may take beyond what it begins with


def call_isolated(function, argument, seconds):
    """`function(argument)`, computed in a forked child; the result must be picklable.

    BadInput of the child is raised here. RuntimeError, with the reason: any other exception of the child, its death
    by a signal, or no answer within `seconds`.
    """
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiver)
        _answer(function, argument, sender, seconds)
    os.close(sender)
    try:
        answer = _receive(receiver, seconds)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        raise RuntimeError(f"no answer from the HDF5 library within {seconds} seconds") from None
    finally:
        os.close(receiver)
        _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        raise RuntimeError(f"the HDF5 library crashed ({signal.Signals(os.WTERMSIG(status)).name})")
    kind, value = pickle.loads(answer)
    if kind == "bad input":
        raise BadInput(value)
    if kind == "exception":
        raise RuntimeError(value)
    return value


def confine(seconds):
    """From now on this process may take MEMORY more bytes and `seconds` of processor time, and leaves no core file."""
    with open("/proc/self/statm", encoding="ascii") as stream:
        present = int(stream.read().split()[0]) * resource.getpagesize()
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    for limit, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, present + MEMORY),
                         (resource.RLIMIT_CPU, int(used + seconds) + 1)):  # fmt: skip
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _answer(function, argument, sender, seconds):
    """The child: computes, sends, and leaves without running the parent's exit handlers."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # glibc's last words would be a second line
        confine(seconds)
        try:
            answer = ("result", function(argument))
        except BadInput as error:
            answer = ("bad input", str(error))
        except BaseException as error:  # whatever it was, the parent reports it
            lines = str(error).strip().splitlines()
            answer = ("exception", lines[0] if lines else type(error).__name__)
        with os.fdopen(sender, "wb") as stream:
            pickle.dump(answer, stream, protocol=pickle.HIGHEST_PROTOCOL)
        os._exit(0)
    finally:
        os._exit(1)


def _receive(receiver, seconds):
    """All bytes up to the end of the stream; TimeoutError when that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    parts = []
    while True:
        ready, _, _ = select.select([receiver], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        part = os.read(receiver, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
