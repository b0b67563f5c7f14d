"""Training on several hosts, which are network namespaces of this machine: the bits of one host, and what happens when a host dies
or its link does. Skipped, with a word, where namespaces are not permitted."""

import pathlib
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments" / "scale"))

import hosts  # noqa: E402
from adapt_program import PROGRAM, SLOWNESS, ProgramTest  # noqa: E402

SKIPPED = 77
# Long enough to be killed in: 320 steps.
LONG = ("training.epochs=80", "checkpoint.interval_steps=5", "exchange.encoding=int8")
TIMEOUT = 4  # mpi.timeout_s where a link dies


class SeveralHosts(ProgramTest):
    def words(self, out, *overrides):
        sets = [word for override in overrides for word in ("--set", override)]
        return [PROGRAM, "train", self.experiment(), "--out", self.folder / out, "--resume", *sets]

    def train_on(self, cluster, ranks, out, *overrides, on=None):
        """Trains to the end on the first `on` hosts."""
        result = subprocess.run(cluster.mpirun(ranks, self.words(out, *overrides), on), capture_output=True, text=True,
                                timeout=200 * SLOWNESS)  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def start_and_wait(self, cluster, ranks, out, *overrides):
        """A training that has written a checkpoint and goes on."""
        process = subprocess.Popen(cluster.mpirun(ranks, self.words(out, *overrides)), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)  # fmt: skip
        self.addCleanup(process.kill)
        patience = time.monotonic() + 100 * SLOWNESS
        while not list((self.folder / out).glob("checkpoint*/*")) + list((self.folder / out).glob("checkpoint*.*")):
            self.assertIsNone(process.poll(), "it ended before it was killed")
            self.assertLess(time.monotonic(), patience, "no checkpoint")
            time.sleep(0.02)
        return process

    def assert_ends(self, process, seconds):
        """Its output; it must end by itself in that time."""
        try:
            said, _ = process.communicate(timeout=seconds * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.fail(f"ranks still wait after {seconds} s")
        self.assertNotEqual(process.returncode, 0, said)
        return said

    def assert_same_as_whole(self, out, *overrides):
        if not (self.folder / "whole").exists():
            self.assert_done(self.train("whole", *overrides))
        self.assert_same("whole", out)

    def test_same_bits_by_every_algorithm(self):
        with hosts.Hosts(2, "1gbit") as cluster:
            names = cluster.mpirun(4, ["hostname"])
            self.assertEqual(sorted(subprocess.run(names, capture_output=True, text=True).stdout.split()),
                             ["h1", "h1", "h2", "h2"])  # fmt: skip
            for algorithm in ("auto", "direct", "tree", "hierarchical"):
                with self.subTest(algorithm=algorithm):
                    result = self.train_on(cluster, 4, algorithm, "exchange.encoding=int8", f"exchange.algorithm={algorithm}")
                    self.assertEqual("between nodes)" in result.stderr, algorithm == "auto", result.stderr)
                    self.assert_same_as_whole(algorithm, "exchange.encoding=int8")

    def test_a_killed_host_ends_the_run_which_goes_on_without_it(self):
        with hosts.Hosts(3, "1gbit") as cluster:
            process = self.start_and_wait(cluster, 3, "run", *LONG)
            cluster.kill(3)
            said = self.assert_ends(process, 30)
            self.assertRegex(said, "lost communication|killed|aborted|terminated")
            self.train_on(cluster, 2, "run", *LONG, "exchange.algorithm=tree", on=2)
        self.assert_same_as_whole("run", *LONG)

    def test_ranks_do_not_wait_for_a_host_whose_link_is_dead(self):
        """Those that are left end and say why. Open MPI's mpirun waits on for the lost host's daemon: who started it, a batch
        system or people, ends it."""
        with hosts.Hosts(3, "1gbit") as cluster:
            process = self.start_and_wait(cluster, 3, "run", *LONG, f"mpi.timeout_s={TIMEOUT}")
            cluster.unplug(3)
            patience = time.monotonic() + 10 * TIMEOUT * SLOWNESS
            name = pathlib.Path(PROGRAM).name
            while cluster.processes(1, name) or cluster.processes(2, name):
                self.assertLess(time.monotonic(), patience, "ranks still wait")
                time.sleep(0.1)
            for host in (1, 2, 3):
                cluster.kill(host)
            self.assertIn("stuck: ", self.assert_ends(process, 10))
            self.train_on(cluster, 2, "run", *LONG, on=2)
        self.assert_same_as_whole("run", *LONG)


if __name__ == "__main__":
    if lacking := hosts.missing():
        print(f"skipped: several hosts need what is missing here: {lacking}")
        sys.exit(SKIPPED)
    unittest.main()
