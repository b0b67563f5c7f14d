"""What Slurm says of tasks that are gone becomes the reason of their runs; and what is submitted while it says nothing."""

import json
import unittest

import fake_slurm
from adapt_program import adapt
from sweeps import GRID, SweepTest

SITE = "memory: 1000M\n"
ENDS = {"OUT_OF_MEMORY": "oom", "TIMEOUT": "timeout", "NODE_FAIL": "node", "CANCELLED": ""}


class Reasons(SweepTest):
    def setUp(self):
        super().setUp()
        self.slurm = self.folder / "slurm"
        self.env |= fake_slurm.install(self.slurm)
        self.site = self.experiment(SITE, "site.yaml")

    def submit(self, *arguments):
        return self.sweep("--submit", "--site", self.site, *arguments)

    def queue(self, *states):
        """What squeue says of the tasks from the first on."""
        lines = [f"4711_{task} {state} None\n" for task, state in enumerate(states)]
        (self.slurm / "queue").write_text("".join(lines), encoding="utf-8")

    def identities(self):
        frozen = json.loads((self.store / "submissions" / "little-1.json").read_text(encoding="utf-8"))
        return [run["identity"] for run in frozen["runs"]]

    def kill_tasks(self):
        """Each task was killed in the middle of its run, on a node of its own."""
        self.assert_done(self.submit())
        for task, identity in enumerate(self.identities()):
            claim = {"token": f"{task}", "host": f"n{task}", "space": "another machine", "pid": 7, "start": "1",
                     "slurm_job": f"{5000 + task}", "slurm_array_job": "4711", "slurm_array_task": f"{task}"}  # fmt: skip
            (self.store / identity / "claim").write_text(json.dumps(claim), encoding="utf-8")
        self.queue(*ENDS)

    def entries(self):
        listed = json.loads(self.assert_done(self.sweep("--list", "--json")).stdout)
        return {entry["identity"]: entry for entry in listed}

    def array(self):
        """(runs in the last array, its memory)."""
        words = (self.slurm / "arguments").read_text(encoding="utf-8").split("\n")
        options = dict(word.split("=", 1) for word in words if word.startswith("--") and "=" in word)
        return int(options["--array"].split("-")[1]) + 1, options.get("--mem")

    def test_the_reason_is_what_slurm_says_of_the_task(self):
        self.kill_tasks()
        self.assert_done(self.submit("--where", "state=done"))  # nothing, but for the books
        entries = self.entries()
        found = [(entries[identity]["reason"], entries[identity]["nodes"]) for identity in self.identities()]
        self.assertEqual(found, [("oom", "n0"), ("timeout", "n1"), ("node", "n2"), ("", "")])
        self.assertEqual([entries[identity]["state"] for identity in self.identities()],
                         ["failed", "resumable", "resumable", "planned"])  # fmt: skip
        said = self.assert_done(self.sweep("--status")).stdout
        self.assertIn("failed or interrupted: 1 node, 1 oom, 1 timeout; on n0 (1 oom); n1 (1 timeout); n2 (1 node)\n", said)
        self.assertIn("1 oom", said)
        for reason in ("timeout", "node"):
            (self.slurm / "queue").unlink(missing_ok=True)
            self.assertIn("1 run in 1 tasks", self.assert_done(self.submit("--retry", reason)).stdout)
        self.assertIn("1 run in 1 tasks", self.assert_done(self.submit("--retry", "oom", "--scale-memory", 2.5)).stdout)
        self.assertEqual(self.array(), (1, "2500M"))

    def test_wrong_ways_to_try_again_are_refused(self):
        self.assert_refused(self.submit("--retry", "oops"), "--retry oops: expected", "oom")
        for arguments in (("--scale-memory", 2), ("--retry", "nan", "--scale-memory", 2), ("--retry", "oom", "--scale-memory", 0)):
            self.assert_refused(self.submit(*arguments), "--scale-memory", "--retry oom")
        self.site.write_text("", encoding="utf-8")
        self.assert_refused(self.submit("--retry", "oom", "--scale-memory", 2), "Slurm did not say", "expected slurm.memory")

    def test_while_slurm_is_silent_nothing_is_submitted_twice(self):
        self.assert_done(self.submit())
        (self.slurm / "silent").write_text("slurm_load_jobs error: Unable to contact slurm controller\n", encoding="utf-8")
        (self.slurm / "arguments").unlink()
        self.assert_refused(self.submit(), "Slurm does not tell whether", "Unable to contact", code=1)
        self.assertFalse((self.slurm / "arguments").exists())
        (self.slurm / "silent").unlink()
        self.queue("PENDING", "RUNNING", "COMPLETED", "COMPLETED")
        result = self.assert_done(self.submit())
        self.assertIn("2 runs in 2 tasks", result.stdout)
        self.assertIn("2 runs are in the queue already", result.stderr)

    def test_a_controller_that_is_away_for_a_moment(self):
        whole = (self.slurm / "sbatch").read_text(encoding="utf-8")
        away = 'if [ ! -e back ]; then touch back; echo "sbatch: error: Unable to contact slurm controller" >&2; exit 1; fi\n'
        fake_slurm.add_program(self.slurm, "sbatch", whole.replace("kept=arguments\n", f"{away}kept=arguments\n"))
        result = self.assert_done(self.submit())
        self.assertIn("submitted job 4711: 4 runs", result.stdout)
        self.assertIn("Slurm does not answer sbatch, which is tried again", result.stderr)

    def test_runs_that_fail_say_why(self):
        self.env["ADAPT_FAULT"] = "memory,phase=forward,step=2"
        self.assertEqual(self.sweep("--run", "--where", "seed=3").returncode, 1)
        self.assertEqual({entry["reason"] for entry in self.entries().values() if entry["state"] == "failed"}, {"oom"})
        self.env["ADAPT_FAULT"] = "fail,phase=forward,step=2"
        self.assertEqual(self.sweep("--run", "--where", "seed=4").returncode, 1)
        self.assertEqual(sorted(entry["reason"] for entry in self.entries().values()), ["bug", "bug", "oom", "oom"])
        del self.env["ADAPT_FAULT"]
        self.assertEqual(self.assert_done(self.sweep("--retry", "oom")).stdout, "2 done\n")
        self.assertEqual(self.assert_done(self.sweep("--list", "--where", "reason=bug")).stdout.splitlines()[-1], "2 runs: 2 failed")


