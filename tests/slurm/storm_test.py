"""Sixty packed runs on four nodes through everything at once: the submitting command is ended, two preemptions, a lost node, a
run out of memory, a controller that stands still for a minute. Each run is done once or rightly accounted for, and equals one
that nobody disturbed.

The memory is not really used up: the test kills the training and writes what Slurm's step daemon does then."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

import slurm_cluster
from adapt_program import adapt, command, several_at_a_time
from slurm_cluster import LONG, PATIENCE, Cluster, slurm

RUNS = 60
VICTIM = 14  # seed of the run that is out of memory; those before it are long, too
OOM_KILLED = "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0. Some of the step tasks have been OOM Killed.\n"
STILL = 60  # seconds of the controller
SBATCH = '#!/bin/sh\n"{sbatch}" "$@" && sleep 30\n'


class Storm(Cluster):
    NODES = 4

    def interrupted_submission(self, grid, site):
        """Ctrl-C while sbatch, which has handed the job over, has not answered yet."""
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "sbatch").write_text(SBATCH.format(sbatch=shutil.which("sbatch")), encoding="utf-8")
        (tools / "sbatch").chmod(0o755)
        process = subprocess.Popen(command("sweep", grid, "--store", self.store, "--submit", "--site", site), start_new_session=True,
                                   env=os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"})  # fmt: skip
        self.wait_for(lambda: slurm("squeue", "--noheader"), "job")
        os.killpg(process.pid, signal.SIGINT)
        self.assertNotEqual(process.wait(timeout=60), 0)

    def training_of(self, identity):
        """Number of the process that trains a run, or None."""
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[1:2] == [b"train"] and identity.encode() in words[2]:
                return int(process.name)
        return None

    def run_out_of_memory(self, seed):
        identity = self.runs()[seed]["identity"]
        self.wait_for(lambda: self.training_of(identity) and self.checkpoint_of(seed), "checkpoint of the run that is killed")
        pid = self.training_of(identity)
        with open(self.store / identity / "output.txt", "a", encoding="utf-8") as output:
            output.write(OOM_KILLED)
        os.kill(pid, signal.SIGKILL)

    def running_tasks(self):
        return [int(task) for task in slurm("squeue", "--noheader", "--states=RUNNING", "--partition=main", "--format=%K").split()]

    def preempt(self, times):
        """Preempts a task; the so-maniest that is stopped for that."""
        self.wait_for(self.running_tasks, "running task")
        self.preempt_task(self.running_tasks()[0])
        self.wait_for(lambda: self.said().count("asking for a checkpoint") >= times, "preemption")

    def lose_a_node(self):
        self.wait_for(self.running_tasks, "running task")
        node = self.node_of_task(self.running_tasks()[0])
        slurm("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
        self.wait_for(lambda: "NODE FAILURE" in self.said(), "lost node")
        subprocess.run(["scontrol", "update", f"NodeName={node}", "State=RESUME"], check=False, capture_output=True)

    @contextlib.contextmanager
    def controller_stands_still(self):
        """It answers nobody for STILL seconds at least."""
        controller = int((self.place / "run" / "slurmctld.pid").read_text())
        os.kill(controller, signal.SIGSTOP)
        self.addCleanup(os.kill, controller, signal.SIGCONT)
        end = time.monotonic() + STILL
        yield
        time.sleep(max(0, end - time.monotonic()))
        os.kill(controller, signal.SIGCONT)

    def test_sixty_runs(self):
        epochs = [LONG // 2] * (VICTIM - 1) + [LONG] + [2] * (RUNS - VICTIM)
        grid = self.grid("storm", epochs)
        site = self.experiment("partition: main\npack: 2\nchunk: 4\nmemory: 2G\n", "storm-site.yaml")
        self.interrupted_submission(grid, site)
        said = self.assert_done(adapt("sweep", grid, "--store", self.store, "--submit", "--site", site, timeout=PATIENCE))
        self.assertEqual(said.stdout, "nothing to submit\n", said.stderr)
        self.wait_for(lambda: len(self.runs()) == RUNS and self.checkpoint_of(1), "checkpoint")
        self.preempt(1)
        self.run_out_of_memory(VICTIM)
        self.lose_a_node()
        self.preempt(2)
        with self.controller_stands_still():
            self.run_undisturbed(grid)
        self.wait_for_empty_queue()
        # What Slurm has dropped, a second submission takes up, and nothing else.
        adapt("sweep", grid, "--store", self.store, "--submit", "--site", site, timeout=PATIENCE)
        self.wait_for_empty_queue()
        states = self.states()
        self.assertEqual({seed for seed, state in states.items() if state != "done"}, {VICTIM}, self.said())
        self.assertEqual((states[VICTIM], self.runs()[VICTIM]["reason"]), ("failed", "oom"))
        again = adapt("sweep", grid, "--store", self.store, "--submit", "--retry", "oom", "--scale-memory", "2", "--site", site,
                      timeout=PATIENCE)
        self.assertIn(": 1 run in 1 tasks", self.assert_done(again).stdout)
        self.wait_for_empty_queue()
        self.assertEqual(set(self.states().values()), {"done"}, self.said())
        self.assert_once()
        self.assert_all_undisturbed()

    def assert_once(self):
        """Each run came to its end once."""
        logs = "".join(path.read_text(errors="replace") for path in self.store.glob("submissions/*.txt"))
        ends = {entry["identity"]: logs.count(f"done {entry['identity']} ") for entry in self.entries()}
        self.assertEqual(set(ends.values()), {1}, ends)

    def run_undisturbed(self, grid):
        """The same runs in a store of their own."""
        self.quiet = self.folder / "quiet"
        self.assert_done(adapt("sweep", grid, "--store", self.quiet, "--run", "--jobs", "2", timeout=2 * PATIENCE))

    def assert_all_undisturbed(self):
        names = [entry["identity"] for entry in self.entries()]
        for result in several_at_a_time(lambda name: adapt("compare", self.store / name, self.quiet / name), names, 2):
            self.assertEqual((result.returncode, result.stdout), (0, "same trajectory\n"), result.stderr)


if __name__ == "__main__":
    slurm_cluster.run()
