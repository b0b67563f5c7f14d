"""Several runs share an allocation: each bound to its own cores, with its own log and end, and no core waits while there are
runs left."""

import pathlib

import slurm_cluster
from slurm_cluster import LONG, Cluster


def trainings(store):
    """{run's identity: (node, cores)} of the trainings that go on."""
    found = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            variables = dict(entry.split(b"=", 1) for entry in (process / "environ").read_bytes().split(b"\0") if b"=" in entry)
            status = (process / "status").read_text()
        except OSError:
            continue
        if words[1:2] == [b"train"] and str(store).encode() in words[2]:
            identity = pathlib.Path(words[2].decode()).parent.name
            cores = next(line.split(":")[1].strip() for line in status.splitlines() if line.startswith("Cpus_allowed_list"))
            found[identity] = (variables[b"SLURM_JOB_ID"].decode(), cores)
    return found


class Packed(Cluster):
    def test_side_by_side_on_cores_of_their_own(self):
        # Two long runs share the first task, which no other one may forestall; one of the others finds no data.
        grid = self.grid("packed", [LONG, LONG, 1, 1, 1], ["procedural"] * 4 + ["mnist"])
        self.submit(grid, ranks=1, more="pack: 2\nthrottle: 1\n")
        self.wait_for(lambda: len(self.runs()) == 5 and self.checkpoint_of(1) and self.checkpoint_of(2), "checkpoints")
        going_on = trainings(self.store)
        first, second = (going_on[self.runs()[seed]["identity"]] for seed in (1, 2))
        self.assertEqual(first[0], second[0], "one allocation")
        self.assertEqual({first[1], second[1]}, {"0", "1"}, "a core each")
        self.preempt_task(0)
        self.wait_for(lambda: self.runs()[1]["requeues"] == 1 and self.runs()[2]["requeues"] == 1, "preemption")
        self.wait_for_empty_queue()
        self.assertEqual(self.states(), {1: "done", 2: "done", 3: "done", 4: "done", 5: "failed"}, self.said())
        for seed, entry in self.runs().items():
            output = (self.store / entry["identity"] / "output.txt").read_text(encoding="utf-8")
            self.assertIn("dataset mnist not found" if seed == 5 else "wrote ", output)
        for seed in (1, 2):
            self.assert_undisturbed(seed)

    def test_no_core_waits_while_there_are_runs(self):
        # One task at a time, which has two of the six runs for its own, and takes the others.
        self.submit(self.grid("shared", [1] * 6), ranks=1, more="pack: 2\nthrottle: 1\n")
        self.wait_for_empty_queue()
        self.assertEqual(set(self.states().values()), {"done"}, self.said())
        logs = sorted((self.store / "submissions").glob("shared-1-*.txt"))
        self.assertEqual([log.read_text().count("started ") for log in logs], [6, 0, 0], self.said())

    def test_as_many_as_a_node_has_cores_for(self):
        self.submit(self.grid("auto", [1] * 4), ranks=1, more="pack: auto\nchunk: 4\n")
        self.wait_for_empty_queue()
        self.assertEqual(set(self.states().values()), {"done"}, self.said())
        self.assertNotIn("bound to no processors", self.said())


if __name__ == "__main__":
    slurm_cluster.run()
