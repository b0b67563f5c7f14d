"""`adapt sweep --submit` on a real Slurm of three simulated nodes: an array of six runs of which one fails and one is
preempted and resumes; cancelling and going on; a run on two nodes.

Skipped (exit 77) where Slurm is not installed; tests/run.sh installs it. So it is where the kernel gives no namespaces for
several nodes.
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

from adapt_program import SLOWNESS, ProgramTest, adapt, command

CLUSTER = pathlib.Path(__file__).resolve().parents[2] / "slurm" / "local-cluster.sh"
NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "unshare")
NO_NAMESPACES = 4  # exit code of CLUSTER
PATIENCE = 240  # seconds for what takes 20 on an idle machine
SITE = "partition: main\nranks_per_node: {ranks}\nnodes: {nodes}\ntime: 60\noptions: {options}\n"
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
    """What a Slurm command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


class Cluster(ProgramTest):
    """A cluster for all tests of a class, a store for each."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="adapt-slurm.", dir="/tmp")  # the sockets in it want a short path
        os.rmdir(folder)
        cls.cluster("start", folder, "--nodes", "3", "--cpus", "2")
        cls.addClassCleanup(cls.cluster, "stop", folder)
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

    def submit(self, grid, ranks=2, nodes=1, mode="--submit", options=(), launch=None, env=None):
        site = SITE.format(ranks=ranks, nodes=nodes, options=list(options)) + (f"launch: {launch}\n" if launch else "")
        site = self.experiment(site, "site.yaml")
        return self.assert_done(adapt("sweep", grid, "--store", self.store, mode, "--site", site, env=env))

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
        self.assert_done(adapt("train", run / "experiment.yaml", "--out", self.folder / "undisturbed", timeout=PATIENCE))
        result = adapt("compare", run, self.folder / "undisturbed")
        self.assertEqual((result.returncode, result.stdout), (0, "same trajectory\n"), result.stderr)


class Sweep(Cluster):
    def test_array_with_a_failure_and_a_preemption(self):
        # Six runs; the first one is long enough to be preempted, the last one finds no data.
        grid = self.grid("six", [LONG, 1, 1, 1, 1, 1], ["procedural"] * 5 + ["mnist"])
        self.submit(grid)
        self.wait_for(lambda: len(self.runs()) == 6 and self.checkpoint_of(1), "checkpoint of the long run")
        self.preempt_task(0)
        self.wait_for(lambda: self.runs()[1]["requeues"] == 1, "preemption")
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {seed: "failed" if seed == 6 else "done" for seed in range(1, 7)}, self.said())
        self.assertIn("dataset mnist not found", self.runs()[6]["message"])
        self.assertIn("returns to the queue", self.said())
        self.assert_undisturbed(1)
        # What is finished or failed is not submitted again.
        self.submit(grid)
        self.assertEqual(slurm("squeue", "--noheader"), "")

    def test_cancelled_on_two_nodes_and_continued(self):
        grid = self.grid("cancelled", [LONG])
        self.submit(grid, ranks=1, nodes=2)
        self.wait_for(lambda: len(self.runs()) == 1 and self.checkpoint_of(1), "checkpoint")
        slurm("scancel", f"--user={os.getuid()}")
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "resumable"})
        self.submit(grid, ranks=1, nodes=2)
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done"})
        self.assertEqual(self.runs()[1]["metrics"]["ranks"], 2)
        self.assert_undisturbed(1)

    def test_a_lost_node_is_no_failure(self):
        grid = self.grid("lost", [LONG])
        self.submit(grid)
        self.wait_for(lambda: len(self.runs()) == 1 and self.checkpoint_of(1), "checkpoint")
        node = self.node_of_task(0)
        self.addCleanup(subprocess.run, ["scontrol", "update", f"NodeName={node}", "State=RESUME"], check=False,
                        capture_output=True)  # where it has not come back by itself
        slurm("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
        seen = set()
        self.wait_for(lambda: seen.update(self.states().values()) or not slurm("squeue", "--noheader"), "empty queue")
        self.assertEqual(self.states(), {1: "done"}, self.said())
        self.assertNotIn("failed", seen)
        self.assert_undisturbed(1)

    def test_a_site_that_cancels_what_it_preempts(self):
        slurm("scontrol", "update", "PartitionName=main", "PreemptMode=CANCEL", "GraceTime=0")
        self.addCleanup(slurm, "scontrol", "update", "PartitionName=main", "PreemptMode=REQUEUE", "GraceTime=10")
        grid = self.grid("preempted", [LONG])
        self.submit(grid)
        self.wait_for(lambda: len(self.runs()) == 1 and self.checkpoint_of(1), "checkpoint")
        self.preempt_task(0)
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done"}, self.said())
        self.assertEqual(self.runs()[1]["requeues"], 1)

    def test_what_kills_a_rank_every_time_and_what_cannot_start(self):
        # The one comes back to the queue until it is clear that it is the run itself, the other does not.
        self.submit(self.grid("killed", [1]), env={"ADAPT_FAULT": "kill,phase=forward,step=2,rank=1"})
        self.wait_for_empty_queue()
        self.assertEqual((self.states(), self.runs()[1]["requeues"]), ({1: "failed"}, 2), self.said())
        self.assertIn("3 times in a row without a new checkpoint", self.runs()[1]["message"])
        self.submit(self.grid("hindered", [2, 3]), launch="srun --mpi=pmix /no/such/program")
        self.wait_for_empty_queue()
        self.assertEqual(sorted(entry["state"] for entry in self.entries()), ["failed", "planned", "planned"], self.said())
        self.assertRegex(self.said(), r"the sweep stops, .*/no/such/program.*No such file")

    def test_run_from_within_a_step(self):
        # Two sweeps, whose trainings are no ranks of the step, and take nothing of the job's.
        grid = self.grid("within", [1, 1, 1, 1])
        for ranks, seeds in ((1, "seed!=4"), (2, "seed=4")):
            slurm("srun", "--mpi=pmix", "--ntasks=2", *command("sweep", grid, "--store", self.store, "--run", "--ranks", ranks,
                                                               "--where", seeds))  # fmt: skip
        self.assertEqual(self.states(), dict.fromkeys(range(1, 5), "done"))
        self.assertEqual([self.runs()[seed]["metrics"]["ranks"] for seed in range(1, 5)], [1, 1, 1, 2])

    def test_from_within_a_job_and_with_any_name(self):
        # What the shell of a job holds, for options of a job of its own; a path that Slurm would read otherwise.
        self.store = self.folder / "my st#re's 5%j"
        around = {"SBATCH_TIMELIMIT": "1", "SBATCH_EXPORT": "NONE", "SBATCH_ARRAY_INX": "7", "SLURM_JOB_ID": "999999",
                  "SLURM_NTASKS": "7", "SQUEUE_FORMAT": "%u", "PMIX_RANK": "3"}  # fmt: skip
        grid = self.grid("named", [LONG])
        options = ("--comment=its 5% of #1",)
        self.assertRegex(self.submit(grid, mode="--dry-run", options=options, env=around).stdout, "sbatch --test-only says: .*to start at")
        self.submit(grid, options=options, env=around)
        self.wait_for(lambda: len(self.runs()) == 1 and self.checkpoint_of(1), "checkpoint")
        self.assertEqual(slurm("squeue", "--noheader", "--format=%l %k"), "1:00:00 its 5% of #1\n")
        said = self.assert_done(adapt("sweep", "--store", self.store, "--status", env=around)).stdout
        self.assertRegex(said, "job [0-9]+: 1 RUNNING\n")
        slurm("scancel", f"--user={os.getuid()}")
        self.wait_for_empty_queue()
        said = self.assert_done(adapt("sweep", "--store", self.store, "--status", env=around)).stdout
        self.assertIn("1 run was submitted, not finished, and no task is left for it", said)
        self.assertIn("it was cancelled", self.said())
        (log,) = (self.store / "submissions").glob("*.txt")
        self.assertRegex(log.name, "named-1-[0-9]+_0.txt")


if __name__ == "__main__":
    if missing_programs():
        print(f"skipped: Slurm is not installed ({', '.join(missing_programs())} missing; Debian: apt-get install "
              "slurmctld slurmd slurm-client munge libpmix-dev)")
        sys.exit(77)
    result = unittest.main(exit=False).result
    for _, reason in result.skipped:
        print(f"skipped: {reason}")
    sys.exit(1 if not result.wasSuccessful() else 77 if result.skipped else 0)
