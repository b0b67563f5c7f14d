"""A real Slurm of several simulated nodes on this machine for a test's classes, and a store for each test.

A test is skipped (exit 77, see run()) where Slurm is not installed; tests/run.sh installs it. So it is where the kernel gives
no namespaces for several nodes.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from adapt_program import SLOWNESS, ProgramTest, adapt

CLUSTER = pathlib.Path(__file__).resolve().parents[2] / "slurm" / "local-cluster.sh"
NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "unshare")
NO_NAMESPACES = 4  # exit code of CLUSTER
PATIENCE = 240  # seconds for what takes 20 on an idle machine
SITE = "partition: main\nranks_per_node: {ranks}\nnodes: {nodes}\ntime: {time}\noptions: {options}\n"
BASE = """\
name: {name}
model: lenet5
precision: float32
data: {{train_samples: 256, test_samples: 130}}
training: {{batch: 64, test_batch: 50}}
checkpoint: {{interval_steps: 5, interval_epochs: 0}}
zip:
  seed: {seeds}
  training.epochs: {epochs}
  data.name: {data}
"""
LONG = 60  # epochs: some seconds are left when the signal comes, even on a fast machine


def missing_programs():
    """Those of NEEDED that are not installed."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return [name for name in NEEDED if not shutil.which(name, path=path)]


def slurm(*command):
    """What a Slurm command prints. A controller that is busy is asked again, but for jobs, which would be two."""
    for _ in range(3):
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        if done.returncode == 0:
            return done.stdout
        if command[0] in ("sbatch", "srun") or "timed out" not in done.stderr.lower():
            break
    raise AssertionError(f"{command}: exit code {done.returncode}: {done.stderr}")


class Cluster(ProgramTest):
    """A cluster for all tests of a class, a store for each."""

    NODES = 3

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="adapt-slurm.", dir="/tmp")  # the sockets in it want a short path
        os.rmdir(folder)
        cls.cluster("start", folder, "--nodes", str(cls.NODES), "--cpus", "2")
        cls.addClassCleanup(cls.cluster, "stop", folder)
        cls.place = pathlib.Path(folder)
        # The nodes are all on this machine, and more ranks than processors must not spin.
        os.environ.update(SLURM_CONF=f"{folder}/etc/slurm.conf", OMPI_MCA_btl_tcp_if_include="lo",
                          OMPI_MCA_mpi_yield_when_idle="1", OMP_NUM_THREADS="1", ADAPT_DATA=folder)

    @classmethod
    def cluster(cls, command, folder, *arguments):
        environment = os.environ | {"ADAPT_SKIP_PACKAGES": "1"}
        outcome = subprocess.run([CLUSTER, command, "--dir", folder, *arguments], capture_output=True, text=True,
                                 timeout=120, env=environment)  # fmt: skip
        if outcome.returncode == NO_NAMESPACES:
            cls.cluster("stop", folder)
            raise unittest.SkipTest(outcome.stderr.strip())
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr

    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        self.addCleanup(lambda: slurm("scancel", f"--user={os.getuid()}"))

    def grid(self, name, epochs, data=None):
        """A grid with one run per item of `epochs`, seeds from 1; its path. `data`: data sets of the runs."""
        seeds = list(range(1, len(epochs) + 1))
        text = BASE.format(name=name, seeds=seeds, epochs=epochs, data=data or ["procedural"] * len(epochs))
        return self.experiment(text, f"{name}.yaml")

    def submit(self, grid, *arguments, ranks=2, nodes=1, mode="--submit", options=(), launch=None, more="", minutes=60, env=None):
        """Hands the grid to Slurm. `minutes`: the time limit; `more`: lines of the site's file; `arguments`: more of the program."""
        site = SITE.format(ranks=ranks, nodes=nodes, time=minutes, options=list(options)) + (f"launch: {launch}\n" if launch else "")
        site = self.experiment(site + more, "site.yaml")
        return self.assert_done(adapt("sweep", grid, "--store", self.store, mode, "--site", site, *arguments, env=env,
                                      timeout=PATIENCE))

    def status(self):
        """What `adapt sweep --status --json` says."""
        return json.loads(self.assert_done(adapt("sweep", "--store", self.store, "--status", "--json", timeout=PATIENCE)).stdout)

    def node_of_task(self, task):
        """Where a task of the only array runs."""
        lines = slurm("squeue", "--noheader", "--states=RUNNING", "--format=%K %N").splitlines()
        return dict(line.split() for line in lines)[str(task)]

    def preempt_task(self, task):
        """A job of a higher priority takes the node on which a task of the only array runs."""
        slurm("sbatch", "--partition=urgent", "--exclusive", f"--nodelist={self.node_of_task(task)}", "--output=/dev/null",
              "--wrap=sleep 1")

    def entries(self):
        """The store's index."""
        self.assert_done(adapt("sweep", "--store", self.store, "--list"))
        return json.loads((self.store / "index.json").read_text(encoding="utf-8"))

    def runs(self):
        """{seed: entry}, of a store with one run for each."""
        return {int(entry["configuration"]["seed"]): entry for entry in self.entries()}

    def states(self):
        return {seed: entry["state"] for seed, entry in self.runs().items()}

    def said(self):
        """What the queue looks like, and what the tasks printed."""
        texts = [path.read_text(errors="replace") for path in sorted(self.store.glob("submissions/*.txt"))]
        return "\n".join([slurm("squeue", "--states=all"), *texts])

    def wait_for(self, condition, what):
        """Polls; fails with what the tasks printed."""
        end = time.monotonic() + PATIENCE * SLOWNESS
        while not condition():
            if time.monotonic() > end:
                self.fail(f"no {what} after {PATIENCE} s\n{self.said()}")
            time.sleep(0.5)

    def wait_for_empty_queue(self):
        self.wait_for(lambda: not slurm("squeue", "--noheader"), "empty queue")

    def checkpoint_of(self, seed):
        """Whether the run has one."""
        identity = self.runs()[seed]["identity"]
        return any((self.store / identity / "checkpoints").glob("step-*[0-9]"))

    def assert_undisturbed(self, seed):
        """The run equals one that nobody stopped."""
        run = self.store / self.runs()[seed]["identity"]
        self.assert_done(adapt("train", run / "experiment.yaml", "--out", self.folder / f"undisturbed{seed}", timeout=PATIENCE))
        result = adapt("compare", run, self.folder / f"undisturbed{seed}")
        self.assertEqual((result.returncode, result.stdout), (0, "same trajectory\n"), result.stderr)


def run():
    """unittest.main(), with exit code 77 where a test was skipped."""
    if missing_programs():
        print(f"skipped: Slurm is not installed ({', '.join(missing_programs())} missing; Debian: apt-get install "
              "slurmctld slurmd slurm-client munge libpmix-dev)")
        sys.exit(77)
    result = unittest.main(exit=False).result
    for _, reason in result.skipped:
        print(f"skipped: {reason}")
    sys.exit(1 if not result.wasSuccessful() else 77 if result.skipped else 0)
