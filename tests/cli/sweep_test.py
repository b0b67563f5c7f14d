"""adapt sweep on this machine: grids are run, stopped, continued, and shared by several processes."""

import json
import os
import re
import shutil
import signal
import subprocess
import unittest

from adapt_program import SLOWNESS, ProgramTest, adapt, command, error_lines
from processes import wait_for

# Two models' worth of policies times seeds, a second's work each.
GRID = """\
name: little
model: lenet5
engine: auto
data: {train_samples: 256, test_samples: 130}
training: {epochs: 2, batch: 64, test_batch: 50}
grid:
  precision: [adapt, float32]
seeds: [3, 4]
"""
# Its second data set is nowhere.
FAILING = GRID.replace("grid:\n", "grid:\n  data: [procedural, mnist]\n").replace("seeds: [3, 4]\n", "seeds: 1\n")
# Seconds long on a fast machine, so that it is still going on when it is to be stopped.
LONG = GRID.replace("epochs: 2", "epochs: 200")


class SweepTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        (self.folder / "data").mkdir()
        self.env = {"ADAPT_DATA": str(self.folder / "data")}

    def grid(self, text=GRID, name="little.yaml"):
        return self.experiment(text, name)

    def sweep(self, *arguments, grid=None, **options):
        grid = [grid or self.grid()] if grid is not False else []
        return adapt("sweep", *grid, "--store", self.store, *arguments, env=self.env, **options)

    def states(self, grid=None):
        """State of each run by its label, as --list says."""
        result = self.assert_done(self.sweep("--list", grid=grid))
        lines = [re.split(r"\s+", line, maxsplit=5) for line in result.stdout.splitlines()[1:-1]]
        return {line[5].split(":")[0]: line[1] for line in lines}

    def runs(self):
        return sorted(path for path in self.store.iterdir() if re.fullmatch("[0-9a-f]{16}", path.name))


class Running(SweepTest):
    def test_each_run_is_trained_once(self):
        self.assertEqual(set(self.states().values()), {"planned"})
        self.assertFalse(self.store.exists())
        result = self.assert_done(self.sweep("--run", "-J", 2))
        self.assertEqual(result.stdout, "4 done\n")
        self.assertEqual(set(self.states().values()), {"done"})
        times = [(run / "run.h5").stat().st_mtime_ns for run in self.runs()]
        again = self.assert_done(self.sweep("--run"))
        self.assertEqual(again.stdout, "4 done before\n")
        self.assertEqual(times, [(run / "run.h5").stat().st_mtime_ns for run in self.runs()])
        for run in self.runs():
            self.assertTrue((run / "DONE").exists())
            self.assertFalse(list(run.glob("claim*")))

    def test_a_run_is_what_train_makes_of_it(self):
        self.assert_done(self.sweep("--run", "--where", "seed=3", "--where", "precision=adapt", "-n", 2))
        (run,) = self.runs()
        self.assert_done(adapt("train", run / "experiment.yaml", "--out", self.folder / "alone"))
        self.assert_same(run, "alone")

    def test_two_grids_share_a_run(self):
        self.assert_done(self.sweep("--run", "-J", 2))
        other = self.grid(GRID.replace("[3, 4]", "[4, 5]").replace("little", "other"), "other.yaml")
        states = self.states(other)
        self.assertEqual([states[f"precision={policy} seed={seed}"] for policy in ("adapt", "float32") for seed in (4, 5)],
                         ["done", "planned", "done", "planned"])  # fmt: skip
        result = self.assert_done(self.sweep("--run", "-J", 2, grid=other))
        self.assertEqual(result.stdout, "2 done, 2 done before\n")
        self.assertEqual(len(self.runs()), 6)

    def test_the_index_is_there_for_other_programs(self):
        self.assert_done(self.sweep("--run", "--where", "seed=3"))
        self.assert_done(self.sweep("--list"))
        index = json.loads((self.store / "index.json").read_text(encoding="utf-8"))
        self.assertEqual([run["identity"] for run in index], [run.name for run in self.runs()])
        for run in index:
            self.assertEqual((run["state"], run["configuration"]["seed"], run["metrics"]["epochs"]), ("done", 3, 2))
            self.assertIsInstance(run["metrics"]["test_accuracy"], float)
            self.assertIn("modelled_training_speedup", run["metrics"])

    def test_set_counts_for_every_run(self):
        self.assert_done(self.sweep("--run", "-J", 2, "--set", "training.epochs=1"))
        self.assertEqual(set(self.states().values()), {"planned"})
        listed = self.assert_done(self.sweep("--list", "--where", "epochs=1", grid=False))
        self.assertIn("4 runs: 4 done\n", listed.stdout)


