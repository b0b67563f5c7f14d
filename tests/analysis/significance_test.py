"""Student's distribution against tables, tests against published examples."""

import math
import unittest

import support  # noqa: F401 (the package on the path)

from analysis.significance import (
    deviation,
    holm,
    mean,
    paired_p_value,
    student_p_value,
    welch_p_value,
)

# Student's sleep data (Biometrika 6, 1908): hours gained with two drugs, ten patients.
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


class Distribution(unittest.TestCase):
    def test_quantiles_of_printed_tables(self):
        for t, freedom, p in ((12.706, 1, 0.05), (2.776, 4, 0.05), (4.604, 4, 0.01), (2.228, 10, 0.05),
                              (1.372, 10, 0.2), (3.3905, 100, 0.001), (1.959964, 1e7, 0.05)):
            self.assertAlmostEqual(student_p_value(t, freedom), p, delta=1e-3 * p, msg=(t, freedom))

    def test_one_and_two_degrees_have_closed_forms(self):
        for t in (0.0, 0.01, 0.5, 1.0, 3.0, 40.0, 1e4):
            self.assertAlmostEqual(student_p_value(t, 1), 1 - 2 / math.pi * math.atan(t), delta=1e-12)
            self.assertAlmostEqual(student_p_value(t, 2), 1 - t / math.sqrt(2 + t * t), delta=1e-12)


class Tests(unittest.TestCase):
    def test_published_example(self):
        self.assertAlmostEqual(paired_p_value(FIRST, SECOND), 0.002833, delta=5e-7)
        self.assertAlmostEqual(welch_p_value(FIRST, SECOND), 0.07939, delta=5e-6)

    def test_order_does_not_matter(self):
        self.assertEqual(paired_p_value(FIRST, SECOND), paired_p_value(SECOND, FIRST))
        self.assertAlmostEqual(welch_p_value(FIRST[:4], SECOND), welch_p_value(SECOND, FIRST[:4]), delta=1e-14)

    def test_what_does_not_scatter_says_nothing(self):
        self.assertEqual(paired_p_value([1.0, 2.0], [1.0, 2.0]), 1)
        self.assertIsNone(paired_p_value([1.0, 2.0], [2.0, 3.0]))
        self.assertIsNone(paired_p_value([1.0], [2.0]))
        self.assertIsNone(welch_p_value([1.0, 1.0], [2.0, 2.0]))
        self.assertIsNone(welch_p_value([1.0], [2.0, 3.0]))

    def test_holm_multiplies_by_the_tests_that_are_left(self):
        adjusted = holm([0.02, None, 0.01, 0.03, 0.9])
        self.assertIsNone(adjusted[1])
        for found, expected in zip([adjusted[i] for i in (2, 0, 3, 4)], [0.04, 0.06, 0.06, 0.9]):
            self.assertAlmostEqual(found, expected, delta=1e-15)

    def test_mean_and_deviation(self):
        self.assertEqual((mean([1, 2, 6]), deviation([1, 2, 6])), (3, math.sqrt(7)))


if __name__ == "__main__":
    unittest.main()
