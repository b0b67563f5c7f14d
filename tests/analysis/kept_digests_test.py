"""What a store keeps of its runs is what reading them says, whatever has happened to the runs or to the file since."""

import json
import os
import shutil
import unittest
from unittest import mock

from support import ScratchTest
from synthetic_run import constant_layer, write_done, write_run

from analysis import kept_digests
from analysis.digest import read_digests
from analysis.kept_digests import read_kept_digests

SUMMARY = {"mean_word_length": 8.0}
NONSENSE = (
    lambda entry: entry.update(state="gone"),
    lambda entry: entry.update(last_step="many"),
    lambda entry: entry.update(summary={"mean_word_length": "8"}),
    lambda entry: entry.update(configuration={"seed": ["1"]}),
    lambda entry: entry.update(provenance=3),
    lambda entry: entry.pop("epochs"),
    lambda entry: entry["epochs"].update(seconds=["f", [1.0]]),
    lambda entry: entry["epochs"].update(test_accuracy=["f", [0.5, 8.0]]),
    lambda entry: entry["epochs"].update(epoch=["i", [[1, 2], [3, 4]]]),
    lambda entry: entry["epochs"].update(epoch=["i", [1, 1 << 80]]),
    lambda entry: entry["epochs"].update(epoch=["x", [1, 2]]),
)


class KeptDigests(ScratchTest):
    def setUp(self):
        super().setUp()
        for name, value in (("WORTHWHILE", 3), ("CLOCK_TICK", 0)):
            patch = mock.patch.object(kept_digests, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.store = self.path("store")
        self.paths = [self.write(seed) for seed in range(4)]
        with open(os.path.join(self.folder_of(3), "rungs"), "w", encoding="ascii") as stream:
            stream.write('{"stopped": true}')

    def folder_of(self, seed):
        return os.path.join(self.store, f"{seed:016x}")

    def write(self, seed, **options):
        return write_run(self.folder_of(seed), {"conv": (100, 10, constant_layer(10))}, seed=seed, summary=SUMMARY,
                         done=seed != 3, **options)  # fmt: skip

    def read(self):
        """What comes of it; how many runs were read for that."""
        with mock.patch.object(kept_digests, "read_digests", side_effect=read_digests) as reading:
            digests, problems = read_kept_digests(self.paths)
        fresh, fresh_problems = read_digests(self.paths)
        self.assertEqual([self.plain(digest) for digest in digests], [self.plain(digest) for digest in fresh])
        self.assertEqual(problems, fresh_problems)
        return digests, len(reading.call_args.args[0])

    @staticmethod
    def plain(digest):
        members = vars(digest).copy()
        members["epochs"] = {name: (column.dtype, column.tolist()) for name, column in digest.epochs.items()}
        return members

    def kept(self):
        with open(os.path.join(self.store, kept_digests.NAME), encoding="ascii") as stream:
            return json.load(stream)

    def test_runs_are_read_once(self):
        digests, read = self.read()
        self.assertEqual((read, [digest.state for digest in digests]), (4, ["done", "done", "done", "pruned"]))
        self.assertEqual(self.read()[1], 0)

    def test_what_has_changed_is_read_again(self):
        self.read()
        self.write(1, test_accuracy=[0.1, 0.2])
        with open(os.path.join(self.folder_of(2), "FAILED"), "w", encoding="ascii") as stream:
            stream.write('{"exit_code": 1}')
        os.remove(os.path.join(self.folder_of(2), "DONE"))
        write_done(self.folder_of(3))
        digests, read = self.read()
        self.assertEqual(read, 3)
        self.assertEqual([digest.state for digest in digests], ["done", "done", "failed", "done"])
        self.assertEqual(digests[1].epochs["test_accuracy"].tolist(), [0.1, 0.2])

    def test_sizes_and_times_that_were_put_back_do_not_help(self):
        self.read()
        before = os.stat(self.paths[0])
        with open(self.paths[0], "r+b") as stream:
            stream.seek(before.st_size // 2)
            stream.write(b"?")
        os.utime(self.paths[0], ns=(before.st_atime_ns, before.st_mtime_ns))
        digests, read = self.read()
        self.assertEqual((len(digests), read), (3, 1))  # DONE does not belong to it any more

    def test_files_that_may_change_unseen_are_not_kept(self):
        with mock.patch.object(kept_digests, "CLOCK_TICK", 3_600_000_000_000):
            self.read()
            self.assertEqual(self.read()[1], 4)

    def test_runs_that_are_gone_are_not_kept_and_others_stay(self):
        self.read()
        shutil.rmtree(self.folder_of(0))
        self.write(1, host="elsewhere")
        self.paths = self.paths[1:]
        self.assertEqual(self.read()[1], 1)
        self.assertEqual(sorted(self.kept()["runs"]), [f"{seed:016x}" for seed in (1, 2, 3)])

    def test_a_copied_store_is_read(self):
        self.read()
        shutil.copytree(self.store, self.path("copy"))
        self.paths = [path.replace(self.store, self.path("copy")) for path in self.paths]
        self.assertEqual(self.read()[1], 4)

    def test_nonsense_is_not_believed(self):
        self.read()
        whole = self.kept()
        for spoil in NONSENSE:
            spoilt = json.loads(json.dumps(whole))
            spoil(spoilt["runs"][f"{0:016x}"])
            self.assert_read(json.dumps(spoilt), 1)
        for text in ("", "[" * 100000, "[]", '{"version": 1, "runs": 3}', json.dumps(whole | {"version": 0}), "\0"):
            self.assert_read(text, 4)

    def assert_read(self, text, count):
        with open(os.path.join(self.store, kept_digests.NAME), "w", encoding="ascii") as stream:
            stream.write(text)
        self.assertEqual(self.read()[1], count, text[:200])

    def test_a_store_that_cannot_be_written_is_read(self):
        with mock.patch.object(kept_digests, "write_atomically", side_effect=PermissionError):
            self.read()
        self.assertNotIn(kept_digests.NAME, os.listdir(self.store))

    def test_small_stores_and_loose_logs_keep_nothing(self):
        with mock.patch.object(kept_digests, "WORTHWHILE", 5):
            self.read()
        self.paths = [shutil.copy(path, self.path(f"loose{seed}.h5")) for seed, path in enumerate(self.paths)]
        self.read()
        self.assertNotIn(kept_digests.NAME, os.listdir(self.store) + os.listdir(self.folder))


if __name__ == "__main__":
    unittest.main()