class Failures(SweepTest):
    def test_a_failure_stays_alone_and_is_tried_again_on_request(self):
        grid = self.grid(FAILING)
        result = self.sweep("--run", grid=grid)
        self.assertEqual((result.returncode, result.stdout), (1, "2 done, 2 failed\n"), result.stderr)
        states = self.states(grid)
        self.assertEqual({label: state for label, state in states.items() if "mnist" in label},
                         {"data=mnist precision=adapt seed=0": "failed", "data=mnist precision=float32 seed=0": "failed"})
        failed = [run for run in self.runs() if (run / "FAILED").exists()]
        said = json.loads((failed[0] / "FAILED").read_text(encoding="utf-8"))
        self.assertEqual((said["exit_code"], said["requeues"]), (2, 0))
        self.assertIn("dataset mnist not found", said["message"])
        self.assertIn("dataset mnist not found", self.sweep("--list", grid=grid).stdout)
        # Left alone, and not taken for done.
        again = self.sweep("--run", grid=grid)
        self.assertEqual(again.returncode, 1)
        self.assertEqual(again.stdout, "2 done before, 2 failed before (--retry failed tries them again)\n")
        retried = self.sweep("--retry", "failed", grid=grid)
        self.assertEqual((retried.returncode, retried.stdout), (1, "2 done before, 2 failed\n"), retried.stderr)

    def test_bad_grids_are_refused_before_anything_starts(self):
        cases = {
            GRID.replace("precision:", "precison:"): ("little.yaml:7:", "precison", "precision"),
            GRID.replace("[3, 4]", "[3, four]"): ("little.yaml:8:", "seed", "four"),
            GRID.replace("grid:\n  precision: [adapt, float32]\n", "grid: {}\n"): ("little.yaml:6:", "'grid'", "empty"),
            GRID.replace("[3, 4]", "[3, 3]"): ("little.yaml:8:", "seed", "the same"),
            GRID.replace("seeds: [3, 4]", "zip: {seed: [1, 2], training.epochs: [1]}"): ("little.yaml:8:", "training.epochs"),
            GRID.replace("[adapt, float32]", f"[adapt, float32]\n  training.l1: [{', '.join(f'0.{i:05}' for i in range(1, 1001))}]")
            .replace("[3, 4]", "1000"): ("little.yaml:9:", "'grid' makes 2000000 runs", "at most 10000"),
            GRID + "slurm: {partitoin: main}\n": ("little.yaml:9:", "slurm.partitoin", "did you mean 'partition'?"),
        }  # fmt: skip
        for text, parts in cases.items():
            for mode in ("--run", "--list", "--dry-run", "--submit"):
                with self.subTest(parts[1], mode=mode):
                    self.assert_refused(self.sweep(mode, grid=self.grid(text)), *parts)
        self.assertFalse(self.store.exists())

    def test_bad_arguments(self):
        for arguments, part in ((["--run", "--list"], "exclude each other"), ([], "expected what to do"),
                                (["--run", "-J", "0"], "--jobs 0"), (["--retry", "done"], "expected failed"),
                                (["--list", "--where", "modell=x"], "modell"), (["--run", "x.yaml"], "one grid file"),
                                (["--task", "0", "--submission", "none-1"], "none-1")):  # fmt: skip
            with self.subTest(arguments):
                self.assert_refused(self.sweep(*arguments), part)
        self.assert_refused(self.sweep("--run", grid=False), "needs a grid file")

    def test_a_store_that_is_not_there(self):
        for mode in (["--list"], ["--list", "--json"], ["--status"]):
            self.assert_refused(self.sweep(*mode, grid=False), f'--store "{self.store}" does not exist; expected', "a grid file")
            self.assert_done(self.sweep(*mode))  # all is planned
        self.assertFalse(self.store.exists())
        self.store.write_text("a file", encoding="utf-8")
        for mode in ("--list", "--status", "--run", "--submit", "--dry-run"):
            self.assert_refused(self.sweep(mode), f'--store "{self.store}" is not a folder; expected')
        self.store.unlink()
        (self.folder / "elsewhere").mkdir()
        self.store.symlink_to("elsewhere")  # a link that the user names is his will
        self.assert_done(self.sweep("--list", grid=False))
        self.assert_done(self.sweep("--run", "--where", "seed=3", "--where", "precision=adapt"))
        self.assertEqual(len(self.runs()), 1)


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
        grid = self.grid(LONG.replace("epochs: 200", "epochs: 30").replace("[adapt, float32]", "[adapt]").replace("[3, 4]", "1"))
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


