"""Stores move: to another path, between machines whose clocks differ by ten minutes, and to where nothing can be written."""

import os
import shutil
import subprocess
import unittest

from adapt_program import adapt, command
from failing_calls import remembering_absence, without_locks
from processes import wait_for
from sweeps import GRID, LONG, SweepTest

SKEW = 600  # seconds
# A view of the processes of its own, as another machine has: nobody there can be asked for by number.
APART = ["unshare", "--pid", "--fork", "--mount-proc"]


def allowed(*words):
    """Whether the kernel lets us start something this way."""
    return shutil.which(words[0]) is not None and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0


class Moved(SweepTest):
    def stop_others(self):
        """Stops the runs that are left at a checkpoint."""
        self.env["ADAPT_FAULT"] = "stop,phase=update,step=6"
        result = self.sweep("--run", grid=self.grid())
        self.assertEqual(result.returncode, 75, result.stderr)
        del self.env["ADAPT_FAULT"]

    def test_a_copy_elsewhere_goes_on_and_is_the_same(self):
        self.assert_done(self.sweep("--run", "--where", "seed=4"))
        self.stop_others()
        moved = self.folder / "another place" / "store"
        shutil.copytree(self.store, moved)
        shutil.rmtree(self.store)
        told = self.assert_done(adapt("sweep", "--store", moved, "--list")).stdout
        self.assertRegex(told, r"4 runs: 2 done, 2 resumable\n$")
        self.assert_done(adapt("sweep", self.grid(), "--store", moved, "--run", env=self.env))
        self.assert_done(self.sweep("--run"))  # the old place, from the beginning
        for run in self.runs():
            self.assert_done(adapt("compare", run, moved / run.name))

    def test_a_submission_that_came_along_counts_for_nothing(self):
        self.assert_done(self.sweep("--run", "--where", "seed=4"))
        folder = self.store / "submissions"
        folder.mkdir()
        (folder / "little-1.json").write_text(
            '{"id": "little-1", "time": "2026-01-01T00:00:00Z", "job": "17", "chunk": 1, "runs": [{"identity": "%s", "label": "x"}]}'
            % self.runs()[0].name, encoding="utf-8")  # fmt: skip
        self.env["PATH"] = str(self.folder)  # no Slurm here
        self.assertIn("Slurm does not answer: there is no squeue", self.assert_done(self.sweep("--status")).stdout)
        self.assertIn("0 programs removed", self.assert_done(adapt("sweep", "--store", self.store, "--clean", env=self.env)).stdout)

    @unittest.skipUnless(allowed(*APART), "no namespaces for processes here")
    def test_two_machines_whose_clocks_differ(self):
        grid = self.grid(GRID.replace("epochs: 2", "epochs: 20"))
        self.assert_shared(grid, [without_locks(self.folder, clock_offset=skew) for skew in (-SKEW, SKEW)])

    @unittest.skipUnless(allowed(*APART), "no namespaces for processes here")
    def test_a_network_file_system_that_remembers_what_was_not_there(self):
        self.assert_shared(self.grid(), [remembering_absence(self.folder, 60)] * 2)

    def assert_shared(self, grid, machines):
        """Sweeps on several machines, each with these variables and a /tmp of its own, train each run once."""
        sweeps = []
        for number, variables in enumerate(machines):
            place = self.folder / f"machine{number}"
            place.mkdir()
            words = [*APART, *command("sweep", grid, "--store", self.store, "--run")]
            sweeps.append(subprocess.Popen(words, env=os.environ | self.env | variables | {"TMPDIR": str(place)},
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))  # fmt: skip
        said = [sweep.communicate(timeout=300) for sweep in sweeps]
        self.assertEqual([sweep.returncode for sweep in sweeps], [0] * len(sweeps), said)
        started = [line.split()[2] for _, err in said for line in err.splitlines() if "started " in line]
        self.assertEqual(len(started), 4, said)
        self.assertEqual(len(set(started)), 4, "each once")
        self.assertEqual(set(self.states(grid).values()), {"done"})

    @unittest.skipUnless(allowed("unshare", "--mount"), "no namespaces for mounts here")
    def test_a_store_that_can_only_be_read(self):
        self.assert_done(self.sweep("--run", "--where", "seed=4"))
        self.stop_others()
        (self.store / "index.json").unlink()
        read_only = f'mount --bind "{self.store}" "{self.store}" && mount -o remount,ro,bind "{self.store}" && exec "$@"'
        done = [run for run in self.runs() if (run / "DONE").exists()]
        for words in (("sweep", "--store", self.store, "--list"), ("sweep", "--store", self.store, "--status"),
                      ("sweep", "--store", self.store, "--status", "--json"), ("compare", done[0], done[0]), ("info", done[0])):
            result = subprocess.run(["unshare", "--mount", "sh", "-c", read_only, "sh", *command(*words)], capture_output=True, text=True,
                                    env=os.environ | self.env, check=False, timeout=60)
            self.assert_done(result)
        self.assertFalse((self.store / "index.json").exists())

    def test_what_is_written_is_read_meanwhile(self):
        grid = self.grid(LONG)
        process = subprocess.Popen(command("sweep", grid, "--store", self.store, "--run", "-J", 2), env=os.environ | self.env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertTrue(wait_for(lambda: list(self.store.glob("*/run.h5")), 60))
        (log, *_) = self.store.glob("*/run.h5")
        for locking in ("TRUE", "FALSE"):
            self.assert_done(adapt("info", log.parent, env={"HDF5_USE_FILE_LOCKING": locking}))
        process.terminate()
        process.wait(timeout=60)


if __name__ == "__main__":
    unittest.main()
