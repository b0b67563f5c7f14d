"""adapt sweep and Slurm, without a cluster: what is handed to sbatch, and what a task of the array does."""

import json
import os
import re
import subprocess
import unittest

import fake_slurm
from adapt_program import PROGRAM, adapt
from sweep_test import GRID, SweepTest

SITE = """\
partition: main
account: physics
time: "01:00:00"
ranks_per_node: 2
max_requeues: 7
setup: [module load openmpi, "export SAY='hello'"]
options: [--constraint=avx512]
"""
RESOURCES = "slurm: {partition: fast, nodes: 2, threads: 3, launch: srun --mpi=pmix, signal_seconds: 90}\n"


class Submit(SweepTest):
    def setUp(self):
        super().setUp()
        self.slurm = self.folder / "slurm"
        self.env |= fake_slurm.install(self.slurm)
        self.site = self.experiment(SITE, "site.yaml")

    def submit(self, text=GRID + RESOURCES, *arguments):
        return self.sweep("--submit", "--site", self.site, *arguments, grid=self.grid(text))

    def script(self):
        return (self.slurm / "script").read_text(encoding="utf-8")

    def directives(self):
        """Options of the script as Slurm reads them: up to the first command, the last of a name wins."""
        options = {}
        for line in self.script().splitlines():
            if line and not line.startswith("#"):
                break
            if line.startswith("#SBATCH "):
                name, _, value = line.removeprefix("#SBATCH ").partition("=")
                options[name] = value
        return options

    def submission(self, name="little-1"):
        return json.loads((self.store / "submissions" / f"{name}.json").read_text(encoding="utf-8"))

    def task(self, number, name="little-1"):
        return adapt("sweep", "--store", self.store, "--submission", name, "--task", number, env=self.env)

    def test_the_script_asks_for_what_site_and_grid_say(self):
        result = self.assert_done(self.submit(GRID + RESOURCES, "--throttle", 3))
        self.assertEqual(result.stdout, "submitted job 4711: 4 runs in 4 tasks, submission little-1\n")
        options = self.directives()
        expected = {"--partition": "fast", "--account": "physics", "--time": "01:00:00", "--nodes": "2",
                    "--ntasks-per-node": "2", "--cpus-per-task": "3", "--array": "0-3%3", "--constraint": "avx512",
                    "--signal": "B:USR1@90", "--job-name": "adapt-little-1", "--requeue": ""}  # fmt: skip
        self.assertEqual({name: options.get(name) for name in expected}, expected)
        self.assertNotIn("--qos", options)
        arguments = (self.slurm / "arguments").read_text(encoding="utf-8").split("\n")
        self.assertEqual(arguments[0], "--parsable")
        self.assertEqual(arguments[2:8], [os.path.realpath(PROGRAM), "sweep", "--store", str(self.store), "--submission",
                                          "little-1"])  # fmt: skip
        settings = [line for line in self.script().splitlines() if re.match("(export )?ADAPT_", line)]
        self.assertIn("export ADAPT_SLURM_MAX_REQUEUES=7", settings)
        self.assertIn("export ADAPT_SLURM_LAUNCH='srun --mpi=pmix'", settings)
        self.assertEqual(subprocess.run(["bash", "-n", self.slurm / "script"], check=False).returncode, 0)

    def test_setup_reaches_the_shell_as_it_was_written(self):
        self.assert_done(self.submit())
        script = self.script()
        begin = script.index("ADAPT_SLURM_SETUP='")
        setup = script[begin : script.index("\nexport ADAPT_SLURM_LAUNCH", begin)]
        said = subprocess.run(["bash", "-c", f'{setup}\nprintf %s "$ADAPT_SLURM_SETUP"'], capture_output=True, text=True,
                              check=True)  # fmt: skip
        self.assertEqual(said.stdout, "module load openmpi\nexport SAY='hello'")

    def test_the_runs_are_frozen_and_a_task_trains_its_own(self):
        self.assert_done(self.submit())
        frozen = self.submission()
        self.assertEqual((frozen["job"], frozen["chunk"], len(frozen["runs"])), ("4711", 1, 4))
        self.grid("name: gone\nseeds: 1\n")
        self.assert_done(self.task(2))
        done = [run.name for run in self.runs() if (run / "DONE").exists()]
        self.assertEqual(done, [frozen["runs"][2]["identity"]])
        self.assert_refused(self.task(4), "0..3")
        # What is done is not submitted again.
        result = self.assert_done(self.submit())
        self.assertIn("3 runs in 3 tasks, submission little-2", result.stdout)

    def test_an_array_is_never_larger_than_the_site_allows(self):
        self.assert_done(self.submit(GRID.replace("[3, 4]", "5")))  # ten runs, MaxArraySize is 4
        self.assertEqual(self.directives()["--array"], "0-3")
        self.assertEqual(self.submission()["chunk"], 3)

    def test_chunks(self):
        self.assert_done(self.submit(GRID + "slurm: {chunk: 3}\n"))
        self.assertEqual(self.directives()["--array"], "0-1")
        self.assertEqual(self.task(1).stdout, "1 done\n")
        self.assertEqual(self.task(0).stdout, "3 done\n")
        self.assertEqual(self.assert_done(self.submit()).stdout, "nothing to submit\n")

    def test_a_stopped_task_exits_with_75_and_counts(self):
        self.assert_done(self.submit())
        self.env["ADAPT_FAULT"] = "stop,phase=forward,step=2"
        self.assertEqual(self.task(0).returncode, 75)
        run = self.store / self.submission()["runs"][0]["identity"]
        self.assertEqual((run / "requeues").read_text(encoding="utf-8"), "1\n")
        self.assertIn("resumable", self.states().values())
        del self.env["ADAPT_FAULT"]
        self.assert_done(self.task(0))
        self.assertTrue((run / "DONE").exists())

    def test_a_failed_task_exits_with_1(self):
        self.assert_done(self.submit(GRID.replace("data: {", "data: {name: mnist, ")))
        self.assertEqual(self.task(0).returncode, 1)
        self.assertEqual(self.task(0).returncode, 1)  # again: it does not pass for done
        retried = self.submit(GRID.replace("data: {", "data: {name: mnist, "), "--retry", "failed")
        self.assertIn("4 runs", self.assert_done(retried).stdout)
        self.assertFalse(list(self.store.glob("*/FAILED")))

    def test_what_sbatch_refuses(self):
        (self.slurm / "refuse").write_text("sbatch: error: invalid partition specified: fast\n", encoding="utf-8")
        result = self.submit()
        self.assert_refused(result, "invalid partition specified: fast", code=1)

    def test_dry_run_prints_commands_estimate_and_script(self):
        self.assert_done(self.sweep("--run", "--where", "seed=3"))
        result = self.assert_done(self.sweep("--dry-run", "-n", 2, "--site", self.site, grid=self.grid(GRID + RESOURCES)))
        self.assertEqual(len(re.findall(r"^  mpirun .* train .*--resume", result.stdout, re.MULTILINE)), 2)
        self.assertRegex(result.stdout, r"estimate: \S+ core-hours for 2 runs, from finished runs of the store")
        self.assertIn("#SBATCH --array=0-1\n", result.stdout)
        self.assertIn("#SBATCH --partition=fast\n", result.stdout)
        self.assertFalse((self.store / "submissions").exists())
        self.assertFalse((self.slurm / "script").exists())
        other = self.grid(GRID.replace("lenet5", "alexnet"))
        self.assertIn("estimate: none for 4 runs", self.assert_done(self.sweep("--dry-run", grid=other)).stdout)

    def test_status_says_what_slurm_says(self):
        self.assert_done(self.submit())
        (self.slurm / "queue").write_text("4711_0 RUNNING None\n4711_1 RUNNING None\n4711_[2-3] PENDING Resources\n",
                                          encoding="utf-8")  # fmt: skip
        result = self.assert_done(self.sweep("--status"))
        self.assertIn("4 runs: 4 planned\n", result.stdout)
        self.assertIn("submission little-1, job 4711: 1 PENDING (Resources), 2 RUNNING\n", result.stdout)
        (self.slurm / "queue").unlink()
        self.assertIn("job 4711: unknown to Slurm\n", self.assert_done(self.sweep("--status")).stdout)

    def test_wrong_settings_are_refused(self):
        for text, parts in {
            "slurm: {partition: main}\n": ("site.yaml:1:", "'slurm'"),
            "\ntime: soon\n": ("site.yaml:2: 'time'", "12:00:00"),
            "ranks_per_node: 0\n": ("site.yaml:1: 'ranks_per_node'", "from 1"),
            "partition: a b\n": ("site.yaml:1: 'partition'",),
            "setup: module load x\n": ("site.yaml:1: 'setup'", "a list"),
        }.items():
            with self.subTest(text):
                self.site.write_text(text, encoding="utf-8")
                self.assert_refused(self.submit(), *parts)
        self.site.write_text("", encoding="utf-8")
        self.assert_refused(self.submit(GRID.replace("batch: 64", "batch: 64, threads: 4") + RESOURCES), "slurm.threads is 3")
        self.assertFalse(self.store.exists())


if __name__ == "__main__":
    unittest.main()