class Stopping(SweepTest):
    def begin(self, grid, *arguments):
        """A sweep in the background, once it works on a run that has a checkpoint."""
        process = subprocess.Popen(command("sweep", grid, "--store", self.store, "--run", *arguments),
                                   env={**os.environ, **self.env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.addCleanup(process.kill)
        self.assertTrue(wait_for(lambda: any(list(run.parent.glob("checkpoints/step-*[0-9]"))
                                             for run in self.store.glob("*/claim")), 60))  # fmt: skip
        return process

    def test_ctrl_c_leads_to_checkpoints_and_the_next_sweep_goes_on(self):
        grid = self.grid(LONG)
        for ranks, name in ((1, signal.SIGINT), (2, signal.SIGTERM)):
            process = self.begin(grid, "--ranks", str(ranks), "--where", "precision=adapt")
            process.send_signal(name)
            out, err = process.communicate(timeout=60 * SLOWNESS)
            self.assertEqual(process.returncode, 75, err)
            self.assertRegex(out, "stopped, to be resumed")
            self.assertIn("resumable", self.states(grid).values())
        stopped = [run for run in self.runs() if not (run / "DONE").exists()][0]
        self.assertFalse(list(stopped.glob("claim*")))
        result = self.assert_done(self.sweep("--run", "-J", 2, "--where", "precision=adapt", grid=grid, timeout=240))
        self.assertRegex(result.stdout, "^[12] done")
        self.assert_done(adapt("train", stopped / "experiment.yaml", "--out", self.folder / "alone", timeout=120))
        self.assert_same(stopped, "alone")

    def test_a_killed_sweep_leaves_its_runs_to_the_next(self):
        grid = self.grid(LONG)
        process = self.begin(grid, "--where", "precision=adapt", "--where", "seed=3")
        process.kill()
        process.communicate(timeout=60 * SLOWNESS)
        # The training hears of it, and stops at a checkpoint; until then it counts as running.
        label = "precision=adapt seed=3"
        self.assertTrue(wait_for(lambda: self.states(grid)[label] == "resumable", 60), self.states(grid))
        (run,) = self.runs()
        self.assertTrue((run / "claim").exists())
        self.assert_done(self.sweep("--run", "--where", "seed=3", "--where", "precision=adapt", grid=grid, timeout=240))
        self.assertTrue((run / "DONE").exists())
        self.assertFalse(list(run.glob("claim*")))


class Together(SweepTest):
    def test_sweeps_at_once_run_each_run_exactly_once(self):
        grid = self.grid(GRID.replace("seeds: [3, 4]", "seeds: 4").replace("epochs: 2", "epochs: 1"))
        launcher = self.folder / "launcher"
        launcher.write_text(f'#!/bin/sh\necho "$5" >>{self.folder}/started\nexec "$@"\n', encoding="utf-8")
        launcher.chmod(0o755)
        sweeps = [subprocess.Popen(command("sweep", grid, "--store", self.store, "--run", "-J", "2", "--launch", launcher),
                                   env={**os.environ, **self.env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True) for _ in range(3)]  # fmt: skip
        outputs = [process.communicate(timeout=120 * SLOWNESS) for process in sweeps]
        for process, (out, err) in zip(sweeps, outputs):
            self.assertEqual(process.returncode, 0, f"{out}\n{err}")
        started = (self.folder / "started").read_text(encoding="utf-8").split()
        self.assertEqual(sorted(started), sorted(str(run) for run in self.runs()))
        self.assertEqual(len(started), 8)
        self.assertEqual(set(self.states(grid).values()), {"done"})


if __name__ == "__main__":
    unittest.main()
