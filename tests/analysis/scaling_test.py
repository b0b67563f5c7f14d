"""Projections to other numbers of ranks: numbers worked out by hand, and what is refused."""

import json
import unittest

import h5py
import numpy as np
from support import ScratchTest, call_script, run_script
from synthetic_run import constant_layer, write_done, write_run

from analysis import scaling
from analysis.exchange_model import Fabric, read_fabrics, traffic
from analysis.run_file import read_run

# 8 us a message, 1 GB/s
NETWORK = "plain:\n  alpha_us: 8\n  gbytes_per_s: 1\nslow:\n  alpha_us: 100\n  gbytes_per_s: 0.01\n"
LAYERS = {"a": (1000, 60000, constant_layer(10)), "b": (1000, 5536, constant_layer(10))}  # 65536 weights: 2 buckets


class Traffic(unittest.TestCase):
    def test_one_rank_sends_nothing(self):
        for encoding in ("float32", "exact", "layer", "int16", "int8"):
            self.assertEqual((traffic(encoding, 1000, 1, 8, 12).messages, traffic(encoding, 1000, 1, 8, 12).sent), (0, 0))

    def test_partial_sums_take_the_bits_that_they_need(self):
        # 4 ranks, 2 shards each: 3/4 of the elements, 9 bits there and 8 back; 12 + 1 there and 12 + 3 back.
        self.assertEqual(traffic("int8", 65536, 4, 8, 12).sent, 0.75 * 65536 * 17 / 8)
        self.assertEqual(traffic("int16", 65536, 4, 8, 12).sent, 0.75 * 65536 * 33 / 8)
        self.assertEqual(traffic("layer", 65536, 4, 8, 12).sent, 0.75 * 65536 * 28 / 8)
        self.assertEqual(traffic("float32", 65536, 4, 8, 12).sent, 2 * 0.75 * 65536 * 4)

    def test_a_tree_sends_half_as_many_numbers_one_bit_wider_each_round(self):
        # 4 ranks: half of the elements with 9 bits, a quarter with 10, 3/4 of them back with 8.
        self.assertAlmostEqual(traffic("int8", 65536, 4, 8, 12, "tree").sent, 65536 * (9 / 2 + 10 / 4 + 0.75 * 8) / 8)
        self.assertEqual(traffic("int8", 65537, 5, 8, 12, "tree").messages, 2 * 3 * 3)

    def test_messages(self):
        self.assertEqual(traffic("int8", 65536, 4, 8, 12).messages, 2 * 3 * 2)
        self.assertEqual(traffic("float32", 65536, 4, 8, 12).messages, 2 * 2 * 2)
        self.assertEqual(traffic("float32", 65537, 5, 8, 12).messages, 2 * 3 * 3)

    def test_seconds_are_alpha_and_beta(self):
        self.assertAlmostEqual(Fabric("plain", 8e-6, 1e9).seconds(10, 5e6), 10 * 8e-6 + 5e-3)


