#!/usr/bin/env python3
"""`adapt bench` from outside: its JSON, its table, its refusals; alone and on two ranks.

usage: bench_cli_test.py ADAPT MPIEXEC
"""

import json
import subprocess
import sys
import unittest

ADAPT = []
MPIEXEC = []
QUICK = ["--repeats", "3", "--seconds", "0.01"]
SMALL_STEP = ["bench", "step", "--batch", "8", "--shards", "4", *QUICK]


def run(*arguments, ranks=0):
    launcher = [*MPIEXEC, "-n", str(ranks)] if ranks else []
    return subprocess.run([*launcher, *ADAPT, *arguments], capture_output=True, text=True, timeout=100)


class Bench(unittest.TestCase):
    def report(self, *arguments, ranks=0):
        process = run(*arguments, "--json", ranks=ranks)
        self.assertEqual(process.returncode, 0, process.stderr)
        return json.loads(process.stdout)

    def check_result(self, result, unit, items):
        seconds = result["seconds"]
        self.assertGreater(seconds["min"], 0)
        self.assertLessEqual(seconds["min"], seconds["median"])
        self.assertLessEqual(seconds["median"], seconds["max"])
        # An odd number of repetitions: the median rate belongs to the median time.
        self.assertAlmostEqual(result[unit + "_per_second"] * seconds["median"] / items, 1, places=9)
        self.assertEqual(result["repeats"], 3)

    def check_ratio(self, ratio, first, result, unit):
        rate = unit + "_per_second"
        self.assertAlmostEqual(ratio["ratio"] * first[rate] / result[rate], 1, places=9)
        rounds = ratio["rounds"]
        self.assertLessEqual(rounds["min"], rounds["median"])
        self.assertLessEqual(rounds["median"], rounds["max"])

    def check_step(self, ranks):
        report = self.report(*SMALL_STEP, "--engine", "float32,emulated", ranks=ranks)
        results = report["results"]
        self.assertEqual([(r["model"], r["engine"], r["policy"]) for r in results],
                         [("lenet5", "float32", "float32"), ("lenet5", "emulated", "adapt")])
        for result in results:
            self.assertEqual((result["batch"], result["shards"], result["ranks"], result["threads"]),
                             (8, 4, max(1, ranks), 1))
            self.check_result(result, "images", 8)
            self.assertEqual(sorted(result["phases"]), sorted(
                ["data", "forward", "backward", "quantize", "exchange", "policy", "update"]))
            self.assertNotIn("layers_forward", result)
        [ratio] = report["ratios"]
        self.assertEqual((ratio["model"], ratio["engine"], ratio["against"]), ("lenet5", "emulated", "float32"))
        self.check_ratio(ratio, results[0], results[1], "images")

    def test_step(self):
        self.check_step(ranks=0)

    def test_step_on_two_ranks(self):
        self.check_step(ranks=2)

    def test_step_one_engine_has_no_ratio(self):
        report = self.report(*SMALL_STEP, "--engine", "emulated", "--policy", "fixed")
        self.assertEqual([r["policy"] for r in report["results"]], ["fixed"])
        self.assertEqual(report["ratios"], [])

    def test_layers(self):
        report = self.report(*SMALL_STEP, "--layers", "yes")
        plain, emulated = report["results"]
        self.assertEqual(list(plain["layers_forward"]), list(plain["layers_backward"]))
        work = plain["work"]
        self.assertEqual(set(work["layers_forward"]), set(plain["layers_forward"]))
        # The first layer has no gradient of its input, the others multiply twice as much as forward.
        for name, factor in [("conv1", 1), ("conv2", 2), ("fc2", 2), ("tanh2", 0)]:
            self.assertEqual(work["layers_backward"][name]["operations"],
                             factor * work["layers_forward"][name]["operations"])
        self.assertTrue({"conv1", "tanh2", "fc2"} <= set(plain["layers_forward"]))
        self.assertEqual({name for name in emulated["layers_forward"] if "." not in name},
                         set(plain["layers_forward"]))
        self.assertIn("conv1.inputs", emulated["layers_forward"])

    def check_infer(self, ranks, batch):
        report = self.report("bench", "infer", "--engine", "float32,emulated", "--batch", str(batch), "--layers",
                             "yes", *QUICK, ranks=ranks)
        results = report["results"]
        self.assertEqual([(r["model"], r["engine"]) for r in results],
                         [("lenet5", "float32"), ("lenet5", "emulated")])
        for result in results:
            self.assertEqual((result["batch"], result["ranks"], result["threads"]), (batch, max(1, ranks), 1))
            self.check_result(result, "images", batch)
            self.assertTrue({"conv1", "fc2"} <= set(result["layers"]))
            self.assertEqual(set(result["work"]["layers"]), set(result["layers"]))
            # 6 kernels of 5 x 5 on 28 x 28 places, two operations for each multiply-add
            self.assertEqual(result["work"]["layers"]["conv1"]["operations"], batch * 2 * 6 * 25 * 28 * 28)
        self.assertNotIn("tanh2", results[0]["layers"])  # folded into conv1
        self.assertIn("tanh2", results[1]["layers"])
        [ratio] = report["ratios"]
        self.assertEqual((ratio["engine"], ratio["against"]), ("emulated", "float32"))
        self.check_ratio(ratio, results[0], results[1], "images")

    def test_infer(self):
        self.check_infer(ranks=0, batch=6)

    def test_infer_on_more_ranks_than_images(self):
        self.check_infer(ranks=2, batch=1)

    def test_ceilings(self):
        report = self.report("bench", "ceilings", "--size", "64", *QUICK)
        rates = {r["ceiling"]: (r["unit"], r["units_per_second"]) for r in report["results"]}
        self.assertTrue({"float32", "memory", "cache"} <= set(rates))
        self.assertEqual({unit for unit, _ in rates.values()}, {"operation", "byte"})
        self.assertGreater(rates["cache"][1], rates["memory"][1] / 2)

    def test_table(self):
        process = run(*SMALL_STEP)
        self.assertEqual(process.returncode, 0, process.stderr)
        lines = process.stdout.splitlines()
        self.assertEqual(lines[0].split()[:3], ["model", "engine", "policy"])
        self.assertEqual(lines[1].split()[:3], ["lenet5", "float32", "float32"])
        self.assertEqual(lines[2].split()[:3], ["lenet5", "emulated", "adapt"])
        self.assertTrue(any(line.startswith("phases (ms)") for line in lines))

    def test_quantize(self):
        report = self.report("bench", "quantize", "--elements", "1000", *QUICK, ranks=2)
        results = report["results"]
        kernels = list(dict.fromkeys(r["kernel"] for r in results))
        self.assertIn("quantize_stochastic", kernels)
        for kernel in kernels:
            own = [r for r in results if r["kernel"] == kernel]
            self.assertEqual([r["instruction_set"] for r in own][:2], ["reference", "generic"])
            ratios = [r for r in report["ratios"] if r["kernel"] == kernel]
            self.assertEqual([r["against"] for r in ratios], ["reference"] * (len(own) - 1))
            for result in own:
                self.check_result(result, "elements", 2 * 1000)
            for ratio, result in zip(ratios, own[1:]):
                self.assertEqual(ratio["instruction_set"], result["instruction_set"])
                self.check_ratio(ratio, own[0], result, "elements")

    def test_exchange(self):
        for ranks in (0, 2, 3):
            report = self.report("bench", "exchange", "--elements", "300,50000", *QUICK, ranks=ranks)
            results = report["results"]
            encodings = ["float32", "exact", "layer", "int16", "int8"]
            self.assertEqual([(r["elements"], r["encoding"]) for r in results],
                             [(elements, encoding) for elements in (300, 50000) for encoding in encodings])
            for result in results:
                self.assertEqual((result["ranks"], result["shards"]), (max(1, ranks), 8))
                self.check_result(result, "elements", result["elements"])
                self.assertEqual(sorted(result["phases"]), ["decode", "encode", "exchange"])
                self.assertEqual(result["bytes_sent"] > 0, ranks > 1)
            self.assertEqual(len(report["ratios"]), 8)
            if ranks > 1:
                sent = {r["encoding"]: r["bytes_sent"] for r in results[5:]}
                self.assertEqual(sent["float32"], -(-2 * (ranks - 1) * 4 * 50000 // ranks))
                self.assertLess(sent["int8"], 0.36 * sent["float32"])  # 10, 11 bits there, 8 back, against 32
                self.assertLess(sent["int8"], sent["int16"])

    def test_help(self):
        for arguments, word in [(["bench", "--help"], "quantize"), (["bench", "step", "--help"], "--engine")]:
            process = run(*arguments)
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertIn(word, process.stdout)


class Refusals(unittest.TestCase):
    """Bad input ends with exit code 2 and one line that says what would be right."""

    def check(self, words, *arguments, ranks=0):
        process = run("bench", *arguments, ranks=ranks)
        self.assertEqual(process.returncode, 2, process.stderr)
        lines = [line for line in process.stderr.splitlines() if line.startswith("adapt: ") and "warning: oneDNN" not in line]
        self.assertEqual(len(lines), 1, process.stderr)
        for word in words:
            self.assertIn(word, lines[0])

    def test_what_is_refused(self):
        for words, *arguments in [
            (["name of a benchmark"],),
            (["unknown benchmark 'stop'", "did you mean 'step'"], "stop"),
            (["--modell"], "step", "--modell", "lenet5"),
            (["unknown name 'lenet'", "lenet5"], "step", "--model", "lenet"),
            (["unknown name 'float'", "--engine"], "step", "--engine", "float"),
            (["'float32' stands there twice"], "step", "--engine", "float32,float32"),
            (["unknown name 'muppett'", "--policy"], "step", "--policy", "muppett"),
            (["expected one name, or one for each"], "step", "--engine", "emulated", "--policy", "adapt,fixed"),
            (["float32", "adapt"], "step", "--engine", "float32", "--policy", "adapt"),
            (["unknown name 'auto'", "--engine"], "infer", "--engine", "auto"),
            (["--batch", "'0'"], "infer", "--batch", "0"),
            (["multiple"], "step", "--batch", "10", "--shards", "4"),
            (["--repeats", "'0'"], "step", "--repeats", "0"),
            (["--seconds", "'-1'"], "step", "--seconds=-1"),
            (["--elements", "'many'"], "quantize", "--elements", "many"),
            (["unknown name 'round'"], "quantize", "--kernel", "round"),
            (["unexpected argument 'lenet5'"], "step", "lenet5"),
            (["unknown name 'int4'", "int8"], "exchange", "--encoding", "int4"),
            (["--elements", "'0'"], "exchange", "--elements", "10,0"),
        ]:
            with self.subTest(arguments=arguments):
                self.check(words, *arguments)

    def test_two_ranks_say_it_once(self):
        self.check(["training.shards is 1", "2 ranks"], "step", "--shards", "1", ranks=2)
        self.check(["--shards is 1", "2 ranks"], "exchange", "--shards", "1", ranks=2)


if __name__ == "__main__":
    ADAPT, MPIEXEC = [sys.argv[1]], [sys.argv[2]]
    unittest.main(argv=sys.argv[:1])
