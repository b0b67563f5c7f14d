"""Clusters as they are: no scontrol and no squeue where jobs run, a site that cancels what it preempts, a controller that is
away, an sbatch that took the job and did not say so."""

import os
import pathlib
import shutil
import signal
import subprocess

import slurm_cluster
from adapt_program import adapt, several_at_a_time
from slurm_cluster import LONG, Cluster, slurm

MISSING = ("scontrol", "squeue", "scancel", "sinfo", "sbatch")
SBATCH = """\
#!/bin/sh
echo called >>"{calls}"
case "$*" in *--test-only*) exec "{sbatch}" "$@" ;; esac
"{sbatch}" "$@" >/dev/null
echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2
exit 1
"""


class Bare(Cluster):
    def bare_nodes(self):
        """A line of the site's file that leaves jobs without Slurm's programs, but for srun."""
        tools = self.folder / "tools"
        tools.mkdir()
        for place in os.environ["PATH"].split(os.pathsep):
            for tool in pathlib.Path(place).glob("*") if place else []:
                if tool.name not in MISSING and not (tools / tool.name).exists():
                    (tools / tool.name).symlink_to(tool)
        return f"setup: ['export PATH={tools}']\n"

    def begin(self, name, **options):
        grid = self.grid(name, [LONG, 1])
        self.submit(grid, more=self.bare_nodes(), **options)
        self.wait_for(lambda: len(self.runs()) == 2 and self.checkpoint_of(1) and self.states()[2] == "done", "checkpoint")
        return grid

    def test_a_preempted_task_leaves_a_note_and_is_requeued_from_the_login_node(self):
        slurm("scontrol", "update", "PartitionName=main", "PreemptMode=CANCEL", "GraceTime=10")
        self.addCleanup(slurm, "scontrol", "update", "PartitionName=main", "PreemptMode=REQUEUE", "GraceTime=10")
        grid = self.begin("noted")
        self.preempt_task(0)
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "resumable", 2: "done"}, self.said())
        said = self.assert_done(adapt("sweep", "--store", self.store, "--status")).stdout
        self.assertIn("1 task was stopped at a checkpoint and could not return to the queue", said, self.said())
        self.assertEqual(self.status()["to_requeue"], 1)
        said = self.submit(grid).stdout
        self.assertEqual(said, "1 task returns to the queue\nnothing to submit\n")
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done", 2: "done"}, self.said())
        self.assert_undisturbed(1)

    def test_what_is_cancelled_at_once_is_resumable_and_only_that_is_submitted_again(self):
        slurm("scontrol", "update", "PartitionName=main", "PreemptMode=CANCEL", "GraceTime=0")
        self.addCleanup(slurm, "scontrol", "update", "PartitionName=main", "PreemptMode=REQUEUE", "GraceTime=10")
        grid = self.begin("cut")
        (job,) = set(slurm("squeue", "--noheader", "--format=%F").split())
        slurm("scancel", "--signal=KILL", "--full", f"{job}_0")
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "resumable", 2: "done"}, self.said())
        self.assertIn(": 1 run in 1 tasks, submission cut-2", self.submit(grid).stdout)
        self.assertEqual(self.submit(grid).stdout, "nothing to submit\n", "it is in the queue")
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done", 2: "done"}, self.said())
        self.assert_undisturbed(1)

    def test_a_controller_that_is_away(self):
        grid = self.begin("away")
        controller = int((self.place / "run" / "slurmctld.pid").read_text())
        os.kill(controller, signal.SIGTERM)
        self.addCleanup(self.start_controller)
        self.wait_for(lambda: not pathlib.Path(f"/proc/{controller}").exists(), "end of the controller")
        # Each waits for an answer, and both can at once.
        told, refused = several_at_a_time(lambda words: adapt("sweep", *words, "--store", self.store, timeout=120),
                                          [("--status",), (grid, "--submit")])  # fmt: skip
        said = self.assert_done(told).stdout
        self.assertIn("Slurm does not answer", said)
        self.assertNotIn("no task is left", said)
        self.assertIn(self.states()[1], ("running", "done"))
        if self.states()[1] != "done":
            self.assert_refused(refused, "Slurm does not tell whether", code=1)
        self.start_controller()
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done", 2: "done"}, self.said())

    def start_controller(self):
        if subprocess.run(["scontrol", "ping"], capture_output=True, check=False).returncode != 0:
            subprocess.run(["/usr/sbin/slurmctld"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def test_a_job_that_was_taken_without_a_word_is_not_submitted_twice(self):
        calls = self.folder / "calls"
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "sbatch").write_text(SBATCH.format(calls=calls, sbatch=shutil.which("sbatch")), encoding="utf-8")
        (tools / "sbatch").chmod(0o755)
        grid = self.grid("silent", [1, 1])
        result = self.submit(grid, env={"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}, options=["--hold"])
        (job,) = set(slurm("squeue", "--noheader", "--format=%F").split())
        self.assertEqual(result.stdout, f"submitted job {job}: 2 runs in 2 tasks, submission silent-1\n")
        self.assertEqual(calls.read_text(encoding="utf-8"), "called\n")
        # The number is lost with the command that was to write it down.
        frozen = self.store / "submissions" / "silent-1.json"
        frozen.write_text(frozen.read_text(encoding="utf-8").replace(f'"job": "{job}"', '"job": ""'), encoding="utf-8")
        self.assertEqual(self.submit(grid).stdout, "nothing to submit\n")
        self.assertIn(f'"job": "{job}"', frozen.read_text(encoding="utf-8"))
        slurm("scontrol", "release", job)
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done", 2: "done"}, self.said())


if __name__ == "__main__":
    slurm_cluster.run()