class Scaling(ScratchTest):
    def setUp(self):
        super().setUp()
        self.network = self.path("network.yaml")
        with open(self.network, "w", encoding="utf-8") as file:
            file.write(NETWORK)

    def run_on(self, ranks, encoding="exact", overlap="false", **options):
        name = f"{encoding}{ranks}"
        configuration = f"exchange:\n  encoding: {encoding}\n  overlap: {overlap}\n"
        path = write_run(self.path(name), LAYERS, policy="float32", engine="float32", batch=64, ranks=str(ranks),
                         configuration=configuration, **options)
        with h5py.File(path, "a") as file:
            scale = 1 / ranks  # data 1, forward 2, backward 3, quantize 4 ms on one rank; policy, update, record 1 ms each
            for phase, milliseconds in (("data", 1), ("forward", 2), ("backward", 3), ("quantize", 4)):
                file[f"steps/seconds_{phase}"][...] = 1e-3 * milliseconds * scale
            for phase in ("policy", "update", "record"):
                file[f"steps/seconds_{phase}"][...] = 1e-3
            file["steps/seconds_exchange"][...] = 0
            file["steps/bytes_sent"][...] = 0 if ranks == 1 else 100000
        write_done(self.path(name))
        return self.path(name)

    def result(self, *runs, options=()):
        return json.loads(call_script(scaling, *runs, "--network", self.network, "--local", "plain", "--json", *options))

    def rows(self, result, fabric="plain"):
        return {row["ranks"]: row for row in result["projections"] if row["fabric"] == fabric}

    def test_strong_scaling_by_hand(self):
        result = self.result(self.run_on(1))
        rows = self.rows(result)
        self.assertEqual(list(rows), [1, 2, 4, 8, 16, 32, 64], "no rank without an image")
        one = rows[1]["encodings"]["int8"]
        self.assertAlmostEqual(one["step"], 13e-3)
        self.assertAlmostEqual(one["efficiency"], 1)
        self.assertAlmostEqual(one["epoch"], 5 * 13e-3)  # 10 steps in 2 epochs
        four = rows[4]["encodings"]["int8"]
        exchange = 8 * 8e-6 + (0.75 * 17 + 0.25) * 65536 / 8 / 1e9  # by the tree: 12 messages the other way
        self.assertAlmostEqual(four["exposed"], exchange)
        self.assertAlmostEqual(four["step"], 2.5e-3 + 3e-3 + exchange)
        self.assertAlmostEqual(four["efficiency"], 13e-3 / (4 * four["step"]))
        # 16 ranks need 16 shards: one each.
        self.assertAlmostEqual(rows[16]["encodings"]["int8"]["exchange"],
                               2 * 4 * 2 * 8e-6 + (15 / 16 * 16 + 1 / 4 + 2 / 8 + 3 / 16) * 65536 / 8 / 1e9)  # fmt: skip

    def test_weak_scaling_keeps_the_images_of_a_rank(self):
        rows = self.rows(self.result(self.run_on(1), options=["--scaling", "weak"]))
        self.assertEqual(list(rows), [2**power for power in range(11)])
        plain = rows[1024]["encodings"]["float32"]
        self.assertAlmostEqual(plain["step"] - plain["exposed"], 13e-3)
        self.assertAlmostEqual(plain["epoch"], plain["step"] * 5 / 1024)
        self.assertAlmostEqual(plain["efficiency"], 13e-3 / plain["step"])

    def test_overlap_hides_what_fits_behind_the_last_shard_but_one_bucket(self):
        rows = self.rows(self.result(self.run_on(1, overlap="true")))
        eight = rows[8]["encodings"]["exact"]  # one shard each: 3/8 ms of backward
        self.assertAlmostEqual(eight["exposed"], max(eight["exchange"] - 3e-3 / 8, eight["exchange"] / 2))

    def test_ranks_with_more_shards_than_others_are_waited_for(self):
        experiment = scaling.describe([read_run(self.run_on(1))])
        three = scaling.project(experiment, "exact", 3, Fabric("none", 1e-12, 1e15))
        self.assertAlmostEqual(three.step, 10e-3 * 3 / 8 + 3e-3, places=7)

    def test_bytes_of_runs_correct_the_model(self):
        result = self.result(self.run_on(1), self.run_on(2), self.run_on(4, "int8"))
        modelled = 0.75 * 65536 * 17 / 8
        self.assertAlmostEqual(result["bytes_over_model"]["int8"], 100000 / modelled)
        self.assertEqual(result["bytes_over_model"]["int16"], 1)
        four = self.rows(result)[4]["encodings"]["int8"]
        self.assertAlmostEqual(four["exchange"], 8 * 8e-6 + 100000 * (13 / 12.75) / 1e9)
        self.assertEqual([(row["ranks"], row["encoding"]) for row in result["check"]],
                         [(1, "exact"), (2, "exact"), (4, "int8")])  # fmt: skip
        self.assertAlmostEqual(result["check"][0]["error"], 0)
        self.assertAlmostEqual(result["check"][2]["modelled_step_s"], four["step"])

    def test_a_slow_network_prefers_few_bytes_and_a_wide_one_few_messages(self):
        result = self.result(self.run_on(1))
        self.assertEqual(self.rows(result, "slow")[2]["best"], "int8")
        self.assertEqual(self.rows(result, "plain")[64]["best"], "int8", "as few as float32's")

    def test_tables(self):
        text = call_script(scaling, self.run_on(1), self.run_on(2), "--network", self.network, "--local", "plain",
                           "--fabric", "slow")
        self.assertIn("lenet5: 65536 weights, batch 64, strong scaling", text)
        self.assertIn("slow", text)
        self.assertNotIn("plain  ", text.split("modelled: ")[1])

    def test_networks_that_come_with_it(self):
        fabrics = read_fabrics(scaling.os.path.join(scaling.os.path.dirname(scaling.__file__), "fabrics.yaml"))
        self.assertGreater(fabrics["ethernet_1g"].alpha, fabrics["infiniband_hdr"].alpha)
        self.assertLess(fabrics["ethernet_100g"].bandwidth, 100e9 / 8)
        self.assertAlmostEqual(fabrics["infiniband_ndr"].bandwidth, 47e9)

    def test_what_is_refused(self):
        run = self.run_on(1)
        with open(self.path("bad.yaml"), "w", encoding="utf-8") as file:
            file.write("x:\n  alpha_us: -1\n  gbytes_per_s: 1\n")
        for words, arguments in [
            (["no network 'token_ring'", "ethernet_10g"], [run, "--fabric", "token_ring"]),
            (["bad.yaml", "alpha_us is -1"], [run, "--network", self.path("bad.yaml")]),
            (["none.yaml"], [run, "--network", self.path("none.yaml")]),
            (["expected more than 5"], [self.run_on(2, "int16", steps=4)]),
        ]:
            with self.subTest(words=words):
                self.assert_one_line_error(run_script("scaling.py", *arguments), *words)
        with open(self.path("large.yaml"), "w", encoding="utf-8") as file:
            file.write("x:\n  alpha_us: 1e300\n  gbytes_per_s: 1\n")
        self.assert_one_line_error(run_script("scaling.py", run, "--network", self.path("large.yaml")), "alpha_us is 1e300")
        write_run(self.path("other"), LAYERS, policy="float32", engine="float32", batch=32)
        self.assert_one_line_error(run_script("scaling.py", run, self.path("other")), "training.batch is 32", "64 in")

    def test_logs_that_make_no_sense(self):
        def without_key(file):
            text = file["config"][()].replace(b"  batch: 64\n", b"")
            del file["config"]
            file["config"] = text

        def infinite(file):
            file["steps/seconds_forward"][...] = np.inf

        def not_a_number(file):
            file["steps/bytes_sent"][...] = np.nan if file["steps/bytes_sent"].dtype.kind == "f" else -1

        def no_time(file):
            for name in file["steps"]:
                if name.startswith("seconds_"):
                    file[f"steps/{name}"][...] = 0

        def no_layer(file):
            for name in list(file["layers"]):
                del file["layers"][name]

        def no_ranks(file):
            file["provenance"].attrs["ranks"] = "many"

        for number, (change, options, words) in enumerate([
            (without_key, {}, ["training.batch", "expected a positive number"]),
            (None, {"batch": "x"}, ["training.batch", "'x'"]),
            (None, {"batch": "1" * 20}, ["training.batch", "1" * 20]),
            (None, {"configuration": "  shards: 0\n"}, ["training.shards", "'0'"]),
            (None, {"configuration": "exchange:\n  encoding: morse\n"}, ["exchange.encoding", "'morse'", "int8"]),
            (infinite, {}, ["seconds_forward", "inf"]),
            (not_a_number, {}, ["bytes_sent"]),
            (no_time, {}, ["no step took any time"]),
            (no_layer, {}, ["no layer"]),
            (no_ranks, {}, ["ranks in /provenance", "'many'"]),
        ]):
            with self.subTest(words=words):
                run = self.path(f"bad{number}")
                path = write_run(run, LAYERS, **{"policy": "float32", "engine": "float32", "batch": 64, **options})
                if change:
                    with h5py.File(path, "a") as file:
                        change(file)
                    write_done(run)
                self.assert_one_line_error(run_script("scaling.py", run), f"bad{number}", *words)


if __name__ == "__main__":
    unittest.main()
