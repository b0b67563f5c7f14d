"""adapt sweep and Slurm, without a cluster: what is handed to sbatch, and what a task of the array does."""

import hashlib
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import fake_slurm
import tiny_data
from adapt_program import PROGRAM, adapt
from sweeps import GRID, SweepTest

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

    def program(self):
        """The copy that a job runs."""
        digest = hashlib.sha256(pathlib.Path(PROGRAM).read_bytes()).hexdigest()
        return self.store / "programs" / digest / "adapt"

    def script(self):
        return (self.slurm / "script").read_text(encoding="utf-8")

    def arguments(self, file="arguments"):
        """What sbatch was called with."""
        return (self.slurm / file).read_text(encoding="utf-8").removesuffix("\n").split("\n")

    def options(self, file="arguments"):
        """{option: value} of sbatch; the last of a name wins."""
        words = itertools.takewhile(lambda word: word.startswith("-"), self.arguments(file))
        return {name: value for name, _, value in (word.partition("=") for word in words)}

    def environment(self):
        """What the last of Slurm's programs was started in."""
        lines = (self.slurm / "environment").read_text(encoding="utf-8").splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def submission(self, name="little-1"):
        return json.loads((self.store / "submissions" / f"{name}.json").read_text(encoding="utf-8"))

    def task(self, number, name="little-1"):
        return adapt("sweep", "--store", self.store, "--submission", name, "--task", number, env=self.env)

    def test_the_script_asks_for_what_site_and_grid_say(self):
        result = self.assert_done(self.submit(GRID + RESOURCES, "--throttle", 3))
        self.assertEqual(result.stdout, "submitted job 4711: 4 runs in 4 tasks, submission little-1\n")
        options = self.options()
        expected = {"--partition": "fast", "--account": "physics", "--time": "01:00:00", "--nodes": "2",
                    "--ntasks-per-node": "2", "--cpus-per-task": "3", "--array": "0-3%3", "--constraint": "avx512",
                    "--signal": "B:USR1@90", "--job-name": "adapt-little-1", "--export": "ALL", "--parsable": "",
                    "--output": f"{self.store}/submissions/little-1-%A_%a.txt"}  # fmt: skip
        self.assertEqual({name: options.get(name) for name in expected}, expected)
        self.assertNotIn("--qos", options)
        self.assertEqual(self.arguments()[-7:], [str(self.store / "submissions" / "little-1.sbatch"), str(self.program()),
                                                 "sweep", "--store", str(self.store), "--submission", "little-1"])
        self.assertIn("#SBATCH --requeue\n", self.script())
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
        self.assertEqual(self.options()["--array"], "0-3")
        self.assertEqual(self.submission()["chunk"], 3)

    def test_chunks(self):
        self.assert_done(self.submit(GRID + "slurm: {chunk: 3}\n"))
        self.assertEqual(self.options()["--array"], "0-1")
        self.assertEqual(self.task(1).stdout, "1 done\n")
        self.assertEqual(self.task(0).stdout, "3 done\n")
        self.assertEqual(self.assert_done(self.submit()).stdout, "nothing to submit\n")

    def test_a_stopped_task_exits_with_75_and_counts(self):
        self.assert_done(self.submit())
        self.env["ADAPT_FAULT"] = "stop,phase=update,step=2"
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

    def test_what_is_in_the_way_of_one_run_keeps_no_other_back(self):
        grid = GRID.replace("[3, 4]", "3") + "slurm: {max_array_size: 9}\n"  # six runs
        self.assert_done(self.submit(grid))
        folders = [self.store / run["identity"] for run in self.submission()["runs"]]
        link, plain, failed, fifo, sparse, _ = folders
        for folder in (link, plain):
            shutil.rmtree(folder)
        (self.folder / "elsewhere").mkdir()
        link.symlink_to(self.folder / "elsewhere")
        plain.write_text("a file", encoding="utf-8")
        (failed / "FAILED" / "mine").mkdir(parents=True)
        (fifo / "experiment.yaml").unlink()
        os.mkfifo(fifo / "experiment.yaml")
        os.truncate(sparse / "experiment.yaml", 1 << 40)
        # As they are, a task leaves them and trains the others; submitted again, they have their configuration again.
        for number, code in ((3, 1), (4, 1), (5, 0)):
            self.assertEqual(self.task(number).returncode, code)
        result = self.submit(grid, "--retry", "failed")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(result.stdout, "submitted job 4711: 2 runs in 2 tasks, submission little-2\n3 runs are not submitted\n")
        for folder, reason in ((link, "is a link to"), (plain, "is not a folder"), (failed, "cannot remove")):
            self.assertRegex(result.stderr, f"left {folder.name} .* as it is: .*{reason}")
        self.assertEqual(list((self.folder / "elsewhere").iterdir()), [])
        self.assertEqual({run["identity"] for run in self.submission("little-2")["runs"]}, {fifo.name, sparse.name})
        self.assert_done(self.task(0, "little-2"))
        self.assert_done(self.task(1, "little-2"))
        result = self.submit(grid, "--retry", "failed")
        self.assertEqual((result.returncode, result.stdout), (1, "3 runs are not submitted\n"), result.stderr)

    def test_a_task_leaves_a_run_that_cannot_be_read(self):
        self.assert_done(self.submit(GRID + "slurm: {chunk: 4}\n"))
        first = self.store / self.submission()["runs"][0]["identity"]
        os.truncate(first / "experiment.yaml", 1 << 40)
        result = self.task(0)
        self.assertEqual((result.returncode, result.stdout), (1, "3 done, 1 left, each for its own reason\n"), result.stderr)
        self.assertRegex(result.stderr, f"left {first.name} .* as it is: cannot read {first}/experiment.yaml")

    def test_a_planted_folder_of_submissions(self):
        self.store.mkdir()
        (self.folder / "elsewhere").mkdir()
        (self.store / "submissions").symlink_to("../elsewhere")
        self.assert_refused(self.submit(), f'{self.store}/submissions" is a link to "../elsewhere"; expected a folder')
        self.assertEqual(list((self.folder / "elsewhere").iterdir()), [])
        self.assertFalse((self.slurm / "script").exists())
        self.assert_done(self.sweep("--status"))

    def test_what_sbatch_prints_around_the_number(self):
        whole = (self.slurm / "sbatch").read_text(encoding="utf-8")
        for number, (said, job) in enumerate((("Welcome to 2024;\n17 nodes free\n4712", "4712"), ("4713;alpha", "4713"),
                                              ("12\n4714;alpha\nbye", "4714"))):  # fmt: skip
            (self.slurm / "said").write_text(said + "\n", encoding="utf-8")
            (self.slurm / "sbatch").write_text(whole.replace("echo 4711", "cat said"), encoding="utf-8")
            result = self.assert_done(self.submit())
            self.assertEqual(result.stdout, f"submitted job {job}: 4 runs in 4 tasks, submission little-{number + 1}\n")
            self.assertEqual(self.submission(f"little-{number + 1}")["job"], job)
        for said in ("Submitted batch job 4711", "4711 alpha", "", "-1", "4711;"):
            (self.slurm / "said").write_text(said + "\n", encoding="utf-8")
            self.assert_refused(self.submit(), "sbatch names no job for", f"it says '{said}'", code=1)

    def test_what_sbatch_refuses(self):
        (self.slurm / "refuse").write_text("sbatch: error: invalid partition specified: fast\n", encoding="utf-8")
        result = self.submit()
        self.assert_refused(result, "invalid partition specified: fast", code=1)

    def test_dry_run_prints_commands_estimate_and_script(self):
        self.assert_done(self.sweep("--run", "--where", "seed=3"))
        result = self.assert_done(self.sweep("--dry-run", "-n", 2, "--site", self.site, grid=self.grid(GRID + RESOURCES)))
        self.assertEqual(len(re.findall(r"^  mpirun .* train .*--resume", result.stdout, re.MULTILINE)), 2)
        self.assertRegex(result.stdout, r"estimate: \S+ core-hours for 2 runs, from finished runs of the store")
        self.assertRegex(result.stdout, r"\n  sbatch .* --array=0-1 .* --partition=fast .*little-1.sbatch .* --submission little-1")
        self.assertIn("\n#SBATCH --requeue\n", result.stdout)
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

    def test_a_job_around_it_overrules_nothing(self):
        around = {"SBATCH_TIMELIMIT": "1", "SBATCH_EXPORT": "NONE", "SBATCH_NO_REQUEUE": "1", "SLURM_JOB_ID": "9",
                  "SLURM_NTASKS": "3", "SLURM_EXPORT_ENV": "NONE", "SQUEUE_FORMAT": "%j", "SCONTROL_ALL": "1", "PMIX_RANK": "1",
                  "PMI_RANK": "1", "PRTE_LAUNCHED": "1", "OMPI_COMM_WORLD_RANK": "1", "OMPI_MCA_ess": "pmi"}  # fmt: skip
        kept = {"SLURM_CONF": "/etc/slurm.conf", "SLURM_JWT": "token", "OMPI_MCA_btl_tcp_if_include": "lo",
                "PMIX_MCA_gds": "hash", "PRTE_MCA_x": "y", "OMPI_ALLOW_RUN_AS_ROOT": "1"}  # fmt: skip
        self.env |= around | kept
        self.assert_done(self.submit())
        self.assertEqual({name: self.environment().get(name) for name in kept | around}, kept | dict.fromkeys(around))
        self.assertEqual(self.options()["--time"], "01:00:00")
        self.assert_done(self.sweep("--status"))  # squeue
        self.assertEqual({name: self.environment().get(name) for name in kept | around}, kept | dict.fromkeys(around))

    def test_data_are_where_they_were_when_the_grid_was_submitted(self):
        text = GRID.replace("train_samples: 256, test_samples: 130", "name: mnist").replace("batch: 64", "batch: 8")
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        identities = set()
        for number, (given, where) in enumerate(((None, "data"), ("relative/data", "relative/data"), ("", "data"))):
            start = self.folder / f"start{number}"
            tiny_data.mnist(start / where)
            self.store = start / "store"
            if given is not None:
                self.env["ADAPT_DATA"] = given
            else:
                self.env.pop("ADAPT_DATA")
            self.assert_done(self.sweep("--submit", grid=self.grid(text), cwd=start))
            identities.add(tuple(run["identity"] for run in self.submission()["runs"]))
            experiment = (self.store / self.submission()["runs"][0]["identity"] / "experiment.yaml").read_text(encoding="utf-8")
            self.assertIn(f"path: {start / where}\n", experiment.replace('"', ""))
            self.env["ADAPT_DATA"] = str(elsewhere)
            self.assert_done(adapt("sweep", "--store", self.store, "--submission", "little-1", "--task", 0, env=self.env,
                                   cwd=elsewhere))  # fmt: skip
        self.assertEqual(len(identities), 1, "where the data are does not change which run it is")

    def test_any_path_and_any_option_reach_slurm_as_they_are(self):
        self.store = self.folder / "my st#re's 5%j \"x\""
        option = "--comment=it's 5% of \\ \"a b\" # c"
        self.site.write_text(f"options: [{json.dumps(option)}]\n", encoding="utf-8")
        self.assert_done(self.submit())
        self.assertIn(option, self.arguments())
        self.assertEqual(self.options()["--output"],
                         str(self.store / "submissions").replace("%", "%%") + "/little-1-%A_%a.txt")
        self.assert_done(self.task(0))
        said = self.assert_done(self.sweep("--dry-run", "--site", self.site)).stdout
        (command,) = [line for line in said.splitlines() if line.startswith("  sbatch ")]
        words = subprocess.run(["bash", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True).stdout
        self.assertEqual([line for line in words.splitlines() if line.startswith("--comment")], [option])
        (first, *_) = [line for line in said.splitlines() if " train " in line]
        words = subprocess.run(["bash", "-c", f"printf '%s\\n' {first}"], capture_output=True, text=True, check=True).stdout
        self.assertIn(str(self.store), words.splitlines()[words.splitlines().index("--out") + 1])

    def test_what_no_slurm_takes_is_refused(self):
        for store, part in (("line\nbreak", "--store"), ("tab\t", "--store"), ("escape\x1b", "--store"),
                            ("back\\slash", "backslash")):  # fmt: skip
            for mode in ("--submit", "--dry-run"):
                with self.subTest(store, mode=mode):
                    self.assert_refused(adapt("sweep", self.grid(GRID), "--store", self.folder / store, mode, env=self.env), part)
        for text in ('options: ["--comment=a\\nb"]\n', 'options: ["--comment=a\\0b"]\n', 'options: ["-C avx512"]\n',
                     "options: [--comment x]\n", 'launch: "a\\tb"\n', 'partition: "a\\x7fb"\n', 'setup: ["a\\0"]\n'):  # fmt: skip
            with self.subTest(text):
                self.site.write_text(text, encoding="utf-8")
                self.assert_refused(self.submit(), "site.yaml:1: ")
        self.assert_refused(self.sweep("--submit", grid=self.grid(GRID + 'slurm: {options: ["--comment=a\\nb"]}\n')),
                            "little.yaml:9: 'slurm.options'")  # fmt: skip
        self.env["ADAPT_DATA"] = "a\nb"
        self.assert_refused(self.sweep("--submit"), "$ADAPT_DATA")
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name not in {"slurm", "data"}],
                         [path.name for path in self.folder.glob("*.yaml")])  # fmt: skip

    def test_dry_run_asks_slurm(self):
        result = self.assert_done(self.sweep("--dry-run", "--site", self.site))
        self.assertIn("\nsbatch --test-only says: sbatch: Job 4712 to start at 2000-01-01T00:00:00\n", result.stdout)
        self.assertEqual({name: self.options("test_only")[name] for name in ("--partition", "--array", "--time")},
                         {"--partition": "main", "--array": "0-3", "--time": "01:00:00"})  # fmt: skip
        self.assertFalse(self.store.exists())
        (self.slurm / "refuse").write_text("sbatch: error: a\nsbatch: fatal: Could not establish a source\n", encoding="utf-8")
        result = self.assert_done(self.sweep("--dry-run", "--site", self.site))
        self.assertIn("says: sbatch: error: a; sbatch: fatal: Could not establish a source\n", result.stdout)
        (self.slurm / "sbatch").unlink()
        self.env["PATH"] = os.pathsep.join(  # no other one, where Slurm is installed
            folder for folder in self.env["PATH"].split(os.pathsep) if not os.path.exists(os.path.join(folder, "sbatch")))
        for tool in ("timeout", "scontrol"):
            path = shutil.which(tool)
            if path and not shutil.which(tool, path=self.env["PATH"]):
                (self.slurm / tool).symlink_to(path)
        self.assertNotIn("test-only", self.assert_done(self.sweep("--dry-run", "--site", self.site)).stdout)

    def test_status_says_which_runs_nobody_works_on(self):
        self.assert_done(self.submit())
        (self.slurm / "queue").write_text("4711_0 PREEMPTED None\n4711_1 COMPLETED None\n4711_2 RUNNING None\n"
                                          "4711_3 PENDING Resources\n", encoding="utf-8")  # fmt: skip
        self.assert_done(self.task(1))
        said = self.assert_done(self.sweep("--status")).stdout
        self.assertIn("1 run was submitted, not finished, and no task is left for it: adapt sweep GRID.yaml --submit", said)
        (self.slurm / "silent").write_text("slurm_load_jobs error: Unable to contact slurm controller\n", encoding="utf-8")
        said = self.assert_done(self.sweep("--status")).stdout
        self.assertIn("job 4711: Slurm does not answer: slurm_load_jobs error: Unable to contact slurm controller\n", said)
        self.assertNotIn("no task is left", said)
        (self.slurm / "silent").unlink()
        (self.slurm / "queue").unlink()
        self.assertIn("3 runs were submitted, not finished", self.assert_done(self.sweep("--status")).stdout)

    def test_options_that_undo_what_adapt_decides_are_refused(self):
        for option, instead in {
            "--array=0-99": "the key throttle", "--arr=0": "the key throttle", "--export=NONE": "another option",
            "--parsable": "another option", "--test-only": "another option", "--test": "another option", "--wrap=true": "another option",
            "--no-requeue": "the key max_requeues", "--output=/tmp/x": "another option", "--error=/tmp/x": "another option",
            "--job-name=x": "another option", "--open-mode=truncate": "another option", "--signal=TERM@1": "the key signal_seconds",
            "--nodes=7": "the key nodes", "--ntasks-per-node=7": "the key ranks_per_node", "--cpus-per-task=7": "the key threads",
            "--mem=1": "the key memory", "--time=1": "the key time", "--partition=x": "the key partition", "--help": "another option",
        }.items():  # fmt: skip
            with self.subTest(option):
                self.site.write_text(f"nodes: 1\noptions: [--comment=x, {option}]\n", encoding="utf-8")
                self.assert_refused(self.submit(), f"site.yaml:2: 'options': found '{option}'", instead)
        self.site.write_text("", encoding="utf-8")
        self.assert_refused(self.submit(GRID + "slurm: {options: [--array=1]}\n"), "little.yaml:9: 'slurm.options': found '--array=1'")
        kept = ["--constraint=avx512", "--exclusive", "--exclude=n1", "--mem-bind=local", "--mem-per-cpu=1G", "--time-min=1",
                "--nodelist=n2", "--requeue", "--error-x", "--hint=nomultithread"]  # fmt: skip
        self.site.write_text(f"options: [{', '.join(kept)}]\n", encoding="utf-8")
        self.assert_done(self.submit())
        self.assertTrue(set(kept) <= set(self.arguments()))

    def test_wrong_settings_are_refused(self):
        for text, parts in {
            "slurm: {partition: main}\n": ("site.yaml:1:", "'slurm'"),
            "\ntime: soon\n": ("site.yaml:2: 'time'", "12:00:00"),
            "ranks_per_node: 0\n": ("site.yaml:1: 'ranks_per_node'", "from 1"),
            "partition: a b\n": ("site.yaml:1: 'partition'",),
            "setup: module load x\n": ("site.yaml:1: 'setup'", "a list"),
            "signal_seconds: 65536\n": ("site.yaml:1: 'signal_seconds'", "from 1 to 65535"),
            "signal_seconds: 0\n": ("site.yaml:1: 'signal_seconds'", "from 1 to 65535"),
        }.items():
            with self.subTest(text):
                self.site.write_text(text, encoding="utf-8")
                self.assert_refused(self.submit(), *parts)
        self.site.write_text("", encoding="utf-8")
        self.assert_refused(self.submit(GRID.replace("batch: 64", "batch: 64, threads: 4") + RESOURCES), "slurm.threads is 3")
        self.assertFalse(self.store.exists())


if __name__ == "__main__":
    unittest.main()
