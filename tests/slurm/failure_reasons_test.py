"""Failures have a reason, and are tried again by it: out of memory with more of it, NaN, bad input, a time limit, a lost node.

TIMEOUT and NODE_FAIL are Slurm's own here. OUT_OF_MEMORY it says with cgroups only: that stands in cli.sweep_reasons_test, with
programs that answer like Slurm."""

import subprocess

import slurm_cluster
from adapt_program import adapt
from slurm_cluster import LONG, Cluster, slurm

GRID = """\
name: reasons
model: lenet5
precision: float32
training: {batch: 64, test_batch: 50, epochs: 2}
zip:
  seed: [1, 2, 3]
  training.learning_rate: [0.1, 1000, 0.1]
  training.weight_decay: [0, 1, 0]
  data: [{name: procedural, train_samples: 256, test_samples: 130}, {name: procedural, train_samples: 256, test_samples: 130},
         mnist]
"""


class Reasons(Cluster):
    def reasons(self):
        return {seed: entry["reason"] for seed, entry in self.runs().items()}

    def test_nan_and_bad_input(self):
        self.submit(self.experiment(GRID, "reasons.yaml"))
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done", 2: "failed", 3: "failed"}, self.said())
        self.assertEqual(self.reasons(), {1: "", 2: "nan", 3: "input"}, self.said())
        said = self.assert_done(adapt("sweep", "--store", self.store, "--status")).stdout
        self.assertRegex(said, r"failed or interrupted: 1 input, 1 nan; on n[1-3]")
        told = self.status()
        self.assertEqual(told["states"], {"done": 1, "failed": 2})
        self.assertEqual(sum(sum(counts.values()) for counts in told["nodes"].values()), 2)

    def test_out_of_memory_is_tried_again_with_more(self):
        grid = self.grid("oom", [1, 1])
        self.submit(grid, ranks=1, more="memory: 700M\n", env={"ADAPT_FAULT": "memory,phase=forward,step=2"})
        self.wait_for_empty_queue()
        self.assertEqual(set(self.reasons().values()), {"oom"}, self.said())
        nothing = self.submit(grid, "--retry", "nan", ranks=1, more="memory: 700M\n")
        self.assertEqual(nothing.stdout, "nothing to submit\n")
        self.submit(grid, "--retry", "oom", "--scale-memory", "2", ranks=1, more="memory: 700M\n", options=["--hold"])
        self.assertEqual(set(slurm("squeue", "--noheader", "--format=%m").split()), {"1400M"})
        (job,) = set(slurm("squeue", "--noheader", "--format=%F").split())
        slurm("scontrol", "release", job)
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done", 2: "done"}, self.said())

    def test_a_run_that_fits_no_node_is_not_submitted(self):
        grid = self.grid("large", [1])
        result = adapt("sweep", grid, "--store", self.store, "--submit", "--site",
                       self.experiment("memory: 10M\n", "site.yaml"))
        self.assert_refused(result, "needs about", "slurm.memory is 10M", "nothing is submitted")
        huge = self.experiment(grid.read_text(encoding="utf-8").replace("batch: 64", "batch: 1048576").replace(
            "train_samples: 256", "train_samples: 2097152").replace("lenet5", "resnet20"), "huge.yaml")
        result = adapt("sweep", huge, "--store", self.store, "--submit", "--site", self.experiment("", "empty.yaml"))
        self.assert_refused(result, "needs about", "the largest node has")
        self.assertEqual(slurm("squeue", "--noheader"), "")
        self.assertFalse(self.store.exists())

    def test_a_time_limit_and_a_lost_node(self):
        # Neither task heeds a signal, and Slurm puts neither back into the queue.
        grid = self.grid("ended", [2, 2])
        self.submit(grid, ranks=1, more="max_requeues: 0\n", options=["--exclusive"], minutes=1, env={"ADAPT_FAULT": "stall,phase=forward,step=7"})
        self.wait_for(lambda: len(self.runs()) == 2 and self.checkpoint_of(1) and self.checkpoint_of(2), "checkpoints")
        (job,) = set(slurm("squeue", "--noheader", "--format=%F").split())
        node = self.node_of_task(1)
        slurm("scontrol", "update", f"JobId={job}_1", "Requeue=0")
        slurm("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
        self.addCleanup(subprocess.run, ["scontrol", "update", f"NodeName={node}", "State=RESUME"], check=False, capture_output=True)
        self.wait_for_empty_queue()
        ends = slurm("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%K %T").splitlines()
        self.assertEqual(sorted(ends), ["0 TIMEOUT", "1 NODE_FAIL"], self.said())
        self.submit(grid, "--where", "state=done")  # nothing, but for the books
        self.assertEqual(self.states(), {1: "resumable", 2: "resumable"}, self.said())
        self.assertEqual(self.reasons(), {1: "timeout", 2: "node"}, self.said())
        self.assertIn(f"{node} (1 node)", self.assert_done(adapt("sweep", "--store", self.store, "--status")).stdout)
        for reason in ("timeout", "node"):
            self.assertIn(": 1 run in 1 tasks", self.submit(grid, "--retry", reason, ranks=1).stdout)
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done", 2: "done"}, self.said())

    def test_what_was_killed_without_a_word_goes_on(self):
        # A task that heeds no signal: it stalls, and is killed with all that belongs to it.
        grid = self.grid("late", [LONG])
        self.submit(grid, ranks=1, more="max_requeues: 0\nsignal_seconds: 1\n", env={"ADAPT_FAULT": "stall,phase=forward,step=9"})
        self.wait_for(lambda: len(self.runs()) == 1 and self.checkpoint_of(1), "checkpoint")
        (job,) = set(slurm("squeue", "--noheader", "--format=%F").split())
        slurm("scancel", "--signal=KILL", "--full", f"{job}_0")
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "resumable"}, self.said())
        self.submit(grid, ranks=1)
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done"}, self.said())


if __name__ == "__main__":
    slurm_cluster.run()
