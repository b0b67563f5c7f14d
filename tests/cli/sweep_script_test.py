"""slurm/sweep.sbatch without a cluster: when a task returns to the queue, and what it says where it does not."""

import os
import pathlib
import shutil
import subprocess
import unittest

import fake_slurm
from adapt_program import ProgramTest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "slurm" / "sweep.sbatch"
JOB = "JobId=12 ArrayJobId=11 JobState={state} Reason=None Requeue=1 Restarts={restarts} PreemptTime={preempted} SuspendTime=None\n"
RESUBMIT = "To go on: adapt sweep GRID.yaml --submit"


class Script(ProgramTest):
    def setUp(self):
        super().setUp()
        self.slurm = self.folder / "slurm"
        self.env = fake_slurm.install(self.slurm) | {
            "SLURM_JOB_ID": "12", "SLURM_ARRAY_JOB_ID": "11", "SLURM_ARRAY_TASK_ID": "3", "SLURM_JOB_NODELIST": "n1",
            "SLURM_RESTART_COUNT": "1", "ADAPT_SLURM_LAUNCH": "srun --x",
            "ADAPT_SLURM_NOTES": str(self.folder / "six-1")}  # fmt: skip
        fake_slurm.add_program(self.slurm, "sleep", '#!/bin/sh\necho "$1" >>"$FAKE_SLURM/slept"\n')

    def run_task(self, program="exit 75", state="RUNNING", restarts=1, preempted="None"):
        (self.slurm / "job").write_text(JOB.format(state=state, restarts=restarts, preempted=preempted), encoding="utf-8")
        for file in ("asked", "slept"):
            (self.slurm / file).unlink(missing_ok=True)
        return subprocess.run(["bash", SCRIPT, "bash", "-c", program], env={**os.environ, **self.env}, capture_output=True,
                              text=True, timeout=60, check=False)  # fmt: skip

    def notes(self):
        return [path.read_text(encoding="utf-8") for path in self.folder.glob("six-1.requeue.3")]

    def asked(self):
        path = self.slurm / "asked"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def slept(self):
        return (self.slurm / "slept").read_text(encoding="utf-8").split()

    def silence_scontrol(self, times):
        """scontrol does not answer so many times."""
        (self.slurm / "failures").write_text(f"{times}\n", encoding="utf-8")

    def test_a_stopped_task_returns_to_the_queue(self):
        result = self.run_task()
        self.assertEqual(result.returncode, 75)
        self.assertIn("returns to the queue", result.stdout)
        self.assertEqual(self.asked(), ["--oneliner show job 11_3", "requeue 11_3"])

    def test_an_ended_one_does_not(self):
        for code in (0, 1, 2):
            self.assertEqual(self.run_task(f"exit {code}").returncode, code)
            self.assertEqual(self.asked(), [])

    def test_a_signal_just_as_it_ends(self):
        for _ in range(3):
            result = self.run_task("sleep 0.1; kill -TERM $PPID; exit 75")
            self.assertEqual(result.returncode, 75, result.stdout)
            self.assertIn("returns to the queue", result.stdout)

    def test_scontrol_that_fails_for_a_while(self):
        self.silence_scontrol(3)
        result = self.run_task()
        self.assertIn("returns to the queue", result.stdout)
        self.assertEqual(self.asked(), ["--oneliner show job 11_3"] * 4 + ["requeue 11_3"])
        self.assertEqual(self.slept(), ["1", "2", "4", "120"], "longer and longer")

    def test_scontrol_that_never_answers(self):
        self.silence_scontrol(1000)
        result = self.run_task()
        self.assertEqual(result.returncode, 75)
        self.assertIn("does not return to the queue: scontrol does not answer (slurm_load_jobs error: Unable to contact", result.stdout)
        self.assertIn(RESUBMIT, result.stdout)
        self.assertEqual(len(self.asked()), 13)
        self.assertGreater(sum(map(int, self.slept())), 180, "a controller may be away for minutes")
        self.assertEqual(self.notes(), ["11_3\n"], "who submits sees to it")

    def test_a_requeue_that_is_refused(self):
        fake_slurm.add_program(self.slurm, "scontrol", """\
#!/bin/sh
case "$*" in
  *'show job'*) cat "$FAKE_SLURM/job" ;;
  *) echo 'Requeue is not allowed here' >&2; exit 1 ;;
esac
""")
        result = self.run_task()
        self.assertIn("does not return to the queue: scontrol requeue is refused (Requeue is not allowed here)", result.stdout)
        self.assertIn(RESUBMIT, result.stdout)

    def test_a_node_without_scontrol(self):
        for tool in ("bash", "date", "grep", "head", "cut", "mv", "rm", "id", "kill", "cat", "env"):
            path = shutil.which(tool)
            if path and not (self.slurm / tool).exists():
                (self.slurm / tool).symlink_to(path)
        (self.slurm / "scontrol").unlink()
        self.env["PATH"] = str(self.slurm)
        result = self.run_task("trap '' USR1; kill -USR1 $PPID; sleep 1; exit 75")
        self.assertEqual(result.returncode, 75)
        self.assertIn("does not return to the queue: there is no scontrol on this node", result.stdout)
        self.assertEqual(self.notes(), ["11_3\n"])
        (self.folder / "six-1.requeue.3").unlink()
        result = self.run_task("kill -TERM $PPID; sleep 1; exit 75")
        self.assertIn("ended by SIGTERM without a warning", result.stdout)
        self.assertEqual(self.notes(), [], "it may have been cancelled")

    def test_what_its_user_cancelled_stays_cancelled(self):
        result = self.run_task(state="COMPLETING")
        self.assertIn("it was cancelled (JobState=COMPLETING)", result.stdout)
        self.assertIn(RESUBMIT, result.stdout)
        self.assertEqual(self.asked(), ["--oneliner show job 11_3"])

    def test_a_site_that_cancels_what_it_preempts(self):
        result = self.run_task(state="COMPLETING", preempted="2000-01-01T00:00:00")
        self.assertIn("returns to the queue", result.stdout)
        self.assertIn("requeue 11_3", self.asked())

    def test_a_site_that_requeues_what_it_preempts(self):
        result = self.run_task(state="COMPLETING", restarts=2, preempted="2000-01-01T00:00:00")
        self.assertIn("Slurm has put it back into the queue", result.stdout)
        self.assertNotIn("requeue 11_3", self.asked())

    def test_the_limit_of_requeues(self):
        self.env["ADAPT_SLURM_MAX_REQUEUES"] = "1"
        result = self.run_task()
        self.assertIn("does not return to the queue: it did so 1 times, ADAPT_SLURM_MAX_REQUEUES", result.stdout)
        self.assertNotIn("requeue 11_3", self.asked())

    def test_a_limit_that_is_no_number_is_refused_before_anything_starts(self):
        for value in ("abc", "-1", "1.5", "1 2", "a[$(touch planted)]", "9" * 30):
            self.env["ADAPT_SLURM_MAX_REQUEUES"] = value
            result = self.run_task(f"touch {self.folder}/started; exit 75")
            self.assertEqual(result.returncode, 2, result.stdout)
            self.assertIn(f"ADAPT_SLURM_MAX_REQUEUES is '{value}'; expected a number from 0 to 1000000", result.stdout)
        self.assertFalse((self.folder / "started").exists())
        self.env["ADAPT_SLURM_MAX_REQUEUES"] = "010"  # ten, no octal number
        self.env["SLURM_RESTART_COUNT"] = "9"
        self.assertIn("returns to the queue", self.run_task(restarts=9).stdout)

    def test_the_ranks_get_the_environment_of_the_script(self):
        self.env |= {"SLURM_EXPORT_ENV": "NONE", "SLURM_STDOUTMODE": "none", "SLURM_TIMELIMIT": "1"}
        result = self.run_task('echo "$SLURM_EXPORT_ENV,$SLURM_STDOUTMODE,$SLURM_TIMELIMIT,$SLURM_JOB_ID"')
        self.assertIn("\nALL,,,12\n", result.stdout)


if __name__ == "__main__":
    unittest.main()
