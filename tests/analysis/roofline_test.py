#!/usr/bin/python3
"""The roofline page: ceilings, shares, small layers added up, refusals, and how the benchmarks are called."""

import json
import os
import stat
import unittest

from support import ScratchTest, call_script, call_to_refuse

from analysis import roofline

CEILINGS = {"float32": ("operation", 4e9), "integer": ("operation", 16e9), "memory": ("byte", 2e9), "cache": ("byte", 8e9)}


def ceilings(ranks=2):
    """What `adapt bench ceilings --json` prints: rates are over all ranks."""
    return {"results": [{"ceiling": name, "unit": unit, "units_per_second": ranks * rate, "ranks": ranks}
                        for name, (unit, rate) in CEILINGS.items()]}


def inference(engine, rate, layers, work, ranks=2):
    return {"model": "resnet20", "engine": engine, "batch": 128, "ranks": ranks, "threads": 1, "images_per_second": rate,
            "seconds": {"median": 128 / rate, "min": 100 / rate, "max": 200 / rate}, "layers": layers,
            "work": {"layers": {name: {"operations": operations, "bytes": size}
                                for name, (operations, size) in work.items()}}}


class Roofline(ScratchTest):
    def write(self, name, content):
        with open(self.path(name + ".json"), "w", encoding="utf-8") as stream:
            stream.write(content if isinstance(content, str) else json.dumps(content))

    def page(self, *results):
        self.write("ceilings", ceilings())
        self.write("infer_resnet20", {"results": list(results)})
        return call_script(roofline, self.folder)

    def row(self, page, name):
        [line] = [line for line in page.splitlines() if line.startswith(f"| {name} |")]
        return [cell.strip() for cell in line.strip("|").split("|")]

    def test_times_at_the_ceilings(self):
        # Over two ranks 32e6 operations and 8e6 bytes: a rank has half of them.
        page = self.page(inference("integer", 1000, {"conv1": 0.004}, {"conv1": (32e6, 8e6)}))
        self.assertEqual(self.row(page, "conv1"), ["conv1", "4.000", "1.000", "4.000", "2.000", "25"])
        self.assertIn("| integer | 16.0 | operation |", page)

    def test_layers_without_a_product(self):
        page = self.page(inference("integer", 1000, {"pool": 0.004}, {"pool": (0, 8e6)}))
        self.assertEqual(self.row(page, "pool"), ["pool", "4.000", "-", "-", "2.000", "-"])

    def test_small_layers_are_added_up(self):
        layers = {"conv1": 0.1, "a": 0.0004, "b": 0.0006}
        page = self.page(inference("float32", 1000, layers, {name: (4e6, 0) for name in layers}))
        self.assertEqual(self.row(page, "2 others")[:3], ["2 others", "1.000", "1.000"])
        self.assertEqual(self.row(page, "all")[:3], ["all", "101.000", "1.500"])
        self.assertNotIn("| a |", page)

    def test_engines_against_the_first(self):
        page = self.page(*(inference(engine, rate, {"conv1": 1}, {}) for engine, rate in
                           (("float32", 1000), ("emulated", 500))))
        self.assertIn("| emulated | 500 | 256.000 | 200.000 | 400.000 | 0.50 |", page)

    def test_phases_of_a_step(self):
        result = inference("float32", 1000, {"conv1": 1}, {})
        result["layers_forward"] = result.pop("layers")
        self.write("ceilings", ceilings())
        self.write("step_alexnet", {"results": [{**result, "phases": {"forward": 0.25}}]})
        page = call_script(roofline, self.folder)
        self.assertEqual(self.row(page, "forward"), ["forward", "250.000"])
        self.assertIn("### float32, forward", page)

    def test_notes_stand_at_the_end(self):
        self.write("ceilings", ceilings())
        with open(self.path("notes.md"), "w", encoding="utf-8") as stream:
            stream.write("## What was tried\n")
        self.assertTrue(call_script(roofline, self.folder).endswith("\n\n## What was tried\n"))

    def test_refusals(self):
        self.assertIn("no ceilings.json", call_to_refuse(roofline, self.folder))
        self.write("ceilings", "{}")
        self.assertIn("not the JSON of adapt bench", call_to_refuse(roofline, self.folder))

    def test_measures(self):
        """A made-up mpirun answers each benchmark with the arguments that it was called with."""
        launcher = self.path("mpirun")
        with open(launcher, "w", encoding="utf-8") as stream:
            stream.write(f"#!/bin/sh\nprintf '%s\\n' \"$*\" >> {self.path('calls')}\n"
                         f"case \"$*\" in *ceilings*) cat {self.path('answer')};; *) echo '{{\"results\": []}}';; esac\n")
        os.chmod(launcher, stat.S_IRWXU)
        with open(self.path("answer"), "w", encoding="utf-8") as stream:
            json.dump(ceilings(), stream)
        path = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        os.environ["PATH"] = self.folder + os.pathsep + path
        call_script(roofline, self.path("new"), "--measure", "--adapt", "ADAPT", "--out", self.path("page.md"))
        with open(self.path("calls"), encoding="utf-8") as stream:
            calls = stream.read().splitlines()
        self.assertEqual(calls[0], "-n 2 --bind-to core ADAPT bench ceilings --json")
        self.assertIn("-n 1 --bind-to core ADAPT bench infer --model resnet20 --batch 1 --layers yes --engine "
                      "float32,bfloat16,integer --json", calls)
        self.assertIn("-n 2 --bind-to core ADAPT bench step --model alexnet --batch 128 --shards 2 --rounding nearest "
                      "--layers yes --engine float32,bfloat16,integer --json", calls)
        self.assertEqual(len(calls), 7)
        self.assertEqual(sorted(os.listdir(self.path("new"))), sorted(
            ["ceilings.json", *(f"{kind}_{model}.json" for kind in ("step", "infer", "latency")
                                for model in ("resnet20", "alexnet"))]))
        with open(self.path("page.md"), encoding="utf-8") as stream:
            self.assertIn("| float32 | 4.0 | operation |", stream.read())


if __name__ == "__main__":
    unittest.main()
