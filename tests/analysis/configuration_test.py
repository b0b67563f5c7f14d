"""The flat view of the resolved YAML."""

import unittest

import support  # noqa: F401  (puts the package on the path)

from analysis.configuration import flatten_yaml, resolved_values
from analysis.errors import BadInput


class FlattenYaml(unittest.TestCase):
    def test_keys_that_a_configuration_is_too_old_for_have_their_defaults(self):
        self.assertEqual(resolved_values("seed: 1\n"), {"seed": "1", "training.label_smoothing": "0"})
        self.assertEqual(resolved_values("training:\n  label_smoothing: 0.1\n"), {"training.label_smoothing": "0.1"})

    def test_a_network_of_its_own_is_known_by_a_digest(self):
        texts = [f'model:\n  name: mine\n  graph: "name: mine\\nlayers: [{kind}: {{name: \\"{name}\\"}}]"\n'
                 for kind, name in (("relu", 1), ("tanh", 1), ("relu", 2), ("relu", 1))]  # fmt: skip
        digests = [resolved_values(text)["model.graph"] for text in texts]
        for digest in digests:
            self.assertRegex(digest, "^[0-9a-f]{12}$")
        self.assertEqual(digests[0], digests[3])
        self.assertEqual(len(set(digests)), 3)

    def test_nests_by_indentation(self):
        text = "seed: 7\ntraining:\n  batch: 256\n  schedule:\n    name: cosine\n  l1: 1e-08\ndata:\n  name: mnist\n"
        self.assertEqual(
            flatten_yaml(text),
            {
                "seed": "7",
                "training.batch": "256",
                "training.schedule.name": "cosine",
                "training.l1": "1e-08",
                "data.name": "mnist",
            },
        )

    def test_quotes_comments_and_empty_values(self):
        text = "---\n# a comment\nname: \"a: b # c\"  # why\nother: 'x'\npath: \"\"\nplain: y # z\n"
        self.assertEqual(flatten_yaml(text), {"name": "a: b # c", "other": "x", "plain": "y"})

    def test_lists_in_both_notations_read_the_same(self):
        self.assertEqual(flatten_yaml("a:\n  b: [3, 4]\n"), {"a.b": "[3, 4]"})
        self.assertEqual(flatten_yaml("a:\n  b:\n    - 3\n    - 4\n"), {"a.b": "[3, 4]"})

    def test_a_list_of_many_items_takes_time_in_proportion(self):
        """Item by item it would take minutes, more than the test has."""
        text = "a:\n" + "  - x\n" * 1_000_000
        self.assertEqual(len(flatten_yaml(text)["a"]), 3 * 1_000_000)

    def test_lists_and_mappings_within_a_list_are_left_out(self):
        text = "a: [1, [2, 3], 4]\nb: [{c: 1}, {c: 2}]\nd: []\ne: {f: 5, g: {}, h: 6}\ni: last\n"
        self.assertEqual(flatten_yaml(text), {"d": "[]", "e.f": "5", "e.h": "6", "i": "last"})

    def test_references_are_not_followed(self):
        text = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(50)) + "c: *a\nd: 1\n"
        self.assertEqual(flatten_yaml(text), {"a": "[x, x]", "d": "1"})

    def test_depth_is_no_matter(self):
        self.assertEqual(flatten_yaml("[" * 500 + "]" * 500), {})

    def test_what_is_no_mapping_is_left_out(self):
        self.assertEqual(flatten_yaml(""), {})
        self.assertEqual(flatten_yaml("? {a: 1}\n: 2\n? [3]\n: 4\nb: 5\n"), {"b": "5"})
        self.assertEqual(flatten_yaml("just words\nx:y\n"), {})

    def test_what_is_no_yaml_is_refused_with_its_line(self):
        for text, where in (("a: 1\nb: [\n", ", line 3"), ("a: 'x\n", ", line 2"), ("a: 1\nx\n", "line "), ("\x00", "")):
            with self.assertRaisesRegex(BadInput, f"^no YAML: .+{where}"):
                flatten_yaml(text)


if __name__ == "__main__":
    unittest.main()
