"""One experiment, any number of ranks, the same bits: the promise of the virtual shards."""

import hashlib
import unittest

import h5py

from adapt_program import ADAPT, ProgramTest, adapt, info


def weights_digest(run_dir):
    """SHA-256 over names, formats and values of the final model."""
    digest = hashlib.sha256()
    with h5py.File(run_dir / "run.h5", "r") as file:
        for name in sorted(file["model"]):
            tensor = file["model"][name]
            digest.update(f"{name} {sorted((k, str(v)) for k, v in tensor.attrs.items())}".encode())
            digest.update(tensor[()].tobytes())
    return digest.hexdigest()


class Trajectory(ProgramTest):
    def assert_same_on_any_ranks(self, *overrides):
        for ranks in (1, 2, 3, 4):
            self.assert_done(self.train(f"ranks{ranks}", *overrides, ranks=ranks))
        digests = {weights_digest(self.folder / f"ranks{ranks}") for ranks in (1, 2, 3, 4)}
        self.assertEqual(len(digests), 1)
        for ranks in (2, 3, 4):
            result = adapt("compare", self.folder / "ranks1", self.folder / f"ranks{ranks}")
            self.assert_done(result)
            self.assertEqual(result.stdout, "same trajectory\n")
            self.assertEqual(info(self.folder / f"ranks{ranks}")["ranks"], str(ranks))
        return digests.pop()

    def assert_other_seed_differs(self, digest, *overrides):
        self.assert_done(self.train("other", *overrides, "seed=2", ranks=2))
        result = adapt("compare", self.folder / "ranks1", self.folder / "other")
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn("step 1", result.stdout)
        self.assertNotEqual(weights_digest(self.folder / "other"), digest)

    def test_float32_with_exact_sums(self):
        digest = self.assert_same_on_any_ranks("exchange.encoding=exact")
        self.assert_other_seed_differs(digest, "exchange.encoding=exact")

    def test_adapt_with_quantized_gradients(self):
        digest = self.assert_same_on_any_ranks(*ADAPT)
        self.assertGreaterEqual(int(info(self.folder / "ranks1")["precision switches"]), 10)
        self.assert_other_seed_differs(digest, *ADAPT)

    def test_int8_sums_with_and_without_overlap(self):
        digest = self.assert_same_on_any_ranks("exchange.encoding=int8")
        self.assert_done(self.train("behind", "exchange.encoding=int8", "exchange.overlap=false", ranks=3))
        self.assertEqual(weights_digest(self.folder / "behind"), digest)
        for algorithm in ("direct", "tree", "hierarchical"):
            self.assert_done(self.train(algorithm, "exchange.encoding=int8", f"exchange.algorithm={algorithm}", ranks=4))
            self.assertEqual(weights_digest(self.folder / algorithm), digest)
        with h5py.File(self.folder / "direct" / "run.h5", "r") as run:
            direct = run["steps/messages_sent"][()]
        with h5py.File(self.folder / "tree" / "run.h5", "r") as run:
            tree = run["steps/messages_sent"][()]
        self.assertTrue((0 < tree).all() and (tree < direct).all(), "2 + 2 messages of a bucket against 3 + 3")
        with h5py.File(self.folder / "ranks4" / "run.h5", "r") as run:
            self.assertTrue((run["steps/bytes_sent"][()] > 0).all())
            seconds = run["steps/seconds_exchange"][()]
            self.assertTrue((run["steps/exposed_seconds"][()] <= seconds * (1 + 1e-6)).all())
        with h5py.File(self.folder / "ranks1" / "run.h5", "r") as run:
            self.assertTrue((run["steps/bytes_sent"][()] == 0).all())

    def test_auto_says_which_algorithm_it_takes(self):
        result = self.train("auto", ranks=3)
        self.assert_done(result)
        self.assertRegex(result.stderr, r"exchange.algorithm: (direct|tree|hierarchical) \(measured: [0-9.]+ us and [0-9.]+ ns/byte")
        named = self.train("named", "exchange.algorithm=tree", ranks=3)
        self.assert_done(named)
        self.assertNotIn("measured:", named.stderr)

    def test_packed_sums_are_shorter_than_float32(self):
        """LeNet-5 on 4 ranks, from the second step on: the bounds that were set for ResNet-20."""
        self.assert_done(self.train("float32", "exchange=float32", ranks=4))
        self.assert_done(self.train("int8", "exchange=int8", ranks=4))
        self.assert_done(self.train("layer", *ADAPT, ranks=4))
        sent = {}
        for name in ("float32", "int8", "layer"):
            with h5py.File(self.folder / name / "run.h5", "r") as run:
                sent[name] = run["steps/bytes_sent"][1:].mean()
        self.assertLess(sent["int8"], 0.40 * sent["float32"])
        self.assertLess(sent["layer"], 0.60 * sent["float32"])

    def test_float32_sums_train_too(self):
        for ranks in (1, 3):
            self.assert_done(self.train(f"ranks{ranks}", "exchange=float32", ranks=ranks))
        self.assertEqual(info(self.folder / "ranks3")["steps"], "12")


if __name__ == "__main__":
    unittest.main()
