"""`adapt sweep --submit` on a real Slurm of three simulated nodes: an array of six runs of which one fails and one is
preempted and resumes; cancelling and going on; a run on two nodes."""

import os
import subprocess

import slurm_cluster
from adapt_program import adapt, command
from slurm_cluster import LONG, Cluster, slurm


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
    slurm_cluster.run()
