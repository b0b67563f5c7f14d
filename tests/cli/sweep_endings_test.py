"""adapt sweep: what ends its runs, their launcher or the disk from outside is not taken for a failure of the experiment."""

import json
import os
import shutil
import subprocess
import unittest

from adapt_program import adapt, error_lines
from sweeps import FAILING, GRID, LONG, SweepTest


class Endings(SweepTest):
    """What ends a run from outside says nothing about the experiment; what hinders one run hinders the next one."""

    def launcher(self, text):
        """A launcher, a shell script."""
        path = self.folder / "launcher"
        path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def message(self, grid):
        """What --list says of the only run."""
        (line,) = self.assert_done(self.sweep("--list", grid=grid)).stdout.splitlines()[1:-1]
        return line

    def assert_hindered(self, result, *parts, grid=None):
        """One run was tried, none has failed, and the others were not begun."""
        self.assertEqual((result.returncode, result.stdout), (1, "4 left as they are\n"), result.stderr)
        self.assertLessEqual(result.stderr.count(": started "), 1, result.stderr)
        (line,) = error_lines(result)
        for part in ("the sweep stops", *parts):
            self.assertIn(part, line)
        self.assertFalse(set(self.states(grid).values()) - {"planned", "resumable"})
        self.assertFalse(list(self.store.glob("*/FAILED")))

    def test_a_lost_node(self):
        # srun loses the node, and says so with exit code 0.
        grid = self.grid(GRID.replace("epochs: 2", "epochs: 30").replace("[adapt, float32]", "[adapt]").replace("[3, 4]", "1"))
        launcher = self.launcher('"$@" & while ! compgen -G "$5/checkpoints/step-*[0-9]" >/dev/null; do sleep 0.02; done\n'
                                 "kill -KILL $!; wait; echo 'srun: error: Node failure on n1' >&2; exit 0")
        result = self.sweep("--run", "--launch", launcher, grid=grid)
        self.assertEqual((result.returncode, result.stdout), (75, "1 interrupted, to be resumed\n"), result.stderr)
        self.assertEqual(list(self.states(grid).values()), ["resumable"])
        self.assertIn("without DONE: Node failure on n1", self.message(grid))
        self.assertEqual(self.assert_done(self.sweep("--run", grid=grid)).stdout, "1 done\n")
        self.assertNotIn("Node failure", self.message(grid))
        (run,) = self.runs()
        self.assert_done(adapt("train", run / "experiment.yaml", "--out", self.folder / "alone"))
        self.assert_same(run, "alone")

    def test_a_run_that_is_killed_every_time_ends_as_failed(self):
        grid = self.grid(GRID.replace("[adapt, float32]", "[adapt]"))
        self.env["ADAPT_FAULT"] = "kill,phase=forward,step=2"
        for launch in ([], ["--launch", "mpirun -n 1"]):
            for attempt in (1, 2, 3):
                result = self.sweep("--run", *launch, "--where", "seed=3", grid=grid)
                if attempt < 3:
                    self.assertEqual((result.returncode, result.stdout), (75, "1 interrupted, to be resumed\n"), result.stderr)
                    self.assertIn("resumable", self.states(grid).values())
            self.assertEqual((result.returncode, result.stdout), (1, "1 failed\n"), result.stderr)
            self.assertIn("ended by signal 9 (Killed)", result.stderr)
            self.assertIn("3 times in a row without a new checkpoint", result.stderr)
            (failed,) = self.store.glob("*/FAILED")
            self.assertEqual(json.loads(failed.read_text(encoding="utf-8"))["exit_code"], 137)
            # Asked for, it gets as many attempts again.
            result = self.sweep("--run", "--retry", "failed", *launch, "--where", "seed=3", grid=grid)
            self.assertEqual((result.returncode, result.stdout), (75, "1 interrupted, to be resumed\n"), result.stderr)
            shutil.rmtree(failed.parent)

    def test_interruptions_that_leave_a_new_checkpoint_each_do_not_add_up(self):
        grid = self.grid(GRID.replace("[adapt, float32]", "[adapt]").replace("epochs: 2", "epochs: 5")
                         .replace("data:", "checkpoint: {interval_steps: 2, interval_epochs: 0}\ndata:"))  # fmt: skip
        for step in range(4, 20, 4):
            self.env["ADAPT_FAULT"] = f"kill,phase=forward,step={step}"
            result = self.sweep("--run", "--where", "seed=3", grid=grid)
            self.assertEqual(result.returncode, 75, f"{step} {result.stdout} {result.stderr}")
        del self.env["ADAPT_FAULT"]
        self.assertEqual(self.assert_done(self.sweep("--run", "--where", "seed=3", grid=grid)).stdout, "1 done\n")

    def test_a_failure_of_the_experiment_is_its_own_word(self):
        # A launcher that gives all exit codes another meaning, and talks over the program.
        launcher = self.launcher("\"$@\" 2>/dev/null; code=$?; echo 'srun: error: task 0: Exited' >&2; exit $((code == 0 ? 0 : 42))")
        grid = self.grid(FAILING)
        result = self.sweep("--run", "--launch", launcher, grid=grid)
        self.assertEqual((result.returncode, result.stdout), (1, "2 done, 2 failed\n"), result.stderr)
        self.assertEqual(result.stderr.count("dataset mnist not found"), 2, result.stderr)
        self.env["ADAPT_FAULT"] = "fail,phase=forward,step=2"
        result = self.sweep("--run", "--launch", launcher, "--where", "seed=3")
        self.assertEqual((result.returncode, result.stdout), (1, "2 failed\n"), result.stderr)
        self.assertIn("fault on purpose", result.stderr)

    def test_what_this_machine_cannot_train_is_left_for_another(self):
        self.env["OMP_THREAD_LIMIT"] = "1"
        grid = self.grid(GRID.replace("training: {", "training: {threads: 2, "), "threads.yaml")
        result = self.sweep("--run", "--where", "seed=3", grid=grid)
        self.assertEqual((result.returncode, result.stdout), (1, "2 left, each for its own reason\n"), result.stderr)
        self.assertEqual(result.stderr.count("OMP_THREAD_LIMIT is 1"), 2, result.stderr)
        del self.env["OMP_THREAD_LIMIT"]
        self.assertEqual(self.assert_done(self.sweep("--run", "--where", "seed=3", grid=grid)).stdout, "2 done\n")

    def test_what_is_in_the_way_of_a_run_stops_no_other(self):
        self.assert_done(self.sweep("--run", "--where", "seed=3"))
        first, second = self.runs()
        for run in (first, second):
            (run / "DONE").unlink()
        (first / "output.txt").unlink()
        os.mkfifo(first / "output.txt")
        (second / "experiment.yaml").unlink()
        (second / "experiment.yaml").mkdir()
        result = self.sweep("--run")
        self.assertEqual((result.returncode, result.stdout), (1, "2 done, 2 left, each for its own reason\n"), result.stderr)
        self.assertIn(f"{first / 'output.txt'}\" is not a regular file", result.stderr)
        self.assertIn(f"{second / 'experiment.yaml'}\" is a folder", result.stderr)

    def test_a_folder_that_is_in_the_way_of_a_run_stops_no_other(self):
        """What cannot be written, removed or read in one run's folder is named, whatever the sweep is asked for."""
        grid = self.grid()
        self.assert_done(self.sweep("--run", "-J", 2, grid=grid))
        runs = self.runs()
        for run in runs:
            shutil.rmtree(run)
        runs[0].write_text("a file", encoding="utf-8")
        for name in ("report", "FAILED"):  # the one in the way of a training, the other of a second attempt
            (runs[1] / name / "mine").mkdir(parents=True)
        runs[2].mkdir()
        for name in ("run.h5", "DONE", "interrupted", "requeues", "checkpoints"):
            (runs[2] / name).symlink_to(name)
        for mode in (["--list"], ["--status"], ["--dry-run"], ["--list", "--json"]):
            self.assert_done(self.sweep(*mode, grid=grid))
        self.assertIn(f"left out: {runs[0]}: not a folder", self.sweep("--list", grid=grid).stderr)
        result = self.sweep("--retry", "failed", grid=grid)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stdout, "2 left, each", result.stderr)
        self.assertIn(f'left {runs[0].name}', result.stderr)
        self.assertIn(f'"{runs[0]}" is not a folder; expected one, or nothing', result.stderr)
        self.assertIn(f'cannot remove "{runs[1]}/FAILED"', result.stderr)
        self.assertTrue((runs[3] / "DONE").exists())
        self.assertTrue((runs[1] / "report" / "mine").exists())

    def test_a_folder_that_cannot_be_written_stops_no_other(self):
        grid = self.grid()
        self.assert_done(self.sweep("--run", "--where", "seed=3", grid=grid))
        locked = self.runs()[0]
        (locked / "DONE").unlink()
        if shutil.which("chattr") is None:
            self.skipTest("chattr (the Debian package e2fsprogs) is missing")
        if subprocess.run(["chattr", "+i", locked], capture_output=True, check=False).returncode != 0:
            self.skipTest("no file can be made immutable here")
        self.addCleanup(subprocess.run, ["chattr", "-i", locked], check=False)
        for mode in ("--list", "--status", "--dry-run"):
            self.assert_done(self.sweep(mode, grid=grid))
        result = self.sweep("--run", "-J", 2, grid=grid)
        self.assertEqual((result.returncode, result.stdout),
                         (1, "2 done, 1 done before, 1 left, each for its own reason\n"), result.stderr)  # fmt: skip
        self.assertIn(f'cannot write in folder "{locked}": Operation not permitted', result.stderr)

    def test_a_program_that_is_not_there(self):
        for launcher, part in (("/no/such/launcher -n 2", "cannot start /no/such/launcher"),
                               ("mpirun -n 2 /no/such/wrapper", ""),
                               ("true", "true ended with exit code 0 before the training began")):  # fmt: skip
            with self.subTest(launcher):
                self.assert_hindered(self.sweep("--run", "--launch", launcher), part)
        for script, part in (("exit 137", "exit code 137 before the training began"),
                             ("echo 'srun: error: Unable to create step' >&2; exit 1", "Unable to create step")):  # fmt: skip
            with self.subTest(script):
                result = self.sweep("--run", "--launch", self.launcher(script))
                self.assert_hindered(result, part)
        self.assertIn("  | srun: error: Unable to create step\n", result.stderr)

    def test_mpi_that_cannot_start(self):
        result = self.sweep("--run", "--launch", "mpirun -n 1 --mca pml nonsense")
        self.assert_hindered(result)
        # What the launcher says is passed on. Its words are its own: on a busy machine Open MPI loses the better ones.
        self.assertRegex(result.stderr, r"(?m)^adapt:   \| .*\S")

    def test_a_full_disk(self):
        # A limit on file sizes, which is an error of the write like a full disk: before the training has begun, and after.
        self.assert_hindered(self.sweep("--run", "--launch", self.launcher('exec 2> >(cat >&2); ulimit -f 0; exec "$@"')))
        grid = self.grid(LONG, "long.yaml")
        launcher = self.launcher('exec 2> >(cat >&2); "$@" & while [ ! -e "$5/report" ]; do sleep 0.01; done\n'
                                 "prlimit --pid $! --fsize=0:0; wait $!")
        for _ in range(4):  # it is never the run's fault
            self.assert_hindered(self.sweep("--run", "--launch", launcher, grid=grid), "File too large", grid=grid)
        self.assertEqual(self.assert_done(self.sweep("--run", "-J", 2)).stdout, "4 done\n")

    def test_a_job_around_it_is_none_of_its_trainings_business(self):
        # As from within srun or mpirun, whose other processes are not there.
        self.env |= {"SLURM_JOB_ID": "9", "SLURM_JOBID": "9", "SLURM_NODELIST": "nowhere", "SLURM_JOB_NODELIST": "nowhere",
                     "SLURM_NNODES": "1", "SLURM_NTASKS": "1", "SLURM_TASKS_PER_NODE": "1", "SLURM_STEP_ID": "0",
                     "SLURM_PROCID": "0", "PMIX_NAMESPACE": "1", "PMIX_RANK": "1", "PMIX_SERVER_URI2": "1.0;tcp4://127.0.0.1:1",
                     "PMIX_SERVER_URI21": "1.0;tcp4://127.0.0.1:1", "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2",
                     "OMPI_MCA_ess": "pmi", "OMPI_MCA_orte_ess_num_procs": "2", "OMPI_MCA_orte_hnp_uri": "1.0;tcp://127.0.0.1:1"}
        for ranks, seed in ((1, 3), (2, 4)):
            result = self.sweep("--run", "--ranks", ranks, "--where", f"seed={seed}")
            self.assertEqual(self.assert_done(result).stdout, "2 done\n")


if __name__ == "__main__":
    unittest.main()
