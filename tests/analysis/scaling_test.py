"""Projections to other numbers of ranks: numbers worked out by hand, and what is refused."""

import csv
import dataclasses
import json
import math
import pathlib
import unittest

import h5py
import numpy as np
from support import ScratchTest, call_script, run_script
from synthetic_run import constant_layer, write_done, write_run

from analysis import scaling
from analysis.exchange_model import Fabric, bucket_count, read_fabrics, traffic
from analysis.exchange_model import Traffic as Load
from analysis.run_file import read_run

# 8 us a round, 1 GB/s; messages take next to nothing of a processor
NETWORK = "plain:\n  alpha_us: 8\n  gbytes_per_s: 1\n  processor_us: 0.001\nslow:\n  alpha_us: 100\n  gbytes_per_s: 0.01\n"
LAYERS = {"a": (1000, 5536, constant_layer(10)), "b": (1000, 60000, constant_layer(10))}  # 65536 weights: 2 buckets
SIZES = [5536, 60000]


class Traffic(unittest.TestCase):
    def test_one_rank_sends_nothing(self):
        for encoding in ("float32", "exact", "layer", "int16", "int8"):
            self.assertEqual((traffic(encoding, [1000], 1, 8, 12).messages, traffic(encoding, [1000], 1, 8, 12).sent), (0, 0))

    def test_partial_sums_take_the_bits_that_they_need(self):
        # 4 ranks, 2 shards each: 3/4 of the elements, 9 bits there and 8 back; 12 + 1 there and 12 + 3 back.
        self.assertEqual(traffic("int8", SIZES, 4, 8, 12).sent, 0.75 * 65536 * 17 / 8)
        self.assertEqual(traffic("int16", SIZES, 4, 8, 12).sent, 0.75 * 65536 * 33 / 8)
        self.assertEqual(traffic("layer", SIZES, 4, 8, 12).sent, 0.75 * 65536 * 28 / 8)
        self.assertEqual(traffic("float32", SIZES, 4, 8, 12).sent, 2 * 0.75 * 65536 * 4)

    def test_a_tree_sends_half_as_many_numbers_one_bit_wider_each_round(self):
        # 4 ranks: half of the elements with 9 bits, a quarter with 10, 3/4 of them back with 8.
        self.assertAlmostEqual(traffic("int8", SIZES, 4, 8, 12, "tree").sent, 65536 * (9 / 2 + 10 / 4 + 0.75 * 8) / 8)
        self.assertEqual(traffic("int8", [1, 32768, 32768], 5, 8, 12, "tree").messages, 2 * 3 * 3)

    def test_messages(self):
        self.assertEqual(traffic("int8", SIZES, 4, 8, 12).messages, 2 * 3 * 2)
        self.assertEqual(traffic("float32", SIZES, 4, 8, 12).messages, 2 * 2 * 2)
        self.assertEqual(traffic("float32", [1, 32768, 32768], 5, 8, 12).messages, 2 * 3 * 3)

    def test_buckets_are_filled_from_the_last_layer_on(self):
        self.assertEqual([bucket_count(sizes) for sizes in ([1], [32768, 1], [1, 32768], [40000, 20000, 20000])], [1, 1, 2, 2])

    def test_rounds_take_alpha_and_the_rest_is_hidden_by_the_wire_or_the_processor(self):
        fabric = Fabric("plain", 8e-6, 1e9, 1e-6)
        self.assertAlmostEqual(fabric.seconds(Load(4, 10, 5e6)), 4 * 8e-6 + 5e-3)
        self.assertAlmostEqual(fabric.seconds(Load(4, 10, 5e6), 0.5), 4 * 8e-6 + 2.5e-3)
        self.assertAlmostEqual(fabric.seconds(Load(4, 1000, 5e2)), 4 * 8e-6 + 1000 * 1e-6)


class Simulated(unittest.TestCase):
    """experiments/scale: the code of src/exchange on simulated ranks, one on each node."""

    # As the platform files and simulate.sh have it: four links of half a microsecond, or two of seven, and half a microsecond of
    # a processor at either end; 97 % of the bandwidth.
    FABRICS = {"fat_tree_100g": Fabric("fat tree", 3e-6, 12.1e9, 1e-6), "ethernet_10g": Fabric("Ethernet", 15e-6, 1.21e9, 1e-6)}
    FOLDER = pathlib.Path(__file__).resolve().parents[2] / "experiments" / "scale"

    def modelled(self, row):
        scale = int(row["scale"])
        sizes = [math.ceil(int(line) / scale) for line in (self.FOLDER / f"{row['model']}.tensors").read_text().split()]
        ranks = int(row["ranks"])
        fabric = self.FABRICS[row["network"]]
        fabric = dataclasses.replace(fabric, bandwidth=fabric.bandwidth / scale)
        if row["method"] == "allreduce":  # of all tensors at once
            return fabric.seconds(traffic("float32", [sum(sizes)], ranks, ranks, 8))
        return fabric.seconds(traffic("int8", sizes, ranks, ranks, 8, row["method"]))

    def test_projections_are_within_a_quarter(self):
        with open(self.FOLDER / "results" / "simulated.csv", encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["ranks_per_node"] == "1"]
        self.assertGreater(len(rows), 12)
        for row in rows:
            with self.subTest(**row):
                ratio = self.modelled(row) / float(row["seconds"])
                print(f"{row['network']:14s} {row['ranks']:>5s} {row['model']:9s} {row['method']:10s} "
                      f"simulated {1e3 * float(row['seconds']):7.3f} ms, modelled {1e3 * self.modelled(row):7.3f}, {ratio:.2f}")
                self.assertLess(abs(ratio - 1), 0.25)


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
        exchange = 2 * 8e-6 + 0.75 * 17 * 65536 / 8 / 1e9  # directly: the tree has twice as many rounds
        self.assertAlmostEqual(four["exposed"], exchange)
        self.assertAlmostEqual(four["step"], 2.5e-3 + 3e-3 + exchange)
        self.assertAlmostEqual(four["efficiency"], 13e-3 / (4 * four["step"]))
        # 16 ranks need 16 shards: one each.
        self.assertAlmostEqual(rows[16]["encodings"]["int8"]["exchange"],
                               2 * 8e-6 + 15 / 16 * 16 * 65536 / 8 / 1e9)  # fmt: skip

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
        self.assertAlmostEqual(four["exchange"], 2 * 8e-6 + 100000 / 1e9)
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
