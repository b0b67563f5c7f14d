"""The RO-Crate that is exported, against what RO-Crate 1.1 and Process Run Crate 0.5 ask for."""

import hashlib
import json
import os
import re
import unittest
import urllib.parse

from support import ROOT, ScratchTest, call_script, call_script_aloud, call_to_refuse
from sweep_store import write_store
from synthetic_run import constant_layer, write_run

from analysis import ro_crate
from analysis.run_file import read_run

DATE_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"


class Crate(ScratchTest):
    def export(self, source, *options):
        """Exports to folder/crate and reads it: {@id: entity}."""
        self.printed, self.notes = call_script_aloud(ro_crate, source, "--out", self.path("crate"), *options)
        with open(self.path("crate", "ro-crate-metadata.json"), encoding="utf-8") as stream:
            document = json.load(stream)
        self.assertEqual(document["@context"], ["https://w3id.org/ro/crate/1.1/context",
                                                "https://w3id.org/ro/terms/workflow-run/context"])
        graph = document["@graph"]
        entities = {entity["@id"]: entity for entity in graph}
        self.assertEqual(len(entities), len(graph), "one entity per @id")
        return entities

    def of_type(self, entities, kind):
        return [entity for entity in entities.values() if entity["@type"] == kind]

    def check(self, entities, runs):
        """What both specifications ask for, in a crate of `runs` runs."""
        self.check_descriptor(entities)
        self.check_references(entities)
        self.check_files(entities)
        self.check_actions(entities, runs)

    def check_descriptor(self, entities):
        descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
        self.assertEqual(descriptor["@type"], "CreativeWork")
        self.assertEqual(descriptor["about"], {"@id": "./"})
        self.assertEqual(descriptor["conformsTo"], {"@id": "https://w3id.org/ro/crate/1.1"})
        self.assertEqual(root["@type"], "Dataset")
        self.assertEqual(root["conformsTo"], {"@id": "https://w3id.org/ro/wfrun/process/0.5"})
        self.assertEqual(entities["https://w3id.org/ro/wfrun/process/0.5"]["@type"], "CreativeWork")
        self.assertRegex(root["datePublished"], r"^\d{4}-\d\d-\d\d$")
        for name in ("name", "description", "license"):
            self.assertTrue(root[name], name)

    def check_references(self, entities):
        """Every entity is flat, and what it refers to is there (but for the words of schema.org and of the specification)."""
        for entity in entities.values():
            for name, value in entity.items():
                for item in value if isinstance(value, list) else [value]:
                    if isinstance(item, dict):
                        self.assertEqual(list(item), ["@id"], (entity["@id"], name))
                        outside = item["@id"].startswith(("http://schema.org/", "https://w3id.org/ro/crate/"))
                        self.assertTrue(outside or item["@id"] in entities, item)
                    else:
                        self.assertIsInstance(item, str, (entity["@id"], name))

    def check_files(self, entities):
        """What is listed is there, whole, and nothing else is."""
        listed = {part["@id"] for part in entities["./"]["hasPart"]}
        self.assertEqual(listed, {entity["@id"] for entity in self.of_type(entities, "File")})
        there = {os.path.relpath(os.path.join(place, name), self.path("crate"))
                 for place, _, names in os.walk(self.path("crate")) for name in names}  # fmt: skip
        self.assertEqual({urllib.parse.unquote(name) for name in listed}, there - {"ro-crate-metadata.json"})
        for name in listed:
            with open(self.path("crate", urllib.parse.unquote(name)), "rb") as stream:
                content = stream.read()
            self.assertEqual(entities[name]["sha256"], hashlib.sha256(content).hexdigest())
            self.assertEqual(entities[name]["contentSize"], str(len(content)))
            self.assertTrue(entities[name]["encodingFormat"])

    def check_actions(self, entities, runs):
        actions = self.of_type(entities, "CreateAction")
        self.assertEqual(len(actions), runs)
        self.assertEqual({item["@id"] for item in entities["./"]["mentions"]}, {action["@id"] for action in actions})
        for action in actions:
            tool = entities[action["instrument"]["@id"]]
            self.assertEqual((tool["@type"], tool["name"]), ("SoftwareApplication", "adapt"))
            self.assertTrue(tool["softwareVersion"] and tool["url"])
            kinds = [[entities[item["@id"]]["@type"] for item in action[name]] for name in ("object", "result")]
            self.assertEqual(kinds[0], ["File", "CreativeWork"])
            self.assertEqual(kinds[1][0], "File")
            self.assertEqual(set(kinds[1][1:]), {"PropertyValue"})
            self.assertTrue(action["name"] and action["description"])
            self.assertEqual(action["actionStatus"], {"@id": "http://schema.org/CompletedActionStatus"})

    def test_a_sweep(self):
        write_store(self.path("store"))
        entities = self.export(self.path("store"), "--author", "Jane Doe", "--orcid", "0000-0002-1825-0097")
        self.check(entities, runs=6)
        self.assertIn("2 runs left out: not finished", self.notes)
        self.assertEqual(entities["https://orcid.org/0000-0002-1825-0097"]["name"], "Jane Doe")
        for action in self.of_type(entities, "CreateAction"):
            self.assertEqual(action["agent"], {"@id": "https://orcid.org/0000-0002-1825-0097"})
            self.assertRegex(action["endTime"], DATE_TIME)
        accuracy = entities["#0000000000000002-test_accuracy"]
        self.assertAlmostEqual(float(accuracy["value"]), 62)

    def test_one_run_whose_name_is_no_address(self):
        write_run(self.path("a run, 100 %"), {"a": (100, 10, constant_layer(10))})
        entities = self.export(self.path("a run, 100 %"), "--name", "Title", "--description", "What for")
        self.check(entities, runs=1)
        self.assertIn("a%20run%2C%20100%20%25/run.h5", entities)
        self.assertEqual((entities["./"]["name"], entities["./"]["description"]), ("Title", "What for"))
        copy = read_run(self.path("crate", "a run, 100 %", "run.h5"))
        with open(self.path("crate", "a run, 100 %", "configuration.yaml"), encoding="utf-8") as stream:
            self.assertEqual(stream.read(), copy.configuration_text)

    def test_committed_logs(self):
        entities = self.export(os.path.join(ROOT, "experiments", "results"), "--where", "model=alexnet",
                               "--where", "data=cifar10", "--where", "precision.formats=per_layer")  # fmt: skip
        self.check(entities, runs=2)
        actions = self.of_type(entities, "CreateAction")
        for action in actions:
            self.assertRegex(action["startTime"], DATE_TIME)
            self.assertNotIn("endTime", action, "a stripped copy does not know it")
            self.assertRegex(action["instrument"]["@id"], re.compile("^#adapt-[0-9a-f]{40}"))
        data = {action["object"][1]["@id"] for action in actions}
        self.assertEqual(len(data), 1, "both learned the same data")

    def test_refusals(self):
        write_run(self.path("run"), {}, done=False)
        self.assertIn("none of 1 runs is finished", call_to_refuse(ro_crate, self.path("run"), "--out", self.path("crate")))
        self.assertFalse(os.path.exists(self.path("crate")))
        write_run(self.path("done"), {})
        self.assertIn("not empty", call_to_refuse(ro_crate, self.path("done"), "--out", self.path("run")))
        call_script(ro_crate, self.path("done"), "--out", self.path("crate"))


if __name__ == "__main__":
    unittest.main()
