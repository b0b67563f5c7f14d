"""Runs the built program the way a user does, for tests. The environment says where it is:
ADAPT_PROGRAM (the binary) and ADAPT_MPIEXEC (mpirun); tests/AdaptProgramTest.cmake sets both."""

import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = os.environ.get("ADAPT_PROGRAM", "adapt")
MPIEXEC = os.environ.get("ADAPT_MPIEXEC", "mpirun")

# Twelve steps of eight shards; the last test batch is ragged.
TINY = """\
name: tiny
seed: 1
model: lenet5
engine: float32
precision: float32
data:
  name: procedural
  train_samples: 256
  test_samples: 130
training:
  epochs: 3
  batch: 64
  learning_rate: 0.1
  test_batch: 50
"""

# AdaPT in place of float32, with windows so short that formats change often.
ADAPT = (
    "engine=emulated",
    "precision.policy=adapt",
    "precision.adapt.lookback_lower=2",
    "precision.adapt.lookback_upper=4",
)


def command(*arguments, ranks=0):
    """The command line; `ranks` 0 means without mpirun."""
    launcher = [MPIEXEC, "-n", str(ranks)] if ranks else []
    return launcher + [PROGRAM, *map(str, arguments)]


# How many times longer everything may take: more with sanitizers. tests/CMakeLists.txt sets it.
SLOWNESS = int(os.environ.get("ADAPT_TEST_SLOWNESS", "1"))
SANITIZED = SLOWNESS > 1


def environment_without_data():
    """This process's environment; where data lie, a test says itself."""
    return {name: value for name, value in os.environ.items() if name != "ADAPT_DATA"}


def run(words, timeout=60, cwd=None, env=None):
    """Runs a command line to its end. The timeout is a failure of the test: the program hangs. `env` is added to the
    environment."""
    process = subprocess.Popen(
        words,
        cwd=cwd,
        env={**environment_without_data(), **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        out, err = process.communicate(timeout=timeout * SLOWNESS)
    except subprocess.TimeoutExpired:
        process.terminate()  # mpirun ends its ranks on this, the program its sweep
        try:
            out, err = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
        raise AssertionError(f"{process.args} hangs; stdout: {out} stderr: {err}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def adapt(*arguments, ranks=0, **options):
    """Runs the program to its end."""
    return run(command(*arguments, ranks=ranks), **options)


def one_by_one(*ranks, **options):
    """The program under mpirun, where each rank has arguments of its own: a list whose first words may be variables,
    "ADAPT_ISA=avx2"."""
    commands = []
    for arguments in ranks:
        variables = [word for word in arguments if re.match(r"[A-Z_]+=", str(word))]
        commands.append(["env", *variables, PROGRAM, *(word for word in arguments if word not in variables)])
    return run_by_rank(commands, **options)


def run_by_rank(commands, **options):
    """mpirun with a command for each rank. Not with ":" between them, on which Debian 13's mpirun (Open MPI 5.0.7)
    crashes."""
    cases = [f"{rank}) exec {shlex.join(map(str, command))} ;;" for rank, command in enumerate(commands)]
    script = "\n".join(['case "$OMPI_COMM_WORLD_RANK" in', *cases, "esac"])
    return run([MPIEXEC, "-n", str(len(commands)), "sh", "-c", script], **options)


def several_at_a_time(work, jobs, number=8):
    """The results of work(job), in order. mpirun takes a second to end a failed job, most of it asleep."""
    with concurrent.futures.ThreadPoolExecutor(number) as pool:
        return list(pool.map(work, jobs))


def error_lines(result):
    """What the program itself complained of; mpirun adds lines of its own, and Open MPI 5 a NUL behind some."""
    lines = result.stderr.replace("\0", "").splitlines()
    return [line for line in lines if re.match(r"adapt: (rank \d+: )?error: ", line)]


class ProgramTest(unittest.TestCase):
    """A test with a folder of its own and checks of what the program said."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="adapt-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def experiment(self, text=TINY, name="experiment.yaml"):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def train(self, out, *overrides, ranks=0, extra=(), experiment=None, fault=None, environment=None, **options):
        """Trains TINY with some keys changed; `out` is a name within the test's folder, `fault` the value of
        ADAPT_FAULT."""
        sets = [word for override in overrides for word in ("--set", override)]
        experiment = experiment or self.experiment()
        env = {**(environment or {}), **({"ADAPT_FAULT": fault} if fault else {})}
        return adapt("train", experiment, "--out", self.folder / out, *sets, *extra, ranks=ranks, env=env, **options)

    def resume(self, out, *overrides, **options):
        """Goes on with it."""
        return self.train(out, *overrides, extra=["--resume"], **options)

    def assert_stopped(self, result):
        self.assertEqual(result.returncode, 75, f"{result.args}\n{result.stdout}\n{result.stderr}")
        return result

    def assert_same(self, out, other):
        """Both runs took the same trajectory."""
        result = adapt("compare", self.folder / out, self.folder / other)
        self.assertEqual((result.returncode, result.stdout), (0, "same trajectory\n"), result.stderr)

    def assert_done(self, result):
        self.assertEqual(result.returncode, 0, f"{result.args}\n{result.stdout}\n{result.stderr}")
        return result

    def assert_refused(self, result, *parts, code=2):
        """One line of complaint that holds all `parts`, and the exit code."""
        said = f"{result.args}\n{result.stdout}\n{result.stderr}"
        self.assertEqual(result.returncode, code, said)
        lines = error_lines(result)
        self.assertEqual(len(lines), 1, said)
        for part in parts:
            self.assertIn(str(part), lines[0])
        self.assertNotRegex(result.stderr, r"Sanitizer|runtime error|Signal:|terminate called")


def info(run_dir):
    """What `adapt info RUN_DIR` says, by key. Raises AssertionError when it does not exit with 0."""
    result = adapt("info", run_dir)
    if result.returncode != 0:
        raise AssertionError(f"adapt info {run_dir}: exit code {result.returncode}: {result.stderr}")
    table = {}
    for line in result.stdout.split("\n\n", 1)[0].splitlines():
        match = re.match(r"(.{23}\S*)\s+(.*)$", line)
        table[match.group(1).strip()] = match.group(2)
    return table