class Pruning(SweepTest):
    GRID = GRID.replace("epochs: 2", "epochs: 4").replace("[3, 4]", "5").replace("[adapt, float32]", "[float32]") + (
        "prune: {eta: 2, rungs: [1, 2]}\n")  # fmt: skip

    def test_the_best_go_on_and_end_as_if_they_never_stopped(self):
        grid = self.grid(self.GRID)
        said = self.assert_done(self.sweep("--run", grid=grid)).stdout
        self.assertRegex(said, r"^1 done, \d+ stopped at a rung\n$")
        self.assertEqual(sorted(self.states(grid).values()), ["done", *["pruned"] * 4])
        done = [run for run in self.runs() if (run / "DONE").exists()]
        self.assert_done(adapt("train", done[0] / "experiment.yaml", "--out", self.folder / "straight"))
        self.assert_same(done[0], "straight")
        self.assertIn("nothing to do", self.assert_done(self.sweep("--run", grid=grid)).stdout)
        self.assertEqual(self.assert_done(self.sweep("--retry", "pruned", grid=grid)).stdout, "4 done\n")

    def test_several_at_a_time_and_stopped_in_between(self):
        grid = self.grid(self.GRID)
        self.env["ADAPT_FAULT"] = "stop,phase=update,step=6"  # in the second epoch
        result = self.sweep("--run", "-J", 2, grid=grid)
        self.assertEqual(result.returncode, 75, result.stdout + result.stderr)
        self.assertIn("resumable", self.states(grid).values())
        del self.env["ADAPT_FAULT"]
        self.assert_done(self.sweep("--run", "-J", 2, grid=grid))
        self.assertEqual(set(self.states(grid).values()), {"done", "pruned"})

    def test_wrong_settings_are_refused(self):
        for text, parts in {"prune: 3\n": ("a mapping",), "prune: {eta: 1}\n": ("'prune.eta'", "from 2"), "prune: {eta: 3}\n": ("no rungs",),
                            "prune: {rungs: [3, 1]}\n": ("'prune.rungs'",), "prune: {rungs: [1], metric: x}\n": ("'prune.metric'",),
                            "prune: {rung: [1]}\n": ("did you mean",)}.items():  # fmt: skip
            with self.subTest(text):
                self.assert_refused(self.sweep("--list", grid=self.grid(GRID + text)), "little.yaml:9: ", *parts)


if __name__ == "__main__":
    unittest.main()
